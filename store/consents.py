"""What people agreed to, in the words they read (个人信息保护法 第十四、十五条)."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from sqlalchemy import select
from sqlalchemy.orm import Session

from store.privacy_models import Consent

Purpose = Literal["policy_matching", "policy_notices"]

MATCHING = "您说的情况只用来匹配政策，加密保存，随时可以说“删除我的资料”。"
"""What somebody reads before the first question about himself."""


def give(session: Session, citizen_id: str, purpose: Purpose, told: str, now: datetime) -> None:
    """Record a consent; the same words agreed to again are one record."""
    for row in _standing(session, citizen_id, purpose):
        if row.told == told:
            return
        row.withdrawn_at = now  # other words now: the new consent takes the place of the old
    session.add(Consent(citizen_id=citizen_id, purpose=purpose, told=told, given_at=now))


def withdraw(
    session: Session, citizen_id: str, now: datetime, purpose: Purpose | None = None
) -> None:
    """Note that a purpose, or every one, is not agreed to any more; the records stay as proof."""
    for row in _standing(session, citizen_id, purpose):
        row.withdrawn_at = now


def _standing(session: Session, citizen_id: str, purpose: Purpose | None) -> list[Consent]:
    query = select(Consent).where(Consent.citizen_id == citizen_id, Consent.withdrawn_at.is_(None))
    if purpose is not None:
        query = query.where(Consent.purpose == purpose)
    return list(session.scalars(query))

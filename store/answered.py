"""Each message is handled once, however often its client sends it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from store.answered_models import AnsweredMessage
from store.models import plain
from store.privacy import reveal

KEEP = timedelta(days=2)
"""Longer than a page keeps an unsent message (channels/web/static/js/outbox.js)."""


@dataclass(frozen=True)
class Claim:
    """Whether the caller is the one to handle the message, else the answer it got (if any yet)."""

    mine: bool
    answer: dict[str, Any] | None = None


def claim(
    session: Session, citizen_id: str, client_id: str, now: datetime, patience: timedelta
) -> Claim:
    """Claim a message, or return what is known of it.

    Who claimed it longer than ``patience`` ago without an answer has died; the message is then
    claimed anew. Reading an answer is audited.
    """
    found = _find(session, citizen_id, client_id)
    if found is None:
        session.execute(delete(AnsweredMessage).where(AnsweredMessage.at < now - KEEP))
        try:
            with session.begin_nested():
                session.add(AnsweredMessage(citizen_id=citizen_id, client_id=client_id, at=now))
        except IntegrityError:
            return Claim(mine=False)  # somebody was faster by a moment
        return Claim(mine=True)
    if found.answer is not None:
        answer = reveal(
            session, found, "answer", actor=f"citizen:{citizen_id}", purpose="message_repeated"
        )
        return Claim(mine=False, answer=answer)
    stale = (
        update(AnsweredMessage)
        .where(
            AnsweredMessage.id == found.id,
            AnsweredMessage.answer.is_(None),
            AnsweredMessage.at < now - patience,
        )
        .values(at=now)
        .returning(AnsweredMessage.id)
    )
    return Claim(mine=session.scalars(stale).first() is not None)


def keep_answer(session: Session, citizen_id: str, client_id: str, answer: dict[str, Any]) -> None:
    """Keep the answer of a claimed message for whoever sends it again."""
    found = _find(session, citizen_id, client_id)
    if found is not None:
        found.answer = plain(answer)


def release(session: Session, citizen_id: str, client_id: str) -> None:
    """Give a message back that could not be handled: the next attempt handles it."""
    session.execute(
        delete(AnsweredMessage).where(
            AnsweredMessage.citizen_id == citizen_id,
            AnsweredMessage.client_id == client_id,
            AnsweredMessage.answer.is_(None),
        )
    )


def forget_answers(session: Session, citizen_id: str) -> None:
    """Delete every kept answer of a citizen."""
    session.execute(delete(AnsweredMessage).where(AnsweredMessage.citizen_id == citizen_id))


def _find(session: Session, citizen_id: str, client_id: str) -> AnsweredMessage | None:
    return session.scalars(
        select(AnsweredMessage).where(
            AnsweredMessage.citizen_id == citizen_id, AnsweredMessage.client_id == client_id
        )
    ).one_or_none()

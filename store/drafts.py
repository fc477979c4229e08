"""Complaints begun and not yet submitted; their content lies in the conversation."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from store.database import insert_missing
from store.models import OpenDraft


def keep_draft(
    session: Session, draft_id: str, citizen_id: str, gap: str, now: datetime
) -> OpenDraft:
    """Note that the citizen was just asked for ``gap``; he is reminded at most once a draft."""
    insert_missing(session, OpenDraft(id=draft_id, citizen_id=citizen_id, gap=gap), draft_id)
    row = session.get_one(OpenDraft, draft_id)
    row.gap, row.updated_at = gap, now
    return row


def drop_draft(session: Session, draft_id: str) -> None:
    """Forget a draft: it was submitted or given up. An unknown id changes nothing."""
    session.execute(delete(OpenDraft).where(OpenDraft.id == draft_id))


def unreminded(
    session: Session, quiet_since: datetime, kept_since: datetime, limit: int = 100
) -> Sequence[OpenDraft]:
    """Return drafts untouched since ``quiet_since`` nobody was reminded of, locked.

    Those untouched since ``kept_since`` are left out: they are about to be dropped. Rows another
    worker holds are skipped.
    """
    return session.scalars(
        select(OpenDraft)
        .where(
            OpenDraft.reminded_at.is_(None),
            OpenDraft.updated_at <= quiet_since,
            OpenDraft.updated_at > kept_since,
        )
        .order_by(OpenDraft.updated_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    ).all()


def drop_untouched(session: Session, kept_since: datetime) -> int:
    """Forget the drafts untouched since ``kept_since``; return how many."""
    gone = session.scalars(
        delete(OpenDraft).where(OpenDraft.updated_at <= kept_since).returning(OpenDraft.id)
    )
    return len(gone.all())

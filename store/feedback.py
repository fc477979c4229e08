"""What people say of policies: applied for, not interesting, remind me of its end."""

from __future__ import annotations

from datetime import datetime
from typing import Any, cast

from sqlalchemy import CursorResult, delete, select, update
from sqlalchemy.orm import Session

from store.database import insert_missing
from store.identities import mine
from store.notice_models import NoticeDelivery, PolicyFeedback, PolicyNotice
from store.people import CHAT, citizen

REMIND = "remind"


def feedback_of(session: Session, citizen_id: str) -> dict[str, str]:
    """Return what the citizen said of policies: ``applied`` or ``declined`` by policy id.

    The last word counts, in whichever of his linked conversations he said it.
    """
    rows = session.execute(
        select(PolicyFeedback.policy_id, PolicyFeedback.feedback)
        .where(
            PolicyFeedback.citizen_id.in_(mine(session, citizen_id)),
            PolicyFeedback.feedback != REMIND,
        )
        .order_by(PolicyFeedback.at)
    )
    return {row.policy_id: row.feedback for row in rows}


def reminders_of(session: Session, citizen_id: str) -> frozenset[str]:
    """Return the policies of whose closing the citizen asked to be reminded."""
    return frozenset(
        session.scalars(
            select(PolicyFeedback.policy_id).where(
                PolicyFeedback.citizen_id == citizen_id, PolicyFeedback.feedback == REMIND
            )
        )
    )


def end_reminders(session: Session, citizen_id: str) -> bool:
    """Forget every reminder the citizen asked for; False when there was none."""
    ended = session.execute(
        delete(PolicyFeedback).where(
            PolicyFeedback.citizen_id == citizen_id, PolicyFeedback.feedback == REMIND
        )
    )
    return bool(cast("CursorResult[Any]", ended).rowcount)


def save_feedback(
    session: Session, citizen_id: str, policy_id: str, feedback: str, now: datetime
) -> None:
    """Keep what the citizen says of a policy; the last word counts."""
    citizen(session, citizen_id)
    row = PolicyFeedback(citizen_id=citizen_id, policy_id=policy_id, feedback=feedback, at=now)
    insert_missing(session, row, (citizen_id, policy_id))
    kept = session.get_one(PolicyFeedback, (citizen_id, policy_id))
    kept.feedback, kept.at = feedback, now


def note_opened(session: Session, citizen_id: str, policy_id: str, now: datetime) -> None:
    """Note that the citizen asked about a policy he was told of, if he was.

    The notices of that policy count as opened, the others of the same message do not; the
    message of the chat is opened by the first of them.
    """
    mine = (
        PolicyNotice.citizen_id == citizen_id,
        PolicyNotice.policy_id == policy_id,
        PolicyNotice.digest_id.is_not(None),
    )
    session.execute(
        update(PolicyNotice)
        .where(*mine, PolicyNotice.opened_at.is_(None))
        .values(opened_at=now)
        .execution_options(synchronize_session=False)
    )
    newest = select(PolicyNotice.digest_id).where(*mine).order_by(PolicyNotice.id.desc()).limit(1)
    digest = session.scalars(newest).first()
    if digest is None:
        return
    session.execute(
        update(NoticeDelivery)
        .where(
            NoticeDelivery.digest_id == digest,
            NoticeDelivery.channel == CHAT,
            NoticeDelivery.opened_at.is_(None),
        )
        .values(state="opened", opened_at=now)
    )

"""Messages on their way to citizens on channels that are pushed to.

Each row is a list of replies, sent in parts; how many are out is noted after each, so that a
sender that dies goes on where it was. Messages of one citizen go out in their order.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from base.identity import conversation_of
from store.models import OutgoingMessage
from store.people import note_delivered, queue_message
from store.privacy import reveal


@dataclass(frozen=True)
class Parcel:
    """A message that a sender has in hand; ``attempts`` counts this one.

    ``replies`` are in the form of the Chat API; the first ``parts_sent`` parts are out.
    """

    id: int
    citizen: str
    channel: str
    created_at: datetime
    answer_to: int | None
    parts_sent: int
    attempts: int
    replies: tuple[dict[str, Any], ...]

    @property
    def conversation_id(self) -> str:
        """Where it goes on its channel."""
        return conversation_of(self.citizen)


def queue_answer(  # noqa: PLR0913
    session: Session,
    citizen: str,
    replies: list[dict[str, Any]],
    answer_to: int,
    now: datetime,
    grace: timedelta = timedelta(),
) -> None:
    """Queue the replies to an incoming message; the sender leaves them alone for ``grace``."""
    message = queue_message(session, citizen, replies, now)
    message.answer_to, message.due_at = answer_to, now + grace


def next_outgoing(session: Session, channels: Collection[str]) -> datetime | None:
    """Return when the next message can be taken; None when none waits."""
    first = _firsts(channels)
    return session.scalar(
        select(func.min(OutgoingMessage.due_at)).join(first, OutgoingMessage.id == first.c.id)
    )


def claim_outgoing(
    session: Session, channels: Collection[str], now: datetime, lease: timedelta
) -> Parcel | None:
    """Take the next due message, answers before news, and hide it for ``lease`` (audited)."""
    first = _firsts(channels)
    row = session.scalars(
        select(OutgoingMessage)
        .join(first, OutgoingMessage.id == first.c.id)
        .where(OutgoingMessage.state == "pending", OutgoingMessage.due_at <= now)
        .order_by(OutgoingMessage.answer_to.is_(None), OutgoingMessage.due_at, OutgoingMessage.id)
        .limit(1)
        .with_for_update(skip_locked=True, of=OutgoingMessage)
    ).first()
    return None if row is None else _taken(session, row, now, lease)


def claim_answer(
    session: Session, incoming_id: int, now: datetime, lease: timedelta
) -> Parcel | None:
    """Take the answer to an incoming message before the sender does (audited).

    For platforms that take it as the response to their push. None while there is none, when the
    sender has it, or when an older message of the citizen has to go first.
    """
    row = session.scalars(
        select(OutgoingMessage)
        .where(
            OutgoingMessage.answer_to == incoming_id,
            OutgoingMessage.state == "pending",
            OutgoingMessage.attempts == 0,
        )
        .with_for_update(skip_locked=True)
    ).first()
    if row is None:
        return None
    older = select(OutgoingMessage.id).where(
        OutgoingMessage.citizen_id == row.citizen_id,
        OutgoingMessage.state == "pending",
        OutgoingMessage.id < row.id,
    )
    if session.scalar(older.limit(1)) is not None:
        return None
    return _taken(session, row, now, lease)


def _taken(session: Session, row: OutgoingMessage, now: datetime, lease: timedelta) -> Parcel:
    row.attempts += 1
    row.due_at = now + lease
    body = reveal(
        session, row, "body", actor=f"citizen:{row.citizen_id}", purpose="message_delivery"
    )
    return Parcel(
        id=row.id,
        citizen=row.citizen_id,
        channel=row.channel,
        created_at=row.created_at,
        answer_to=row.answer_to,
        parts_sent=row.parts_sent,
        attempts=row.attempts,
        replies=tuple(body),
    )


def _firsts(channels: Collection[str]) -> Any:
    """The oldest pending message of each citizen."""
    return (
        select(func.min(OutgoingMessage.id).label("id"))
        .where(OutgoingMessage.state == "pending", OutgoingMessage.channel.in_(channels))
        .group_by(OutgoingMessage.citizen_id)
        .subquery()
    )


def resume_outgoing(session: Session, channels: Collection[str], now: datetime) -> None:
    """Take up what a process that is gone had in hand."""
    session.execute(
        update(OutgoingMessage)
        .where(
            OutgoingMessage.state == "pending",
            OutgoingMessage.channel.in_(channels),
            OutgoingMessage.attempts > 0,
        )
        .values(due_at=now)
    )


def note_part(session: Session, parcel: Parcel, parts_sent: int, lease_until: datetime) -> None:
    """Note how many parts are out, and keep the message for the next of them."""
    _leave(session, parcel, parts_sent=parts_sent, due_at=lease_until)


def note_sent(session: Session, parcel: Parcel, now: datetime) -> None:
    """Note that everything is out."""
    if _leave(session, parcel, state="sent", delivered_at=now, last_error=None):
        note_delivered(session, [parcel.id], now)


def send_later(session: Session, parcel: Parcel, error: str, due_at: datetime) -> None:
    """Try a message again at ``due_at``."""
    _leave(session, parcel, due_at=due_at, last_error=error[:200])


def hold(session: Session, parcel: Parcel, error: str) -> None:
    """Keep a message until the citizen writes: the platform allows nothing before."""
    _leave(session, parcel, state="held", last_error=error[:200])


def give_up(session: Session, parcel: Parcel, error: str) -> None:
    """Keep a message that was refused for an operator to see."""
    _leave(session, parcel, state="dead", last_error=error[:200])


def close_queue(session: Session, citizen: str, error: str) -> int:
    """End everything that waits for a citizen who does not want it any more; say how much."""
    closed = session.scalars(
        update(OutgoingMessage)
        .where(
            OutgoingMessage.citizen_id == citizen, OutgoingMessage.state.in_(("pending", "held"))
        )
        .values(state="closed", last_error=error[:200])
        .returning(OutgoingMessage.id)
    ).all()
    return len(closed)


def _leave(session: Session, parcel: Parcel, **values: Any) -> bool:
    """Write down what became of a parcel, unless another sender has taken it since."""
    changed = session.scalars(
        update(OutgoingMessage)
        .where(
            OutgoingMessage.id == parcel.id,
            OutgoingMessage.state == "pending",
            OutgoingMessage.attempts == parcel.attempts,
        )
        .values(**values)
        .returning(OutgoingMessage.id)
    ).all()
    return bool(changed)


def dead_outgoing(session: Session, limit: int) -> Sequence[OutgoingMessage]:
    """Return messages that were given up, newest first."""
    return session.scalars(
        select(OutgoingMessage)
        .where(OutgoingMessage.state == "dead")
        .order_by(OutgoingMessage.id.desc())
        .limit(limit)
    ).all()


def revive_outgoing(session: Session, message_id: int, now: datetime) -> bool:
    """Send a message again that was given up, from the part that failed; False when none was."""
    changed = session.scalars(
        update(OutgoingMessage)
        .where(OutgoingMessage.id == message_id, OutgoingMessage.state == "dead")
        .values(state="pending", attempts=0, due_at=now)
        .returning(OutgoingMessage.id)
    ).all()
    return bool(changed)


def forget_outgoing(session: Session, before: datetime) -> int:
    """Delete answers written before ``before`` that are sent or not wanted any more.

    News stay: notices refer to them, and they are the record of what the city told a citizen.
    """
    gone = session.scalars(
        delete(OutgoingMessage)
        .where(
            OutgoingMessage.answer_to.is_not(None),
            OutgoingMessage.state.in_(("sent", "closed", "dead")),
            OutgoingMessage.created_at < before,
        )
        .returning(OutgoingMessage.id)
    ).all()
    return len(gone)

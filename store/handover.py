"""Hand-overs to a person: rows, the queue, words and promised calls."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from sqlalchemy import Table, delete, func, or_, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from store.handover_models import OPEN, CallBack, Handover, HandoverMessage
from store.models import plain
from store.privacy import reveal

_handovers = cast(Table, Handover.__table__)


@dataclass(frozen=True)
class Said:
    """One line of a conversation; ``body`` is ``{"text", "photos", "videos", "locations"}``."""

    id: int
    at: datetime
    author: str
    agent_id: int | None
    body: dict[str, Any]


def open_of(session: Session, citizen_id: str, *, lock: bool = False) -> Handover | None:
    """Return the citizen's hand-over that is not over, if he has one.

    With ``lock`` it is read afresh and nobody else changes it before the unit of work ends.
    """
    statement = select(Handover).where(Handover.citizen_id == citizen_id, Handover.state.in_(OPEN))
    if lock:
        statement = statement.with_for_update().execution_options(populate_existing=True)
    return session.scalars(statement).first()


def open_state_of(session: Session, citizen_id: str) -> str | None:
    """Return the state of that hand-over alone: every message of everybody asks for it."""
    return session.execute(
        select(_handovers.c.state).where(
            _handovers.c.citizen_id == citizen_id, _handovers.c.state.in_(OPEN)
        )
    ).scalar()


def last_of(session: Session, citizen_id: str) -> Handover | None:
    """Return the citizen's newest hand-over, whatever became of it."""
    return session.scalars(
        select(Handover)
        .where(Handover.citizen_id == citizen_id)
        .order_by(Handover.id.desc())
        .limit(1)
    ).first()


def by_id(session: Session, handover_id: int, *, lock: bool = False) -> Handover | None:
    """Return a hand-over by its number; ``lock`` as in :func:`open_of`."""
    statement = select(Handover).where(Handover.id == handover_id)
    if lock:
        statement = statement.with_for_update().execution_options(populate_existing=True)
    return session.scalars(statement).first()


def add(session: Session, row: Handover) -> Handover | None:
    """Insert a hand-over; None when the citizen has got an open one in the meantime."""
    try:
        with session.begin_nested():
            session.add(row)
    except IntegrityError:
        return None
    return row


def position(session: Session, row: Handover) -> int:
    """Return the place of a waiting hand-over in the queue; the first is 1."""
    before = session.scalar(
        select(func.count())
        .select_from(Handover)
        .where(
            Handover.state == "waiting",
            or_(
                Handover.queued_at < row.queued_at,
                (Handover.queued_at == row.queued_at) & (Handover.id < row.id),
            ),
        )
    )
    return (before or 0) + 1


def waiting(session: Session) -> Sequence[Handover]:
    """Return the queue in its order."""
    return session.scalars(
        select(Handover)
        .where(Handover.state == "waiting")
        .order_by(Handover.queued_at, Handover.id)
    ).all()


def count_waiting(session: Session) -> int:
    """Return how many wait."""
    return (
        session.scalar(
            select(func.count()).select_from(Handover).where(Handover.state == "waiting")
        )
        or 0
    )


def served_by(session: Session, agent_id: int | None) -> Sequence[Handover]:
    """Return the conversations an agent leads now (None: everybody's), the oldest first."""
    statement = select(Handover).where(Handover.state == "serving")
    if agent_id is not None:
        statement = statement.where(Handover.agent_id == agent_id)
    return session.scalars(statement.order_by(Handover.claimed_at, Handover.id)).all()


def service_seconds(session: Session, since: datetime, limit: int) -> list[float]:
    """Return how long the newest conversations took that ended after ``since``."""
    rows = session.execute(
        select(Handover.claimed_at, Handover.ended_at)
        .where(
            Handover.state == "ended",
            Handover.ended_at >= since,
            Handover.claimed_at.is_not(None),
        )
        .order_by(Handover.ended_at.desc())
        .limit(limit)
    )
    return [(ended - claimed).total_seconds() for claimed, ended in rows if claimed and ended]


def in_state(session: Session, state: str, limit: int = 200) -> Sequence[Handover]:
    """Return locked hand-overs in a state; what another unit of work holds is left out."""
    return session.scalars(
        select(Handover)
        .where(Handover.state == state)
        .order_by(Handover.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
        .execution_options(populate_existing=True)
    ).all()


def add_message(  # noqa: PLR0913
    session: Session,
    handover_id: int,
    author: str,
    body: dict[str, Any],
    *,
    at: datetime,
    agent_id: int | None = None,
    key: str | None = None,
) -> HandoverMessage:
    """Append one line to a conversation."""
    line = HandoverMessage(
        handover_id=handover_id, at=at, author=author, agent_id=agent_id, body=plain(body), key=key
    )
    session.add(line)
    session.flush()
    return line


def is_posted(session: Session, key: str) -> bool:
    """Tell whether a posted form has been taken before."""
    found = session.scalars(select(HandoverMessage.id).where(HandoverMessage.key == key))
    return found.first() is not None


def read_messages(session: Session, handover_id: int, actor: str, after: int = 0) -> list[Said]:
    """Return the lines above the id ``after``, oldest first (audited)."""
    rows = session.scalars(
        select(HandoverMessage)
        .where(HandoverMessage.handover_id == handover_id, HandoverMessage.id > after)
        .order_by(HandoverMessage.id)
    ).all()
    return [
        Said(
            id=row.id,
            at=row.at,
            author=row.author,
            agent_id=row.agent_id,
            body=reveal(session, row, "body", actor=actor, purpose="handover"),
        )
        for row in rows
    ]


def last_message_id(session: Session, handover_id: int) -> int:
    """Return the id of the newest line, 0 without one; nothing is read."""
    return (
        session.scalar(
            select(func.max(HandoverMessage.id)).where(HandoverMessage.handover_id == handover_id)
        )
        or 0
    )


def last_words(session: Session, handover_id: int, since: datetime) -> tuple[str, datetime] | None:
    """Return who spoke last since a moment, citizen or agent, and when; nothing is read."""
    row = session.execute(
        select(HandoverMessage.author, HandoverMessage.at)
        .where(
            HandoverMessage.handover_id == handover_id,
            HandoverMessage.author.in_(("citizen", "agent")),
            HandoverMessage.at >= since,
        )
        .order_by(HandoverMessage.id.desc())
        .limit(1)
    ).first()
    return None if row is None else (row[0], row[1])


def call_back_of(session: Session, handover_id: int) -> CallBack | None:
    """Return the promised call of a hand-over."""
    return session.scalars(select(CallBack).where(CallBack.handover_id == handover_id)).first()


def set_call_back(
    session: Session,
    handover_id: int,
    contact: dict[str, Any],
    promised_at: datetime,
    now: datetime,
) -> CallBack:
    """Promise a call, instead of what was promised before."""
    row = call_back_of(session, handover_id)
    if row is None:
        row = CallBack(handover_id=handover_id, created_at=now, promised_at=promised_at)
        session.add(row)
    row.contact, row.promised_at, row.attempts = plain(contact), promised_at, 0
    session.flush()
    return row


def promised_calls(session: Session) -> list[tuple[Handover, CallBack]]:
    """Return the calls still to be made, the earliest promise first."""
    rows = session.execute(
        select(Handover, CallBack)
        .join(CallBack, CallBack.handover_id == Handover.id)
        .where(Handover.state == "callback")
        .order_by(CallBack.promised_at, CallBack.id)
    )
    return [(row[0], row[1]) for row in rows]


def count_promised(session: Session, after: datetime, upto: datetime) -> int:
    """Return how many calls are promised for a moment after ``after`` and up to ``upto``."""
    return (
        session.scalar(
            select(func.count())
            .select_from(CallBack)
            .join(Handover, CallBack.handover_id == Handover.id)
            .where(
                Handover.state == "callback",
                CallBack.promised_at > after,
                CallBack.promised_at <= upto,
            )
        )
        or 0
    )


def forget_over(session: Session, before: datetime) -> int:
    """Delete what ended before a moment, with every word and number; return how many."""
    old = select(Handover.id).where(Handover.state.not_in(OPEN), Handover.ended_at < before)
    return _delete(session, list(session.scalars(old)))


def forget_citizen(session: Session, citizen_id: str) -> bool:
    """Delete a citizen's hand-overs; only a conversation that is led just now stays until later.

    What stays is deleted by :func:`forget_over` in its time.
    """
    mine = select(Handover.id).where(Handover.citizen_id == citizen_id, Handover.state != "serving")
    return _delete(session, list(session.scalars(mine))) > 0


def _delete(session: Session, ids: Sequence[int]) -> int:
    for model in (CallBack, HandoverMessage):
        session.execute(delete(model).where(model.handover_id.in_(ids)))
    session.execute(delete(Handover).where(Handover.id.in_(ids)))
    return len(ids)

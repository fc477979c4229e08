"""The queues of everything that is carried somewhere, as officials see them: counts, age, failures.

Nothing here shows what a citizen said, or who he is. What a citizen fetches himself (the web page,
the Chat API, notices in the chat) is carried by nobody and is not counted.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, case, func, select
from sqlalchemy.orm import Session

from store.channel_models import IncomingMessage
from store.incoming import revive_incoming
from store.models import OutboxEntry, OutgoingMessage
from store.notice_models import NoticeDelivery
from store.notices import revive_delivery
from store.outbox import revive, usual_spread
from store.outgoing import revive_outgoing
from store.people import CHAT
from store.privacy import note_access

AGES = (timedelta(hours=1), timedelta(days=1))
"""What waits is counted up to each of these, and beyond."""


class Way(StrEnum):
    """Which queue."""

    DESK = "desk"
    OUTGOING = "outgoing"
    NOTICES = "notices"
    RECEIVED = "received"


@dataclass(frozen=True)
class _Queue:
    """Where a queue lies: ``began`` is since when an entry is there, ``label`` what it is."""

    model: Any
    began: Any
    label: Any
    waiting: tuple[str, ...]
    dead: str


_QUEUES = {
    Way.DESK: _Queue(OutboxEntry, OutboxEntry.created_at, OutboxEntry.kind, ("pending",), "dead"),
    Way.OUTGOING: _Queue(
        OutgoingMessage,
        OutgoingMessage.created_at,
        OutgoingMessage.channel,
        ("pending", "held"),
        "dead",
    ),
    Way.NOTICES: _Queue(
        NoticeDelivery, NoticeDelivery.created_at, NoticeDelivery.channel, ("queued",), "failed"
    ),
    Way.RECEIVED: _Queue(
        IncomingMessage,
        IncomingMessage.received_at,
        IncomingMessage.channel,
        ("pending",),
        "dead",
    ),
}


@dataclass(frozen=True)
class Standing:
    """One queue: what waits, by age (up to each of :data:`AGES`, older); its oldest; the dead."""

    waiting: tuple[int, int, int]
    oldest: datetime | None
    dead: int


@dataclass(frozen=True)
class Failure:
    """Something that was given up; ``ticket`` is empty where there is none."""

    id: int
    at: datetime
    label: str
    attempts: int
    error: str
    ticket: str


class Deliveries:
    """The queues of an installation; ``pushed`` are the channels it sends messages to."""

    def __init__(self, session: Session, pushed: Collection[str]) -> None:
        self._session = session
        self._pushed = tuple(pushed)

    def standing(self, way: Way, now: datetime) -> Standing:
        """Count a queue."""
        queue = _QUEUES[way]
        waits = (queue.model.state.in_(queue.waiting), *self._carried(way))
        young, old = (queue.began > now - age for age in AGES)
        bucket = case((young, 0), (old, 1), else_=2).label("bucket")
        rows = self._session.execute(
            select(bucket, func.count(), func.min(queue.began)).where(*waits).group_by(bucket)
        ).all()
        counts = {number: count for number, count, _ in rows}
        return Standing(
            waiting=(counts.get(0, 0), counts.get(1, 0), counts.get(2, 0)),
            oldest=min((first for *_, first in rows), default=None),
            dead=self._session.scalar(
                select(func.count()).select_from(queue.model).where(*self._dead(way))
            )
            or 0,
        )

    def failures(self, way: Way, limit: int) -> list[Failure]:
        """Return what was given up, newest first."""
        queue = _QUEUES[way]
        newest = select(queue.model).where(*self._dead(way)).order_by(queue.model.id.desc())
        return [
            Failure(
                id=row.id,
                at=getattr(row, queue.began.key),
                label=getattr(row, queue.label.key),
                attempts=row.attempts,
                error=row.last_error or "",
                ticket=getattr(row, "ticket_id", ""),
            )
            for row in self._session.scalars(newest.limit(limit))
        ]

    def retry(self, way: Way, number: int, actor: str, now: datetime) -> bool:
        """Carry something again that was given up (audited); False when it was not."""
        if not _REVIVE[way](self._session, number, now):
            return False
        self._note(way, number, actor)
        return True

    def retry_all(self, way: Way, actor: str, now: datetime, most: int) -> int:
        """Carry the oldest ``most`` that were given up again, each audited; return how many.

        What goes to the dispatch system is spread over time, as by ``shimin outbox retry``.
        """
        queue = _QUEUES[way]
        oldest = select(queue.model).where(*self._dead(way)).order_by(queue.model.id)
        rows = self._session.scalars(oldest.limit(most).with_for_update()).all()
        if way is Way.DESK:
            revive(rows, now, usual_spread(len(rows)))
        else:
            rows = [row for row in rows if _REVIVE[way](self._session, row.id, now)]
        for row in rows:
            self._note(way, row.id, actor)
        return len(rows)

    def _dead(self, way: Way) -> tuple[ColumnElement[bool], ...]:
        """What was given up; the parts of one album count once."""
        queue = _QUEUES[way]
        dead = (queue.model.state == queue.dead, *self._carried(way))
        if way is Way.RECEIVED:
            return (*dead, IncomingMessage.joined_to == IncomingMessage.id)
        return dead

    def _carried(self, way: Way) -> tuple[ColumnElement[bool], ...]:
        if way is Way.OUTGOING:
            return (OutgoingMessage.channel.in_(self._pushed),)
        return (NoticeDelivery.channel != CHAT,) if way is Way.NOTICES else ()

    def _note(self, way: Way, number: int, actor: str) -> None:
        record = f"{_QUEUES[way].model.__tablename__}:{number}"
        note_access(self._session, actor, "delivery_retried", record, "state")


def _revive_entry(session: Session, number: int, now: datetime) -> bool:
    entry = session.get(OutboxEntry, number, with_for_update=True)
    if entry is None or entry.state != "dead":
        return False
    revive([entry], now, timedelta())
    return True


_REVIVE: dict[Way, Callable[[Session, int, datetime], bool]] = {
    Way.DESK: _revive_entry,
    Way.OUTGOING: revive_outgoing,
    Way.NOTICES: revive_delivery,
    Way.RECEIVED: revive_incoming,
}

"""The outbox as an operator sees it. What is queued and claimed is in :mod:`store.tickets`."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from store.models import OutboxEntry

_SECONDS_EACH = 0.5
_LONGEST_SPREAD = timedelta(minutes=10)


@dataclass(frozen=True)
class Backlog:
    """What still waits: entries, those tried in vain, and since when the oldest waits.

    ``error`` is what went wrong last with the entry that was tried most often.
    """

    waiting: int
    tried: int
    oldest: datetime | None
    error: str | None


def backlog(session: Session) -> Backlog:
    """Return what waits for the dispatch system, whichever process would carry it."""
    pending = OutboxEntry.state == "pending"
    waiting, oldest = session.execute(
        select(func.count(), func.min(OutboxEntry.created_at)).where(pending)
    ).one()
    tried = select(func.count()).where(pending, OutboxEntry.last_error.is_not(None))
    worst = session.scalars(
        select(OutboxEntry.last_error)
        .where(pending, OutboxEntry.last_error.is_not(None))
        .order_by(OutboxEntry.attempts.desc(), OutboxEntry.id)
        .limit(1)
    ).first()
    return Backlog(waiting, session.scalar(tried) or 0, oldest, worst)


def find_entries(
    session: Session,
    *,
    state: str | None = None,
    ticket_id: str | None = None,
    limit: int | None = None,
) -> Sequence[OutboxEntry]:
    """Return entries in the order they were queued; what is not given does not narrow."""
    statement = select(OutboxEntry).order_by(OutboxEntry.id)
    if state is not None:
        statement = statement.where(OutboxEntry.state == state)
    if ticket_id is not None:
        statement = statement.where(OutboxEntry.ticket_id == ticket_id)
    return session.scalars(statement.limit(limit)).all()


def usual_spread(entries: int) -> timedelta:
    """Return over how long dead letters go out again: half a second each, ten minutes at most."""
    return min(timedelta(seconds=_SECONDS_EACH * max(0, entries - 1)), _LONGEST_SPREAD)


def revive(entries: Sequence[OutboxEntry], now: datetime, spread: timedelta) -> None:
    """Send dead letters again, at moments spread at random over ``spread``.

    The idempotency key stays: what the dispatch system has taken is not filed twice. Entries of
    one ticket go out in their order whatever their moments are. Attempts begin anew, so that
    pauses are short again.
    """
    for entry in entries:
        entry.state = "pending"
        entry.attempts = 0
        entry.due_at = now + spread * random.random()  # noqa: S311 - jitter, not a secret

"""What is open between the assistant and somebody who speaks to it; kept for a day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import cast

from sqlalchemy import Table, delete, or_, select
from sqlalchemy.orm import Session

from store.database import insert_missing
from store.privacy import reveal
from store.spoken_models import SpokenState

_states = cast(Table, SpokenState.__table__)

KEPT = timedelta(days=1)
"""A wish for slow speech is kept until it is a day old, too; the rest counts for minutes."""
OPEN = timedelta(minutes=30)
"""How long a read-back waits for its yes, and an answer for its 继续."""


@dataclass(frozen=True)
class Spoken:
    """The state of one citizen (see :class:`store.spoken_models.SpokenState`)."""

    heard: str | None = None
    rest: str | None = None
    failures: int = 0
    slow: bool = False


def is_speaking(session: Session, citizen_id: str) -> bool:
    """Tell whether anything is kept of a citizen; nobody waits for this."""
    kept = select(_states.c.id).where(_states.c.id == citizen_id)
    return session.execute(kept).scalar() is not None


def wants_slow(session: Session, citizen_id: str) -> bool:
    """Tell whether a citizen has asked for slow speech."""
    row = session.get(SpokenState, citizen_id)
    return row is not None and row.slow


def spoken_state(session: Session, citizen_id: str, now: datetime) -> Spoken:
    """Return what is open; words older than half an hour are open no more."""
    row = session.get(SpokenState, citizen_id)
    if row is None:
        return Spoken()
    if row.at < now - OPEN:
        return Spoken(slow=row.slow)
    who = f"citizen:{citizen_id}"
    heard, rest = (
        reveal(session, row, field, actor=who, purpose="voice")
        if getattr(row, field) is not None
        else None
        for field in ("heard", "rest")
    )
    return Spoken(heard, rest, row.failures, row.slow)


def keep_spoken(session: Session, citizen_id: str, state: Spoken, now: datetime) -> None:
    """Keep what is open now; forget everybody's that is older than a day."""
    old = or_(SpokenState.at < now - KEPT, SpokenState.id == citizen_id)
    session.execute(delete(SpokenState).where(old))
    if state == Spoken():
        return
    row = SpokenState(
        id=citizen_id,
        at=now,
        heard=state.heard,
        rest=state.rest,
        failures=state.failures,
        slow=state.slow,
    )
    insert_missing(session, row, citizen_id)


def forget_spoken(session: Session, citizen_id: str) -> None:
    """Forget what is open with a citizen."""
    session.execute(delete(SpokenState).where(SpokenState.id == citizen_id))

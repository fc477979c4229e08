"""What is looked at regularly: offers nobody answers, long waits, silence, the end of the day."""

from __future__ import annotations

from datetime import datetime, timedelta

import structlog
from sqlalchemy.orm import Session

from base.settings import Settings
from enquiries.handover.counter import give_back
from enquiries.handover.office import OFFER_OPEN, Office, move, push
from enquiries.handover.states import Event, State
from store import handover as rows
from store.agents import forget_sessions

log = structlog.get_logger(__name__)


class Tending:
    """Each pass is one unit of work; doing it twice changes nothing."""

    def __init__(self, settings: Settings, office: Office) -> None:
        self._office = office
        self._patience = timedelta(minutes=settings.handover_patience_minutes)
        self._idle = timedelta(minutes=settings.handover_idle_minutes)
        self._keep = timedelta(days=settings.handover_keep_days)

    def tend(self, session: Session, now: datetime) -> None:
        """Look at everything that is open."""
        self._expire_offers(session, now)
        self._offer_calls(session, now)
        self._end_silence(session, now)

    def forget(self, session: Session, now: datetime) -> int:
        """Delete what ended long ago, and sessions that ran out."""
        forget_sessions(session, now)
        return rows.forget_over(session, now - self._keep)

    def _expire_offers(self, session: Session, now: datetime) -> None:
        for row in rows.in_state(session, State.OFFERED):
            if now - (row.offered_at or row.created_at) > OFFER_OPEN:
                move(row, Event.EXPIRE)
                row.ended_at = now

    def _offer_calls(self, session: Session, now: datetime) -> None:
        """Whoever waits after hours, or too long, may have a call instead."""
        closed = not self._office.hours.is_open(now)
        for row in rows.in_state(session, State.WAITING):
            if closed:
                move(row, Event.CLOSE)
                push(session, row, self._office.offer(session, row, "closed", now), now)
            elif row.offered_at is None and now - row.queued_at > self._patience:
                push(session, row, self._office.offer(session, row, "slow", now), now)
                log.warning("handover_waits_long", handover=row.id, since=row.queued_at.isoformat())

    def _end_silence(self, session: Session, now: datetime) -> None:
        """A citizen nobody answers waits again; a conversation he left is over."""
        for row in rows.in_state(session, State.SERVING):
            since = row.claimed_at or row.queued_at
            said = rows.last_words(session, row.id, since)
            if now - (said[1] if said else since) <= self._idle:
                continue
            if said is not None and said[0] == "agent":
                push(session, row, self._office.end(session, row, now, by_citizen=False), now)
            else:
                give_back(session, row, "坐席长时间没有回应，已转回排队", now)

"""The citizen's side of a hand-over: ask, wait, leave a number, speak, have enough."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from base.calendar import WeeklyHours
from base.errors import ConfigurationError
from base.settings import Settings
from enquiries.handover import wording
from enquiries.handover.promise import promised_time, wait_minutes
from enquiries.handover.states import Event, State, after
from enquiries.handover.wording import Reply
from store import handover as rows
from store.agents import count_on_duty, is_staffed
from store.handover_models import Handover
from store.people import queue_message

ON_DUTY = timedelta(minutes=5)
"""An agent seen within this time is there."""
SERVICES_SINCE = timedelta(hours=24)
SERVICES = 20
OFFER_OPEN = timedelta(minutes=30)
"""How long a bare phone number answers the offer of a call."""
MOST_TURNS = 20
TOPICS = {"service": "办事咨询", "complaint": "反映问题", "policy": "找政策", "general": "其他"}
REASONS = {
    "asked": "市民要求",
    "misunderstood": "助手没听懂",
    "unhappy": "对助手不满意",
    "returned": "转回排队",
}


@dataclass(frozen=True)
class Line:
    """A line of the conversation so far; ``author`` is ``citizen`` or ``bot``."""

    author: str
    at: datetime
    body: dict[str, Any]


@dataclass(frozen=True)
class Wish:
    """Who wants a person, where, about what and why, and what was said before."""

    citizen_id: str
    channel: str
    topic: str = "general"
    reason: str = "asked"
    turns: Sequence[Line] = ()
    ticket: str | None = None


class Office:
    """The rules with the installation's settings.

    Raises:
        ConfigurationError: ``handover_hours`` are no opening hours.
    """

    def __init__(self, settings: Settings) -> None:
        try:
            self.hours = WeeklyHours.parse(settings.handover_hours)
        except ValueError as error:
            raise ConfigurationError(f"SHIMIN_HANDOVER_HOURS: {error}") from error
        self._settings = settings

    def ask(self, session: Session, wish: Wish, now: datetime) -> Reply:
        """Put a citizen in the queue, or offer a call; asking again changes nothing."""
        if not is_staffed(session):
            return wording.hotline(wish.ticket)
        row = rows.open_of(session, wish.citizen_id, lock=True)
        why = self._why_not(session, now)
        if row is None:
            row = rows.add(session, _new(wish, State.OFFERED if why else State.WAITING, now))
            if row is None:  # he asked twice at the same moment
                row = rows.open_of(session, wish.citizen_id, lock=True)
                assert row is not None
                return self.where(session, row, now)
            for line in wish.turns[-MOST_TURNS:]:
                rows.add_message(session, row.id, line.author, line.body, at=line.at)
            return self.offer(session, row, why, now) if why else self._queued(session, row, now)
        if row.state in (State.OFFERED, State.CALLBACK) and why is None:
            self._forget_call(session, row)
            move(row, Event.QUEUE)
            row.queued_at, row.offered_at = now, None
            session.flush()
            return self._queued(session, row, now)
        if row.state == State.OFFERED:
            return self.offer(session, row, why or "closed", now)
        return self.where(session, row, now)

    def where(self, session: Session, row: Handover, now: datetime) -> Reply:
        """Say where a citizen's hand-over is."""
        if row.state == State.WAITING:
            return self._queued(session, row, now, again=True)
        if row.state == State.SERVING:
            return wording.being_served()
        if row.state == State.CALLBACK:
            call = rows.call_back_of(session, row.id)
            assert call is not None
            return wording.call_is_promised(call.promised_at)
        return self.offer(session, row, "closed" if not self.hours.is_open(now) else "busy", now)

    def place(self, session: Session, row: Handover, now: datetime) -> Reply:
        """Say the place in the queue, or where else the hand-over is."""
        if row.state != State.WAITING:
            return self.where(session, row, now)
        position = rows.position(session, row)
        return wording.place_in_queue(position, self.estimate(session, position, now))

    def offer(self, session: Session, row: Handover, why: str, now: datetime) -> Reply:
        """Offer a call; from now on a bare phone number is the answer."""
        promised = self.promise(session, now)
        if promised is None and row.state == State.OFFERED:
            move(row, Event.EXPIRE)
            row.ended_at = now
            return wording.hotline(None)
        row.offered_at = now
        return wording.offer(why, promised, str(self.hours))

    def takes_phone(self, row: Handover, now: datetime) -> bool:
        """Tell whether a bare phone number is an answer to us now."""
        if row.state == State.CALLBACK:
            return True
        asked = row.state in (State.OFFERED, State.WAITING) and row.offered_at is not None
        return asked and row.offered_at is not None and now - row.offered_at <= OFFER_OPEN

    def take_phone(
        self, session: Session, row: Handover, contact: dict[str, Any], shown: str, now: datetime
    ) -> Reply:
        """Promise a call to a number (``{"phone", "name"}``); ``shown`` is how it is said back."""
        known = rows.call_back_of(session, row.id) if row.state == State.CALLBACK else None
        promised = known.promised_at if known else self.promise(session, now)
        if promised is None:
            return wording.hotline(None)
        move(row, Event.PHONE)
        rows.set_call_back(session, row.id, contact, promised, now)
        return wording.call_promised(shown, promised)

    def leave(self, session: Session, row: Handover, now: datetime) -> Reply:
        """The citizen has had enough: out of the queue, no call, or back to the assistant."""
        before = row.state
        if before == State.SERVING:
            return self.end(session, row, now, by_citizen=True)
        move(row, Event.DECLINE)
        row.ended_at = now
        self._forget_call(session, row)
        return wording.cancelled(before)

    def end(self, session: Session, row: Handover, now: datetime, *, by_citizen: bool) -> Reply:
        """End a conversation; the assistant is back. The caller says it to the citizen."""
        move(row, Event.END)
        row.ended_at = now
        said = "市民结束了人工服务" if by_citizen else "人工服务已结束，交回市民助手"
        rows.add_message(session, row.id, "system", {"text": said}, at=now)
        return wording.ended(by_citizen=by_citizen)

    def hear(
        self, session: Session, row: Handover, body: dict[str, Any], now: datetime, key: str
    ) -> bool:
        """Pass a citizen's words to his agent; tell whether it is the first time.

        ``key`` is the message's own name: none is passed on twice.
        """
        rows.add_message(session, row.id, "citizen", body, at=now, key=key)
        first = row.acknowledged_at is None
        if first:
            row.acknowledged_at = now
        return first

    def rate(self, session: Session, citizen_id: str, score: int) -> Reply:
        """Keep the score (1 to 5) of the conversation that ended last."""
        row = rows.last_of(session, citizen_id)
        if row is None or row.state != State.ENDED:
            return wording.nothing_open()
        row.rating = score
        return wording.rated(score)

    def estimate(self, session: Session, position: int, now: datetime) -> int | None:
        """Return the wait in minutes as far as late conversations tell."""
        seconds = rows.service_seconds(session, now - SERVICES_SINCE, SERVICES)
        return wait_minutes(position, seconds, count_on_duty(session, now, ON_DUTY))

    def promise(self, session: Session, now: datetime) -> datetime | None:
        """Return until when a call can be promised now."""
        return promised_time(
            self.hours,
            now,
            self._settings.handover_call_minutes,
            self._settings.handover_calls,
            lambda start, end: rows.count_promised(session, start, end),
        )

    def _why_not(self, session: Session, now: datetime) -> str | None:
        if not self.hours.is_open(now):
            return "closed"
        full = rows.count_waiting(session) >= self._settings.handover_max_waiting
        return "busy" if full else None

    def _queued(
        self, session: Session, row: Handover, now: datetime, *, again: bool = False
    ) -> Reply:
        position = rows.position(session, row)
        return wording.queued(position, self.estimate(session, position, now), again=again)

    @staticmethod
    def _forget_call(session: Session, row: Handover) -> None:
        call = rows.call_back_of(session, row.id)
        if call is not None:
            call.contact = None


def move(row: Handover, event: Event) -> None:
    """Take a step of the table.

    Raises:
        StateError: the state does not allow it.
    """
    row.state = after(row.state, event).value


def push(session: Session, row: Handover, reply: Reply, now: datetime) -> None:
    """Say something to the citizen of his own accord, on whatever channel he is."""
    queue_message(session, row.citizen_id, [reply], now)


def _new(wish: Wish, state: State, now: datetime) -> Handover:
    return Handover(
        citizen_id=wish.citizen_id,
        channel=wish.channel[:30],
        topic=wish.topic,
        reason=wish.reason,
        state=state.value,
        created_at=now,
        queued_at=now,
    )

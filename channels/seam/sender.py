"""Carries messages to citizens on one channel, in order, with each platform's own limits.

At least once, and as close to once as platforms without idempotency keys allow: what is out is
noted after every part, so only a part whose call was cut off in the middle may come twice.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import datetime, timedelta
from threading import Event

import structlog
from sqlalchemy.exc import SQLAlchemyError

from channels.message import Reply
from channels.seam.channel import Capability, Channel
from channels.seam.errors import (
    DeliveryError,
    RefusedError,
    TryLaterError,
    UnwelcomeError,
    WindowClosedError,
)
from store.database import reading, unit_of_work
from store.models import utc_now
from store.outgoing import (
    Parcel,
    claim_outgoing,
    close_queue,
    give_up,
    hold,
    next_outgoing,
    note_part,
    note_sent,
    send_later,
)
from store.people import unsubscribe_all

log = structlog.get_logger(__name__)

LEASE = timedelta(minutes=1)
"""Longer than one part takes to be sent; every part begins it anew."""
LOOK_SECONDS = 0.3
STORE_PAUSE_SECONDS = 5.0
LONGEST_PAUSE = timedelta(minutes=10)
GIVE_UP_AFTER = timedelta(days=3)


class Sender:
    """Sends what waits for the citizens of one channel.

    Args:
        channel: where to.
        clock: the present moment.
    """

    def __init__(self, channel: Channel, clock: Callable[[], datetime] = utc_now) -> None:
        self._channel = channel
        self._clock = clock
        self._rests_until: datetime | None = None

    def run(self, stop: Event) -> None:
        """Work until ``stop``; the part in hand is finished first."""
        while not stop.is_set():
            try:
                if not self.send_one(stop):
                    stop.wait(LOOK_SECONDS)
            except SQLAlchemyError as error:
                log.error("store_down", error=type(error).__name__)
                stop.wait(STORE_PAUSE_SECONDS)
            except Exception:  # its lease ends, and it is taken again
                log.exception("delivery_left", channel=self._channel.name)
                stop.wait(STORE_PAUSE_SECONDS)

    def send_one(self, stop: Event | None = None) -> bool:
        """Send the next message that is due; False when none is, or the channel rests."""
        now = self._clock()
        if self._rests_until is not None and now < self._rests_until:
            return False
        names = (self._channel.name,)
        with reading() as session:
            due = next_outgoing(session, names)
        if due is None or due > now:
            return False
        with unit_of_work() as session:
            parcel = claim_outgoing(session, names, now, LEASE)
        if parcel is None:
            return False
        self.deliver(parcel, stop)
        return True

    def deliver(self, parcel: Parcel, stop: Event | None = None) -> None:
        """Send what is left of a message that was claimed; every outcome is written down."""
        try:
            if parcel.answer_to is None and Capability.PROACTIVE not in self._channel.capabilities:
                raise RefusedError("the channel cannot speak first")
            self._send(parcel, stop)
        except UnwelcomeError as error:
            self._close(parcel, error)
        except WindowClosedError as error:
            log.info("message_held", channel=parcel.channel, message=parcel.id)
            with unit_of_work() as session:
                hold(session, parcel, error.detail)
        except RefusedError as error:
            self._give_up(parcel, error.detail)
        except DeliveryError as error:
            self._later(parcel, error)
        except SQLAlchemyError:
            raise
        except Exception as error:
            log.exception("message_broken", channel=parcel.channel, message=parcel.id)
            self._give_up(parcel, type(error).__name__)

    def _send(self, parcel: Parcel, stop: Event | None) -> None:
        parts = [p for raw in parcel.replies for p in self._channel.divide(Reply.of(raw))]
        for number, part in enumerate(parts[parcel.parts_sent :], parcel.parts_sent + 1):
            self._channel.send(parcel.conversation_id, part)
            if number == len(parts):
                break
            with unit_of_work() as session:
                note_part(session, parcel, number, self._clock() + LEASE)
            if stop is not None and stop.is_set():
                with unit_of_work() as session:
                    send_later(session, parcel, "stopped between two parts", self._clock())
                return
        with unit_of_work() as session:
            note_sent(session, parcel, self._clock())

    def _later(self, parcel: Parcel, error: DeliveryError) -> None:
        now = self._clock()
        if now - parcel.created_at > GIVE_UP_AFTER:
            self._give_up(parcel, error.detail)
            return
        grown = timedelta(seconds=2.0 ** min(parcel.attempts - 1, 10))
        pause = min(LONGEST_PAUSE, grown) * random.uniform(0.5, 1.0)  # noqa: S311 - jitter
        if isinstance(error, TryLaterError):
            pause = max(pause, timedelta(seconds=error.after or 0.0))
            if error.everyone:
                self._rests_until = now + pause
        log.warning(
            "delivery_retry",
            channel=parcel.channel,
            message=parcel.id,
            attempt=parcel.attempts,
            pause_seconds=round(pause.total_seconds(), 1),
            detail=error.detail,
        )
        with unit_of_work() as session:
            send_later(session, parcel, error.detail, now + pause)

    def _close(self, parcel: Parcel, error: UnwelcomeError) -> None:
        closed = unsubscribe_citizen(parcel.citizen, error.detail)
        log.info("citizen_gone", channel=parcel.channel, closed=closed, detail=error.detail)

    def _give_up(self, parcel: Parcel, detail: str) -> None:
        log.error("delivery_dead", channel=parcel.channel, message=parcel.id, detail=detail)
        with unit_of_work() as session:
            give_up(session, parcel, detail)


def unsubscribe_citizen(citizen: str, why: str) -> int:
    """End subscriptions and everything that waits for a citizen who blocked us; say how much."""
    with unit_of_work() as session:
        unsubscribe_all(session, citizen)
        return close_queue(session, citizen, why)

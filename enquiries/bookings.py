"""Booking a window: the rules of :mod:`enquiries.appointments` over the store."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

import structlog
from sqlalchemy.orm import Session

from base.calendar import CITY_TIME
from base.errors import StateError
from enquiries.appointments import Slot, free_slots, horizon, slots_on, stay_for
from matcher.service import Hall, ServiceItem
from store.appointments import Appointment, book, change, of_citizen, taken

__all__ = ["bookable_halls", "free_at", "reserve", "why_not"]

log = structlog.get_logger(__name__)


def bookable_halls(item: ServiceItem, halls: Sequence[Hall]) -> tuple[Hall, ...]:
    """Return those of ``halls`` where ``item`` can be booked, in their order."""
    if not item.appointment.bookable:
        return ()
    return tuple(hall for hall in halls if hall.windows_for(item.domain))


def free_at(
    session: Session, hall: Hall, item: ServiceItem, now: datetime
) -> dict[date, tuple[Slot, ...]]:
    """Return the free slots of a hall for an item by day, those of full days left out."""
    held = taken(session, hall.id, item.domain, *horizon(now))
    return free_slots(hall, item.domain, held, now)


def reserve(  # noqa: PLR0913
    session: Session,
    citizen_id: str,
    item: ServiceItem,
    hall: Hall,
    start: datetime,
    now: datetime,
    moved: int | None = None,
) -> Appointment:
    """Keep the window beginning at ``start`` (aware), or move the appointment ``moved`` there.

    A button may be days old and a file may have changed meanwhile, so the slot must be one that
    is offered now.

    Raises:
        StateError: ``slot_taken``, ``appointment_twice``, ``appointment_limit`` or
            ``appointment_closed``.
    """
    before = of_citizen(session, citizen_id, moved) if moved is not None else None
    same = (before.hall_id, before.starts_at) == (hall.id, start) if before else False
    if before is not None and same and before.state == "requested" and start > now:
        return before  # pressed twice
    free = free_at(session, hall, item, now) if item.appointment.bookable else {}
    there = start.astimezone(CITY_TIME)
    slot = next((slot for slot in free.get(there.date(), ()) if slot.start == start), None)
    if slot is None:
        raise StateError(
            "slot_taken", "这个时间已经约不上了。", f"{hall.id} {there:%Y-%m-%dT%H:%M}"
        )
    stay = stay_for(hall, item.domain, slot, now)
    if moved is None:
        kept = book(session, citizen_id, (item.id, item.name), stay, now)
    else:
        kept = change(session, citizen_id, moved, stay, now)
    log.info("appointment_kept", appointment=kept.id, hall=hall.id, sequence=kept.sequence)
    return kept


def why_not(hall: Hall, day: date, now: datetime) -> str:
    """Say why nothing can be booked on ``day``, as the end of a sentence."""
    first = now.astimezone(CITY_TIME).date()
    last = horizon(now)[1].astimezone(CITY_TIME).date()
    if day < first:
        return "已经过去了"
    if day >= last:
        return "还太远，只能约两周以内的"
    slots = slots_on(hall, day)
    if not slots:
        return "不开门"
    return "约满了" if day > first else "没有能约的时间了"

"""Questions and buttons on the way to an appointment; each button carries the whole way so far."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime

from actions.turn import button
from base.calendar import CITY_TIME
from enquiries.appointments import Part, Slot, Wish, clock_words, day_words, when_words
from matcher.service import Hall, ServiceItem

__all__ = [
    "ANY_HALL",
    "Step",
    "confirm_buttons",
    "day_buttons",
    "hall_buttons",
    "slot_buttons",
    "time_buttons",
]

ANY_HALL = "other"
"""Carried instead of a hall by the button that chooses another one."""

_SHOWN_TIMES = 12
_HALVES: tuple[tuple[str, Part], ...] = (("上午", "am"), ("下午", "pm"))


@dataclass(frozen=True)
class Step:
    """How far an appointment has come; ``moved`` is the one whose time is being changed."""

    item: ServiceItem
    hall: Hall | None = None
    wish: Wish = field(default_factory=Wish)
    moved: int | None = None

    def at(self, slot: Slot) -> Step:
        """Return the step with exactly one slot wished for."""
        there = slot.start.astimezone(CITY_TIME)
        return replace(self, wish=Wish(there.date(), clock=there.time()))

    def carried(self) -> dict[str, str]:
        """Return what a button carries of the step."""
        values = {
            "service_id": self.item.id,
            "hall_id": self.hall.id if self.hall else "",
            "slot": self.wish.written(),
            "appointment": str(self.moved) if self.moved is not None else "",
        }
        return {name: value for name, value in values.items() if value}


def hall_buttons(step: Step, halls: Sequence[Hall]) -> list[dict[str, str]]:
    """Return a button for each hall; what was said of the time goes along."""
    return [
        button(hall.name, "book_appointment", **replace(step, hall=hall).carried())
        for hall in halls
    ]


def day_buttons(
    step: Step, free: Mapping[date, Sequence[Slot]], today: date, *, other_halls: bool
) -> list[dict[str, str]]:
    """Return a button for each day with something free, and one to another hall."""
    buttons = [
        button(day_words(day, today), "book_appointment", **_wishing(step, Wish(day)))
        for day in sorted(free)
    ]
    return [*buttons, *_another_hall(step)] if other_halls else buttons


def time_buttons(step: Step, slots: Sequence[Slot]) -> list[dict[str, str]]:
    """Return a button for each slot of one day, or first its halves when there are many."""
    day = slots[0].day
    parts = {slot.part for slot in slots}
    if len(slots) > _SHOWN_TIMES and len(parts) == 2:
        return [
            button(title, "book_appointment", **_wishing(step, Wish(day, part)))
            for title, part in _HALVES
        ]
    buttons = [
        button(clock_words(slot.start), "choose_slot", **step.at(slot).carried()) for slot in slots
    ]
    return [*buttons, button("换一天", "book_appointment", **_wishing(step, Wish()))]


def slot_buttons(step: Step, slots: Sequence[Slot], now: datetime) -> list[dict[str, str]]:
    """Return a button for each slot, whatever its day, and one to see all days."""
    buttons = [
        button(when_words(slot.start, now), "choose_slot", **step.at(slot).carried())
        for slot in slots
    ]
    return [*buttons, button("看别的日子", "book_appointment", **_wishing(step, Wish()))]


def confirm_buttons(step: Step, *, other_halls: bool) -> list[dict[str, str]]:
    """Return the buttons of the last question."""
    buttons = [
        button("确认预约", "confirm_appointment", **step.carried()),
        button("换个时间", "book_appointment", **_wishing(step, Wish())),
    ]
    if other_halls:
        buttons += _another_hall(step)
    return [*buttons, button("不约了", "cancel")]


def _wishing(step: Step, wish: Wish) -> dict[str, str]:
    return replace(step, wish=wish).carried()


def _another_hall(step: Step) -> list[dict[str, str]]:
    carried = {**step.carried(), "hall_id": ANY_HALL}
    return [button("换个大厅", "book_appointment", **carried)]

"""Under any sequence of bookings, changes and cancellations no rule is broken."""

from __future__ import annotations

import tempfile
from collections import Counter
from datetime import datetime, time, timedelta
from itertools import combinations
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test
from sqlalchemy import select

from base.calendar import CITY_TIME, is_holiday
from base.errors import StateError
from base.settings import ROOT
from enquiries.appointments import free_slots, horizon
from enquiries.bookings import free_at, reserve
from matcher.service import Booking, load_halls, load_services
from store.appointments import MAX_OPEN, Appointment, cancel, open_of, taken
from store.database import unit_of_work
from tests.isolated import isolated

HALL = next(hall for hall in load_halls(ROOT / "policies" / "halls.yml") if "sat" in hall.hours)
ITEMS = [
    item
    for item in load_services(ROOT / "policies" / "services")
    if item.domain == "identity" and item.appointment.bookable
][:4]
BEGIN = datetime(2026, 9, 28, 8, tzinfo=CITY_TIME)
"""Three days before the National Day holidays, whose Saturdays are partly worked."""

people = st.integers(0, 5).map(lambda number: f"web:{number}")
items = st.sampled_from(ITEMS)
near = st.integers(0, 3), st.sampled_from([time(9), time(9, 30), time(9, 40), time(13, 30)])


class BusyHall(RuleBasedStateMachine):
    """A hall whose editor now and then changes its slots, and people who come and go."""

    def __init__(self) -> None:
        super().__init__()
        self._folder = tempfile.TemporaryDirectory()
        self._isolated = isolated(Path(self._folder.name))
        self._isolated.__enter__()
        self.now = BEGIN
        self.hall = HALL.model_copy(update={"booking": Booking(minutes=30, windows=2)})
        self.most = 2

    def teardown(self) -> None:
        from base.settings import get_settings
        from store import database

        database._engine(get_settings().database_url).dispose()
        self._isolated.__exit__(None, None, None)
        self._folder.cleanup()

    @rule(minutes=st.sampled_from([20, 30, 45]), windows=st.integers(1, 3))
    def edit(self, minutes: int, windows: int) -> None:
        booking = Booking(minutes=minutes, windows=windows)
        self.hall = HALL.model_copy(update={"booking": booking})
        self.most = max(self.most, windows)

    @rule(hours=st.integers(1, 30))
    def wait(self, hours: int) -> None:
        self.now += timedelta(hours=hours)

    @rule(who=people, item=items, days=near[0], clock=near[1])
    def press(self, who: str, item: object, days: int, clock: time) -> None:
        """A button with any time, offered or not."""
        start = datetime.combine(self.now.date() + timedelta(days=days), clock, CITY_TIME)
        self._try(who, item, start, None)

    @rule(who=people, item=items, number=st.integers(0, 3))
    def take(self, who: str, item: object, number: int) -> None:
        """One of the first free slots: what is offered to somebody new can be had."""
        with unit_of_work() as session:
            free = free_at(session, self.hall, ITEMS[0], self.now)
            mine = [row for row in open_of(session, who) if row.ends_at > self.now]
        slots = [slot for day in sorted(free) for slot in free[day]]
        refused = self._try(who, item, slots[number].start, None)
        allowed = len(mine) < MAX_OPEN and all(row.service_id != item.id for row in mine)  # type: ignore[attr-defined]
        assert (refused is None) == allowed, refused

    @rule(who=people, days=near[0], clock=near[1])
    def move(self, who: str, days: int, clock: time) -> None:
        start = datetime.combine(self.now.date() + timedelta(days=days), clock, CITY_TIME)
        with unit_of_work() as session:
            mine = open_of(session, who)
        if mine:
            item = next(item for item in ITEMS if item.id == mine[0].service_id)
            self._try(who, item, start, mine[0].id)

    @rule(who=people)
    def give_back(self, who: str) -> None:
        with unit_of_work() as session:
            mine = [row for row in open_of(session, who) if row.starts_at > self.now]
            if mine:
                cancel(session, who, mine[0].id, self.now)

    def _try(self, who: str, item: object, start: datetime, moved: int | None) -> str | None:
        try:
            with unit_of_work() as session:
                reserve(session, who, item, self.hall, start, self.now, moved)  # type: ignore[arg-type]
        except StateError as error:
            return error.code
        return None

    @invariant()
    def nothing_is_overbooked_and_all_is_within_the_hours(self) -> None:
        with unit_of_work() as session:
            rows = session.scalars(
                select(Appointment).where(Appointment.state == "requested")
            ).all()
            held = taken(session, self.hall.id, "identity", *horizon(self.now))
        for one, other in combinations(rows, 2):
            overlap = one.starts_at < other.ends_at and other.starts_at < one.ends_at
            assert not (overlap and one.seat == other.seat)
        for row in rows:
            assert row.seat < self.most
            there, until = row.starts_at.astimezone(CITY_TIME), row.ends_at.astimezone(CITY_TIME)
            assert not is_holiday(there.date())
            assert any(
                period.start <= there.time() and until.time() <= period.end
                for period in self.hall.opening.on(there.date())
            )
        ahead = [row for row in rows if row.ends_at > self.now]
        assert max(Counter(row.citizen_id for row in ahead).values(), default=0) <= MAX_OPEN
        assert max(Counter((r.citizen_id, r.service_id) for r in ahead).values(), default=0) <= 1
        free = free_slots(self.hall, "identity", held, self.now)
        assert all(slot.start > self.now for slots in free.values() for slot in slots)


def test_any_sequence_of_people_and_editors() -> None:
    run_state_machine_as_test(
        BusyHall, settings=settings(max_examples=12, stateful_step_count=30, deadline=None)
    )

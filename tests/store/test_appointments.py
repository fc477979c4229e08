"""Windows of halls: never given twice, however many people and processes want them at once."""

from __future__ import annotations

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy.exc import IntegrityError

from base.errors import StateError
from store.appointments import (
    MAX_OPEN,
    Appointment,
    Stay,
    book,
    by_token,
    cancel,
    change,
    close,
    close_past,
    due_follow_ups,
    due_reminders,
    forget_before,
    of_citizen,
    open_of,
    taken,
    visits,
)
from store.database import unit_of_work
from store.models import AuditEntry, plain
from store.people import citizen, forget_profile
from tests.store.city import CityStore

NOW = datetime(2026, 11, 23, 1, tzinfo=UTC)
START = datetime(2026, 11, 24, 1, tzinfo=UTC)
HALF = timedelta(minutes=30)
DAY = timedelta(days=1)


def stay(windows: int = 2, start: datetime = START, length: timedelta = HALF) -> Stay:
    return Stay(
        "yuncheng_city", "identity", start, start + length, windows,
        start - timedelta(hours=15), start + length + timedelta(hours=2),
    )  # fmt: skip


def take(who: str, item: str = "id_card_replace", wanted: Stay | None = None) -> int:
    with unit_of_work() as session:
        return book(session, who, (item, "身份证补领"), wanted or stay(), NOW).id


def answer(who: str, item: str, wanted: Stay) -> str:
    try:
        take(who, item, wanted)
    except StateError as error:
        return error.code
    return "booked"


def test_many_at_once_get_exactly_the_windows_there_are(any_store: CityStore) -> None:
    crowd, start = 12, threading.Barrier(12)

    def press(person: int) -> str:
        start.wait()
        return answer(f"web:{person}", "id_card_replace", stay(windows=5))

    with ThreadPoolExecutor(crowd) as pool:
        answers = Counter(pool.map(press, range(crowd)))
    assert answers == {"booked": 5, "slot_taken": 7}
    assert sorted(row.seat for row in any_store.rows(Appointment)) == [0, 1, 2, 3, 4]


def test_one_citizen_pressing_at_once_books_an_item_once_and_three_items(
    any_store: CityStore,
) -> None:
    start = threading.Barrier(10)

    def press(turn: int) -> str:
        start.wait()
        slot = stay(windows=9, start=START + HALF * turn)
        return answer("web:1", f"item_{turn // 2}", slot)

    with ThreadPoolExecutor(10) as pool:
        answers = Counter(pool.map(press, range(10)))
    assert answers["booked"] == MAX_OPEN
    rows = any_store.rows(Appointment)
    assert sorted(row.place for row in rows) == [0, 1, 2]
    assert len({row.service_id for row in rows}) == MAX_OPEN


def test_all_changing_to_one_slot_at_once_fill_it_and_nothing_more(any_store: CityStore) -> None:
    ids = [take(f"web:{n}", wanted=stay(9)) for n in range(8)]
    start, wanted = threading.Barrier(8), stay(3, START + DAY)

    def move(person: int) -> bool:
        start.wait()
        try:
            with unit_of_work() as session:
                change(session, f"web:{person}", ids[person], wanted, NOW)
        except StateError:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        moved = list(pool.map(move, range(8)))
    assert sum(moved) == 3
    for row, done in zip(any_store.rows(Appointment), moved, strict=True):
        assert (row.starts_at, row.sequence) == ((START + DAY, 1) if done else (START, 0))
        assert row.state == "requested"


def test_the_database_itself_refuses_a_window_twice(any_store: CityStore) -> None:
    take("web:1")
    with pytest.raises(IntegrityError), unit_of_work() as session:
        citizen(session, "web:2")
        session.add(
            Appointment(
                citizen_id="web:2", hall_id="yuncheng_city", domain="identity", seat=0, place=0,
                service_id="x", service_name="x", starts_at=START, ends_at=START + HALF,
            )
        )  # fmt: skip


def test_a_cancelled_window_is_free_again_and_only_its_owner_cancels(any_store: CityStore) -> None:
    mine = take("web:1", wanted=stay(1))
    assert answer("web:2", "id_card_replace", stay(1)) == "slot_taken"
    with pytest.raises(StateError), unit_of_work() as session:
        cancel(session, "web:2", mine, NOW)
    with unit_of_work() as session:
        gone = cancel(session, "web:1", mine, NOW)
        assert (gone.state, gone.sequence, gone.remind_at) == ("cancelled", 1, None)
    with pytest.raises(StateError), unit_of_work() as session:
        cancel(session, "web:1", mine, NOW)
    assert answer("web:2", "id_card_replace", stay(1)) == "booked"
    assert answer("web:1", "id_card_replace", stay(1, START + HALF)) == "booked"


def test_slots_of_another_length_share_the_windows(any_store: CityStore) -> None:
    """An editor made the slots shorter while longer ones were booked."""
    take("web:1", wanted=stay(1))
    later = stay(1, START + timedelta(minutes=20), timedelta(minutes=20))
    assert answer("web:2", "id_card_replace", later) == "slot_taken"
    assert answer("web:2", "id_card_replace", replace(later, windows=2)) == "booked"
    beside = stay(1, START + HALF)
    assert answer("web:3", "id_card_replace", beside) == "booked"  # seat 0 is free from then on
    with unit_of_work() as session:
        seats = taken(session, "yuncheng_city", "identity", START, START + DAY)
        assert sorted((kept.start, kept.seat) for kept in seats) == [
            (START, 0),
            (START + timedelta(minutes=20), 1),
            (START + HALF, 0),
        ]


def test_a_time_that_is_over_holds_no_place_and_can_be_closed(any_store: CityStore) -> None:
    first = take("web:1")
    after = START + DAY
    with pytest.raises(StateError), unit_of_work() as session:
        close(session, "web:1", first, "done")  # it is still to come
    with unit_of_work() as session:
        again = book(
            session, "web:1", ("id_card_replace", "身份证"), stay(start=after + HALF), after
        )
        assert of_citizen(session, "web:1", first).state == "past"  # type: ignore[union-attr]
        assert [row.id for row in open_of(session, "web:1")] == [again.id]
    for outcome, state in (("absent", "missed"), ("not_done", "attended"), ("done", "attended")):
        with unit_of_work() as session:
            assert close(session, "web:1", first, outcome).state == state
    with pytest.raises(StateError), unit_of_work() as session:
        close(session, "web:2", first, "done")


def test_what_is_due_is_due_once_its_time_comes(any_store: CityStore) -> None:
    mine = take("web:1")
    with unit_of_work() as session:
        early, late = START - timedelta(hours=16), START - timedelta(hours=14)
        assert due_reminders(session, early) == []
        assert [row.id for row in due_reminders(session, late)] == [mine]
        assert due_reminders(session, START) == []  # too late to be of use
        assert close_past(session, START + HALF) == 1
        assert due_follow_ups(session, START + HALF) == []
        assert [row.id for row in due_follow_ups(session, START + timedelta(hours=3))] == [mine]


def test_old_appointments_are_forgotten_and_a_wish_to_be_forgotten_is_heard(
    any_store: CityStore,
) -> None:
    old = take("web:1", "old_item")
    kept = take("web:1", wanted=stay(start=START + DAY))
    with unit_of_work() as session:
        cancel(session, "web:1", old, NOW)
        forget_profile(session, "web:1")
    assert [row.id for row in any_store.rows(Appointment)] == [kept]
    with unit_of_work() as session:
        token = open_of(session, "web:1")[0].token
        assert by_token(session, token) is not None
        assert by_token(session, token + "x") is None
        assert forget_before(session, START) == 0
        assert forget_before(session, START + DAY * 3) == 1
    assert any_store.rows(Appointment) == []


def test_the_hall_list_is_audited_row_by_row(any_store: CityStore) -> None:
    take("web:2", wanted=stay(start=START + HALF))
    mine = take("web:1")
    with unit_of_work() as session:
        citizen(session, "web:1").name = plain("张小明")
    with unit_of_work() as session:
        found = visits(session, "yuncheng_city", START, START + DAY, actor="official:li")
        assert [visit.name for visit in found] == ["张小明", None]
        assert visits(session, "other", START, START + DAY, actor="official:li") == []
    read = [(row.record, row.field) for row in any_store.rows(AuditEntry)]
    assert sorted(read) == sorted(
        [(f"appointments:{mine}", "visit"), ("citizens:web:1", "name"), ("appointments:1", "visit")]
    )
    assert found[0].appointment.number.startswith("YY20261123")

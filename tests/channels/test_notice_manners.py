from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from base.calendar import CITY_TIME
from channels.notices.manners import Manners, start_of
from store.tickets import city_day

RULES = Manners(21, 8, 3, timedelta(days=7))
MOMENTS = st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1)).map(
    lambda at: at.replace(tzinfo=UTC)
)
HOURS = st.integers(0, 23)


def at(hour: int, minute: int = 0, day: int = 22) -> datetime:
    return datetime(2026, 11, day, hour, minute, tzinfo=CITY_TIME)


def test_the_night_is_quiet_by_the_citys_clock() -> None:
    assert [h for h in range(24) if RULES.is_quiet(at(h))] == [*range(8), 21, 22, 23]
    assert RULES.is_quiet(datetime(2026, 11, 22, 13, 0, tzinfo=UTC))  # 21:00 there
    assert not RULES.is_quiet(datetime(2026, 11, 22, 12, 59, tzinfo=UTC))


@given(MOMENTS, HOURS, HOURS)
def test_whoever_waits_is_awake_at_most_a_day_later(now: datetime, start: int, end: int) -> None:
    rules = Manners(start, end, 3, timedelta(days=7))
    awake = rules.awake(now)
    assert not rules.is_quiet(awake)
    assert now <= awake <= now + timedelta(days=1)
    assert awake == now or rules.is_quiet(awake - timedelta(seconds=1))


@given(MOMENTS, st.lists(st.integers(0, 24 * 9), max_size=6), st.sampled_from([None, 0, 3, 9]))
def test_a_free_moment_keeps_every_rule(
    now: datetime, ages: list[int], days_left: int | None
) -> None:
    digests = [(now - timedelta(hours=n), now - timedelta(hours=n // 2)) for n in ages]
    recent = [pair for pair in digests if pair[1] > now - RULES.window]
    free = RULES.free_at(now, recent, days_left)
    assert free >= now
    assert not RULES.is_quiet(free)
    assert sum(arrived > free - RULES.window for _, arrived in recent) < RULES.cap
    if days_left != 0:
        assert all(city_day(written) < city_day(free) for written, _ in recent)


def test_the_last_message_of_the_cap_is_kept_for_what_closes() -> None:
    two = [(at(9, day=day), at(9, day=day)) for day in (21, 20)]
    now = at(10)
    assert RULES.free_at(now, two, 5) == now
    assert RULES.free_at(now, two, None) == at(9, day=27)
    three = [*two, (at(9, day=18), at(9, day=18))]
    assert RULES.free_at(now, three, 5) == at(9, day=25)
    assert Manners(21, 8, 1, timedelta(days=7)).free_at(now, [], None) == now


def test_one_message_a_day_unless_something_closes_today() -> None:
    now, morning = at(10), [(at(8), at(8))]
    assert RULES.free_at(now, morning, None) == at(8, day=23)
    assert RULES.free_at(now, morning, 1) == at(8, day=23)
    assert RULES.free_at(now, morning, 0) == now


def test_what_arrived_late_counts_when_it_arrived() -> None:
    late = [(at(9, day=14), at(9, day=20)), (at(9, day=15), at(9, day=20))]
    assert RULES.free_at(at(10), late, None) == at(9, day=27)


def test_the_next_day_begins_when_it_is_not_quiet_any_more() -> None:
    assert RULES.next_day(at(23)) == at(8, day=23)
    assert RULES.next_day(at(0, 1)) == at(8, day=23)
    assert Manners(0, 0, 3, timedelta(days=7)).next_day(at(23)) == start_of(date(2026, 11, 23))

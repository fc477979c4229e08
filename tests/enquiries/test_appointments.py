"""Free windows, the times people name, and how a time is said."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from base.calendar import CITY_TIME, is_holiday
from base.settings import ROOT
from enquiries.appointment_words import is_about_own, wants_window
from enquiries.appointments import (
    HORIZON_DAYS,
    Wish,
    around,
    fitting,
    free_slots,
    horizon,
    slots_on,
    stay_for,
    when_words,
    wished,
)
from enquiries.bookings import why_not
from matcher.service import Booking, load_halls
from store.appointments import Kept

HALLS = load_halls(ROOT / "policies" / "halls.yml")
CITY_HALL = HALLS[0]
MONDAY = date(2026, 11, 23)
NOW = datetime(2026, 11, 23, 8, tzinfo=CITY_TIME)

moments = st.datetimes(
    datetime(2026, 1, 1), datetime(2027, 3, 1), timezones=st.just(CITY_TIME)
).map(lambda moment: moment.replace(fold=0))
halls = st.builds(
    lambda hall, minutes, windows, lead: hall.model_copy(
        update={"booking": Booking(minutes=minutes, windows=windows, lead_minutes=lead)}
    ),
    st.sampled_from(HALLS),
    st.integers(10, 120),
    st.integers(0, 4),
    st.integers(0, 300),
)


@settings(deadline=None)
@given(
    halls, moments, st.lists(st.tuples(st.integers(0, 400), st.integers(1, 8), st.integers(0, 4)))
)
def test_what_is_free_is_open_ahead_near_enough_and_not_taken(  # type: ignore[no-untyped-def]
    hall, now, rough
) -> None:
    domain = hall.domains[0]
    since, until = horizon(now)
    held = [
        Kept(since + timedelta(hours=start), since + timedelta(hours=start + length), seat)
        for start, length, seat in rough
    ]
    free = free_slots(hall, domain, held, now)
    for day, slots in free.items():
        assert slots
        assert not is_holiday(day)
        assert (day - now.date()).days in range(HORIZON_DAYS)
        for before, after in pairwise(slots):
            assert before.end <= after.start
        for slot in slots:
            assert slot.day == day
            assert slot.end - slot.start == timedelta(minutes=hall.booking.minutes)
            assert slot.start >= now + timedelta(minutes=hall.booking.lead_minutes)
            assert slot.end <= until
            assert any(
                p.start <= slot.start.time() and slot.end.time() <= p.end
                for p in hall.opening.on(day)
            )
            busy = {k.seat for k in held if k.start < slot.end and k.end > slot.start}
            assert set(range(hall.windows_for(domain))) - busy


@settings(deadline=None)
@given(halls, moments)
def test_one_who_holds_nothing_sees_every_slot_still_to_come(hall, now) -> None:  # type: ignore[no-untyped-def]
    free = free_slots(hall, hall.domains[0], [], now)
    if not hall.booking.windows:
        assert free == {}
        return
    earliest = now + timedelta(minutes=hall.booking.lead_minutes)
    for offset in range(HORIZON_DAYS):
        day = now.date() + timedelta(days=offset)
        expected = tuple(slot for slot in slots_on(hall, day) if slot.start >= earliest)
        assert free.get(day, ()) == expected


def test_a_reminder_is_at_six_the_day_before_and_only_while_that_is_to_come() -> None:
    slot = slots_on(CITY_HALL, date(2026, 11, 24))[0]
    stay = stay_for(CITY_HALL, "identity", slot, NOW)
    assert stay.remind_at == datetime(2026, 11, 23, 18, tzinfo=CITY_TIME)
    assert stay.follow_up_at == slot.end + timedelta(hours=2)
    late = stay_for(CITY_HALL, "identity", slot, NOW.replace(hour=18))
    assert late.remind_at is None


@pytest.mark.parametrize(
    ("text", "day", "part", "clock"),
    [
        ("帮我约明天上午", "2026-11-24", "am", None),
        ("明天上午9点半", "2026-11-24", None, "09:30"),
        ("下周三下午两点", "2026-12-02", None, "14:00"),
        ("12月3号十点", "2026-12-03", None, "10:00"),
        ("周三十一点", "2026-11-25", None, "11:00"),
        ("周五两点半", "2026-11-27", None, "14:30"),
        ("约15号上午九点行不行", "2026-12-15", None, "09:00"),
        ("后天14:30", "2026-11-25", None, "14:30"),
        ("下午三点一刻", None, None, "15:15"),
        ("十一月三十号", "2026-11-30", None, None),
        ("我想周末去", "2026-11-28", None, None),
        ("二十五号下午", "2026-11-25", "pm", None),
        ("31号", "2026-12-31", None, None),
        ("早上八点零五分", None, None, "08:05"),
        ("今天十一点", "2026-11-23", None, "11:00"),
        ("换个早一点的", None, None, None),
        ("帮我约一下", None, None, None),
        ("99号窗口", None, None, None),
        ("25点", None, None, None),
        ("文昌路12号", None, None, None),
        ("3号楼", None, None, None),
        ("下个月", None, None, None),
        ("打12345号码", None, None, None),
    ],
)
def test_the_time_that_is_meant(
    text: str, day: str | None, part: str | None, clock: str | None
) -> None:
    found = wished(text, MONDAY)
    assert (str(found.day) if found.day else None, found.part) == (day, part)
    assert (f"{found.clock:%H:%M}" if found.clock else None) == clock


@given(st.text(max_size=60))
def test_any_words_at_all_are_read_without_fault(text: str) -> None:
    found = wished(text, MONDAY)
    assert found.day is None or found.day >= MONDAY


@given(
    st.dates(date(2026, 1, 1), date(2030, 1, 1)),
    st.sampled_from([None, "am", "pm"]),
    st.none() | st.times().map(lambda t: t.replace(second=0, microsecond=0)),
)
def test_a_wish_is_read_as_it_was_written(day, part, clock) -> None:  # type: ignore[no-untyped-def]
    wish = Wish(day, None if clock else part, clock)
    assert Wish.read(wish.written()) == wish
    assert not Wish.read(wish.written() + "x")


@settings(deadline=None)
@given(halls, moments, st.integers(0, 13), st.integers(8, 17))
def test_a_time_said_is_the_time_understood(hall, now, offset, hour) -> None:  # type: ignore[no-untyped-def]
    start = datetime.combine(now.date() + timedelta(days=offset), time(hour, 30), CITY_TIME)
    found = wished(when_words(start, now), now.date())
    assert (found.day, found.clock) == (start.date(), time(hour, 30))


def test_fitting_and_what_lies_around_it() -> None:
    free = free_slots(CITY_HALL, "identity", [], NOW)
    tuesday = date(2026, 11, 24)
    exact = fitting(free, Wish(tuesday, clock=time(9, 30)))
    assert [f"{slot.start:%H:%M}" for slot in exact] == ["09:30"]
    assert {slot.part for slot in fitting(free, Wish(tuesday, "pm"))} == {"pm"}
    near = around(free, Wish(tuesday, clock=time(12, 30)))
    assert [f"{slot.start:%d %H:%M}" for slot in near] == [
        "24 11:00", "24 11:30", "24 13:30", "24 14:00",
    ]  # fmt: skip
    sunday = around(free, Wish(date(2026, 11, 29)))
    assert all(slot.day == date(2026, 11, 30) for slot in sunday)
    assert len(around(free, Wish())) == 4


def test_why_a_day_has_nothing() -> None:
    reasons = {
        date(2026, 11, 22): "已经过去了",
        date(2026, 11, 29): "不开门",
        date(2026, 12, 7): "还太远，只能约两周以内的",
        date(2026, 11, 24): "约满了",
    }
    assert {day: why_not(CITY_HALL, day, NOW) for day in reasons} == reasons


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("帮我约明天上午", "window"),
        ("麻烦给我挂个号", "window"),
        ("我想约周五办护照", "window"),
        ("周六有号没", "window"),
        ("要预约吗", "answer"),
        ("怎么预约啊", "answer"),
        ("要约吗还是直接去", "answer"),
        ("明天要不要先约", "answer"),
        ("周末师傅能上门不", "answer"),
        ("我的预约是几点", "own"),
        ("取消明天的预约", "own"),
        ("我约的周三，想挪到周五", "own"),
        ("改约到下周一", "own"),
        ("约好了能换个时间吗", "own"),
    ],
)
def test_wanting_is_told_from_asking(text: str, meant: str) -> None:
    found = "window" if wants_window(text, wished(text, MONDAY)) else "answer"
    assert ("own" if is_about_own(text) else found) == meant

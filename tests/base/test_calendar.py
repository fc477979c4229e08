"""Opening hours and working days."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from base.calendar import CITY_TIME, Period, WeeklyHours, is_holiday, is_working_day

OFFICE = WeeklyHours.parse("mon-fri 09:00-12:00 13:30-17:00; sat 09:00-12:00")


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=CITY_TIME)


@pytest.mark.parametrize(
    ("day", "works"),
    [
        ("2026-11-20", True),  # a Friday
        ("2026-11-22", False),  # a Sunday
        ("2026-10-01", False),  # 国庆节
        ("2026-10-04", False),  # the Sunday within 国庆节
        ("2026-10-10", True),  # a Saturday worked in exchange
        ("2026-02-14", True),  # worked before 春节
        ("2026-02-15", False),  # 春节 begins on the Sunday
    ],
)
def test_the_notice_of_2026(day: str, works: bool) -> None:
    # 国务院办公厅关于2026年部分节假日安排的通知
    assert is_working_day(date.fromisoformat(day)) is works


def test_a_saturday_of_a_holiday_is_closed_though_saturdays_are_open() -> None:
    assert is_holiday(date(2026, 10, 3))
    assert OFFICE.on(date(2026, 10, 3)) == ()
    assert OFFICE.on(date(2026, 11, 21)) == (Period(time(9), time(12)),)


def test_an_exchanged_day_has_fridays_hours() -> None:
    assert OFFICE.on(date(2026, 10, 10)) == OFFICE.on(date(2026, 10, 9))


def test_the_next_opening() -> None:
    assert OFFICE.next_opening(at("2026-11-20T12:30")) == at("2026-11-20T13:30")
    assert OFFICE.next_opening(at("2026-11-21T12:00")) == at("2026-11-23T09:00")
    assert OFFICE.next_opening(at("2026-09-30T18:00")) == at("2026-10-08T09:00")
    open_now = at("2026-11-20T10:00")
    assert OFFICE.next_opening(open_now) == open_now


def test_hours_in_words() -> None:
    assert str(OFFICE) == "周一至周五 09:00-12:00、13:30-17:00，周六 09:00-12:00"


@pytest.mark.parametrize(
    "text", ["", "mon", "mon 9-12", "fri-mon 09:00-12:00", "mon 12:00-09:00",
             "mon 09:00-12:00 11:00-13:00", "mon 09:00-12:00; mon 13:00-14:00"],
)  # fmt: skip
def test_wrong_hours_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"hours|days|twice|time"):
        WeeklyHours.parse(text)


@given(st.datetimes(datetime(2020, 1, 1), datetime(2026, 12, 1)))
def test_the_next_opening_is_open_and_none_is_earlier(moment: datetime) -> None:
    moment = moment.replace(tzinfo=CITY_TIME)
    opening = OFFICE.next_opening(moment)
    assert opening is not None
    assert OFFICE.is_open(opening)
    assert opening >= moment
    half_hours = int((opening - moment) / timedelta(minutes=30))
    assert not any(
        OFFICE.is_open(moment + i * timedelta(minutes=30)) for i in range(half_hours)
    ) or OFFICE.is_open(moment)

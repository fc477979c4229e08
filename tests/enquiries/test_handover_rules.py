"""The table of steps, promised times, estimated waits and what a few words mean."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from base.calendar import CITY_TIME, WeeklyHours
from base.errors import StateError
from enquiries.handover import words
from enquiries.handover.promise import later, promised_time, wait_minutes
from enquiries.handover.states import FINAL, STEPS, Event, State, after
from store.handover_models import OPEN

HOURS = WeeklyHours.parse("mon-fri 09:00-12:00 13:30-17:30")
MONDAY = datetime(2026, 11, 23, 10, 0, tzinfo=CITY_TIME)


def test_every_state_is_reached_and_only_final_ones_are_the_end() -> None:
    assert set(STEPS.values()) | {State.OFFERED, State.WAITING} == set(State)
    assert set(State) - {state for state, _ in STEPS} == FINAL
    assert {state.value for state in set(State) - FINAL} == set(OPEN)


@given(st.sampled_from(State), st.sampled_from(Event))
def test_what_is_not_in_the_table_is_refused(state: State, event: Event) -> None:
    if (state, event) in STEPS:
        assert after(state, event) == STEPS[state, event]
    else:
        with pytest.raises(StateError):
            after(state, event)


moments = st.datetimes(datetime(2026, 1, 1), datetime(2026, 12, 31), timezones=st.just(CITY_TIME))


@settings(deadline=None)  # the first look reads the calendar
@given(moments, st.integers(1, 3000))
def test_working_minutes_are_counted_in_the_hours_alone(start: datetime, minutes: int) -> None:
    end = later(HOURS, start, minutes)
    assert end is not None and end > start
    if minutes > 1:
        before = later(HOURS, start, minutes - 1)
        assert before is not None and before < end
    assert HOURS.is_open(end - timedelta(seconds=1))


def test_a_promise_over_lunch_and_over_the_weekend() -> None:
    at = datetime(2026, 11, 27, 11, 30, tzinfo=CITY_TIME)  # a Friday
    assert later(HOURS, at, 60) == datetime(2026, 11, 27, 14, 0, tzinfo=CITY_TIME)
    evening = datetime(2026, 11, 27, 17, 30, tzinfo=CITY_TIME)
    assert later(HOURS, evening, 60) == datetime(2026, 11, 30, 10, 0, tzinfo=CITY_TIME)


@settings(deadline=None)  # the first look reads the calendar
@given(moments, st.integers(1, 4), st.integers(0, 12))
def test_a_stretch_never_promises_more_than_can_be_called(
    now: datetime, capacity: int, people: int
) -> None:
    kept: list[datetime] = []

    def count(start: datetime, end: datetime) -> int:
        return sum(start < one <= end for one in kept)

    for _ in range(people):
        promised = promised_time(HOURS, now, 60, capacity, count)
        assert promised is not None and promised > now
        kept.append(promised)
    assert kept == sorted(kept)
    assert all(kept.count(one) <= capacity for one in kept)


def test_no_opening_no_promise() -> None:
    never = WeeklyHours({})
    assert later(never, MONDAY, 1) is None
    assert promised_time(never, MONDAY, 60, 1, lambda *_: 0) is None


def test_a_wait_is_only_said_when_it_is_known() -> None:
    assert wait_minutes(1, [600.0] * 4, 2) is None
    assert wait_minutes(1, [600.0] * 5, 0) is None
    assert wait_minutes(3, [600.0] * 5, 2) == 15
    assert wait_minutes(1, [30.0] * 5, 2) == 5


@pytest.mark.parametrize(
    "text",
    [
        "结束人工",
        "回到机器人",
        "不用人工了",
        "先不用人工了，谢谢",
        "不排了吧",
        "取消回电",
        "转回机器人吧",
        "不用等了",
    ],
)
def test_words_that_leave(text: str) -> None:
    assert words.leaves(text)


@pytest.mark.parametrize(
    "text",
    [
        "人工什么时候结束",
        "我要投诉机器人厂",
        "不用身份证行吗",
        "取消预约怎么办",
        "结束营业要办什么手续",
        "谢谢",
    ],
)
def test_words_that_do_not_leave(text: str) -> None:
    assert not words.leaves(text)


def test_to_a_person_one_may_say_that_one_does_not_wait() -> None:
    assert words.leaves("我不等了") and not words.leaves("我不等了", served=True)
    assert words.leaves("结束人工", served=True) and words.leaves("回到机器人", served=True)


@pytest.mark.parametrize("text", ["排到第几位了", "前面还有几个人", "还要等多久", "轮到我了吗"])
def test_words_that_ask_for_the_place(text: str) -> None:
    assert words.asks_position(text)


@pytest.mark.parametrize(
    "text",
    [
        "排到第几了",
        "我排第几",
        "排队排到哪了？",
        "我前面还有几个人",
        "还在排队吗",
        "人工还要等多久",
    ],
)
def test_words_that_ask_for_nothing_but_the_place(text: str) -> None:
    assert words.asks_own_place(text)


@pytest.mark.parametrize(
    "text",
    [
        "还要等多久",
        "排到几号了",
        "大厅现在排到几号了",
        "护照排队要多久",
        "我家孩子排第几",
        "什么时候有人",
    ],
)
def test_words_that_may_ask_for_another_place(text: str) -> None:
    assert not words.asks_own_place(text)

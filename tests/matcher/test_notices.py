from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matcher.notices.ages import Age, read_birth, years_between
from matcher.notices.decide import History, Subject, eligible, wanted
from matcher.policy import Policy

TODAY = date(2026, 11, 22)
NOON = datetime(2026, 11, 22, 4, tzinfo=UTC)
NOBODY = Age(None, None, TODAY)
DAYS = st.dates(date(1900, 1, 1), date(2099, 12, 31))


def policy(identifier: str = "old_age", when: str = "age >= 80", **changes: Any) -> Policy:
    return Policy.model_validate(
        {
            "id": identifier,
            "title": f"《{identifier}》",
            "audience": "resident",
            "level": "city",
            "issuer": "市民政局",
            "document": {"title": "办法"},
            "origin": "sample",
            "theme": "养老",
            "summary": "补贴。",
            "benefit": {"kind": "allowance", "text": "每月100元", "amount": 100, "unit": "元/月"},
            "eligibility": [{"text": when, "when": when}],
            "materials": ["身份证"],
            "steps": ["申请"],
            "apply": {"place": "街道"},
            "queries": ["一", "二", "三"],
        }
        | changes
    )


def subject(known: Age = NOBODY, **attributes: Any) -> Subject:
    return Subject.of({"resident": attributes}, known)


def history(**changes: Any) -> History:
    before = NOON - timedelta(days=1)
    values = {
        "known": frozenset(),
        "received": frozenset(),
        "declined": frozenset(),
        "settled": (before, before.date()),
        "first_seen": {},
    }
    return History(**values | changes)


# --- ages ---------------------------------------------------------------------------------


@given(birth=DAYS, told=st.integers(0, 40_000), later=st.integers(0, 9000))
def test_an_age_told_some_day_always_leaves_the_true_one_possible(
    birth: date, told: int, later: int
) -> None:
    told_on = birth + timedelta(days=told)
    day = told_on + timedelta(days=later)
    if day.year > 2150:
        return
    years = years_between(birth, told_on)
    true = years_between(birth, day)
    if true > 120:
        return
    possible = Age(years, told_on, told_on).possible(day)
    assert true in possible
    assert len(possible) <= 2
    assert list(Age(years, None, told_on, birth).possible(day)) == [true]


@given(
    birth=DAYS, told=st.integers(0, 30_000), later=st.integers(0, 5000), seen=st.integers(0, 800)
)
def test_without_the_day_nothing_younger_than_what_was_told_is_possible(
    birth: date, told: int, later: int, seen: int
) -> None:
    told_on = birth + timedelta(days=told)
    day = told_on + timedelta(days=later)
    years = years_between(birth, told_on)
    if years_between(birth, day) > 120:
        return
    possible = Age(years, None, told_on - timedelta(days=seen)).possible(day)
    assert years_between(birth, day) in possible
    assert possible[0] == years


def test_an_age_is_exact_on_its_day_and_each_year_after() -> None:
    age = Age(79, date(2025, 11, 22), TODAY)
    assert list(age.possible(date(2025, 11, 22))) == [79]
    assert list(age.possible(date(2025, 11, 23))) == [79, 80]
    assert list(age.possible(date(2026, 11, 21))) == [79, 80]
    assert list(age.possible(TODAY)) == [80]
    assert list(Age(None, None, TODAY).possible(TODAY)) == []


@pytest.mark.parametrize(
    ("text", "birth"),
    [
        ("我1946年12月1日出生", date(1946, 12, 1)),
        ("我妈生日是1946-12-01", date(1946, 12, 1)),
        ("出生日期：1946/2/28", date(1946, 2, 28)),
        ("我1946年12月1日搬来的", None),
        ("1946年2月30日出生", None),
        ("1946年13月3日出生", None),
        ("2030年1月1日出生", None),
        ("1900年1月1日出生", None),
        ("我今年80岁", None),
    ],
)
def test_birth_dates_are_read_from_words(text: str, birth: date | None) -> None:
    assert read_birth(text, TODAY) == birth


@given(st.text(alphabet="12年月日出生生日是-/. 0９①", max_size=30))
def test_no_words_break_the_reading_of_birth_dates(text: str) -> None:
    birth = read_birth(text, TODAY)
    assert birth is None or birth <= TODAY


# --- who is told --------------------------------------------------------------------------


def test_only_what_is_sure_for_every_possible_age_is_told() -> None:
    old = policy()
    unsure = subject(Age(79, TODAY - timedelta(days=30), TODAY), age=79)
    assert eligible([old], unsure, TODAY) == ()
    assert eligible([old], unsure, TODAY + timedelta(days=335)) == (old,)
    young = policy("young", "age <= 35")
    thirty_five = subject(Age(35, TODAY - timedelta(days=1), TODAY), age=35)
    assert eligible([young], thirty_five, TODAY) == ()
    assert eligible([young], thirty_five, TODAY - timedelta(days=1)) == (young,)


def test_what_may_apply_is_not_told() -> None:
    both = policy(when="age >= 80 AND hukou = 'local'")
    person = subject(Age(85, TODAY, TODAY), age=85)
    assert wanted([both], person, history(), TODAY) == ()
    person = subject(Age(85, TODAY, TODAY), age=85, hukou="local")
    assert [w.policy.id for w in wanted([both], person, history(), TODAY)] == ["old_age"]


@pytest.mark.parametrize(
    ("window", "told"),
    [
        ({}, ("match",)),
        ({"closes": "2026-11-21"}, ()),
        ({"closes": "2026-11-22"}, ("match", "closes_1")),
        ({"closes": "2026-11-23"}, ("match", "closes_1")),
        ({"closes": "2026-11-25"}, ("match", "closes_3")),
        ({"closes": "2026-11-29"}, ("match", "closes_7")),
        ({"closes": "2026-11-30"}, ("match",)),
        ({"opens": "2026-11-24", "closes": "2026-11-25"}, ("match",)),
    ],
)
def test_the_end_of_a_window_is_told_in_three_stages(
    window: dict[str, str], told: tuple[str, ...]
) -> None:
    found = wanted([policy(window=window)], subject(Age(85, TODAY, TODAY)), history(), TODAY)
    assert tuple(slot for item in found for slot in item.slots) == told


def test_what_is_known_is_not_told_again_but_a_new_version_is() -> None:
    person = subject(Age(85, TODAY, TODAY))
    known = history(known=frozenset({("old_age", 1, "match")}))
    assert wanted([policy()], person, known, TODAY) == ()
    (found,) = wanted([policy(version=2)], person, known, TODAY)
    assert (found.slots, found.trigger) == (("match",), "changed")
    closing = policy(window={"closes": "2026-11-25"})
    (found,) = wanted([closing], person, known, TODAY)
    assert (found.slots, found.trigger) == (("closes_3",), "deadline")
    late = history(known=frozenset({("old_age", 1, "match"), ("old_age", 1, "closes_3")}))
    assert wanted([closing], person, late, TODAY) == ()


@pytest.mark.parametrize("said", ["received", "declined"])
def test_what_was_applied_for_or_declined_is_not_told(said: str) -> None:
    person = subject(Age(85, TODAY, TODAY))
    closing = policy(window={"closes": "2026-11-25"}, version=2)
    assert wanted([closing], person, history(**{said: frozenset({"old_age"})}), TODAY) == ()


def test_of_two_that_exclude_each_other_both_are_told_as_a_choice() -> None:
    one, other = policy(excludes=["care"]), policy("care", "age >= 70")
    person = subject(Age(85, TODAY, TODAY))
    found = {w.policy.id: w.choices for w in wanted([one, other], person, history(), TODAY)}
    assert found == {"old_age": (other,), "care": (one,)}
    taken = history(received=frozenset({"care"}))
    assert wanted([one, other], person, taken, TODAY) == ()


def test_the_trigger_says_what_has_come_in() -> None:
    yesterday = NOON - timedelta(days=1)
    long_ago = yesterday - timedelta(days=30)
    old = policy()
    eighty = subject(Age(79, date(2025, 11, 22), TODAY))  # sure to be 80 from today on

    def trigger(item: Policy, person: Subject, seen: dict[tuple[str, int], datetime]) -> str:
        (found,) = wanted([item], person, history(first_seen=seen), TODAY)
        return found.trigger

    assert trigger(old, eighty, {("old_age", 1): long_ago}) == "birthday"
    assert trigger(old, eighty, {("old_age", 1): NOON}) == "new"
    two = {("old_age", 1): long_ago, ("old_age", 2): NOON}
    assert trigger(policy(version=2), eighty, two) == "changed"
    local = policy(when="hukou = 'local'")
    assert trigger(local, subject(hukou="local"), {("old_age", 1): long_ago}) == "profile"
    first = wanted([old], eighty, history(settled=None), TODAY)
    assert [item.trigger for item in first] == ["profile"]


def test_what_closes_first_comes_first_then_what_is_worth_more() -> None:
    def worth(yuan: int) -> dict[str, Any]:
        return {"kind": "subsidy", "text": f"{yuan}元", "amount": yuan, "unit": "元"}

    items = [
        policy("little", benefit=worth(10)),
        policy("much", benefit=worth(10_000)),
        policy("late", window={"closes": "2026-12-31"}, benefit=worth(100)),
        policy("soon", window={"closes": "2026-11-28"}, benefit=worth(1)),
        policy("sooner", window={"closes": "2026-11-23"}, benefit=worth(1)),
    ]
    found = wanted(items, subject(Age(85, TODAY, TODAY)), history(), TODAY)
    assert [item.policy.id for item in found] == ["sooner", "soon", "much", "late", "little"]


def test_a_column_of_another_release_is_left_out() -> None:
    person = Subject.of({"resident": {"age": 85, "gone": 1, "hukou": "moon"}}, NOBODY)
    assert person.known("resident", "age") == 85
    assert person.known("resident", "hukou") is None
    assert person.known("enterprise", "headcount") is None

"""The simulated week of ``benchmarks/notices``, small; and that its oracle can fail."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from benchmarks.notices.oracle import Verdict
from benchmarks.notices.peers import Arrival
from benchmarks.notices.week import Simulation, is_clean, simulate
from benchmarks.notices.world import CITY

pytestmark = pytest.mark.timeout(900)


@pytest.fixture(scope="module")
def week(tmp_path_factory: pytest.TempPathFactory) -> Simulation:
    return simulate(tmp_path_factory.mktemp("week"), 32, 5)


def test_a_week_of_failures_breaks_no_rule_and_leaves_nobody_out(week: Simulation) -> None:
    verdict = week.judge(week.arrivals)
    assert week.scene.kills > 10
    assert week.outside.refused > 0
    assert verdict.told > 30
    assert is_clean(verdict), verdict


def judged(week: Simulation, *more: Arrival, without: str = "") -> Verdict:
    kept = [arrival for arrival in week.arrivals if arrival.address != without]
    return week.judge([*kept, *more])


def first(week: Simulation, channel: str = "chat") -> Arrival:
    return next(arrival for arrival in week.arrivals if arrival.channel == channel)


def test_the_oracle_notices_who_was_left_out(week: Simulation) -> None:
    assert judged(week, without=first(week).address).missed


def test_the_oracle_notices_each_broken_rule(week: Simulation) -> None:
    one = first(week)
    again = replace(one, name="another")
    assert judged(week, again).duplicates
    night = one.at.astimezone(CITY).replace(hour=23)
    assert judged(week, replace(again, at=night)).quiet
    many = [replace(one, name=f"n{n}", at=one.at + timedelta(hours=n)) for n in range(3)]
    assert judged(week, *many).over_cap
    assert judged(week, replace(one, channel="email")).after_end
    stranger = next(h for h in week.scene.humans if h.audience != "resident" and h.consent)
    assert judged(week, replace(one, address=stranger.id)).not_eligible

"""The engine within limits of time and memory."""

from __future__ import annotations

import pytest

from base.errors import InputError
from matcher.batch.bounded import bounded_engine, hold


def test_profiles_are_held_as_they_are() -> None:
    with bounded_engine("enterprise", seconds=60, memory="1GB") as (engine, check):
        facts = [{"headcount": n, "is_high_tech": n % 2 == 0} for n in range(2500)]
        assert hold(engine, iter([*facts, {"scale": "micro", "revenue_wan": 1.5}])) == 2501
        check()
        told = engine.connection.execute(
            "SELECT count(*), sum(headcount), count(*) FILTER (is_high_tech), max(scale),"
            " max(revenue_wan), count(district), count(DISTINCT id) FROM profiles"
        ).fetchone()
    assert told == (2501, sum(range(2500)), 1250, "micro", 1.5, 0, 2501)


def test_a_query_without_end_is_broken_off() -> None:
    with (
        pytest.raises(InputError, match="simulation_too_long"),
        bounded_engine("resident", seconds=0.3, memory="1GB") as (engine, _),
    ):
        engine.connection.execute(
            "SELECT count(*) FROM range(100000000) a, range(100000) b WHERE a.range % 7 = b.range"
        )


def test_memory_is_bounded_and_nothing_goes_to_disk() -> None:
    with (
        pytest.raises(InputError, match="simulation_too_large"),
        bounded_engine("resident", seconds=60, memory="30MB") as (engine, _),
    ):
        engine.connection.execute(
            "CREATE TABLE big AS SELECT range, md5(range::VARCHAR) AS words FROM range(3000000)"
        )


def test_time_that_is_over_is_noticed_between_queries() -> None:
    with (
        pytest.raises(InputError, match="simulation_too_long"),
        bounded_engine("resident", seconds=0, memory="1GB") as (_, check),
    ):
        check()

"""Conditions: what is refused, and agreement with SQLite's own three-valued logic."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from base.errors import ConfigurationError
from matcher.predicate import Predicate, Scalar, parse_predicate
from tests.matcher.conditions import COLUMNS, full_profiles, predicates, profiles


@pytest.fixture(scope="module")
def database() -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(":memory:")
    connection.execute(
        "CREATE TABLE profile (headcount INTEGER, revenue_wan REAL, registered_years REAL, "
        "is_high_tech BOOLEAN, has_serious_violation BOOLEAN, scale TEXT, scale_at_most TEXT)"
    )
    yield connection
    connection.close()


def ask_sqlite(
    connection: sqlite3.Connection, predicate: Predicate, facts: dict[str, Scalar]
) -> bool | None:
    connection.execute("DELETE FROM profile")
    connection.execute(
        f"INSERT INTO profile VALUES ({', '.join('?' * (len(COLUMNS) + 1))})",
        [*(facts.get(name) for name in COLUMNS), facts.get("scale", "large")],
    )
    (result,) = connection.execute(f"SELECT {predicate.to_sql('sqlite')} FROM profile").fetchone()
    return None if result is None else bool(result)


@settings(max_examples=400, deadline=None, derandomize=True)
@given(sql=predicates, facts=profiles)
def test_agrees_with_sqlite(
    database: sqlite3.Connection, sql: str, facts: dict[str, Scalar]
) -> None:
    predicate = parse_predicate(sql, "enterprise")
    assert predicate.evaluate(facts) is ask_sqlite(database, predicate, facts)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(sql=predicates.filter(lambda sql: "/" not in sql), facts=profiles, rest=full_profiles)
def test_missing_names_exactly_what_is_left_to_ask(
    sql: str, facts: dict[str, Scalar], rest: dict[str, Scalar]
) -> None:
    predicate = parse_predicate(sql, "enterprise")
    missing = predicate.missing(facts)
    outcome = predicate.evaluate(facts)
    assert (outcome is None) == bool(missing)
    assert not set(missing) & set(facts)
    answered = facts | {name: rest[name] for name in missing}
    assert predicate.evaluate(answered) is not None
    beside = facts | {k: v for k, v in rest.items() if k not in facts and k not in missing}
    assert predicate.evaluate(beside) is outcome
    if outcome is not None:
        assert predicate.evaluate(rest | facts) is outcome


@pytest.mark.parametrize(
    ("facts", "outcome", "missing"),
    [
        ({}, None, ("is_high_tech", "headcount", "revenue_wan")),
        ({"is_high_tech": True}, True, ()),
        ({"is_high_tech": False}, None, ("headcount", "revenue_wan")),
        ({"is_high_tech": False, "headcount": 400}, False, ()),
        ({"headcount": 400}, None, ("is_high_tech",)),
        ({"is_high_tech": False, "headcount": 20}, None, ("revenue_wan",)),
        ({"is_high_tech": False, "headcount": 20, "revenue_wan": 10}, True, ()),
    ],
)
def test_unknown_columns_that_no_longer_matter_are_not_missing(
    facts: dict[str, Scalar], outcome: bool | None, missing: tuple[str, ...]
) -> None:
    predicate = parse_predicate(
        "is_high_tech OR headcount < 300 AND revenue_wan < 50", "enterprise"
    )
    assert predicate.evaluate(facts) is outcome
    assert predicate.missing(facts) == missing
    assert predicate.columns == ("is_high_tech", "headcount", "revenue_wan")


def test_a_missing_column_is_neither_false_nor_zero() -> None:
    assert parse_predicate("NOT has_serious_violation", "enterprise").evaluate({}) is None
    assert parse_predicate("headcount < 300", "enterprise").evaluate({}) is None
    assert parse_predicate("scale <> 'large'", "enterprise").evaluate({}) is None


def test_division_is_real_and_null_for_zero() -> None:
    predicate = parse_predicate("headcount / registered_years >= 0.5", "enterprise")
    assert predicate.evaluate({"headcount": 1, "registered_years": 2}) is True
    assert predicate.evaluate({"headcount": 1, "registered_years": 0}) is None
    assert "NULLIF" in predicate.to_sql("postgres")


def test_numbers_too_large_for_a_float_do_not_break_it() -> None:
    predicate = parse_predicate("headcount * headcount / 2 > revenue_wan", "enterprise")
    assert predicate.evaluate({"headcount": 10**300, "revenue_wan": 1.5}) is True


@pytest.mark.parametrize(
    "sql",
    [
        "",
        "headcount <",
        "headcount",
        "headcount + 1",
        "1 = 1",
        "TRUE",
        "headcount IS NULL",
        "headcount IS NOT NULL",
        "is_high_tech IS TRUE",
        "headcount <=> 3",
        "COALESCE(headcount, 0) < 300",
        "CASE WHEN is_high_tech THEN TRUE END",
        "LEAST(headcount, 3) < 2",
        "LOWER(scale) = 'small'",
        "CAST(headcount AS TEXT) = '3'",
        "headcount IN (SELECT 1)",
        "headcount IN ()",
        "headcount IN (1, revenue_wan)",
        "EXISTS (SELECT 1)",
        "SELECT headcount > 1",
        "headcount > 1; DROP TABLE people",
        "headcount > (SELECT 1)",
        "profile.headcount > 1",
        "headcount > @x",
        "headcount > ?",
        "headcount > :x",
        "staff > 1",
        "age >= 80",
        "headcount < '300'",
        "headcount = 'micro'",
        "scale = 3",
        "scale = 'tiny'",
        "scale IN ('micro', 'tiny')",
        "scale < 'small'",
        "scale BETWEEN 'micro' AND 'small'",
        "scale LIKE 'm%'",
        "scale = industry",
        "is_high_tech > 0",
        "is_high_tech = 1",
        "is_high_tech AND headcount",
        "NOT headcount",
        "is_high_tech < TRUE",
        "headcount = NULL",
        "headcount > 1e400",
        "headcount > 9999999999999",
        "headcount % 2 = 0",
        "headcount || 'x' = 'y'",
        "NOT " * 40 + "is_high_tech",
        "(" * 200 + "is_high_tech" + ")" * 200,
        " OR ".join(["is_high_tech"] * 40),
    ],
)
def test_refused(sql: str) -> None:
    with pytest.raises(ConfigurationError):
        parse_predicate(sql, "enterprise")


def test_unknown_kind_is_refused() -> None:
    with pytest.raises(ConfigurationError):
        parse_predicate("age > 1", "animal")


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.text(max_size=80))
def test_any_text_is_parsed_or_refused(text: str) -> None:
    try:
        predicate = parse_predicate(text, "resident")
    except ConfigurationError:
        return
    assert predicate.columns

"""A batch says what the evaluation of one profile says, on every database."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import psycopg
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from base.settings import ROOT
from matcher.batch.engine import ELIGIBLE, INELIGIBLE, POSSIBLE, BatchEngine
from matcher.batch.query import completed_select, encode_query, verdict_query
from matcher.eligibility import evaluate
from matcher.policy import Policy, load_policies
from matcher.predicate import Scalar
from matcher.profile import ATTRIBUTES, Kind, Profile, complete, parse_profile, scale_at_most
from matcher.scale import SCALE_ORDER, STANDARDS
from tests.matcher.batch.filling import fill
from tests.matcher.conditions import choices, equals, predicates, profiles
from tests.store import postgres

Make = Callable[..., dict[str, Any]]
CODES = {"eligible": ELIGIBLE, "possible": POSSIBLE, "ineligible": INELIGIBLE}
SQL_TYPES = {
    "integer": "bigint",
    "number": "double precision",
    "boolean": "boolean",
    "choice": "text",
}
slow = settings(
    max_examples=120,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)

conditions = st.lists(st.lists(predicates, min_size=1, max_size=3), min_size=1, max_size=4)
many_profiles = st.lists(profiles, min_size=1, max_size=12)


def policies_of(policy_data: Make, written: Sequence[Sequence[str]]) -> list[Policy]:
    return [
        Policy.model_validate(
            policy_data(
                f"policy_{number}", eligibility=[{"text": "条件", "when": sql} for sql in sqls]
            )
        )
        for number, sqls in enumerate(written)
    ]


def expected(
    policies: Sequence[Policy], kind: Kind, facts: Sequence[Mapping[str, Scalar]]
) -> dict[str, list[int]]:
    judged = [complete(Profile(kind, "x", dict(row))) for row in facts]
    return {p.id: [CODES[evaluate(p, one).verdict] for one in judged] for p in policies}


def judged(
    policies: Sequence[Policy], kind: Kind, facts: Sequence[Mapping[str, Scalar]]
) -> dict[str, list[int]]:
    with BatchEngine(kind, threads=1) as engine:
        fill(engine, facts)
        (chunk,) = engine.judge(policies)
        order = np.argsort(chunk.places)
        return {name: codes[order].tolist() for name, codes in chunk.codes.items()}


@slow
@given(written=conditions, facts=many_profiles)
@example(written=[["(headcount + 1) / 0 > 1"]], facts=[{}, {"headcount": 1}])
@example(written=[["NOT (is_high_tech = (headcount > 3))"]], facts=[{}, {"headcount": 1}])
@example(written=[["(is_high_tech AND headcount > 3) IN (TRUE)"]], facts=[{"headcount": 1}, {}])
@example(written=[["5 < headcount"], ["headcount NOT IN (3, 4)"]], facts=[{"headcount": 5}, {}])
@example(written=[["is_high_tech IN (TRUE, FALSE)"]], facts=[{"is_high_tech": False}, {}])
@example(written=[["headcount * 1000000 * 1000000 > 3000000 * 1000000"]], facts=[{"headcount": 9}])
def test_duckdb_agrees_with_one_by_one(
    policy_data: Make, written: list[list[str]], facts: list[dict[str, Scalar]]
) -> None:
    policies = policies_of(policy_data, written)
    assert judged(policies, "enterprise", facts) == expected(policies, "enterprise", facts)


@pytest.fixture(scope="module")
def database(postgres_server: str) -> Iterator[psycopg.Connection[Any]]:
    url = postgres.new_database(postgres_server, "batch").replace("+psycopg", "")
    with psycopg.connect(url, autocommit=True) as connection:
        columns = ", ".join(
            f"{column.name} {SQL_TYPES[column.type]}"
            for column in ATTRIBUTES["enterprise"].values()
        )
        connection.execute(f"CREATE TABLE profiles (place serial, id text, {columns})")
        yield connection


@settings(slow, max_examples=60)
@given(written=conditions, facts=many_profiles)
@example(written=[["(headcount + 1) / 0 > 1"]], facts=[{}, {"headcount": 1}])
def test_postgresql_agrees_with_one_by_one(
    database: psycopg.Connection[Any],
    policy_data: Make,
    written: list[list[str]],
    facts: list[dict[str, Scalar]],
) -> None:
    policies = policies_of(policy_data, written)
    names = ["id", *ATTRIBUTES["enterprise"]]
    database.execute("TRUNCATE profiles RESTART IDENTITY")
    for number, row in enumerate(facts):
        database.execute(
            f"INSERT INTO profiles ({', '.join(names)}) VALUES ({', '.join(['%s'] * len(names))})",
            [f"P{number:04d}", *(row.get(name) for name in names[1:])],
        )
    columns = {name for p in policies for c in p.predicates for name in c.columns}
    encoded = f"({encode_query('enterprise', 'profiles', columns, 'id')}) AS encoded"
    query = verdict_query(policies, encoded, "postgres")
    rows = sorted(database.execute(query).fetchall())
    found = {p.id: [row[n] for row in rows] for n, p in enumerate(policies, start=1)}
    assert found == expected(policies, "enterprise", facts)


enterprises = st.lists(
    st.fixed_dictionaries(
        {},
        optional={
            "industry": st.sampled_from(sorted(STANDARDS)),
            "industry_division": st.integers(1, 97),
            "headcount": st.sampled_from((0, 4, 5, 9, 10, 19, 20, 99, 100, 299, 300, 5000)),
            "revenue_wan": st.sampled_from((0.0, 49.9, 50.0, 100.0, 299.0, 2000.0, 1e6)),
            "assets_wan": st.sampled_from((0.0, 99.0, 100.0, 300.0, 5000.0, 2e5)),
            "scale": st.sampled_from(SCALE_ORDER),
        },
    ),
    min_size=1,
    max_size=20,
)


@settings(slow, max_examples=60)
@given(facts=enterprises)
def test_industry_and_scale_are_derived_as_for_one_profile(facts: list[dict[str, Scalar]]) -> None:
    with BatchEngine("enterprise", threads=1) as engine:
        fill(engine, facts)
        select = completed_select("enterprise", "profiles", {"industry", "scale"})
        rows = engine.connection.execute(
            f"SELECT industry, scale, scale_at_most FROM ({select}) ORDER BY place"
        ).fetchall()
    judged = (
        complete(parse_profile({"kind": "enterprise", "id": "x", "attributes": row}))
        for row in facts
    )
    assert rows == [
        (one.known("industry"), one.known("scale"), scale_at_most(one)) for one in judged
    ]


@settings(slow, max_examples=60)
@given(sqls=st.lists(st.one_of(choices, equals), min_size=1, max_size=6), facts=enterprises)
@example(
    sqls=["scale IN ('micro', 'small')", "scale <> 'large'", "scale = 'medium'"],
    facts=[{"industry": "industry", "headcount": 210}],
)
def test_a_scale_that_is_only_bounded_decides_alike(
    policy_data: Make, sqls: list[str], facts: list[dict[str, Scalar]]
) -> None:
    policies = policies_of(policy_data, [[sql] for sql in sqls])
    assert judged(policies, "enterprise", facts) == expected(policies, "enterprise", facts)


@pytest.mark.parametrize("kind", ["enterprise", "resident"])
def test_the_whole_corpus_agrees_on_random_profiles(kind: Kind) -> None:
    policies = [p for p in load_policies(ROOT / "policies") if p.audience == kind]
    facts = random_profiles(kind, 400)
    assert judged(policies, kind, facts) == expected(policies, kind, facts)


def random_profiles(kind: Kind, count: int) -> list[dict[str, Scalar]]:
    """Profiles whose values lie around the numbers that the kind's policies name."""
    import random
    import re

    chance = random.Random(20261122)
    policies = [p for p in load_policies(ROOT / "policies") if p.audience == kind]
    named = [float(n) for p in policies for c in p.eligibility for n in re.findall(r"\d+", c.when)]
    rows = []
    for _ in range(count):
        row: dict[str, Scalar] = {}
        for column in ATTRIBUTES[kind].values():
            if chance.random() < 0.3:
                continue
            if column.type == "boolean":
                row[column.name] = chance.random() < 0.5
            elif column.type == "choice":
                row[column.name] = chance.choice(column.choices).value
            else:
                value = chance.choice(named) + chance.choice((-1, 0, 0, 0.5, 1))
                value = max(column.minimum or 0.0, value)
                value = min(value, column.maximum or value)
                row[column.name] = int(value) if column.type == "integer" else value
        rows.append(row)
    return rows


def test_counts_ids_and_chunks(policy_data: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("matcher.batch.engine.CHUNK", 3)
    (policy,) = policies_of(policy_data, [["headcount >= 5"]])
    facts: list[dict[str, Scalar]] = [{"headcount": n} for n in range(8)] + [{}]
    with BatchEngine("enterprise", threads=1) as engine:
        fill(engine, facts)
        assert len(engine) == 9
        chunks = list(engine.judge([policy]))
        ids = [engine.ids(chunk.eligible(policy.id)) for chunk in chunks]
    assert [sorted(chunk.places.tolist()) for chunk in chunks] == [
        [0, 1, 2],
        [3, 4, 5],
        [6, 7, 8],
    ]
    assert list(itertools.chain(*ids)) == ["P5", "P6", "P7"]
    last = chunks[-1].counts()[policy.id]
    assert (last.eligible, last.possible, last.ineligible) == (2, 1, 0)


def test_no_verdict_is_taken_for_a_neighbours(policy_data: Make) -> None:
    """Several threads answer in whatever order; each verdict keeps its profile."""
    count = 300_000
    policies = policies_of(policy_data, [["headcount >= 5000"], ["registered_in_city"]])
    with BatchEngine("enterprise", threads=2) as engine:
        engine.connection.execute(
            "INSERT INTO profiles (id, headcount, registered_in_city)"
            f" SELECT 'P' || i, i % 10000, i % 3 = 0 FROM range({count}) t(i)"
        )
        (chunk,) = engine.judge(policies)
        some = engine.ids(chunk.eligible("policy_0")[:5])
    numbers = chunk.places
    assert sorted(numbers.tolist()) == list(range(count))
    assert np.array_equal(chunk.codes["policy_0"] == ELIGIBLE, numbers % 10000 >= 5000)
    assert np.array_equal(chunk.codes["policy_1"] == ELIGIBLE, numbers % 3 == 0)
    assert all(int(name[1:]) % 10000 >= 5000 for name in some)


def test_policies_for_the_other_kind_are_refused(policy_data: Make) -> None:
    with BatchEngine("resident") as engine, pytest.raises(ValueError, match="resident"):
        next(engine.judge(policies_of(policy_data, [["headcount > 1"]])))

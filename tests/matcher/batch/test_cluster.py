"""The rules go to profiles that stay elsewhere, and come to the verdicts of the embedded engine.

PostgreSQL is a real server. Spark is a real local one, where pyspark and Java are installed.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import duckdb
import psycopg
import pytest

from base.errors import ConfigurationError, InputError
from base.settings import ROOT
from matcher.batch.cluster import Cluster, connect, judge_where_they_are
from matcher.batch.engine import BatchEngine, Counts
from matcher.policy import Policy, load_policies
from matcher.predicate import Scalar
from matcher.profile import ATTRIBUTES, KINDS, Kind
from tests.matcher.batch.filling import fill
from tests.matcher.batch.test_agreement import random_profiles
from tests.store import postgres

Facts = Sequence[Mapping[str, Scalar]]
Pairs = set[tuple[str, str]]


def embedded(
    kind: Kind, policies: Sequence[Policy], facts: Facts
) -> tuple[dict[str, Counts], Pairs]:
    with BatchEngine(kind, threads=1) as engine:
        fill(engine, facts)
        (chunk,) = engine.judge(policies)
        pairs = {(p.id, one) for p in policies for one in engine.ids(chunk.eligible(p.id))}
        return chunk.counts(), pairs


def parquet(kind: Kind, facts: Facts, path: Path, more: str = "") -> Path:
    with BatchEngine(kind, threads=1) as engine:
        fill(engine, facts)
        engine.connection.execute(f"COPY (SELECT *{more} FROM profiles) TO '{path}'")
    return path


def of(kind: Kind) -> list[Policy]:
    return [policy for policy in load_policies(ROOT / "policies") if policy.audience == kind]


# --- PostgreSQL ---------------------------------------------------------------------------


@pytest.fixture(scope="module")
def database(postgres_server: str) -> str:
    return postgres.new_database(postgres_server, "cluster").replace("+psycopg", "")


@pytest.fixture
def server(database: str) -> Iterator[Cluster]:
    cluster = connect("postgresql", database)
    yield cluster
    cluster.close()


def store(database: str, kind: Kind, facts: Facts, table: str) -> None:
    types = {"integer": "bigint", "number": "float8", "boolean": "boolean", "choice": "text"}
    names = list(ATTRIBUTES[kind])
    columns = ", ".join(f"{name} {types[ATTRIBUTES[kind][name].type]}" for name in names)
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute(f'DROP TABLE IF EXISTS "{table}"')
        connection.execute(f'CREATE TABLE "{table}" (id text, {columns}, internal_note json)')
        rows = [[f"P{n}", *(row.get(name) for name in names)] for n, row in enumerate(facts)]
        with connection.cursor() as cursor:
            cursor.executemany(
                f'INSERT INTO "{table}" (id, {", ".join(names)})'
                f" VALUES ({', '.join(['%s'] * (len(names) + 1))})",
                rows,
            )


@pytest.mark.parametrize("kind", KINDS)
def test_a_postgresql_server_comes_to_the_same_verdicts(
    database: str, server: Cluster, kind: Kind
) -> None:
    facts, policies = random_profiles(kind, 150), of(kind)
    store(database, kind, facts, f"{kind} profiles")
    found = judge_where_they_are(server, kind, policies, f"{kind} profiles", f"eligible_{kind}")
    counts, pairs = embedded(kind, policies, facts)
    assert found.counts == counts
    assert (found.intake.rows, found.intake.refused) == (150, 0)
    assert found.intake.ignored == ("internal_note",)
    with psycopg.connect(database) as connection:
        written = connection.execute(f"SELECT policy, profile FROM eligible_{kind}").fetchall()
    assert len(written) == len(pairs)
    assert set(written) == pairs


def test_rows_with_a_fault_are_refused_whole(
    database: str, server: Cluster, policy_data: Callable[..., dict[str, Any]]
) -> None:
    facts: Facts = [{"headcount": 50}, {"headcount": 60, "rd_ratio": -1.0}, {"headcount": 70}]
    store(database, "enterprise", facts, "faulty")
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute(
            "INSERT INTO faulty (id, headcount, industry, rd_ratio) VALUES"
            " (NULL, 50, NULL, NULL), ('P2', 70, NULL, NULL), ('Q1', 50, 'magic', NULL),"
            " ('Q2', 50, NULL, 'NaN'), ('Q3', 80, NULL, 3)"
        )
    data = policy_data(eligibility=[{"text": "人数", "when": "headcount >= 50"}])
    policy = Policy.model_validate(data)
    found = judge_where_they_are(server, "enterprise", [policy], "faulty")
    assert (found.intake.rows, found.intake.refused) == (8, 6)  # both of the two P2
    assert found.counts[policy.id] == Counts(2, 0, 0)


def test_what_is_there_is_not_written_over(database: str, server: Cluster) -> None:
    store(database, "resident", [{"age": 85}], "people")
    with pytest.raises(InputError) as refused:
        judge_where_they_are(server, "resident", of("resident"), "people", "people")
    assert refused.value.code == "target_taken"


@pytest.mark.parametrize(
    ("columns", "code"),
    [
        ("id text, age text", "profiles_mistyped"),
        ("id text, district integer", "profiles_mistyped"),
        ("age bigint", "profiles_without_id"),
        (None, "profiles_unreadable"),
    ],
)
def test_a_table_that_does_not_fit_is_refused(
    database: str, server: Cluster, columns: str | None, code: str
) -> None:
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("DROP TABLE IF EXISTS misfit")
        if columns:
            connection.execute(f"CREATE TABLE misfit ({columns})")
    with pytest.raises(InputError) as refused:
        judge_where_they_are(server, "resident", of("resident"), "misfit", None)
    assert refused.value.code == code


def test_a_server_that_is_not_there() -> None:
    with pytest.raises(ConfigurationError, match="SHIMIN_BATCH_URL"):
        connect("postgresql", "postgresql://nobody@127.0.0.1:1/none")
    with pytest.raises(ConfigurationError, match="holds no profiles"):
        connect("duckdb", "")


# --- Spark --------------------------------------------------------------------------------


SMALL = """\
spark.sql.shuffle.partitions 1
spark.ui.showConsoleProgress false
spark.driver.host 127.0.0.1
"""
"""A cluster's own configuration; this one is a single thread."""


@pytest.fixture(scope="module")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    pytest.importorskip("pyspark", reason="the extra `spark` is not installed")
    if "JAVA_HOME" not in os.environ and shutil.which("java") is None:
        pytest.skip("no Java is installed here")
    folder = tmp_path_factory.mktemp("spark")
    (folder / "spark-defaults.conf").write_text(SMALL, encoding="ascii")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SPARK_LOCAL_IP", "127.0.0.1")
        patch.setenv("SPARK_CONF_DIR", str(folder))
        patch.chdir(folder)
        cluster = connect("spark", "local[1]")
        yield cluster
        cluster.close()


@pytest.mark.parametrize("kind", KINDS)
def test_spark_comes_to_the_same_verdicts(spark: Cluster, kind: Kind, tmp_path: Path) -> None:
    facts, policies = random_profiles(kind, 200), of(kind)
    source = parquet(kind, facts, tmp_path / "people.parquet", ", 1 AS extra")
    target = tmp_path / "eligible"
    found = judge_where_they_are(spark, kind, policies, f"file://{source}", f"file://{target}")
    counts, pairs = embedded(kind, policies, facts)
    assert found.counts == counts
    assert (found.intake.rows, found.intake.refused, found.intake.ignored) == (200, 0, ("extra",))
    query = f"SELECT policy, profile FROM read_parquet('{target}/*.parquet')"
    written = duckdb.sql(query).fetchall()
    assert len(written) == len(pairs)
    assert set(written) == pairs
    with pytest.raises(InputError) as refused:
        judge_where_they_are(spark, kind, policies[:1], f"file://{source}", f"file://{target}")
    assert refused.value.code == "target_taken"
    with pytest.raises(InputError) as refused:
        judge_where_they_are(spark, kind, policies[:1], f"file://{tmp_path}/none")
    assert refused.value.code == "profiles_unreadable"

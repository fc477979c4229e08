"""Every migration up, down and up again, with rows in every table, on both databases."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from store.database import downgrade, make_engine, revision_of, revisions, upgrade
from tests.store import postgres

MOMENT = datetime(2026, 11, 21, 8, 30, tzinfo=UTC)
VALUES: list[tuple[type[Any], Any]] = [
    (sa.Boolean, True),
    (sa.DateTime, MOMENT),
    (sa.Date, date(2026, 11, 21)),
    (sa.Integer, 1),
    (sa.Float, 30.25),
    (sa.LargeBinary, b"sealed"),
    (sa.JSON, [{"key": "value"}]),
    (sa.String, "x"),
]
OWN_WORDS = {"ends_at": datetime(2026, 11, 21, 9, 0, tzinfo=UTC), "state": "ended"}
"""Where a check of the table wants more than a value of the type."""


@pytest.fixture(params=["sqlite", "postgresql"])
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'moved.db'}"
    return postgres.new_database(request.getfixturevalue("postgres_server"), tmp_path.name)


@contextmanager
def opened(url: str) -> Iterator[sa.Connection]:
    engine = make_engine(url)
    try:
        with engine.begin() as connection:
            yield connection
    finally:
        engine.dispose()


def reflected(connection: sa.Connection) -> list[sa.Table]:
    metadata = sa.MetaData()
    metadata.reflect(connection)
    return [table for table in metadata.sorted_tables if table.name != "alembic_version"]


def value_for(column: sa.Column[Any]) -> Any:
    if column.foreign_keys:
        (key,) = column.foreign_keys
        return value_for(key.column)
    if column.name in OWN_WORDS:
        return OWN_WORDS[column.name]
    return next(value for kind, value in VALUES if isinstance(column.type, kind))


def fill(url: str) -> None:
    """Put one row into every table that has none."""
    with opened(url) as connection:
        for table in reflected(connection):
            if not connection.scalar(sa.select(sa.func.count()).select_from(table)):
                row = {column.name: value_for(column) for column in table.columns}
                connection.execute(table.insert().values(row))


def contents(url: str) -> dict[str, list[dict[str, Any]]]:
    with opened(url) as connection:
        return {
            table.name: [dict(row) for row in connection.execute(sa.select(table)).mappings()]
            for table in reflected(connection)
        }


def shape(url: str) -> dict[str, Any]:
    """Columns, indexes and constraints as the database tells them."""
    with opened(url) as connection:
        inspector = sa.inspect(connection)
        return {
            name: {
                "columns": sorted(
                    (c["name"], str(c["type"]), c["nullable"]) for c in inspector.get_columns(name)
                ),
                "indexes": sorted(
                    (str(i["name"]), i["column_names"]) for i in inspector.get_indexes(name)
                ),
                "unique": sorted(u["column_names"] for u in inspector.get_unique_constraints(name)),
                "foreign": sorted(
                    (f["constrained_columns"], f["referred_table"])
                    for f in inspector.get_foreign_keys(name)
                ),
            }
            for name in sorted(inspector.get_table_names())
        }


def test_each_step_up_down_and_up_again_keeps_the_rows(empty: str) -> None:
    for before, after in pairwise((None, *reversed(revisions()))):
        assert after is not None
        upgrade(empty, after)
        if before is None:
            fill(empty)
            continue
        fill(empty)
        full, grown = contents(empty), shape(empty)
        downgrade(before, empty)
        with opened(empty) as connection:
            assert revision_of(connection) == before
        for table, rows in contents(empty).items():
            (row,) = rows
            assert row == {name: full[table][0][name] for name in row}
        upgrade(empty, after)
        assert shape(empty) == grown, after
        fill(empty)


def test_all_the_way_down_and_up(empty: str) -> None:
    upgrade(empty)
    fill(empty)
    newest = shape(empty)
    downgrade("base", empty)
    with opened(empty) as connection:
        assert reflected(connection) == []
    upgrade(empty)
    assert shape(empty) == newest

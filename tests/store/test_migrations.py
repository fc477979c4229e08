"""Every migration up, down and up again, with rows in every table, on both databases."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from store.database import downgrade, revision_of, revisions, upgrade
from tests.store import postgres
from tests.store.filling import contents, fill, opened, reflected


@pytest.fixture(params=["sqlite", "postgresql"])
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'moved.db'}"
    return postgres.new_database(request.getfixturevalue("postgres_server"), tmp_path.name)


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


def test_temporary_passwords_that_are_out_end_in_three_days(empty: str) -> None:
    upgrade(empty, "0018")
    fill(empty)
    with opened(empty) as connection:
        agents = next(table for table in reflected(connection) if table.name == "agents")
        (row,) = connection.execute(sa.select(agents)).mappings()
        own = {**row, "id": 2, "name": "own", "password_temporary": False}
        connection.execute(agents.insert().values(own))
    before = datetime.now(UTC)
    upgrade(empty, "0019")
    given, kept = (row["password_expires_at"] for row in contents(empty)["agents"])
    given = given if given.tzinfo else given.replace(tzinfo=UTC)
    assert before <= given - timedelta(days=3) <= datetime.now(UTC)
    assert kept is None

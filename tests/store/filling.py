"""A row in every table of a database, whatever tables it has."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from typing import Any

import sqlalchemy as sa

from store.database import make_engine

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
    if column.name in OWN_WORDS:
        return OWN_WORDS[column.name]
    return next(value for kind, value in VALUES if isinstance(column.type, kind))


def value_in(connection: sa.Connection, column: sa.Column[Any]) -> Any:
    """A value that refers to a row that is there, if it refers to one."""
    if not column.foreign_keys:
        return value_for(column)
    (key,) = column.foreign_keys
    return connection.scalar(sa.select(key.column).limit(1))


def fill(url: str) -> None:
    """Put one row into every table that has none."""
    with opened(url) as connection:
        for table in reflected(connection):
            if not connection.scalar(sa.select(sa.func.count()).select_from(table)):
                row = {c.name: value_in(connection, c) for c in table.columns}
                connection.execute(table.insert().values(row))


def contents(url: str) -> dict[str, list[dict[str, Any]]]:
    with opened(url) as connection:
        return {
            table.name: [
                dict(row)
                for row in connection.execute(
                    sa.select(table).order_by(*table.primary_key)
                ).mappings()
            ]
            for table in reflected(connection)
        }

"""Rows of every table as JSON lines, the same from and to every database.

The tables are read as the database describes them, so a backup of an older version holds what
that version had. Encrypted columns stay as they are: no key is needed and none is written.
"""

from __future__ import annotations

import gzip
import json
from base64 import b64decode, b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from itertools import islice
from pathlib import Path
from typing import Any

from sqlalchemy import JSON, Column, Connection, Integer, MetaData, Table, func, select, text

from store.database import make_engine

SUFFIX = ".jsonl.gz"
_BATCH = 1000
_VERSIONS = "alembic_version"
_SEEDED = frozenset({"audit_head"})
"""Tables that have a row from their migration on: an installation with it alone is empty."""


@contextmanager
def snapshot(url: str) -> Iterator[Connection]:
    """One consistent look at a database that other processes go on writing to."""
    engine = make_engine(url)
    options: dict[str, Any] = {"shimin_reading": True}
    if engine.dialect.name == "postgresql":
        options = {"isolation_level": "REPEATABLE READ"}
    try:
        with engine.connect().execution_options(**options) as connection:
            yield connection
    finally:
        engine.dispose()


@contextmanager
def writing(url: str) -> Iterator[Connection]:
    """One transaction on a database."""
    engine = make_engine(url)
    try:
        with engine.begin() as connection:
            yield connection
    finally:
        engine.dispose()


def tables(connection: Connection) -> list[Table]:
    """Return every table but the one of migrations; a table after those it refers to."""
    metadata = MetaData()
    metadata.reflect(connection)
    return [table for table in metadata.sorted_tables if table.name != _VERSIONS]


def count(connection: Connection) -> dict[str, int]:
    """Return the number of rows by table."""
    return {
        table.name: connection.scalar(select(func.count()).select_from(table)) or 0
        for table in tables(connection)
    }


def held(connection: Connection) -> int:
    """Return how many rows there are that the migrations did not make."""
    return sum(number for name, number in count(connection).items() if name not in _SEEDED)


def dump(connection: Connection, folder: Path) -> dict[str, int]:
    """Write ``<table>.jsonl.gz`` for every table; return the number of rows of each."""
    counts = {}
    for table in tables(connection):
        counts[table.name] = 0
        rows = connection.execution_options(yield_per=_BATCH).execute(
            select(table).order_by(*table.primary_key)
        )
        with gzip.open(folder / f"{table.name}{SUFFIX}", "wt", encoding="utf-8") as file:
            for row in rows.mappings():
                record = {column.name: _packed(column, row[column]) for column in table.columns}
                file.write(json.dumps(record, ensure_ascii=False) + "\n")
                counts[table.name] += 1
    return counts


def load(connection: Connection, folder: Path) -> dict[str, int]:
    """Insert what :func:`dump` wrote into new tables; return the number of rows of each."""
    counts = {}
    for table in tables(connection):
        counts[table.name] = 0
        connection.execute(table.delete())  # what its migration put in
        with gzip.open(folder / f"{table.name}{SUFFIX}", "rt", encoding="utf-8") as file:
            records = ({k: _unpacked(v) for k, v in json.loads(line).items()} for line in file)
            while batch := list(islice(records, _BATCH)):
                connection.execute(table.insert(), batch)
                counts[table.name] += len(batch)
        _count_on(connection, table)
    return counts


def _count_on(connection: Connection, table: Table) -> None:
    """Have PostgreSQL's next id follow the highest one; SQLite does so by itself."""
    key = table.primary_key.columns
    if connection.dialect.name != "postgresql" or len(key) != 1:
        return
    (column,) = key
    if isinstance(column.type, Integer) and (top := connection.scalar(select(func.max(column)))):
        statement = text("SELECT setval(pg_get_serial_sequence(:table, :column), :top)")
        values = {"table": table.name, "column": column.name, "top": top}
        connection.execute(statement, values)


def _packed(column: Column[Any], value: Any) -> Any:
    """Return a value as JSON; what JSON does not know as an object that names its kind."""
    if value is not None and isinstance(column.type, JSON):
        return {"json": value}
    if isinstance(value, bytes | memoryview):
        return {"bytes": b64encode(bytes(value)).decode()}
    if isinstance(value, datetime):  # SQLite keeps no zone: what lies there is UTC
        aware = value if value.tzinfo else value.replace(tzinfo=UTC)
        return {"moment": aware.astimezone(UTC).isoformat()}
    if isinstance(value, date):
        return {"day": value.isoformat()}
    return value


def _unpacked(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    ((kind, packed),) = value.items()
    if kind == "json":
        return packed
    if kind == "bytes":
        return b64decode(packed)
    return datetime.fromisoformat(packed) if kind == "moment" else date.fromisoformat(packed)

"""The desk's database: engine, tables, and sessions that read or write.

A database of an older version is brought up to date when it is opened: missing tables and
columns are added, and what lay there in plain words is sealed.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, inspect, select
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import flag_modified
from sqlalchemy.schema import CreateColumn

from base.errors import ConfigurationError
from dispatch.desk.tables import Base, EventRow, RequestRow

_BUSY_TIMEOUT_MS = 10_000


class Database:
    """Opens (and on first use creates) the desk's database.

    Raises:
        ConfigurationError: the URL cannot be parsed.
    """

    def __init__(self, url: str) -> None:
        self._engine = _open(url)
        self._writer = self._engine.execution_options(desk_write=True)
        with self._writer.begin() as connection:
            Base.metadata.create_all(connection)
            older = _add_missing_columns(connection)
        if older:
            self._seal_older_rows()

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A session for reading; what it holds stays usable after it ends."""
        with Session(self._engine, expire_on_commit=False) as session:
            yield session

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """A session in one transaction, committed when the block ends without an error."""
        with Session(self._writer, expire_on_commit=False) as session, session.begin():
            yield session

    def _seal_older_rows(self) -> None:
        with self.writing() as session:
            for row in session.scalars(select(RequestRow)):
                for name in ("description", "attributes", "contact"):
                    flag_modified(row, name)
                row.sender_id = row.sender_id or sender_id_of(row.attributes)
            for step in session.scalars(select(EventRow)):
                flag_modified(step, "description")
        if self._engine.dialect.name == "sqlite":
            _forget_free_pages(self._engine)

    def close(self) -> None:
        """Close every connection."""
        self._engine.dispose()


def sender_id_of(attributes: dict[str, list[str]]) -> str | None:
    """Return the sender's own number for a request, ``None`` when it gave none."""
    values = attributes.get("shimin_id") or [""]
    return values[0].strip()[:100] or None


def _add_missing_columns(connection: Connection) -> bool:
    """Add the columns an older database lacks; tell whether there were any."""
    found = inspect(connection)
    added = False
    for table in Base.metadata.sorted_tables:
        known = {column["name"] for column in found.get_columns(table.name)}
        for column in table.columns:
            if column.name not in known:
                words = CreateColumn(column).compile(dialect=connection.dialect)
                connection.exec_driver_sql(f"ALTER TABLE {table.name} ADD COLUMN {words}")
                added = True
    return added


def _forget_free_pages(engine: Engine) -> None:
    """Drop the plain words that overwritten pages of a SQLite file still hold."""
    connection = engine.raw_connection()
    try:
        cursor = connection.cursor()
        cursor.execute("VACUUM")
        cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        cursor.close()
    finally:
        connection.close()


def _open(url: str) -> Engine:
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise ConfigurationError("SHIMIN_DESK_DATABASE_URL is not a database URL") from error
    if parsed.get_backend_name() != "sqlite":
        return create_engine(parsed, pool_pre_ping=True, hide_parameters=True)
    if parsed.database and parsed.database != ":memory:":
        Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(parsed, hide_parameters=True)
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: Any, _record: object) -> None:
    # Transactions are opened by _begin_sqlite, not by the driver.
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout={_BUSY_TIMEOUT_MS}")
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA foreign_keys=ON")
    # A request answered with an id must survive a power cut.
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    # A writer takes the lock at once: upgrading later fails without waiting.
    writing = connection.get_execution_options().get("desk_write", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")

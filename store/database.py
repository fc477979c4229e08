"""Engine and units of work."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from sqlalchemy import Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from base.settings import get_settings
from store.audit import write_accesses
from store.privacy import noted

MIGRATIONS = Path(__file__).parent / "migrations"


def make_engine(url: str) -> Engine:
    """Create an engine; SQLite gets WAL, foreign keys and immediate write transactions.

    ``BEGIN IMMEDIATE`` takes the write lock at the start of a unit of work, so two writers
    wait for each other (up to 30 s) instead of failing half-way. Connections with the
    execution option ``shimin_reading`` begin without it. Errors never show the parameters of
    a statement: they may hold what a citizen said.
    """
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite":
        return create_engine(url, pool_pre_ping=True, hide_parameters=True)
    if parsed.database and parsed.database != ":memory:":
        Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(url, connect_args={"timeout": 30}, hide_parameters=True)

    @event.listens_for(engine, "connect")
    def _configure(connection: Any, _record: Any) -> None:
        connection.isolation_level = None
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("PRAGMA foreign_keys=ON")

    @event.listens_for(engine, "begin")
    def _begin(connection: Any) -> None:
        reading = connection.get_execution_options().get("shimin_reading", False)
        connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")

    return engine


@lru_cache
def _engine(url: str) -> Engine:
    return make_engine(url)


@contextmanager
def unit_of_work() -> Iterator[Session]:
    """One transaction: commits at the end, rolls back on any exception.

    The reads of personal data in it join the audit's chain last, right before the commit.
    """
    engine = _engine(get_settings().database_url)
    with Session(engine, expire_on_commit=False) as session, session.begin():
        yield session
        write_accesses(session)


@contextmanager
def reading() -> Iterator[Session]:
    """A look at the store that waits for no writer and holds none up; it changes nothing.

    For reads that leave no audit entry: :func:`store.privacy.reveal` needs a
    :func:`unit_of_work`.

    Raises:
        RuntimeError: the block changed something, which would be lost.
    """
    engine = _engine(get_settings().database_url).execution_options(shimin_reading=True)
    with Session(engine, expire_on_commit=False, autoflush=False) as session:
        yield session
        if session.new or session.dirty or session.deleted or noted(session):
            raise RuntimeError("reading() does not write: use unit_of_work()")


def insert_missing(session: Session, record: object, key: object) -> None:
    """Insert ``record`` unless a row with its primary ``key`` is there already.

    Two units of work may see the gap at the same moment; the later one finds the row of the
    earlier one instead of failing.
    """
    if session.get(type(record), key) is not None:
        return
    try:
        with session.begin_nested():
            session.add(record)
    except IntegrityError:
        session.get_one(type(record), key)


def upgrade(url: str | None = None) -> None:
    """Bring the database at ``url`` (default: the settings') to the newest migration."""
    target = url or get_settings().database_url
    engine = make_engine(target)
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    try:
        with engine.begin() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
    finally:
        engine.dispose()

"""Engine and units of work."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, create_engine, event
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
def _engine(url: str, *, reads: bool = False) -> Engine:
    return _engine(url).execution_options(shimin_reading=True) if reads else make_engine(url)


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
    engine = _engine(get_settings().database_url, reads=True)
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


def upgrade(url: str | None = None, revision: str = "head") -> None:
    """Bring the database at ``url`` (default: the settings') up to a migration, or the newest."""
    _migrate(command.upgrade, url, revision)


def downgrade(revision: str, url: str | None = None) -> None:
    """Take the database at ``url`` (default: the settings') back to a migration (``base``: none).

    What the later migrations made is lost.
    """
    _migrate(command.downgrade, url, revision)


def revisions() -> tuple[str, ...]:
    """Return every migration this code knows, the newest first."""
    return tuple(script.revision for script in _scripts().walk_revisions())


def revision_of(connection: Connection) -> str | None:
    """Return the migration a database is at, None for an empty one."""
    return MigrationContext.configure(connection).get_current_revision()


def is_migrated() -> bool:
    """Tell whether the database of the settings has every migration this code knows.

    One that is further, as while a newer version is being rolled out, has them too.

    Raises:
        SQLAlchemyError: the database cannot be reached.
    """
    with reading() as session:
        present = revision_of(session.connection())
    known = revisions()
    return present is not None and (present == known[0] or present not in known)


@lru_cache
def _scripts() -> ScriptDirectory:
    return ScriptDirectory(str(MIGRATIONS))


def _migrate(step: Callable[[Config, str], None], url: str | None, revision: str) -> None:
    engine = make_engine(url or get_settings().database_url)
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    try:
        with _for_migrations(engine) as connection:
            config.attributes["connection"] = connection
            step(config, revision)
    finally:
        engine.dispose()


@contextmanager
def _for_migrations(engine: Engine) -> Iterator[Connection]:
    """One transaction; on SQLite without foreign keys, which are checked at its end instead.

    A table of SQLite is changed by copying it and dropping the old one
    (https://www.sqlite.org/lang_altertable.html, section 7).
    """
    with engine.connect() as connection:
        is_sqlite = engine.dialect.name == "sqlite"
        if is_sqlite:  # has no effect inside a transaction
            connection.connection.driver_connection.execute("PRAGMA foreign_keys=OFF")  # type: ignore[union-attr]
        with connection.begin():
            yield connection
            if is_sqlite and (
                broken := connection.exec_driver_sql("PRAGMA foreign_key_check").all()
            ):
                raise RuntimeError(f"{len(broken)} rows refer to what is not there: {broken[0][0]}")

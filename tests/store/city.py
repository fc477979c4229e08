"""An isolated installation of the store: own database, keys and media folder."""

from __future__ import annotations

import gc
import secrets
import sqlite3
import warnings
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet
from sqlalchemy import select

from base.settings import Settings, get_settings
from store import database
from store.database import unit_of_work
from tests.stack import free_port
from tests.store.migrated import copy_migrated


@dataclass(frozen=True)
class CityStore:
    """A migrated database that the settings of this process point to."""

    folder: Path
    url: str
    monkeypatch: pytest.MonkeyPatch

    @property
    def settings(self) -> Settings:
        return get_settings()

    @property
    def file(self) -> Path:
        """The SQLite file."""
        return Path(self.url.removeprefix("sqlite:///"))

    def configure(self, **values: str) -> None:
        """Change settings: ``configure(DATA_KEY=...)``."""
        for name, value in values.items():
            self.monkeypatch.setenv(f"SHIMIN_{name}", value)
        get_settings.cache_clear()

    def rows(self, model: type[Any]) -> list[Any]:
        """Every row of a table, by primary key."""
        with unit_of_work() as session:
            return list(session.scalars(select(model).order_by(*model.__table__.primary_key)))

    def bytes_on_disk(self) -> bytes:
        """All the database's files, write-ahead log included."""
        return b"".join(path.read_bytes() for path in self.folder.glob("shimin.db*"))

    def raw(self, sql: str) -> list[Any]:
        """Ask the SQLite file itself, without our types."""
        with closing(sqlite3.connect(self.file)) as connection:
            return connection.execute(sql).fetchall()


@contextmanager
def isolated_store(
    folder: Path, monkeypatch: pytest.MonkeyPatch, url: str | None = None
) -> Iterator[CityStore]:
    """Point this process at a migrated store, undone afterwards.

    Args:
        folder: holds media, and the database unless ``url`` names one.
        url: a migrated database of the test's own.
    """
    if url is None:
        copy_migrated(folder / "shimin.db")
        url = f"sqlite:///{folder / 'shimin.db'}"
    desk = free_port()
    store = CityStore(folder, url, monkeypatch)
    store.configure(
        ENVIRONMENT="development",
        DATABASE_URL=url,
        DATA_KEY=Fernet.generate_key().decode(),
        MEDIA_DIR=str(folder / "media"),
        TRACKER_URL=f"sqlite:///{folder / 'rasa.db'}",
        TRACKER_KEY=Fernet.generate_key().decode(),
        DESK_DATABASE_URL=f"sqlite:///{folder / 'desk.db'}",
        DESK_MEDIA_DIR=str(folder / "desk-media"),
        DESK_PORT=str(desk),
        DISPATCH_URL=f"http://127.0.0.1:{desk}",
        PUBLIC_URL=f"http://127.0.0.1:{free_port()}",
        **{
            name: secrets.token_urlsafe(16)
            for name in ("SESSION_KEY", "WEBHOOK_SECRET", "DISPATCH_API_KEY", "DESK_PASSWORD")
        },
    )
    database._engine.cache_clear()
    gc.freeze()  # what the process has loaded before is no leftover of this test
    try:
        yield store
    finally:
        database._engine(url).dispose()
        database._engine.cache_clear()
        with warnings.catch_warnings():  # what a test's threads left open ends with its database
            warnings.simplefilter("ignore", ResourceWarning)
            gc.collect()
        gc.unfreeze()
        monkeypatch.undo()
        get_settings.cache_clear()

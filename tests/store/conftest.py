from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.store import postgres
from tests.store.city import CityStore, isolated_store

_numbers = itertools.count(1)


@pytest.fixture
def city_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[CityStore]:
    """The embedded store (SQLite)."""
    with isolated_store(tmp_path, monkeypatch) as store:
        yield store


@pytest.fixture(params=["sqlite", "postgresql"])
def any_store(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[CityStore]:
    """The same store on each database that SHIMIN_DATABASE_URL may name."""
    url = None
    if request.param == "postgresql":
        server = request.getfixturevalue("postgres_server")
        migrated = postgres.migrated_template(server)
        url = postgres.new_database(server, f"city_{next(_numbers)}", template=migrated)
    with isolated_store(tmp_path, monkeypatch, url) as store:
        yield store

"""Fixtures every test may use."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from tests.stack import ROOT, Stack, stack_environment
from tests.store import postgres

settings.register_profile("repeatable", derandomize=True)
settings.load_profile("repeatable")


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The whole product, started once a test session."""
    model = ROOT / "models" / "shimin.tar.gz"
    assert model.is_file(), "no trained model: run `make test` (it trains first)"
    folder: Path = tmp_path_factory.mktemp("stack")
    running = Stack(folder, stack_environment(folder))
    try:
        running.start_all()
        yield running
    finally:
        running.stop_all()


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    if not postgres.installed():
        pytest.skip("no PostgreSQL server is installed here")
    with postgres.server() as url:
        yield url

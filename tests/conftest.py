"""Fixtures every test may use."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from base.calendar import DAYS, city_today
from tests.channels.telegram.bot_api import TOKEN, BotApi, bot_api
from tests.channels.wechat.official import Official, official_platform, wechat_settings
from tests.stack import ROOT, Stack, stack_environment
from tests.store import postgres

settings.register_profile("repeatable", derandomize=True)
settings.load_profile("repeatable")


@pytest.fixture(scope="session")
def telegram_platform() -> Iterator[BotApi]:
    """The Bot API that the stack's bot speaks with."""
    with bot_api() as api:
        yield api


@pytest.fixture(scope="session")
def wechat_platform() -> Iterator[Official]:
    """The platform that the stack's official account belongs to."""
    with official_platform() as official:
        yield official


@pytest.fixture(scope="session")
def stack(
    tmp_path_factory: pytest.TempPathFactory,
    telegram_platform: BotApi,
    wechat_platform: Official,
) -> Iterator[Stack]:
    """The whole product, started once a test session."""
    model = ROOT / "models" / "shimin.tar.gz"
    assert model.is_file(), "no trained model: run `make test` (it trains first)"
    folder: Path = tmp_path_factory.mktemp("stack")
    closed_today = f"{DAYS[(city_today().weekday() + 3) % len(DAYS)]} 09:00-10:00"
    settings = {
        "SHIMIN_HANDOVER_HOURS": closed_today,
        "SHIMIN_TELEGRAM_TOKEN": TOKEN,
        "SHIMIN_TELEGRAM_API_URL": telegram_platform.url,
        **wechat_settings(wechat_platform),
    }
    running = Stack(folder, {**stack_environment(folder), **settings})
    try:
        running.start_all()
        running.start("channels")
        yield running
    finally:
        running.stop_all()


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    if not postgres.installed():
        pytest.skip("no PostgreSQL server is installed here")
    with postgres.server() as url:
        yield url

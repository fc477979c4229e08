"""A bot in this process: the real conversation over a small Rasa, the fake Bot API in front."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from base.settings import Settings
from channels.conversation import Conversation
from channels.rasa import RasaClient
from channels.seam.registry import configured_channels
from channels.seam.service import Service
from dispatch.classification.classifier import CategoryClassifier
from store.database import reading
from store.traffic import traffic
from tests.channels.conftest import Neighbour, neighbouring, replying
from tests.channels.telegram.bot_api import TOKEN, BotApi, bot_api
from tests.isolated import isolated
from tests.stack import free_port
from tests.waiting import wait_until


@dataclass
class Bot:
    """A running bot, the Bot API it speaks with, and the Rasa it asks."""

    settings: Settings
    api: BotApi
    rasa: Neighbour

    def heard(self) -> list[dict[str, Any]]:
        """What Rasa's webhook was told; looking ahead and understanding is left out."""
        return [body for body in self.rasa.heard if "sender" in body]

    def says(self, count: int, to: int = 7) -> list[str]:
        """Wait until ``count`` messages went to a chat, and return them."""
        wait_until(lambda: len(self.api.texts(to)) >= count, f"{count} messages to {to}")
        return self.api.texts(to)

    def settled(self) -> None:
        """Wait until everything pushed so far is answered and sent."""
        last = self.api.updates[-1]["update_id"]
        wait_until(lambda: self.api.offset > last and not self._waiting(), "everything answered")

    @staticmethod
    def _waiting() -> bool:
        with reading() as session:
            seen = traffic(session, ["telegram"])["telegram"]
        return bool(seen.received.get("pending") or seen.outgoing.get("pending"))


@contextmanager
def serving(settings: Settings) -> Iterator[None]:
    """Run ``shimin serve channels`` in a thread."""
    assistant = Conversation(settings, RasaClient(settings), CategoryClassifier.load(settings))
    service = Service(configured_channels(settings), assistant, settings)
    thread = threading.Thread(target=service.run)
    thread.start()
    try:
        yield
    finally:
        service.stop()
        thread.join(30)
        assert not thread.is_alive()


@pytest.fixture(scope="module")
def bot_of_module(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bot]:
    rasa = Neighbour(free_port(), replying({"text": "您好"}))
    folder: Path = tmp_path_factory.mktemp("telegram")
    with bot_api() as api, neighbouring(rasa):
        changes: dict[str, object] = {
            "telegram_token": TOKEN,
            "telegram_api_url": api.url,
            "rasa_port": rasa.port,
            "rasa_timeout_seconds": 5,
            "max_video_bytes": 30_000_000,
        }
        with isolated(folder, **changes) as settings, serving(settings):
            yield Bot(settings, api, rasa)


@pytest.fixture
def bot(bot_of_module: Bot) -> Bot:
    bot = bot_of_module
    bot.rasa.answer = replying({"text": "您好"})
    bot.api.trouble = lambda *_: None
    bot.rasa.heard.clear()
    bot.api.sent.clear()
    bot.api.calls.clear()
    return bot

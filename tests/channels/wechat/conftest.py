"""An official account: the gateway, the process of the channels, and the platform around them."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest

from base.settings import Settings
from channels.conversation import Conversation
from channels.rasa import RasaClient
from channels.seam.registry import configured_channels
from channels.seam.service import Service
from dispatch.classification.classifier import CategoryClassifier
from store.database import reading
from store.incoming import find_incoming
from tests.channels.conftest import Neighbour, fine, neighbouring, replying, running_gateway
from tests.channels.wechat.official import (
    AES_KEY,
    APP_ID,
    SECRET,
    TOKEN,
    Official,
    Servers,
    official_platform,
)
from tests.isolated import isolated
from tests.stack import free_port

_people = itertools.count(1)


@dataclass
class Account:
    """A running account and everything around it."""

    settings: Settings
    official: Official
    servers: Servers
    rasa: Neighbour
    url: str

    def citizen(self) -> str:
        """An openid nobody had before."""
        return f"oCitizen_{next(_people):022d}"

    def state(self, key: str) -> str | None:
        with reading() as session:
            row = find_incoming(session, "wechat", key)
        return row.state if row else None


@contextmanager
def channel_process(settings: Settings) -> Iterator[None]:
    """What ``shimin serve channels`` runs."""
    conversation = Conversation(settings, RasaClient(settings), CategoryClassifier.load(settings))
    service = Service(configured_channels(settings), conversation, settings)
    thread = threading.Thread(target=service.run)
    thread.start()
    try:
        yield
    finally:
        service.stop()
        thread.join()


@contextmanager
def running_account(tmp_path_factory: pytest.TempPathFactory, aes_key: str) -> Iterator[Account]:
    rasa, others = Neighbour(free_port(), fine), Neighbour(free_port(), fine)
    with official_platform() as official:
        changes = {
            "gateway_port": free_port(),
            "rasa_port": rasa.port,
            "actions_port": others.port,
            "dispatch_url": f"http://127.0.0.1:{others.port}",
            "rasa_timeout_seconds": 100,
            "max_photo_bytes": 300_000,
            "wechat_app_id": APP_ID,
            "wechat_app_secret": SECRET,
            "wechat_token": TOKEN,
            "wechat_aes_key": aes_key,
            "wechat_api_url": official.url,
            "wechat_reply_seconds": 4.9,
            "wechat_ticket_template":
                "TICKET_TEMPLATE_1 character_string1=id phrase2=status thing3=text time4=time",
            "wechat_notice_template": "NOTICE_TEMPLATE_1 thing1=title thing2=text",
        }  # fmt: skip
        with (
            isolated(tmp_path_factory.mktemp("wechat"), **changes) as settings,
            neighbouring(rasa),
            neighbouring(others),
            running_gateway(settings, rasa, others, others) as gateway,
        ):
            servers = Servers(gateway.url, aes_key)
            yield Account(settings, official, servers, rasa, gateway.url)


@pytest.fixture(scope="module", params=["plain", "aes"])
def account_of_module(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Account]:
    key = AES_KEY if request.param == "aes" else ""
    with running_account(tmp_path_factory, key) as found, channel_process(found.settings):
        yield found


@pytest.fixture
def account(account_of_module: Account) -> Account:
    """The account of this module; everybody around it is well again."""
    account = account_of_module
    account.rasa.answer = replying({"text": "您好，我是市民。"})
    account.rasa.heard.clear()
    account.official.errors.clear()
    account.official.notice_error = 0
    account.official.before_send = lambda: None
    return account

"""Four channels into one running product; Telegram twice, by long polling and by webhook."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager

import pytest
from playwright.sync_api import sync_playwright

from tests.browser.pages import Watch, chromium_program
from tests.channels.telegram.bot_api import BotApi
from tests.channels.telegram.emulated import SECRET, emulating, interpreter, signing
from tests.channels.wechat.official import AES_KEY, Official, Servers
from tests.e2e.channels.on_page import OnPage, new_context
from tests.e2e.channels.on_telegram import Emulated, OnTelegram, Strict
from tests.e2e.channels.on_wechat import OnWechat
from tests.e2e.channels.people import ByApi, Newcomer, Person
from tests.e2e.driver import citizens
from tests.stack import Stack
from tests.waiting import wait_until

AGENT, PASSWORD = "小李", "korrekt-horse-1"


@contextmanager
def by_api(stack: Stack) -> Iterator[Newcomer]:
    with contextmanager(citizens)(stack) as new_client:
        yield lambda: ByApi(new_client())


@contextmanager
def on_page(stack: Stack) -> Iterator[Newcomer]:
    if chromium_program() is None:
        pytest.skip("no Chromium: install `chromium` or set SHIMIN_CHROMIUM to its path")
    watch = Watch(frozenset({stack.url}))
    with sync_playwright() as playwright, ExitStack() as open_ones:
        browser = playwright.chromium.launch(
            executable_path=chromium_program(), args=["--no-sandbox"]
        )
        open_ones.callback(browser.close)

        def newcomer() -> Person:
            return OnPage(open_ones.enter_context(new_context(browser)), stack.url, watch)

        yield newcomer
    assert watch.unexpected == []


@contextmanager
def on_emulator(stack: Stack) -> Iterator[Newcomer]:
    """The bot of the running stack at telemelya: gateway and channels are told so."""
    python = interpreter()
    if python is None:
        pytest.skip("telemelya is not installed")
    port = int(stack.settings["SHIMIN_GATEWAY_PORT"])
    with emulating(python) as emulator, signing(port) as public:
        webhook = {
            "SHIMIN_TELEGRAM_MODE": "webhook",
            "SHIMIN_TELEGRAM_WEBHOOK_SECRET": SECRET,
        }
        restart(stack, "gateway", **webhook)
        here = {"SHIMIN_TELEGRAM_API_URL": emulator.url, "SHIMIN_PUBLIC_URL": public}
        restart(stack, "channels", **webhook, **here)
        try:
            stack.wait_healthy()
            wait_until(emulator.webhook, "the webhook", 60)
            platform = Emulated(emulator, port)
            yield lambda: OnTelegram(stack, platform)
        finally:
            restart(stack, "gateway")
            restart(stack, "channels")
            stack.wait_healthy()


def restart(stack: Stack, name: str, **changes: str) -> None:
    stack.stop(name)
    stack.start(name, **changes)


@pytest.fixture(scope="module", params=["api", "page", "wechat", "telegram", "telemelya"])
def newcomer(
    request: pytest.FixtureRequest,
    stack: Stack,
    telegram_platform: BotApi,
    wechat_platform: Official,
) -> Iterator[Newcomer]:
    """Somebody new, on one channel after the other."""
    servers = Servers(stack.url, AES_KEY)
    strict = Strict(telegram_platform)
    open_channel: dict[str, Callable[[], AbstractContextManager[Newcomer]]] = {
        "api": lambda: by_api(stack),
        "page": lambda: on_page(stack),
        "telemelya": lambda: on_emulator(stack),
    }
    if request.param in open_channel:
        with open_channel[request.param]() as found:
            yield found
    elif request.param == "wechat":
        yield lambda: OnWechat(stack, wechat_platform, servers)
    else:
        yield lambda: OnTelegram(stack, strict)


@pytest.fixture(scope="module")
def staffed(stack: Stack) -> Iterator[None]:
    """An agent is employed, who does not work today (see the hours of the stack)."""
    for command in ("add", "unlock"):
        stack.shimin("agents", command, AGENT, given=f"{PASSWORD}\n")
    yield
    locked = stack.shimin("agents", "lock", AGENT)
    assert locked.returncode == 0, locked.stderr

"""A real browser in front of the running product."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Route, sync_playwright

from tests.browser.pages import Citizen, Dispatcher, Visit, Watch, chromium_program
from tests.channels.conftest import Gateway, gateway_in, replying
from tests.stack import Stack

MICROPHONE = ("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream")
"""A microphone that beeps, and nobody who has to allow it."""

TICKET = "SM20261121000003"
SAMPLE_REPLIES: tuple[dict[str, Any], ...] = (
    {
        "text": "带出生医学证明、父母身份证和户口簿到派出所，不收费，当场上户口。",
        "buttons": [
            {"title": "要带什么", "payload": "要带什么"},
            {"title": "多少钱", "payload": "多少钱"},
        ],
        "custom": {
            "cards": [
                {
                    "kind": "service",
                    "id": "birth_registration",
                    "title": "新生儿出生登记",
                    "fields": {
                        "办理材料": "1. 出生医学证明\n2. 父母身份证",
                        "办理地点": "派出所",
                        "费用": "不收费",
                        "时限": "当场",
                        "咨询电话": "12345",
                        "依据": "《户口登记条例》",
                    },
                }
            ]
        },
    },
    {
        "text": f"已受理，工单号 {TICKET}。",
        "custom": {
            "cards": [
                {
                    "kind": "ticket",
                    "id": TICKET,
                    "title": f"工单 {TICKET}",
                    "fields": {"状态": "处置中", "地点": "云东区文昌街道"},
                }
            ]
        },
    },
)
"""What Rasa's channel says in the light gateway: words, buttons, a service and a ticket."""


def pytest_runtest_setup() -> None:
    """Without a browser skip before anything is started; in CI that is a failure."""
    if chromium_program() is None:
        reason = "no Chromium: install `chromium` or set SHIMIN_CHROMIUM to its path"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """Chromium; closed after each file, because its event loop must not reach other tests."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium_program(), args=["--no-sandbox", *MICROPHONE]
        )
        yield browser
        browser.close()


@pytest.fixture
def watch(stack: Stack) -> Iterator[Watch]:
    """Console errors, CSP violations and foreign requests of every page; none is allowed."""
    watching = Watch(frozenset({stack.url, stack.desk_url}))
    yield watching
    assert watching.unexpected == []


@pytest.fixture
def visit(stack: Stack, chromium: Browser, watch: Watch) -> Iterator[Visit]:
    """Open the citizens' page in a browser of its own; options are Playwright's."""
    contexts = []

    def opened(**options: Any) -> Citizen:
        context = chromium.new_context(
            **{"locale": "zh-CN", "timezone_id": "Asia/Shanghai", **options}
        )
        contexts.append(context)
        page = context.new_page()
        watch.attach(page)
        return Citizen(page, stack.url).open()

    yield opened
    for context in contexts:
        context.close()


@pytest.fixture
def dispatcher(stack: Stack, chromium: Browser, watch: Watch) -> Iterator[Dispatcher]:
    """A dispatcher who has logged in."""
    context = chromium.new_context(locale="zh-CN")
    page = context.new_page()
    watch.attach(page)
    yield Dispatcher(page, stack.desk_url).log_in(stack.settings["SHIMIN_DESK_PASSWORD"])
    context.close()


@pytest.fixture(scope="module")
def light_of_module(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """A real gateway with a small HTTP server in Rasa's place: enough for the page itself."""
    folder = tmp_path_factory.mktemp("light")
    with gateway_in(folder, max_body_bytes=60_000_000, rasa_timeout_seconds=20) as gateway:
        yield gateway


@pytest.fixture
def light(light_of_module: Gateway) -> Gateway:
    """The light gateway with a service answer, a ticket and nothing heard yet."""
    light_of_module.rasa.answer = replying(*SAMPLE_REPLIES)
    light_of_module.rasa.heard.clear()
    return light_of_module


@pytest.fixture
def light_watch(light: Gateway) -> Iterator[Watch]:
    """As ``watch``, for pages of the light gateway."""
    watching = Watch(frozenset({light.url}))
    yield watching
    assert watching.unexpected == []


@pytest.fixture
def light_visit(light: Gateway, chromium: Browser, light_watch: Watch) -> Iterator[Visit]:
    """Open the page of the light gateway; ``hears`` says that the server hears and speaks.

    Service workers are blocked unless asked for, because they hide requests from the tests.
    """
    contexts = []
    light_watch.expected.append("Service Worker registration blocked")

    def opened(path: str = "/", hears: bool = False, **options: Any) -> Citizen:
        context = chromium.new_context(
            **{
                "locale": "zh-CN",
                "timezone_id": "Asia/Shanghai",
                "viewport": {"width": 390, "height": 844},
                "reduced_motion": "reduce",
                "service_workers": "block",
                **options,
            }
        )
        contexts.append(context)
        page = context.new_page()
        light_watch.attach(page)
        if hears:
            page.route("**/web/session", answer_that_it_hears)
        return Citizen(page, light.url + path).open()

    yield opened
    for context in contexts:
        context.close()


def answer_that_it_hears(route: Route) -> None:
    """Let the gateway open the session, and add that it hears and speaks."""
    opened = route.fetch()
    body = {**opened.json(), "speech": {"recognise": True, "synthesise": True}}
    route.fulfill(response=opened, json=body)

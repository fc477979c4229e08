"""The assistant on a city's own page: one script tag, only where it is allowed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, FrameLocator, Page, expect

from channels.web.session import COOKIE, EMBEDDED_COOKIE
from tests.channels.conftest import Gateway, gateway_in, replying
from tests.serving import http_server
from tests.stack import free_port
from tests.waiting import WAIT_SECONDS

POLICY = "default-src 'none'; script-src {chat}; frame-src {chat}; style-src 'self'"
"""The city's page itself has a strict policy."""


@contextmanager
def city_page(chat: str, port: int) -> Iterator[str]:
    """A city's page on another site (``localhost`` is not ``127.0.0.1`` to a browser)."""
    html = f'<!doctype html><html lang="zh"><title>市政府</title><h1>市政府</h1><body>\
<script src="{chat}/embed.js" data-language="en" defer></script></body></html>'.encode()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Security-Policy", POLICY.format(chat=chat))
            self.end_headers()
            self.wfile.write(html)

        def log_message(self, *args: object) -> None:
            pass

    with http_server(Handler, port):
        yield f"http://localhost:{port}"


@pytest.fixture(scope="module")
def port() -> int:
    return free_port()


@pytest.fixture(scope="module")
def chat(tmp_path_factory: pytest.TempPathFactory, port: int) -> Iterator[Gateway]:
    folder: Path = tmp_path_factory.mktemp("embed")
    with gateway_in(folder, embed_origins=f"http://localhost:{port}") as gateway:
        gateway.rasa.answer = replying({"text": "您好，我是市民。"})
        yield gateway


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    context = chromium.new_context(locale="zh-CN")
    yield context.new_page()
    context.close()


def framed(page: Page) -> FrameLocator:
    return page.frame_locator("iframe")


def test_a_foreign_page_holds_the_chat(page: Page, chat: Gateway, port: int) -> None:
    complaints: list[str] = []
    page.on("console", lambda m: complaints.append(m.text) if m.type == "error" else None)
    with city_page(chat.url, port) as city:
        page.goto(city)
        button = page.get_by_role("button", name="Ask the city")
        button.click()
        frame = framed(page)
        expect(frame.get_by_role("heading", name="Hello, how can I help?")).to_be_visible()
        frame.get_by_test_id("composer").fill("你好")
        frame.get_by_test_id("send").click()
        expect(frame.get_by_test_id("message-bot")).to_contain_text("您好，我是市民。")
        expect(frame.get_by_test_id("outside")).to_have_attribute("href", f"{chat.url}/")

        (cookie,) = page.context.cookies()
        assert cookie["name"] == EMBEDDED_COOKIE
        assert cookie["httpOnly"]
        assert cookie["secure"]
        assert cookie["sameSite"] == "None"
        assert cookie.get("partitionKey") == "http://localhost"

        frame.get_by_test_id("composer").press("Escape")
        expect(page.locator("iframe")).to_be_hidden()
        button = page.get_by_role("button", name="Ask the city")
        expect(button).to_be_focused()
        page.keyboard.press("Enter")
        expect(frame.get_by_test_id("message-user")).to_have_count(1)
    assert complaints == []


def test_the_first_party_page_has_a_session_of_its_own(
    page: Page, chat: Gateway, port: int
) -> None:
    with city_page(chat.url, port) as city:
        page.goto(city)
        page.get_by_role("button", name="Ask the city").click()
        expect(framed(page).get_by_test_id("welcome-service")).to_be_visible()
        with page.expect_response("**/web/events*"):
            page.goto(chat.url)
    names = {cookie["name"]: cookie["value"] for cookie in page.context.cookies()}
    assert names[COOKIE].split(".")[0] != names[EMBEDDED_COOKIE].split(".")[0]


def test_other_sites_may_not_hold_it(page: Page, chat: Gateway) -> None:
    with city_page(chat.url, free_port()) as elsewhere:
        page.goto(elsewhere)
        with page.expect_console_message(lambda m: "frame-ancestors" in m.text):
            page.get_by_role("button", name="Ask the city").click()
        expect(framed(page).get_by_test_id("composer")).to_have_count(0)


def test_only_the_chat_page_may_be_held(chat: Gateway, port: int) -> None:
    allowed = f"frame-ancestors http://localhost:{port}"
    assert allowed in httpx.get(chat.url, timeout=WAIT_SECONDS).headers["Content-Security-Policy"]
    for path in ("/map", "/console", "/static/index.html", "/embed.js"):
        policy = httpx.get(chat.url + path, timeout=WAIT_SECONDS).headers["Content-Security-Policy"]
        assert "frame-ancestors 'none'" in policy, path

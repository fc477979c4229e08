"""A real browser in front of the running product."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from tests.browser.pages import Citizen, Dispatcher, Visit, Watch, chromium_program
from tests.stack import Stack

expect.set_options(timeout=10_000)


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
            executable_path=chromium_program(), args=["--no-sandbox"]
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

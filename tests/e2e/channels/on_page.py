"""Citizens in front of the chat page, in Chromium."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import Browser, BrowserContext, Locator, expect

from tests.browser.pages import Citizen, Watch
from tests.e2e.channels.people import Shown
from tests.e2e.driver import ANSWER_SECONDS

_MS = ANSWER_SECONDS * 1000


class OnPage:
    """One person with a browser of his own."""

    def __init__(self, context: BrowserContext, url: str, watch: Watch) -> None:
        page = context.new_page()
        watch.attach(page)
        self._context = context
        self._page = Citizen(page, url).open()
        session = page.request.post(f"{url}/web/session", headers={"X-Shimin-Web": "1"})
        self._conversation = str(session.json()["conversation_id"])

    @property
    def citizen(self) -> str:
        return f"web:{self._conversation}"

    def say(self, words: str) -> Shown:
        self._page.field.fill(words)
        return self._do(self._send)

    def press(self, title: str) -> Shown:
        buttons = self._page.page.get_by_test_id("quick-button").and_(
            self._page.page.get_by_role("button", name=title, exact=True, disabled=False)
        )
        return self._do(buttons.last.click)

    def send_photo(self, data: bytes, words: str) -> Shown:
        self._page.attach_photo(data)
        expect(self._page.attachments()).to_have_count(1)
        self._page.field.fill(words)
        return self._do(self._send)

    def share_place(self, latitude: float, longitude: float) -> Shown:
        point = {"latitude": latitude, "longitude": longitude, "accuracy": 10}
        self._context.set_geolocation(point)
        self._page.attach_place()
        return self._do(self._send)

    def news(self, words: str) -> Shown:
        bubble = self._page.page.locator(".bubble", has_text=words)
        told = self._page.news.filter(has=bubble)
        expect(told.last).to_be_visible(timeout=_MS)
        return _shown(told.last)

    def _send(self) -> None:
        self._page.page.get_by_test_id("send").click()

    def _do(self, act: Callable[[], None]) -> Shown:
        """Read every answer that came; a refusal stands under the citizen's own message."""
        mine, answers = self._page.mine, self._page.answers
        sent, before = mine.count(), answers.count()
        act()
        expect(mine).to_have_count(sent + 1)
        settled = mine.last.and_(
            self._page.page.locator('[data-status="sent"], [data-status="failed"]')
        )
        expect(settled).to_be_visible(timeout=_MS)
        if mine.last.get_attribute("data-status") == "failed":
            return Shown(mine.last.inner_text())
        return Shown.all(_shown(answers.nth(n)) for n in range(before, answers.count()))


def _shown(message: Locator) -> Shown:
    buttons = message.get_by_test_id("quick-button")
    return Shown(message.inner_text(), tuple(title.strip() for title in buttons.all_inner_texts()))


def new_context(browser: Browser) -> BrowserContext:
    """A browser of a citizen's own, who lets the page know where he is."""
    return browser.new_context(
        locale="zh-CN", timezone_id="Asia/Shanghai", permissions=["geolocation"]
    )

"""The citizens' page and the dispatchers' page as a person uses them."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from playwright.sync_api import (
    ConsoleMessage,
    FilePayload,
    Geolocation,
    Locator,
    Page,
    Request,
    ViewportSize,
    expect,
)

from tests.waiting import WAIT_SECONDS

PHONE: ViewportSize = {"width": 360, "height": 740}
SPOT: Geolocation = {"latitude": 30.2741, "longitude": 120.1551, "accuracy": 20}
expect.set_options(timeout=WAIT_SECONDS * 1000)


def chromium_program() -> str | None:
    """Path of the browser: ``SHIMIN_CHROMIUM``, else ``chromium`` on the PATH."""
    return os.environ.get("SHIMIN_CHROMIUM") or shutil.which("chromium")


@dataclass
class Watch:
    """Everything a page complains about and every foreign address it asks for.

    ``expected`` are patterns of complaints a test provokes on purpose.
    """

    origins: frozenset[str]
    expected: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def attach(self, page: Page) -> None:
        """Listen to a page."""
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.complaints.append(f"uncaught: {error}"))
        page.on("request", self._request)

    @property
    def unexpected(self) -> list[str]:
        """Complaints nobody provoked."""
        return [c for c in self.complaints if not any(re.search(p, c) for p in self.expected)]

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(f"console {message.type}: {message.text}")

    def _request(self, request: Request) -> None:
        parts = urlsplit(request.url)
        if parts.scheme in ("http", "https") and f"{parts.scheme}://{parts.netloc}" not in (
            self.origins
        ):
            self.complaints.append(f"foreign request: {request.url}")


@dataclass
class Citizen:
    """One citizen in front of the chat page."""

    page: Page
    url: str

    def open(self) -> Citizen:
        """Load the page and wait until it can be used and listens for news."""
        with self.page.expect_response("**/web/events*"):
            self.page.goto(self.url)
        expect(self.page.get_by_test_id("welcome-service")).to_be_visible()
        return self

    @property
    def field(self) -> Locator:
        """Where one writes."""
        return self.page.get_by_test_id("composer")

    @property
    def mine(self) -> Locator:
        """Everything this citizen said."""
        return self.page.get_by_test_id("message-user")

    @property
    def answers(self) -> Locator:
        """Every answer to something the citizen said."""
        return self.page.locator('[data-testid="message-bot"][data-pushed="false"]')

    @property
    def news(self) -> Locator:
        """Every message the city pushed."""
        return self.page.locator('[data-testid="message-bot"][data-pushed="true"]')

    @property
    def toast(self) -> Locator:
        """The page's own message."""
        return self.page.get_by_test_id("toast")

    def say(self, text: str) -> Locator:
        """Write and send; return the answer."""
        self.field.fill(text)
        return self.answered(lambda: self.page.get_by_test_id("send").click())

    def tap(self, title: str) -> Locator:
        """Press a quick button of the newest answer; return the answer to it."""
        button = self.answers.last.get_by_role("button", name=title, exact=True)
        answer = self.answered(button.click)
        expect(self.mine.last.locator(".bubble")).to_have_text(title)
        return answer

    def answered(self, act: Callable[[], None]) -> Locator:
        """Do something that sends a message; wait for and return the last answer to it."""
        sent, before = self.mine.count(), self.answers.count()
        act()
        expect(self.mine).to_have_count(sent + 1)
        expect(self.mine.last).to_have_attribute("data-status", "sent")
        expect(self.page.get_by_test_id("typing")).to_be_hidden()
        expect(self.answers.nth(before), "sent, but nothing was answered").to_be_attached()
        return self.answers.last

    def attach_photo(self, data: bytes, name: str = "油烟.jpg") -> None:
        """Choose a photo; it then waits in the tray or is refused."""
        photo: FilePayload = {"name": name, "mimeType": "image/jpeg", "buffer": data}
        self.page.get_by_test_id("photo-input").set_input_files(photo)

    def attach_place(self) -> None:
        """Share the device's position."""
        self.page.get_by_test_id("location").click()
        expect(self.page.locator(".attachment-location")).to_be_visible()

    def attachments(self) -> Locator:
        """What waits to be sent."""
        return self.page.get_by_test_id("attachment")

    def overflow(self) -> list[str]:
        """Name whatever is wider than the screen, in the page and inside the conversation."""
        found: list[str] = self.page.evaluate(
            """() => {
              const wide = [document.documentElement, document.body,
                document.querySelector('#scroll'), ...document.querySelectorAll('dialog[open]')]
                .filter((node) => node.scrollWidth > node.clientWidth);
              const out = [...document.querySelectorAll('body *')].filter((node) => {
                if (node.closest('.sr, .offscreen, .skip, svg')) return false;
                const box = node.getBoundingClientRect();
                return box.width > 0 && (box.right > innerWidth + 1 || box.left < -1);
              });
              return [...wide, ...out].map((node) =>
                `${node.tagName.toLowerCase()}.${node.className}#${node.id}`);
            }"""
        )
        return found


Visit = Callable[..., Citizen]
"""Opens the page in a new browser context with Playwright's context options."""


@dataclass
class Dispatcher:
    """One dispatcher at the desk."""

    page: Page
    url: str

    def log_in(self, password: str, name: str = "陈敏") -> Dispatcher:
        """Log in with the desk's password."""
        self.page.goto(f"{self.url}/desk")
        self.page.get_by_label("经办人姓名").fill(name)
        self.page.get_by_label("口令").fill(password)
        self.page.get_by_role("button", name="登录").click()
        expect(self.page.get_by_text(name, exact=True)).to_be_visible()
        return self

    def open(self, words: str) -> None:
        """Open the newest request whose card holds these words."""
        self.page.goto(f"{self.url}/desk")
        self.page.locator("a.card", has_text=words).first.click()

    def step(self, title: str, explanation: str = "") -> None:
        """Take one step of the request that is open."""
        panel = self.page.locator("details", has=self.page.get_by_text(title, exact=True))
        if panel.get_attribute("open") is None:
            panel.locator("summary").click()
        if explanation:
            panel.get_by_role("textbox").fill(explanation)
        panel.get_by_role("button", name=f"确认{title}").click()
        expect(self.page.get_by_role("status")).to_contain_text(f"“{title}”已完成")

"""Killed in the middle of a complaint, a channel goes on: one complaint, with every detail."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from tests.browser.pages import Citizen, chromium_program
from tests.browser.photos import kitchen_smoke
from tests.channels.telegram.bot_api import BotApi
from tests.channels.wechat.official import AES_KEY, Official, Servers
from tests.e2e.channels.on_page import new_context
from tests.e2e.channels.on_telegram import OnTelegram, Strict
from tests.e2e.channels.on_wechat import OnWechat
from tests.e2e.channels.outcome import wait_outcome
from tests.e2e.driver import ANSWER_SECONDS
from tests.stack import Stack

pytestmark = pytest.mark.e2e

WORDS, PLACE = "楼下烧烤摊天天冒黑烟，熏得人家里窗子都不敢开", "文昌路88号"
COMPLAINT = {
    "category": "air.cooking_fume",
    "status": "forwarded",
    "photos": 1,
    "place": "云东区文昌街道文昌路88号",
}
STEPS = ("照片收到了", "请您核对", "已受理，工单号", "已派到")
"""What is said once each, whatever dies."""


@contextmanager
def frozen(stack: Stack, name: str) -> Iterator[None]:
    """Hold a process in the middle of whatever it does."""
    group = stack.processes[name].pid
    os.killpg(group, signal.SIGSTOP)
    try:
        yield
    finally:
        os.killpg(group, signal.SIGCONT)


@pytest.fixture(params=["telegram", "wechat"])
def person(
    request: pytest.FixtureRequest,
    stack: Stack,
    telegram_platform: BotApi,
    wechat_platform: Official,
) -> Iterator[OnTelegram | OnWechat]:
    """Somebody on a platform that pushes; the process of the channels runs again afterwards."""
    if request.param == "telegram":
        yield OnTelegram(stack, Strict(telegram_platform))
    else:
        yield OnWechat(stack, wechat_platform, Servers(stack.url, AES_KEY))
    if "channels" not in stack.processes:
        stack.start("channels")


def test_the_process_of_the_channels_dies_between_turns_and_within_one(
    stack: Stack, person: OnTelegram | OnWechat
) -> None:
    assert "在什么地方" in person.send_photo(kitchen_smoke(), WORDS).text
    with ThreadPoolExecutor(1) as acting:
        stack.stop("channels", signal.SIGKILL)
        answer = acting.submit(person.say, PLACE)  # nobody is there to hear it
        stack.start("channels")
        shown = answer.result()
        for words in ("请您核对", WORDS, PLACE, "照片：1张"):
            assert words in shown.text

        with frozen(stack, "rasa"):
            answer = acting.submit(person.press, "确认提交")
            person.queues.wait_taken()
            stack.stop("channels", signal.SIGKILL)
        stack.start("channels")
        assert "已受理" in answer.result().text
    person.news("已派到")
    wait_outcome(stack, person.citizen, {"tickets": [COMPLAINT]})
    said = {step: sum(step in text for text in person.texts) for step in STEPS}
    assert said == dict.fromkeys(STEPS, 1)


@pytest.fixture
def chromium() -> Iterator[Browser]:
    if chromium_program() is None:
        pytest.skip("no Chromium: install `chromium` or set SHIMIN_CHROMIUM to its path")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium_program(), args=["--no-sandbox"]
        )
        yield browser
        browser.close()


@pytest.fixture
def gateway(stack: Stack) -> Iterator[None]:
    """The gateway runs again afterwards."""
    yield
    if "gateway" not in stack.processes:
        stack.start("gateway")
    stack.wait_healthy()


@pytest.mark.usefixtures("gateway")
def test_the_gateway_dies_while_the_page_is_in_the_form(stack: Stack, chromium: Browser) -> None:
    page = Citizen(new_context(chromium).new_page(), stack.url).open()
    page.attach_photo(kitchen_smoke())
    expect(page.attachments()).to_have_count(1)
    expect(page.say(WORDS).locator(".bubble")).to_contain_text("在什么地方")
    session = page.page.request.post(f"{stack.url}/web/session", headers={"X-Shimin-Web": "1"})
    citizen = f"web:{session.json()['conversation_id']}"

    _say_while_away(stack, page, PLACE)
    bubble = page.answers.last.locator(".bubble")
    for words in ("请您核对", WORDS, PLACE, "照片：1张"):
        expect(bubble).to_contain_text(words)
    _say_while_away(stack, page, "确认提交")
    expect(page.answers.last.locator(".bubble")).to_contain_text("已受理，工单号")

    told = page.news.filter(has_text="已派到")
    expect(told).to_have_count(1, timeout=ANSWER_SECONDS * 1000)
    wait_outcome(stack, citizen, {"tickets": [COMPLAINT]})
    for step in STEPS:
        bubbles = page.page.get_by_test_id("message-bot").filter(has_text=step)
        expect(bubbles).to_have_count(1)


def _say_while_away(stack: Stack, page: Citizen, words: str) -> None:
    """Write while there is no gateway; the page sends it by itself once there is one."""
    stack.stop("gateway", signal.SIGKILL)
    before = page.answers.count()
    page.field.fill(words)
    page.page.get_by_test_id("send").click()
    expect(page.mine.last.locator(".bubble")).to_have_text(words)
    expect(page.mine.last).not_to_have_attribute("data-status", "sent")
    stack.start("gateway")
    expect(page.mine.last).to_have_attribute("data-status", "sent", timeout=ANSWER_SECONDS * 1000)
    expect(page.answers).to_have_count(before + 1)

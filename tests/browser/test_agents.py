"""The agents' pages as a person at the counter uses them, on a desk and on a phone."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.console import Enter, staff_at
from tests.browser.pages import PHONE
from tests.channels.agents import Person, citizen, day_off, gateway, open_gateway
from tests.channels.conftest import Gateway
from tests.waiting import wait_until

__all__ = ["citizen", "day_off", "gateway", "open_gateway"]


@pytest.fixture
def enter(gateway: Gateway, chromium: Browser) -> Iterator[Enter]:
    """Log agents in."""
    with staff_at(chromium, gateway.url) as entering:
        yield entering


def test_a_citizen_is_taken_answered_and_handed_back(
    enter: Enter, citizen: Callable[..., Person]
) -> None:
    page, who = enter("小李"), citizen()
    expect(page.get_by_text("没有市民在排队。")).to_be_visible()
    who.say("/ask_human")
    take = page.get_by_role("button", name="接入第1位")  # it comes without a reload
    expect(take).to_be_visible(timeout=20_000)
    take.click()

    log = page.get_by_role("log", name="对话记录")
    expect(log).to_contain_text("我家水管爆了")
    who.say("<b>漏得</b>很厉害<script>alert(1)</script>")
    expect(log).to_contain_text("<b>漏得</b>很厉害<script>alert(1)</script>")

    page.get_by_label("常用答复").fill("身份证补办")
    page.get_by_role("button", name="查找").click()
    page.get_by_role("button", name="插入：居民身份证补领").click()
    field = page.get_by_label("回复市民")
    expect(field).to_have_value(re.compile("带户口簿到派出所补办，工本费40元。"))
    field.fill("已经派人去了，十分钟到。")
    field.press("Control+Enter")
    expect(page.get_by_role("log", name="对话记录")).to_contain_text("已经派人去了")
    wait_until(lambda: "工作人员：已经派人去了，十分钟到。" in who.news(), "the answer")

    page.get_by_role("button", name="结束并交回助手").click()
    wait_until(lambda: "市民助手回来了" in who.news()[-1], "the assistant is back")
    page.goto(page.url.split("/console")[0] + "/console/agents")
    expect(page.get_by_text("现在没有您接入的对话。")).to_be_visible()


def test_a_colleague_may_look_but_not_answer(enter: Enter, citizen: Callable[..., Person]) -> None:
    who = citizen()
    who.say("/ask_human")
    first, second = enter("小李"), enter("主任")
    first.get_by_role("button", name="接入第1位").click()
    expect(first.get_by_role("log", name="对话记录")).to_be_visible()
    second.reload()
    second.get_by_role("link", name="小李").click()
    expect(second.get_by_text("这次对话由 小李 负责，您只能查看。")).to_be_visible()
    expect(second.get_by_label("回复市民")).to_have_count(0)


def test_the_queue_fits_a_phone_and_needs_no_mouse(
    enter: Enter, citizen: Callable[..., Person]
) -> None:
    citizen().say("/ask_human")
    page = enter("小李", viewport=PHONE, is_mobile=True, has_touch=True)
    take = page.get_by_role("button", name="接入第1位")
    expect(take).to_be_visible(timeout=20_000)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), (
        "it scrolls sideways"
    )
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="跳到正文")).to_be_focused()
    for _ in range(20):
        if take.evaluate("node => node === document.activeElement"):
            break
        page.keyboard.press("Tab")
    expect(take).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("log", name="对话记录")).to_be_visible()

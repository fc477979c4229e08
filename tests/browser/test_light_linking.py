"""Linking with another channel by the menu of the page, with a keyboard alone."""

from __future__ import annotations

import re
import uuid

from playwright.sync_api import Page, expect

from tests.browser.accessibility import grave_issues
from tests.browser.pages import Citizen, Visit
from tests.channels.conftest import Gateway

CODE = re.compile(r"\d{4} \d{4}")


class Neighbouring:
    """The same person at the Chat API of the same gateway."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._name = f"link-{uuid.uuid4().hex[:8]}"

    def say(self, text: str) -> str:
        body = {"conversation_id": self._name, "channel": "api", "text": text}
        with self._gateway.api() as http:
            answer = http.post("/api/v1/messages", json=body).raise_for_status().json()
        return str(answer["replies"][0]["text"])

    def news(self) -> str:
        with self._gateway.api() as http:
            found = http.get("/api/v1/messages", params={"conversation_id": self._name})
        return "\n".join(r["text"] for m in found.json()["messages"] for r in m["replies"])


def tab_to(page: Page, testid: str) -> None:
    """Go on with Tab until an element has the focus."""
    wanted = page.get_by_test_id(testid)
    for _ in range(40):
        if wanted.evaluate("node => node === document.activeElement"):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"Tab does not lead to {testid}")


def from_menu(citizen: Citizen, testid: str) -> None:
    """Open the settings and press one of their buttons."""
    tab_to(citizen.page, "settings")
    citizen.page.keyboard.press("Enter")
    tab_to(citizen.page, testid)
    citizen.page.keyboard.press("Enter")


def test_linked_looked_at_and_unlinked_without_a_mouse(light: Gateway, light_visit: Visit) -> None:
    citizen, other = light_visit(), Neighbouring(light)
    page = citizen.page
    (code,) = CODE.findall(other.say("关联其他渠道"))[:1]

    from_menu(citizen, "link-digits")
    page.keyboard.type("1234")
    page.keyboard.press("Enter")
    field = page.get_by_test_id("link-digits")
    assert field.evaluate("node => node.validationMessage") == "关联码是8位数字，请核对后再输入。"
    expect(citizen.mine).to_have_count(0)
    assert grave_issues(page) == [], "the menu"

    field.fill("")
    page.keyboard.type(code.replace(" ", "－"))  # as somebody's keyboard writes it
    asked = citizen.answered(lambda: page.keyboard.press("Enter"))
    expect(asked.locator(".bubble")).to_contain_text("这个关联码来自“接口”")
    expect(citizen.mine.last.locator(".bubble")).to_have_text(f"关联 {code}")
    expect(citizen.field).to_be_focused()
    asked.get_by_role("button", name="确认关联", exact=True).focus()
    linked = citizen.answered(lambda: page.keyboard.press("Enter"))
    expect(linked.locator(".bubble")).to_contain_text("已和“接口”")
    assert "“网页聊天”" in other.news()

    shown = citizen.answered(lambda: from_menu(citizen, "link-status"))
    expect(shown.locator(".bubble")).to_contain_text("这个渠道已关联：")
    expect(citizen.mine.last.locator(".bubble")).to_have_text("查看关联")

    from_menu(citizen, "link-leave")
    expect(page.get_by_test_id("confirm")).to_be_visible()
    page.keyboard.press("Enter")  # the careful answer has the focus
    expect(page.get_by_test_id("confirm")).to_be_hidden()
    from_menu(citizen, "link-leave")
    tab_to(page, "confirm-yes")
    left = citizen.answered(lambda: page.keyboard.press("Enter"))
    expect(left.locator(".bubble")).to_contain_text("已取消关联")
    assert "没有关联" in other.say("取消关联")


def test_a_code_for_another_channel_is_asked_for(light: Gateway, light_visit: Visit) -> None:
    citizen, other = light_visit(), Neighbouring(light)
    answer = citizen.answered(lambda: from_menu(citizen, "link-code"))
    (code,) = CODE.findall(answer.locator(".bubble").inner_text())[:1]
    assert "这个关联码来自“网页聊天”" in other.say(f"关联 {code}")

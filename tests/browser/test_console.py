"""The console as officials use it: two-step login, accounts, audit, deliveries; on a phone too."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import delete, select

from store.agent_models import Agent
from store.agents import by_name
from store.database import unit_of_work
from store.models import OutboxEntry, Ticket
from store.second_factor import forget
from tests.browser.accessibility import grave_issues
from tests.browser.console import Enter, refused_ticket, staff_at
from tests.browser.pages import PHONE
from tests.channels.agents import PASSWORD, day_off, gateway, open_gateway
from tests.channels.authenticator import Authenticator
from tests.channels.conftest import Gateway

__all__ = ["day_off", "gateway", "open_gateway"]

DARK = {"color_scheme": "dark"}
ON_PHONE: dict[str, Any] = {"viewport": PHONE, "is_mobile": True, "has_touch": True}
TICKET = "SM20261121000001"
REFUSED = r"status of 403 \(Forbidden\)"
"""What the browser says of the answer to a wrong code."""


@pytest.fixture
def enter(gateway: Gateway, chromium: Browser) -> Iterator[Enter]:
    """Log staff in; afterwards nobody has a second factor."""
    with staff_at(chromium, gateway.url, REFUSED) as entering:
        yield entering
        with unit_of_work() as session:
            for agent in session.scalars(select(Agent)):
                forget(session, agent)


@pytest.fixture
def failure(gateway: Gateway) -> Iterator[None]:
    """A ticket the dispatch system refused, and a read of its contact."""
    with unit_of_work() as session:
        refused_ticket(session, TICKET, "web:1", "503 busy", opened_by="agent:小李")
    yield
    with unit_of_work() as session:
        session.execute(delete(OutboxEntry))
        session.execute(delete(Ticket))


def looks_right(page: Page) -> None:
    """No grave issue of accessibility, nothing wider than the screen."""
    assert grave_issues(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), page.url


def test_a_phone_is_bound_and_asked_for(enter: Enter, gateway: Gateway) -> None:
    page = enter("小李")
    page.get_by_role("link", name="小李").click()
    page.get_by_role("link", name="开启两步验证").click()
    page.get_by_role("button", name="开始绑定").press("Enter")
    expect(page.locator("figure svg")).to_be_visible()
    looks_right(page)
    secret = page.locator("figure code").inner_text().replace(" ", "")
    app = Authenticator(secret)
    page.get_by_label("动态码").fill(app.next())
    page.get_by_label("口令").fill(PASSWORD)
    page.get_by_label("口令").press("Enter")
    expect(page.get_by_role("heading", name="请保存恢复码")).to_be_visible()
    code = page.locator(".codes code").first.inner_text()
    looks_right(page)
    page.get_by_role("button", name="退出").click()

    again = enter("小李", **DARK, **ON_PHONE)
    expect(again.get_by_role("heading", name="输入动态码")).to_be_visible()
    looks_right(again)
    again.get_by_label("动态码").fill("12345")
    again.get_by_role("button", name="验证").click()
    expect(again.get_by_role("alert")).to_contain_text("动态码不对")
    again.get_by_label("动态码").fill(app.next())
    again.keyboard.press("Enter")
    expect(again.get_by_role("heading", name="排队与对话")).to_be_visible()

    third = enter("小李")
    third.get_by_label("动态码").fill(code)
    third.keyboard.press("Enter")
    expect(third.get_by_role("heading", name="排队与对话")).to_be_visible()


def test_an_admin_makes_an_account_and_its_owner_begins(enter: Enter) -> None:
    admin = enter("主任", **DARK)
    admin.get_by_role("link", name="账号", exact=True).click()
    expect(admin.get_by_label("账号名")).to_be_visible()
    looks_right(admin)
    admin.get_by_label("账号名").fill("王芳")
    admin.get_by_label("新账号的角色").select_option("审计员")
    admin.get_by_role("button", name="新建").press("Enter")
    password = admin.locator("#secret").inner_text()
    looks_right(admin)

    fresh = enter("王芳", password, **ON_PHONE)
    expect(fresh.get_by_text("您用的是临时口令")).to_be_visible()
    looks_right(fresh)
    fresh.get_by_label("临时口令").fill(password)
    fresh.get_by_label("新口令", exact=False).first.fill("eigene-horse-33")
    fresh.get_by_label("再输一次新口令").fill("eigene-horse-33")
    fresh.get_by_role("button", name="保存").click()
    expect(fresh.get_by_role("status")).to_contain_text("口令已修改")
    fresh.get_by_role("link", name="审计", exact=True).click()
    expect(fresh.get_by_role("heading", name="审计", exact=True)).to_be_visible()
    looks_right(fresh)

    admin.get_by_role("link", name="已告诉本人").click()
    expect(admin.get_by_role("heading", name="王芳")).to_be_visible()
    looks_right(admin)
    admin.get_by_role("button", name="停用账号").press("Enter")
    expect(admin.get_by_role("status")).to_contain_text("账号已停用")
    fresh.reload()
    expect(fresh.get_by_role("heading", name="工作台登录")).to_be_visible()
    with unit_of_work() as session:
        assert by_name(session, "王芳") is not None


def test_an_auditor_finds_checks_and_takes_a_copy(enter: Enter, failure: None) -> None:
    page = enter("auditor")
    page.get_by_label("用途").select_option("显示完整资料")
    page.get_by_label("工单号").fill(TICKET)
    page.get_by_label("工单号").press("Enter")
    expect(page).to_have_url(re.compile(TICKET))
    row = page.get_by_role("row", name=re.compile(TICKET))
    expect(row).to_contain_text("账号 小李")
    looks_right(page)
    with page.expect_download() as download:
        page.get_by_role("button", name="导出 CSV").click()
    assert TICKET in download.value.path().read_text("utf-8-sig")
    page.get_by_role("button", name="立即核验").click()
    expect(page.get_by_text(re.compile("核验了[0-9]+条"))).to_be_visible()
    phone = enter("auditor", **ON_PHONE, **DARK)
    looks_right(phone)


def test_a_failure_is_carried_again(enter: Enter, failure: None) -> None:
    phone = enter("主任", **ON_PHONE)
    phone.goto(phone.url.split("/console")[0] + "/console/deliveries")
    expect(phone.get_by_text("503 busy")).to_be_visible()
    looks_right(phone)
    page = enter("主任")
    page.get_by_role("link", name="投递").click()
    expect(page.get_by_role("heading", name="投递")).to_be_visible()
    looks_right(page)
    page.get_by_role("button", name=re.compile("^重试第")).press("Enter")
    expect(page.get_by_role("status")).to_contain_text("已重新投递1条")
    expect(page.get_by_text("503 busy")).to_have_count(0)

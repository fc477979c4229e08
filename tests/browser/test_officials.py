"""The officials' areas of the console as a person uses them, on a desk and on a phone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta

import pytest
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import select

from store.answer_quality import keep_unanswered
from store.database import unit_of_work
from store.models import HotSpot, HotSpotReport, Ticket, utc_now
from tests.browser.accessibility import grave_issues
from tests.browser.console import Enter, staff_at
from tests.browser.pages import PHONE
from tests.channels.conftest import Gateway
from tests.channels.officials import GARBAGE, city_gateway, gateway, report
from tests.channels.officials import PHONE as NUMBER

__all__ = ["city_gateway", "gateway"]


@pytest.fixture(scope="module")
def filled(city_gateway: Gateway) -> Gateway:
    """A city with complaints here and there, a hot spot and questions."""
    for n in range(6):
        report(
            category=GARBAGE, who=f"web:{n}", latitude=30.25 + n / 100, longitude=120.12 + n / 90,
            status=("submitted", "forwarded", "in_progress")[n % 3], ago=timedelta(hours=n + 1),
        )  # fmt: skip
    report(ago=timedelta(days=50), words="楼下餐馆油烟太大，窗户都不能开", district="江南区")
    now = utc_now()
    with unit_of_work() as session:
        spot = HotSpot(
            category=GARBAGE, latitude=30.2741, longitude=120.1551, district="云东区",
            street="文昌街道", opened_at=now, last_report_at=now,
        )  # fmt: skip
        session.add(spot)
        session.flush()
        for number in session.scalars(select(Ticket.id).where(Ticket.category == GARBAGE)):
            session.add(HotSpotReport(hot_spot_id=spot.id, ticket_id=number))
        for n, words in enumerate(("养狗要办狗证吗", "养狗要办狗证吗", "无人机要报备吗")):
            keep_unanswered(session, f"q{n}", "unknown", words)
    return city_gateway


@pytest.fixture
def enter(filled: Gateway, gateway: Gateway, chromium: Browser) -> Iterator[Enter]:
    """Log staff of a role in."""
    with staff_at(chromium, filled.url, reduced_motion="reduce") as entering:
        yield entering


def go(page: Page, gateway: Gateway, path: str) -> None:
    page.goto(f"{gateway.url}/console/{path}")
    expect(page.locator("h1")).to_be_visible()


def test_from_the_filter_over_the_map_to_a_case(enter: Enter) -> None:
    page = enter("dispatcher")
    page.get_by_label("办理超期").check()
    page.get_by_role("button", name="筛选").click()
    expect(page).to_have_url(re.compile("late=1"))
    expect(page.get_by_role("row", name="超期")).to_have_count(1)
    assert grave_issues(page) == []
    page.get_by_role("link", name="清除").click()
    expect(page.get_by_label("办理超期")).not_to_be_checked()
    page.get_by_role("link", name="地图", exact=True).click()
    expect(page.locator("#map-state")).to_contain_text("7项")
    marks = page.locator(".map-spot")
    expect(marks).to_have_count(7)
    assert grave_issues(page) == []
    late = page.locator(".map-spot", has=page.locator(".late"))
    late.press("Enter")  # as from the keyboard
    page.locator(".map-links").get_by_role("link").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("油烟")
    expect(page.get_by_text(NUMBER)).to_have_count(0)
    page.get_by_role("button", name="显示电话").click()
    expect(page.get_by_text(NUMBER)).to_be_visible()
    page.get_by_role("button", name="催办").click()
    expect(page.locator(".timeline")).to_contain_text("【催办】已超过办结时限")
    assert grave_issues(page) == []


def test_hot_spots_are_listed_and_on_the_map(enter: Enter, filled: Gateway) -> None:
    page = enter("dispatcher", color_scheme="dark")
    go(page, filled, "hotspots")
    expect(page.locator(".map-spot")).to_have_count(1)
    assert grave_issues(page) == []
    page.get_by_role("link", name="热点的工单").click()
    expect(page.locator("tbody tr")).to_have_count(6)


def test_a_changed_number_is_tried_out_without_any_script(enter: Enter, filled: Gateway) -> None:
    page = enter("editor", java_script_enabled=False)
    page.goto(f"{filled.url}/console/simulation")
    page.get_by_label("政策", exact=True).select_option("old_age")
    page.get_by_role("button", name="选择").click()
    page.get_by_label("年龄 ≥ 80").fill("70")
    page.get_by_role("button", name="测算").click()
    expect(page.get_by_role("heading", name="测算结果")).to_be_visible()
    expect(page.get_by_role("row", name=re.compile("^新增符合 "))).to_contain_text("100")
    expect(page.get_by_role("row", name=re.compile("^70–79岁"))).to_contain_text("100")


def test_a_group_of_questions_is_marked_done_and_put_back(enter: Enter, filled: Gateway) -> None:
    page = enter("editor")
    go(page, filled, "unanswered")
    group = page.get_by_role("region", name="养狗要办狗证吗")
    group.get_by_text("标为已处理", exact=True).first.click()
    group.get_by_label("怎么处理的").select_option(label="不归本市")
    group.get_by_label(re.compile("^说明")).fill("公安管")
    assert grave_issues(page) == []
    group.get_by_role("button", name="标为已处理").click()
    expect(page.get_by_role("heading", name="养狗要办狗证吗")).to_have_count(0)
    page.get_by_role("link", name="已处理").click()
    expect(page.get_by_role("row", name="公安管")).to_be_visible()
    page.get_by_role("button", name="撤销").click()
    expect(page.get_by_text("没有处理过问题")).to_be_visible()


@pytest.mark.parametrize(
    ("role", "paths"),
    [
        ("dispatcher", ("complaints", "complaints/map", "hotspots")),
        ("editor", ("policies", "simulation?policy=old_age", "unanswered")),
    ],
)
def test_the_pages_fit_a_phone_in_the_dark(
    enter: Enter, filled: Gateway, role: str, paths: tuple[str, ...]
) -> None:
    page = enter(role, viewport=PHONE, is_mobile=True, has_touch=True, color_scheme="dark")
    for path in paths:
        go(page, filled, path)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
        assert grave_issues(page) == [], path

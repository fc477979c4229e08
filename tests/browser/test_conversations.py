"""The three jobs as citizens do them on the page."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.browser.pages import PHONE, SPOT, Citizen, Dispatcher, Visit
from tests.browser.photos import kitchen_smoke

pytestmark = pytest.mark.e2e

TICKET = re.compile(r"SM\d{14}")


def test_service_enquiry_by_sample_and_quick_button(visit: Visit) -> None:
    citizen = visit()
    sample = citizen.page.get_by_test_id("sample").filter(has_text="身份证丢了怎么补办？")
    answer = citizen.answered(sample.click)
    expect(citizen.mine.last.locator(".bubble")).to_have_text("身份证丢了怎么补办？")

    card = answer.get_by_test_id("card-service")
    expect(card).to_have_attribute("data-id", "id_card_replace")
    expect(card.get_by_role("term").filter(has_text="办理材料")).to_be_visible()
    phone = card.get_by_role("term").filter(has_text="咨询电话")
    expect(phone).to_be_hidden()
    card.get_by_test_id("card-fold").click()
    expect(phone).to_be_visible()
    link = card.locator("a.tel").first
    expect(link).to_have_attribute("href", re.compile(r"^tel:\d+$"))

    materials = citizen.tap("要带什么")
    expect(materials.locator(".bubble")).to_contain_text("要带")
    expect(materials.locator(".bubble")).to_contain_text("居民户口簿")
    used = citizen.answers.first.get_by_test_id("quick-button")
    expect(used.first).to_be_disabled()
    expect(citizen.answers.first.locator(".quick.chosen")).to_have_text("要带什么")


def test_policy_search_with_buttons(visit: Visit) -> None:
    citizen = visit()
    sample = citizen.page.get_by_test_id("sample").filter(has_text="我妈82岁了，有什么补贴？")
    question = citizen.answered(sample.click)
    expect(question.get_by_test_id("quick-button")).to_contain_text(["本市户籍", "不清楚"])
    citizen.tap("本市户籍")
    cards = citizen.page.get_by_test_id("card-policy")
    if cards.count() == 0:  # there is more worth asking
        citizen.tap("先看结果")

    allowance = citizen.page.locator('[data-id="elderly_allowance"]')
    expect(allowance.get_by_role("heading", name="高龄津贴")).to_be_visible()
    expect(allowance.get_by_test_id("verdict")).to_have_text("符合")
    expect(allowance.locator(".amount")).to_contain_text("每月100元")
    reasons = allowance.locator(".reason")
    expect(reasons.filter(has_text="82")).to_have_attribute("data-tone", "yes")
    expect(reasons.filter(has_text="户籍")).to_have_attribute("data-tone", "yes")
    for card in cards.all():
        expect(card.get_by_test_id("verdict")).not_to_have_text("不符合")


def test_complaint_from_photo_to_rating(visit: Visit, dispatcher: Dispatcher) -> None:
    citizen = visit(
        viewport=PHONE,
        is_mobile=True,
        has_touch=True,
        geolocation=SPOT,
        permissions=["geolocation"],
    )
    stranger = visit()
    ticket = report(citizen)

    steps = citizen.answers.last.locator(".steps li")
    expect(steps.nth(0)).to_have_attribute("aria-current", "step")
    expect(citizen.news.last).to_contain_text("已派到")
    dispatcher.open("油烟直往五楼窗户里灌")
    photo = dispatcher.page.get_by_role("img", name="市民上传的照片 1")
    photo.scroll_into_view_if_needed()
    expect(photo).to_have_js_property("complete", True)
    assert photo.evaluate("image => image.naturalWidth") > 0

    told = [
        ("受理", "", "已受理您的工单", 1, "watching"),
        ("开始处置", "", "正在处置", 2, "away"),
        ("办结", "已到场检查，店家当晚清洗并更换了净化器。", "已办结", 3, "watching"),
    ]
    for action, explanation, words, step, citizen_is in told:
        before = citizen.news.count()
        if citizen_is == "away":
            citizen.page.goto("about:blank")
        dispatcher.step(action, explanation)
        if citizen_is == "away":
            citizen.open()
        expect(citizen.news).to_have_count(before + 1)
        latest = citizen.news.last
        expect(latest.get_by_test_id("notice")).to_have_text("进展通知")
        expect(latest.locator(".bubble")).to_contain_text(words)
        expect(latest.locator(".bubble")).to_contain_text(explanation)
        expect(latest.get_by_test_id("card-ticket")).to_have_attribute("data-id", ticket)
        expect(latest.locator(".steps li").nth(step)).to_have_attribute("aria-current", "step")
    assert citizen.overflow() == []

    verdicts = citizen.news.last.get_by_test_id("quick-button")
    expect(verdicts).to_have_text(["已解决", "没解决，重新办"])
    closed = citizen.answered(verdicts.first.click)
    ratings = closed.get_by_test_id("quick-button")
    expect(ratings).to_have_text(["非常满意", "满意", "基本满意", "不满意", "非常不满意"])
    thanks = citizen.answered(ratings.first.click)
    expect(thanks.locator(".bubble")).to_contain_text("谢谢您的评价")
    expect(citizen.page.get_by_role("button", name="非常满意")).to_be_disabled()

    expect(stranger.news).to_have_count(0)
    expect(stranger.mine).to_have_count(0)
    refused = stranger.say(f"查一下工单{ticket}")
    expect(refused.locator(".bubble")).to_contain_text("没有查到这个工单")
    expect(stranger.page.get_by_test_id("card-ticket")).to_have_count(0)
    assert cookie(citizen) != cookie(stranger)


def report(citizen: Citizen) -> str:
    """Send a complaint with a photo and the position, confirm it and return the ticket id."""
    citizen.attach_photo(kitchen_smoke())
    citizen.attach_place()
    expect(citizen.attachments()).to_have_count(2)
    summary = citizen.say("楼下餐馆油烟太大了，每天晚上油烟直往五楼窗户里灌")
    picture = citizen.mine.last.get_by_role("img", name="油烟.jpg")
    expect(picture).to_have_js_property("naturalWidth", 1280)
    expect(citizen.attachments()).to_have_count(0)
    bubble = summary.locator(".bubble")
    for words in ("请您核对", "油烟直往五楼窗户里灌", "（您发的位置）", "照片：1张", "油烟"):
        expect(bubble).to_contain_text(words)
    assert citizen.overflow() == []

    filed = citizen.tap("确认提交")
    card = filed.get_by_test_id("card-ticket")
    ticket = str(card.get_attribute("data-id"))
    assert TICKET.fullmatch(ticket)
    expect(filed.locator(".bubble")).to_contain_text(f"已受理，工单号 {ticket}")
    expect(card.locator("code")).to_have_text(ticket)
    expect(card.locator(".steps li")).to_have_text(
        ["已提交", "已派单", "处置中", "已办结", "已评价"]
    )
    return ticket


def cookie(citizen: Citizen) -> str:
    """Return the session, which scripts of the page must not see."""
    (found,) = citizen.page.context.cookies()
    assert found["httpOnly"]
    assert found["sameSite"] == "Strict"
    assert citizen.page.evaluate("document.cookie") == ""
    return str(found["value"])

"""Job two: snap and report, from the words to the rating."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable

import httpx
import pytest

from tests.e2e.driver import INSIDE, OUTSIDE, Citizen, Desk, jpeg, location, photo
from tests.waiting import WAIT_SECONDS, wait_until

pytestmark = pytest.mark.e2e
TICKET = re.compile(r"SM20\d{6}\d{6}")


@pytest.fixture
def mark() -> str:
    """A word nobody else uses, to find a complaint again."""
    return f"记号{uuid.uuid4().hex[:8]}"


def test_from_a_photo_to_the_rating(citizen: Citizen, desk: Desk, mark: str) -> None:
    words = f"楼下那个烧烤摊天天冒黑烟，熏得人家里窗子都不敢开，{mark}"
    asked = citizen.say(words, photo(), location())
    assert asked.intent == "report_pollution"
    assert asked.category == "air.cooking_fume"
    assert not asked.cards("ticket"), "filed without confirmation"
    for essential in (words, "餐饮油烟", "文昌街道", "照片：1张"):
        assert essential in asked.text

    filed = citizen.confirm()
    ticket = filed.card("ticket")["id"]
    assert TICKET.fullmatch(ticket)
    assert ticket in filed.text

    request = desk.wait_request(mark)
    assert request["service_code"] == "air.cooking_fume"
    assert (request["lat"], request["long"]) == pytest.approx(INSIDE)
    assert len(request["media_url"].split()) == 1
    citizen.wait_news("已派到")

    case = request["service_request_id"]
    for action, explanation, words in (
        ("accept", "", "已受理您的工单"),
        ("start", "", "正在处置"),
        ("resolve", "已责令摊主安装油烟净化器", "已办结"),
    ):
        desk.act(case, action, explanation)
        told = citizen.wait_news(words)
        assert ticket in told["text"]
        assert explanation in told["text"]
        assert told["cards"][0]["id"] == ticket

    closed = citizen.press("已解决")
    assert "已结案" in closed.text
    assert "谢谢您的评价" in citizen.press("非常满意").text
    assert "5分" in citizen.say(f"查工单{ticket}").text

    history = citizen.say(f"{ticket}办得怎么样了")
    assert history.card("ticket")["fields"]["状态"] == "已结案，已评价"
    steps = ("已提交", "已派单", "已受理", "处置中", "已办结", "已核查", "已结案")
    positions = [history.text.rindex(step) for step in steps[1:]]
    assert positions == sorted(positions)
    wait_for_page(desk, case, "5分")


def test_the_photo_the_desk_sees_has_no_metadata(citizen: Citizen, desk: Desk, mark: str) -> None:
    citizen.say(f"工地没围挡，尘土飞扬，{mark}", photo(jpeg(INSIDE)))
    citizen.confirm()
    (url,) = desk.wait_request(mark)["media_url"].split()
    response = httpx.get(url, timeout=WAIT_SECONDS)
    assert response.status_code == 200
    assert response.headers["content-type"] == "image/jpeg"
    assert b"Exif" not in response.content[:64]
    forged = re.sub(r"signature=\w", "signature=0", url)
    forged = forged if forged != url else url + "0"
    assert httpx.get(forged, timeout=WAIT_SECONDS).status_code == 403


def test_a_service_question_in_between_is_answered_and_the_complaint_goes_on(
    citizen: Citizen, mark: str
) -> None:
    citizen.say(f"工地半夜还在打桩，吵死人了，{mark}")
    aside = citizen.say("身份证补办要带什么")
    assert aside.intent == "ask_materials"
    assert aside.card("service")["id"] == "id_card_replace"
    assert "户口簿" in aside.replies[0]["text"]
    assert "在什么地方" in aside.replies[-1]["text"], "the open question is asked again"

    confirmation = citizen.say("文昌路88号")
    assert mark in confirmation.text
    assert "文昌路88号" in confirmation.text
    assert "身份证" not in confirmation.text
    assert citizen.confirm().card("ticket")


def test_words_first_then_place_then_a_corrected_address(
    citizen: Citizen, desk: Desk, mark: str
) -> None:
    citizen.say(f"路边垃圾堆成山了没人管，{mark}")
    confirmation = citizen.say("春风里小区")
    assert "春风里小区" in confirmation.text
    assert "生活垃圾" in confirmation.text
    corrected = citizen.say("不对，是阳光水岸小区")
    assert corrected.intent == "correct"
    assert "阳光水岸小区" in corrected.text
    assert "春风里" not in corrected.text
    assert "生活垃圾" in corrected.text, "correcting the place changed the category"
    citizen.press("改地点")
    assert "学府名城" in citizen.say("学府名城").text
    filed = citizen.say("确认")
    assert filed.intent == "affirm"
    assert filed.card("ticket")["fields"]["所在区"] == "云西区"
    assert "学府名城" in desk.wait_request(mark)["address"]


def test_cancelling_leaves_nothing_and_a_new_complaint_works(
    citizen: Citizen, desk: Desk, mark: str
) -> None:
    citizen.say(f"小区门口的河水又黑又臭，{mark}", photo())
    cancelled = citizen.say("取消")
    assert cancelled.intent == "cancel"
    assert "没有提交" in cancelled.text
    assert not citizen.say("查一下我的投诉").cards("ticket")

    again = f"{mark}第二件"
    citizen.say(f"楼上天天半夜放音响，吵得睡不着，{again}")
    confirmation = citizen.say("学府名城")
    assert "河水" not in confirmation.text
    assert "照片：没有" in confirmation.text
    filed = citizen.confirm()
    assert len(citizen.say("查一下我的投诉").cards("ticket")) == 1
    assert filed.card("ticket")["fields"]["类别"] in confirmation.text
    # By the time the second one is at the desk, the first would be too.
    assert again in desk.wait_request(mark)["description"]


def test_cancelling_at_the_confirmation_leaves_nothing(
    citizen: Citizen, desk: Desk, mark: str
) -> None:
    citizen.say(f"工厂烟囱冒黄烟味道刺鼻，{mark}", location())
    assert "没有提交" in citizen.press("取消").text
    assert not citizen.say("查一下我的投诉").cards("ticket")
    other = Citizen(citizen.stack, citizen.http, f"{citizen.name}-other")
    other.file_complaint(f"楼上天天半夜放音响，{mark}后来")
    assert "后来" in desk.wait_request(mark)["description"]


def test_photo_first_then_words_with_the_place_from_the_photo(citizen: Citizen) -> None:
    first = citizen.say("", photo(jpeg(INSIDE)))
    assert "照片收到了" in first.text
    confirmation = citizen.say("工地上尘土飞扬，路过的人都灰头土脸")
    assert "照片里的位置" in confirmation.text
    assert "文昌" in confirmation.text
    assert "照片：1张" in confirmation.text
    assert citizen.confirm().card("ticket")


def test_a_bare_wish_to_complain_needs_at_most_three_questions(citizen: Citizen) -> None:
    asked = [citizen.say("我要投诉")]
    assert asked[0].category is None
    assert "什么问题" in asked[0].text
    asked.append(citizen.say("楼下饭店的排风扇噪音和油烟都很大"))
    assert "在什么地方" in asked[1].text
    asked.append(citizen.say("在桃园农贸市场门口"))
    assert "桃园农贸市场" in asked[2].text
    filed = citizen.say("确认")
    assert filed.card("ticket")
    assert len(asked) <= 3


def test_an_uncertain_category_is_chosen_with_a_button(citizen: Citizen) -> None:
    citizen.say("这边太脏太乱了，你们管管")
    confirmation = citizen.say("阳光水岸小区")
    choices = {t: p for t, p in citizen.buttons.items() if "choose_category" in p}
    assert len(choices) >= 2
    assert "拿不太准" in confirmation.text
    chosen = list(choices)[-1]
    filed = citizen.press(chosen)
    assert filed.card("ticket")["fields"]["类别"] == chosen


def test_the_category_can_be_changed_before_confirming(citizen: Citizen) -> None:
    citizen.say("路边垃圾堆成山了没人管", location())
    citizen.press("改类别")
    assert len(citizen.buttons) >= 20
    assert "建筑垃圾" in citizen.press("建筑垃圾").text
    assert citizen.confirm().card("ticket")["fields"]["类别"].startswith("建筑垃圾")


def test_a_place_outside_the_city_is_said_and_another_asked(citizen: Citizen) -> None:
    asked = citizen.say("路边垃圾堆成山了没人管", location(*OUTSIDE))
    assert "不在云州市范围内" in asked.text
    assert "文昌路88号" in citizen.say("文昌路88号").text


def test_pressing_confirm_twice_files_once(citizen: Citizen, desk: Desk, mark: str) -> None:
    citizen.say(f"楼上天天半夜放音响，{mark}", location())
    payload = next(p for t, p in citizen.buttons.items() if t == "确认提交" or "yes" in p)
    assert citizen.say(payload).card("ticket")
    assert not citizen.say(payload).cards("ticket")
    assert desk.wait_request(mark)
    assert len(citizen.say("查一下我的投诉").cards("ticket")) == 1


def test_progress_by_ticket_id_is_only_for_its_owner(
    new_citizen: Callable[[], Citizen],
) -> None:
    owner, stranger = new_citizen(), new_citizen()
    ticket = owner.file_complaint("楼上天天半夜放音响，吵得睡不着")
    mine = owner.say(f"查一下工单{ticket}")
    assert mine.intent == "check_ticket"
    assert mine.card("ticket")["id"] == ticket

    known = stranger.say(f"查一下工单{ticket}")
    unknown = stranger.say("查一下工单SM20200101000001")
    assert known.text == unknown.text
    assert not known.cards("ticket")
    assert known.buttons == unknown.buttons
    for words in (f"我要撤回工单{ticket}", f"给工单{ticket}打5分"):
        assert not stranger.say(words).cards("ticket")
    assert owner.say(f"查一下工单{ticket}").card("ticket")["fields"]["状态"] != "已撤回"


def test_withdrawing_needs_a_confirmation_and_reaches_the_desk(
    citizen: Citizen, desk: Desk, mark: str
) -> None:
    ticket = citizen.file_complaint(f"楼上天天半夜放音响，{mark}")
    case = desk.wait_request(mark)["service_request_id"]
    asked = citizen.say("我想撤回投诉")
    assert asked.intent == "withdraw_ticket"
    assert ticket in asked.text
    kept = citizen.press("不撤了")
    assert kept.card("ticket")["fields"]["状态"] != "已撤回"
    citizen.say("我想撤回投诉")
    done = citizen.press("确定撤回")
    assert done.card("ticket")["fields"]["状态"] == "已撤回"
    wait_for_page(desk, case, ">已撤回</span>")
    refused = citizen.say("我想撤回投诉")
    assert "不能撤回" in refused.text


def test_a_supplement_with_a_photo_reaches_the_desk(
    citizen: Citizen, desk: Desk, mark: str
) -> None:
    ticket = citizen.file_complaint(f"楼上天天半夜放音响，{mark}")
    case = desk.wait_request(mark)["service_request_id"]
    citizen.press("补充情况")
    more = f"{mark}昨天凌晨两点还在放"
    done = citizen.say(more, photo())
    assert ticket in done.text
    page = wait_for_page(desk, case, more)
    assert page.count("/media/") >= 1
    assert more in citizen.say(f"查一下工单{ticket}").text


def test_several_tickets_are_listed(citizen: Citizen) -> None:
    tickets = [citizen.file_complaint("楼上天天半夜放音响") for _ in range(2)]
    listed = citizen.say("我的投诉处理得怎么样了")
    assert {card["id"] for card in listed.cards("ticket")} == set(tickets)


def wait_for_page(desk: Desk, case: str, words: str) -> str:
    """Wait until the page of a request shows ``words``."""

    def look() -> str | None:
        page = desk.page(case)
        return page if words in page else None

    found = wait_until(look, f"desk page with {words!r}")
    assert found
    return found


def test_what_is_not_solved_goes_back_once(citizen: Citizen, desk: Desk, mark: str) -> None:
    ticket = citizen.file_complaint(f"楼下烧烤摊油烟太大了，{mark}")
    case = desk.wait_request(mark)["service_request_id"]
    for action in ("accept", "start"):
        desk.act(case, action)
    desk.act(case, "resolve", "已要求整改")
    citizen.wait_news("已办结")
    assert "哪里没解决" in citizen.press("没解决").text
    sent_back = citizen.say("晚上照样往家里冒烟")
    assert "已退回" in sent_back.text
    assert sent_back.card("ticket")["fields"]["状态"] == "重新办理"
    wait_until(lambda: "晚上照样往家里冒烟" in desk.page(case), "the reason at the desk")
    for action in ("accept", "start"):
        desk.act(case, action)
    desk.act(case, "resolve", "已停业整顿")
    citizen.wait_news("已停业整顿")
    asked = citizen.say("根本没弄好，还是一样")
    assert "12345" in asked.text
    wait_until(lambda: "根本没弄好" in desk.page(case), "his words at the desk")
    page = citizen.say(f"查工单{ticket}").card("ticket")["fields"]["进度页面"]
    shown = httpx.get(page, timeout=WAIT_SECONDS)
    assert shown.status_code == 200
    assert "已停业整顿" in shown.text
    assert "照样" not in shown.text

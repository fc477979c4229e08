"""What a citizen says of a handled case: words, buttons and the form for the reason."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rasa_sdk import Tracker
from rasa_sdk.executor import CollectingDispatcher

from actions.closing import (
    action_ask_reopen_reason,
    action_cancel_reopen,
    action_confirm_solved,
    action_nothing_open,
    action_reopen_ticket,
    validate_reopen_form,
)
from actions.conversation import action_bare_answer, action_clarify, action_small_talk
from actions.registry import Handler
from actions.resources import categories
from actions.tickets import (
    action_check_ticket,
    action_rate_ticket,
    action_supplement_ticket,
)
from actions.turn import payload
from actions.verdicts import verdict_in
from channels.message import Card
from channels.payloads import is_payload
from dispatch.case.filing import file_complaint
from dispatch.case.updates import Outcome, apply_update
from dispatch.open311 import RequestUpdate
from dispatch.reporting.intake import Spot, new_draft
from store.database import unit_of_work
from store.media import save_media
from store.models import OutboxEntry, Ticket, utc_now
from store.privacy import reveal
from store.tickets import add_event

pytestmark = pytest.mark.usefixtures("installation")
Trackers = Callable[..., Tracker]
ME = "api:c-1"
_SENT = iter(range(10_000))


class Talk:
    """One citizen; slots are carried over as Rasa does."""

    def __init__(self, tracker: Trackers) -> None:
        self._tracker = tracker
        self.slots: dict[str, Any] = {}
        self.follows: list[str] = []

    def do(
        self, action: Handler, text: str = "", intent: str = "inform", **entities: str
    ) -> dict[str, Any]:
        """Run one action for a message; return the last thing said (empty: nothing)."""
        written = text or payload(intent, **entities)
        met = self._tracker(written, intent, slots=self.slots, entities=entities, sender=ME)
        dispatcher = CollectingDispatcher()
        events = action(dispatcher, met)
        self.slots |= {e["name"]: e["value"] for e in events if e["event"] == "slot"}
        self.follows = [e["name"] for e in events if e["event"] == "followup"]
        for message in dispatcher.messages:
            for button in message["buttons"] or []:
                assert is_payload(button["payload"]), button
            for card in message["custom"].get("cards", []):
                Card.model_validate(card)
        return dispatcher.messages[-1] if dispatcher.messages else {}

    def press(self, action: Handler, intent: str, **entities: str) -> dict[str, Any]:
        return self.do(action, "", intent, **entities)


@pytest.fixture
def talk(tracker: Trackers) -> Talk:
    return Talk(tracker)


def desk(case: str, status: str, words: str = "") -> Outcome:
    update = RequestUpdate(f"V{next(_SENT)}", case, status, utc_now(), words, "城管队")
    with unit_of_work() as session:
        return apply_update(session, update, categories())


def filed(who: str = ME) -> str:
    spot = Spot(
        address="文昌路18号", district="云东区", latitude=30.27, longitude=120.15, source="text"
    )
    draft = new_draft().model_copy(
        update={"words": ("路灯不亮",), "place": spot, "category": "air.cooking_fume"}
    )
    with unit_of_work() as session:
        ticket = file_complaint(session, draft, who, categories()).ticket
        ticket.external_id = f"ext-{ticket.id}"
        add_event(session, ticket, "forwarded", actor="relay")
        return ticket.id


@pytest.fixture
def resolved() -> str:
    ticket = filed()
    assert desk(f"ext-{ticket}", "FIXED", "已清洗烟道") is Outcome.APPLIED
    return ticket


def state(ticket: str) -> str:
    with unit_of_work() as session:
        return session.get_one(Ticket, ticket).status


def sent() -> list[tuple[str, str]]:
    with unit_of_work() as session:
        bodies = [
            reveal(session, entry, "body", actor="test", purpose="test")
            for entry in session.query(OutboxEntry).filter_by(kind="update").order_by("id")
        ]
    return [(body.get("status", ""), body["description"]) for body in bodies]


def titles(message: dict[str, Any]) -> list[str]:
    return [button["title"] for button in message["buttons"]]


# --- words --------------------------------------------------------------------------------

SOLVED = [
    "解决了，谢谢", "已经解决了", "修好了，谢谢你们", "好了，不漏了", "弄好了", "清理干净了",
    "搞定", "没有味道了", "路灯修好了",
]  # fmt: skip
UNSOLVED = [
    "还在漏", "还在冒烟", "根本没弄好", "根本没修", "没弄好啊", "还是老样子", "还是臭",
    "没人来处理", "都没来人就办结了", "你们糊弄人", "又开始漏了", "不认可", "我不同意办结",
    "重新办", "没好", "照片是假的，根本没清理", "昨天修好今天又坏了", "没解决", "没有把垃圾清走",
    "未处理",
]  # fmt: skip
NEITHER = [
    "解决了吗", "解决了没有", "问题解决了没", "什么时候能修好", "谢谢", "好的", "满意", "你好",
    "要是解决了就好", "查一下进度", "还有别的事", "", "处理得怎么样了？", "谁来处理",
]  # fmt: skip


@pytest.mark.parametrize("text", SOLVED)
def test_words_for_solved(text: str) -> None:
    assert verdict_in(text) == "solved"


@pytest.mark.parametrize("text", UNSOLVED)
def test_words_for_unsolved(text: str) -> None:
    assert verdict_in(text) == "unsolved"


@pytest.mark.parametrize("text", NEITHER)
def test_words_that_judge_nothing(text: str) -> None:
    assert verdict_in(text) is None


@given(st.text(max_size=60))
def test_any_words_are_read(text: str) -> None:
    assert verdict_in(text) in ("solved", "unsolved", None)


# --- solved -------------------------------------------------------------------------------


def test_the_button_closes_and_asks_for_a_rating(talk: Talk, resolved: str) -> None:
    reply = talk.press(action_confirm_solved, "confirm_solved", ticket_id=resolved)
    assert state(resolved) == "closed"
    assert titles(reply) == ["非常满意", "满意", "基本满意", "不满意", "非常不满意"]
    again = talk.press(action_confirm_solved, "confirm_solved", ticket_id=resolved)
    assert "已经结案" in again["text"]
    assert sent() == [("CLOSED", "市民确认办结")]
    thanks = talk.press(action_rate_ticket, "rate_ticket", ticket_id=resolved, score="4")
    assert "谢谢您的评价" in thanks["text"]
    assert sent()[-1] == ("", "市民评价：4分")


@pytest.mark.parametrize(
    ("action", "intent", "text"),
    [
        (action_small_talk, "thank", "解决了，谢谢"),
        (action_rate_ticket, "rate_ticket", "已经解决了"),
        (action_nothing_open, "cancel", "好了，不漏了"),
        (action_bare_answer, "affirm", "修好了"),
        (action_clarify, "nlu_fallback", "弄好了"),
    ],
)
def test_typed_words_close_as_the_button_does(
    talk: Talk, resolved: str, action: Handler, intent: str, text: str
) -> None:
    reply = talk.do(action, text, intent)
    assert "已结案" in reply["text"]
    assert state(resolved) == "closed"


def test_words_of_thanks_without_a_handled_case_stay_small_talk(talk: Talk) -> None:
    filed()
    assert talk.do(action_small_talk, "解决了，谢谢", "thank")["response"] == "utter_thank"
    assert talk.do(action_nothing_open, "算了", "cancel")["response"] == "utter_nothing_open"


def test_somebody_elses_case_is_not_found(talk: Talk) -> None:
    other = filed("api:other")
    desk(f"ext-{other}", "FIXED", "已办")
    reply = talk.press(action_confirm_solved, "confirm_solved", ticket_id=other)
    assert "没有查到" in reply["text"]
    talk.press(validate_reopen_form, "reopen_ticket", ticket_id=other)
    assert "没有查到" in talk.press(action_reopen_ticket, "reopen_ticket")["text"]
    assert state(other) == "resolved"


def test_work_in_progress_is_not_closed(talk: Talk) -> None:
    ticket = filed()
    reply = talk.press(action_confirm_solved, "confirm_solved", ticket_id=ticket)
    assert "还没有办结" in reply["text"]
    assert state(ticket) == "forwarded"


def test_a_bare_yes_after_the_news_is_asked_back_about(talk: Talk, resolved: str) -> None:
    reply = talk.do(action_bare_answer, "是的", "affirm")
    assert titles(reply) == ["已解决", "没解决，重新办"]
    assert state(resolved) == "resolved"
    assert "已结案" in talk.do(action_bare_answer, "是的", "affirm")["text"]
    assert state(resolved) == "closed"


def test_a_bare_no_leads_to_the_reason(talk: Talk, resolved: str) -> None:
    talk.do(action_check_ticket, f"查一下{resolved}", "check_ticket")
    talk.do(action_bare_answer, "没有", "deny")
    assert talk.follows == ["reopen_form"]
    talk.do(validate_reopen_form, "没有", "deny")
    assert (talk.slots["reopen_target"], talk.slots["reopen_reason"]) == (resolved, None)


# --- not solved ---------------------------------------------------------------------------


def test_the_button_asks_why_and_the_reason_sends_it_back(talk: Talk, resolved: str) -> None:
    talk.press(validate_reopen_form, "reopen_ticket", ticket_id=resolved)
    asked = talk.press(action_ask_reopen_reason, "reopen_ticket")
    assert "哪里没解决" in asked["text"]
    talk.slots["requested_slot"] = "reopen_reason"
    talk.do(validate_reopen_form, "晚上照样冒烟", "report_pollution")
    reply = talk.do(action_reopen_ticket, "晚上照样冒烟", "report_pollution")
    assert "已退回" in reply["text"]
    assert titles(reply)[0] == "非常满意"
    assert state(resolved) == "reopened"
    assert sent() == [("REOPEN", "市民要求重办：晚上照样冒烟")]
    assert all(talk.slots[slot] is None for slot in ("reopen_reason", "reopen_target"))


@pytest.mark.parametrize(
    ("text", "intent"),
    [("还是老样子", "chitchat"), ("没人来处理", "check_ticket"), ("又开始漏了", "cancel"),
     ("你们糊弄人", "complain_bot"), ("不满意", "rate_ticket"),
     ("护照图都糊了没处理", "ask_service")],
)  # fmt: skip
def test_whatever_a_reason_sounds_like_it_is_taken(
    talk: Talk, resolved: str, text: str, intent: str
) -> None:
    talk.press(validate_reopen_form, "reopen_ticket", ticket_id=resolved)
    talk.slots["requested_slot"] = "reopen_reason"
    talk.do(validate_reopen_form, text, intent)
    assert talk.slots["reopen_reason"] == text


@pytest.mark.parametrize(
    ("text", "intent"), [("算了", "cancel"), ("转人工", "ask_human"), ("煤气还在漏", "emergency")]
)
def test_what_is_no_reason_interrupts(
    talk: Talk, tracker: Trackers, resolved: str, text: str, intent: str
) -> None:
    talk.press(validate_reopen_form, "reopen_ticket", ticket_id=resolved)
    slots = {**talk.slots, "requested_slot": "reopen_reason"}
    met = tracker(text, intent, slots=slots, loop="reopen_form", sender=ME)
    (event,) = validate_reopen_form(CollectingDispatcher(), met)
    assert event["event"] == "action_execution_rejected"


def test_a_photo_alone_is_a_reason(talk: Talk, resolved: str) -> None:
    with unit_of_work() as session:
        photo = save_media(session, ME, b"jpeg", "image/jpeg", None).id
    talk.press(validate_reopen_form, "reopen_ticket", ticket_id=resolved)
    talk.slots |= {
        "requested_slot": "reopen_reason",
        "pending_photos": [{"id": photo, "at": time.time()}],
    }
    talk.press(validate_reopen_form, "attach")
    talk.press(action_reopen_ticket, "attach")
    assert sent()[0][1] == "市民要求重办：市民发来照片，说明问题没有解决。"


@pytest.mark.parametrize(
    ("action", "intent"),
    [
        (action_rate_ticket, "rate_ticket"),
        (action_small_talk, "complain_bot"),
        (action_small_talk, "chitchat"),
        (action_bare_answer, "deny"),
        (action_clarify, "nlu_fallback"),
        (action_nothing_open, "cancel"),
    ],
)
def test_typed_words_are_asked_back_about_and_become_the_reason(
    talk: Talk, resolved: str, action: Handler, intent: str
) -> None:
    reply = talk.do(action, "根本没弄好，还在漏", intent)
    assert titles(reply) == ["没解决，重新办", "不用了"]
    assert state(resolved) == "resolved"
    talk.do(action_bare_answer, "对，退回去", "affirm")
    assert talk.follows == ["reopen_form"]
    talk.do(validate_reopen_form, "对，退回去", "affirm")
    talk.do(action_reopen_ticket, "对，退回去", "affirm")
    assert sent() == [("REOPEN", "市民要求重办：根本没弄好，还在漏")]


def test_no_after_all_leaves_it(talk: Talk, resolved: str) -> None:
    talk.do(action_rate_ticket, "还在漏", "rate_ticket")
    assert "不退回" in talk.do(action_bare_answer, "不用了", "deny")["text"]
    talk.press(validate_reopen_form, "reopen_ticket", ticket_id=resolved)
    assert "保持原样" in talk.press(action_cancel_reopen, "cancel")["text"]
    assert (state(resolved), sent()) == ("resolved", [])


def test_the_second_time_a_person_is_named_and_the_words_go_on(talk: Talk, resolved: str) -> None:
    talk.press(validate_reopen_form, "reopen_ticket", ticket_id=resolved)
    talk.slots |= {"requested_slot": None, "reopen_reason": "还在冒"}
    talk.do(action_reopen_ticket, "还在冒")
    pressed = talk.press(validate_reopen_form, "reopen_ticket", ticket_id=resolved)
    assert pressed == {}
    assert "正在办理" in talk.press(action_reopen_ticket, "reopen_ticket")["text"]
    desk(f"ext-{resolved}", "FIXED", "又清洗了")
    talk.press(validate_reopen_form, "reopen_ticket", ticket_id=resolved)
    assert "12345" in talk.press(action_ask_reopen_reason, "reopen_ticket")["text"]
    talk.slots["requested_slot"] = "reopen_reason"
    talk.do(validate_reopen_form, "还是一样")
    reply = talk.do(action_reopen_ticket, "还是一样")
    assert "12345" in reply["text"]
    assert titles(reply) == ["转人工"]
    typed = talk.do(action_rate_ticket, "根本没弄好", "rate_ticket")
    assert "12345" in typed["text"]
    assert sent()[1:] == [("", "市民反馈：还是一样"), ("", "市民反馈：根本没弄好")]
    assert state(resolved) == "resolved"


@pytest.mark.parametrize(("status", "words"), [("rejected", "不予受理"), ("withdrawn", "已撤回")])
def test_what_is_over_cannot_be_sent_back(
    talk: Talk, resolved: str, status: str, words: str
) -> None:
    with unit_of_work() as session:
        session.get_one(Ticket, resolved).status = status
    talk.press(validate_reopen_form, "reopen_ticket", ticket_id=resolved)
    assert talk.slots["requested_slot"] is None  # the form ends at once
    reply = talk.press(action_reopen_ticket, "reopen_ticket")
    assert words in reply["text"]
    assert "重新反映" in titles(reply)


# --- ratings and supplements --------------------------------------------------------------


def test_a_bad_rating_offers_to_send_it_back_once(talk: Talk, resolved: str) -> None:
    reply = talk.do(action_rate_ticket, "不满意，还在漏", "rate_ticket")
    assert titles(reply) == ["没解决，重新办"]
    talk.press(validate_reopen_form, "reopen_ticket", ticket_id=resolved)
    assert talk.slots["reopen_reason"] == "不满意，还在漏"
    talk.press(action_reopen_ticket, "reopen_ticket")
    assert state(resolved) == "reopened"
    reply = talk.press(action_rate_ticket, "rate_ticket", ticket_id=resolved, score="1")
    assert titles(reply) == []


def test_a_good_rating_of_an_open_end_asks_whether_it_is_solved(talk: Talk, resolved: str) -> None:
    reply = talk.do(action_rate_ticket, "满意", "rate_ticket")
    assert titles(reply) == ["已解决", "没解决，重新办"]
    with unit_of_work() as session:
        assert session.get_one(Ticket, resolved).rating == 4


def test_a_supplement_to_a_handled_case_may_send_it_back(talk: Talk, resolved: str) -> None:
    talk.slots |= {"ticket_id": resolved, "supplement_words": "今天又有人来倒油"}
    reply = talk.do(action_supplement_ticket, "今天又有人来倒油", "supplement_ticket")
    assert sent() == [("", "市民补充：今天又有人来倒油")]
    assert titles(reply) == ["已解决", "没解决，重新办"]
    talk.press(validate_reopen_form, "reopen_ticket", ticket_id=resolved)
    assert talk.slots["reopen_reason"] == "今天又有人来倒油"


def test_a_supplement_to_a_closed_case_is_not_lost(talk: Talk, resolved: str) -> None:
    talk.press(action_confirm_solved, "confirm_solved", ticket_id=resolved)
    talk.slots |= {"ticket_id": resolved, "supplement_words": "又开始冒烟"}
    reply = talk.do(action_supplement_ticket, "又开始冒烟", "supplement_ticket")
    assert titles(reply) == ["没解决，重新办"]
    talk.press(validate_reopen_form, "reopen_ticket", ticket_id=resolved)
    talk.press(action_reopen_ticket, "reopen_ticket")
    assert sent()[-1] == ("REOPEN", "市民要求重办：又开始冒烟")

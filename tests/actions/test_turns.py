"""Single actions on real trackers, with an isolated store."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rasa_sdk import Tracker
from rasa_sdk.executor import CollectingDispatcher

from actions.conversation import action_keep_attachments, action_repeat
from actions.forms import COMPLAINT_INTERRUPTIONS, interrupts, rejects
from actions.policies import (
    action_ask_policy_done,
    action_update_profile,
    known_profile,
    validate_policy_form,
)
from actions.policy_search import Search
from actions.policy_subscriptions import action_forget_me, action_subscribe
from actions.registry import Handler
from actions.tickets import named_ticket, score_in, supplement_content
from actions.turn import Turn, next_message_only, payload
from channels.message import Card
from channels.payloads import is_payload

Trackers = Callable[..., Tracker]


def run(action: Handler, tracker: Tracker) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """What an action says, and the slots it sets."""
    dispatcher = CollectingDispatcher()
    events = action(dispatcher, tracker)
    slots = {event["name"]: event["value"] for event in events if event["event"] == "slot"}
    for message in dispatcher.messages:
        for button in message["buttons"]:
            assert is_payload(button["payload"]), button
        for card in message["custom"].get("cards", []):
            Card.model_validate(card)
    return dispatcher.messages, slots


# --- turns --------------------------------------------------------------------------------


def test_a_turn_holds_the_citizens_own_words(tracker: Trackers) -> None:
    given_text = "樓下油煙太大咯"
    turn = Turn.of(tracker("楼下油烟太大咯", metadata={"text": given_text, "message_id": "x"}))
    assert turn.text == given_text
    assert not turn.is_button
    assert turn.citizen_id == "api:c-1"


def test_a_button_has_no_words(tracker: Trackers) -> None:
    pressed = payload("choose_place", place="0")
    turn = Turn.of(tracker(pressed, "choose_place", entities={"place": "0"}))
    assert (turn.text, turn.is_button, turn.entity("place")) == ("", True, "0")
    assert turn.entity("category") is None


def test_a_bare_photo_is_no_button(tracker: Trackers) -> None:
    turn = Turn.of(tracker("/attach", "attach", metadata={"text": "", "photos": ["p"]}))
    assert (turn.text, turn.is_button) == ("", False)


def test_a_turn_of_an_empty_tracker() -> None:
    empty = Tracker("c", {}, {}, [], False, None, {}, None)
    turn = Turn.of(empty)
    assert (turn.intent, turn.text, turn.message_id, turn.entities) == ("", "", "", ())


def test_several_places(tracker: Trackers) -> None:
    found = tracker("春风里和文昌路")
    found.latest_message["entities"] = [
        {"entity": "location", "value": "春风里"},
        {"entity": "location", "value": "文昌路"},
    ]
    assert Turn.of(found).values("location") == ("春风里", "文昌路")


@given(st.from_regex(r"[a-z_]{1,20}", fullmatch=True), st.dictionaries(st.text(), st.text()))
def test_payloads_are_rasas(intent: str, entities: dict[str, str]) -> None:
    built = payload(intent, **entities) if "intent" not in entities else payload(intent)
    assert built.startswith(f"/{intent}")


# --- tickets ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "score"),
    [
        ("非常满意", 5),
        ("满意", 4),
        ("不满意", 2),
        ("非常不满意", 1),
        ("很不满意", 1),
        ("基本满意", 3),
        ("一般般吧", 3),
        ("给4分", 4),
        ("打两分", 2),
        ("办得挺好，谢谢", 5),
        ("根本没解决就结案了", 1),
        ("不太满意", 1),
        ("不是很满意", 1),
        ("没有很满意", 1),
        ("谢谢，但问题还在", 1),
        ("15分钟就来人了，没处理", 1),
        ("态度不错，一般吧", 3),
        ("我要评价", None),
        ("", None),
    ],
)
def test_scores_in_words(text: str, score: int | None) -> None:
    assert score_in(text) == score


@given(st.text())
def test_a_score_is_one_to_five(text: str) -> None:
    assert score_in(text) in {None, 1, 2, 3, 4, 5}


@pytest.mark.parametrize(
    ("text", "content"),
    [
        ("我要补充投诉", None),
        ("给刚才的工单补充一下情况", None),
        ("SM20261121000042我想再补充点材料", None),
        ("补充一下，现在晚上十二点还在排", "补充一下，现在晚上十二点还在排"),
        (" 店名叫老王烧烤 ", "店名叫老王烧烤"),
    ],
)
def test_what_a_supplement_says(text: str, content: str | None) -> None:
    assert supplement_content(text) == content


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("查一下SM20261121000042", "SM20261121000042"),
        ("sm20261121000042办到哪了", "SM20261121000042"),
        ("SM2026112100004", None),
        ("查我的投诉", None),
    ],
)
def test_ticket_numbers_are_found(tracker: Trackers, text: str, number: str | None) -> None:
    assert named_ticket(Turn.of(tracker(text))) == number


# --- forms --------------------------------------------------------------------------------


def test_an_interruption_interrupts_once(tracker: Trackers) -> None:
    user = {"event": "user", "text": "护照怎么办"}
    own = {"event": "action", "name": "complaint_form"}
    answer = {"event": "action", "name": "action_answer_service"}

    def asks(events: list[dict[str, Any]], loop: str | None = "complaint_form") -> bool:
        found = tracker("护照怎么办", "ask_service", loop=loop, events=events)
        return rejects(found, "complaint_form", Turn.of(found))

    assert asks([user])
    assert asks([user, own])
    assert not asks([user, own, answer])
    assert not asks([user], loop=None)
    assert not asks([user], loop="policy_form")
    assert not asks([])


# --- conversation -------------------------------------------------------------------------


def test_attachments_of_any_message_are_kept(tracker: Trackers) -> None:
    point = {"latitude": 30.27, "longitude": 120.15, "source": "shared"}
    recent = {"id": "a", "at": time.time()}
    old = {"id": "o", "at": time.time() - 3600}
    slots = {"pending_photos": [old, recent], "misunderstood": 1}
    met = tracker(
        "你好", "greet", slots=slots, metadata={"photos": ["a", "b"], "locations": [point]}
    )
    _, kept = run(action_keep_attachments, met)
    assert [photo["id"] for photo in kept["pending_photos"]] == ["a", "b"]
    assert [place["point"] for place in kept["pending_locations"]] == [point]
    assert kept["misunderstood"] is None
    _, kept = run(action_keep_attachments, tracker("嗯嗯啊", "nlu_fallback"))
    assert kept["pending_photos"] is None
    assert "misunderstood" not in kept


def test_a_photo_with_a_service_question_is_not_kept_for_a_complaint(tracker: Trackers) -> None:
    asked = tracker("这个怎么补办", "ask_service", metadata={"photos": ["card"]})
    assert run(action_keep_attachments, asked)[1]["pending_photos"] is None
    inside = tracker(
        "要多久", "ask_duration", loop="complaint_form", metadata={"photos": ["smoke"]}
    )
    kept = run(action_keep_attachments, inside)[1]["pending_photos"]
    assert [photo["id"] for photo in kept] == ["smoke"]


@pytest.mark.parametrize(
    ("text", "confidence", "free_text", "expected"),
    [
        ("护照怎么办", 0.9, True, True),
        ("护照怎么办", 0.5, True, False),
        ("护照怎么办", 0.5, False, True),
        ("/ask_fee", 0.5, True, True),
    ],
)
def test_a_doubtful_question_is_an_answer_where_any_words_will_do(
    tracker: Trackers, text: str, confidence: float, free_text: bool, expected: bool
) -> None:
    turn = replace(Turn.of(tracker(text, "ask_service")), confidence=confidence)
    found = interrupts(turn, COMPLAINT_INTERRUPTIONS, free_text=free_text)
    assert found is expected


def test_a_value_for_the_next_message_lasts_one_message() -> None:
    kept = next_message_only({"text": "x", "for": None}, "m2")
    assert kept == {"text": "x", "for": "m2"}
    assert next_message_only(kept, "m2") == kept
    assert next_message_only(kept, "m3") is None
    assert next_message_only(None, "m1") is None


def test_the_last_reply_is_said_again(tracker: Trackers) -> None:
    events = [
        {"event": "user", "text": "你好"},
        {"event": "bot", "text": "旧的", "data": {}},
        {"event": "user", "text": "护照要多少钱"},
        {"event": "bot", "text": "120元", "data": {"buttons": None, "custom": None}},
        {"event": "bot", "text": "还有别的吗", "data": {}},
        {"event": "user", "text": "再说一遍"},
    ]
    messages, _ = run(action_repeat, tracker("再说一遍", "repeat", events=events))
    assert [message["text"] for message in messages] == ["120元", "还有别的吗"]
    messages, _ = run(action_repeat, tracker("再说一遍", "repeat"))
    assert "还没说什么" in messages[0]["text"]


# --- policies -----------------------------------------------------------------------------


class Talk:
    """A policy search as Rasa drives it: validate, then ask, slots carried over."""

    def __init__(self, tracker: Trackers, sender: str = "api:policy") -> None:
        self._tracker = tracker
        self._sender = sender
        self.slots: dict[str, Any] = {}

    def say(
        self, text: str, intent: str = "inform", entities: dict[str, str] | None = None
    ) -> dict[str, Any]:
        active = "policy_form" if self.slots.get("requested_slot") else None
        for action in (validate_policy_form, action_ask_policy_done):
            found = self._tracker(
                text, intent, slots=self.slots, loop=active, sender=self._sender, entities=entities
            )
            messages, slots = run(action, found)
            self.slots |= slots
        self.slots["requested_slot"] = "policy_done"
        reply: dict[str, Any] = messages[0]
        return reply

    @property
    def search(self) -> Search:
        return Search.model_validate(self.slots["policy_search"])


@pytest.mark.usefixtures("installation")
def test_the_first_question_is_for_whom(tracker: Trackers) -> None:
    talk = Talk(tracker)
    assert "给企业找" in talk.say("有什么补贴", "ask_policy")["text"]
    reply = talk.say(payload("choose_kind", kind="resident"), "choose_kind", {"kind": "resident"})
    assert talk.search.kind == "resident"
    assert talk.search.query == "有什么补贴"
    assert talk.search.asking is not None
    assert "加密保存" in reply["text"]


@pytest.mark.usefixtures("installation")
def test_facts_in_the_first_sentence_are_not_asked_again(tracker: Trackers) -> None:
    talk = Talk(tracker)
    talk.say("我们厂80个人，去年营收两千万，能领什么补贴", "ask_policy")
    assert talk.search.kind == "enterprise"
    known = known_profile("api:policy", "enterprise").attributes
    assert (known["headcount"], known["revenue_wan"]) == (80, 2000)
    assert talk.search.asking not in {"headcount", "revenue_wan"}


@pytest.mark.usefixtures("installation")
def test_an_answer_is_taken_and_the_next_thing_asked(tracker: Trackers) -> None:
    talk = Talk(tracker)
    talk.say("我妈82岁了能领什么补贴", "ask_policy")
    first = talk.search.asking
    assert first is not None
    reply = talk.say(
        payload("answer_profile", value="不清楚"), "answer_profile", {"value": "不清楚"}
    )
    assert talk.search.asking != first
    assert first in talk.search.asked
    assert first not in known_profile("api:policy", "resident").attributes
    assert reply["text"]


@pytest.mark.usefixtures("installation")
def test_nonsense_is_asked_once_more_and_then_left(tracker: Trackers) -> None:
    talk = Talk(tracker)
    talk.say("我妈82岁了能领什么补贴", "ask_policy")
    first = talk.search.asking
    assert talk.say("香蕉苹果大鸭梨")["text"].startswith("这个我没听明白")
    assert talk.search.asking == first
    talk.say("西瓜葡萄哈密瓜")
    assert talk.search.asking != first


@pytest.mark.usefixtures("installation")
def test_results_come_after_three_questions_or_on_demand(tracker: Trackers) -> None:
    talk = Talk(tracker)
    replies = [talk.say("我妈82岁了能领什么补贴", "ask_policy")]
    while not replies[-1]["custom"].get("cards"):
        assert len(replies) <= 4
        pressed = payload("answer_profile", value="不清楚")
        replies.append(talk.say(pressed, "answer_profile", {"value": "不清楚"}))
    assert "以受理部门审核为准" in replies[-1]["text"]
    early = Talk(tracker, "api:early")
    early.say("我妈82岁了能领什么补贴", "ask_policy")
    assert early.say("/show_results", "show_results")["custom"]["cards"]


@pytest.mark.usefixtures("installation")
def test_every_industry_leads_to_results(tracker: Trackers) -> None:
    """Scale is derived: its inputs are asked, whatever the industry."""
    for number, industry in enumerate(["工业", "餐饮业", "软件", "建筑业", "其他行业"]):
        talk = Talk(tracker, f"api:industry-{number}")
        talk.say("给公司找补贴", "ask_policy")
        for text in (industry, "80人", "2000万", "是", "不清楚", "没有", "3年"):
            assert talk.say(text)["text"]


@pytest.mark.usefixtures("installation")
def test_a_message_is_absorbed_once(tracker: Trackers) -> None:
    """The form runs twice for one message after an interruption."""
    found = tracker("我妈82岁了能领什么补贴", "ask_policy", sender="api:once")
    _, first = run(validate_policy_form, found)
    found.slots |= first
    _, second = run(validate_policy_form, found)
    assert second["policy_search"] == first["policy_search"]


@pytest.mark.usefixtures("installation")
def test_what_was_told_is_remembered_and_forgotten(tracker: Trackers) -> None:
    told = tracker("我今年82岁，本地户口", "update_profile")
    messages, _ = run(action_update_profile, told)
    assert "82" in messages[0]["text"]
    assert known_profile("api:c-1", "resident").attributes["age"] == 82
    assert "已为您登记" in run(action_subscribe, tracker())[0][0]["text"]
    assert "已经登记过" in run(action_subscribe, tracker())[0][0]["text"]
    messages, slots = run(action_forget_me, tracker("删除我的资料", "forget_me"))
    assert "都已删除" in messages[0]["text"]
    assert {"policy_search", "policy_id", "checklist_shown", "service_situation"} <= set(slots)
    assert not any(slots.values())
    assert not known_profile("api:c-1", "resident").attributes

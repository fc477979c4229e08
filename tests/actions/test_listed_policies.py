"""A policy of the list just shown, meant by its place: 第二个要什么材料."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from rasa_sdk import Tracker
from rasa_sdk.executor import CollectingDispatcher

from actions.conversation import action_bare_answer, action_clarify, action_small_talk
from actions.policies import (
    action_ask_policy_done,
    action_end_policy,
    action_policy_detail,
    validate_policy_form,
)
from actions.policy_search import Search
from actions.registry import Handler
from actions.services import action_answer_service

pytestmark = pytest.mark.usefixtures("installation")
Build = Callable[..., Tracker]
Slots = dict[str, Any]
WISH = "我妈82岁了，一个人住，本市户口，能领什么补贴"
TICKET = {
    "event": "bot",
    "text": "",
    "data": {"custom": {"cards": [{"kind": "ticket", "id": "S"}]}},
}


def run(action: Handler, met: Tracker) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return what is said, and the events."""
    dispatcher = CollectingDispatcher()
    events = action(dispatcher, met)
    return dispatcher.messages, events


def slots_of(events: list[dict[str, Any]]) -> Slots:
    return {event["name"]: event["value"] for event in events if event["event"] == "slot"}


@pytest.fixture
def shown(tracker: Build) -> Slots:
    """The slots after a list was shown in a search that goes on."""
    slots: Slots = {}
    for text, intent in ((WISH, "ask_policy"), ("/show_results", "show_results")):
        loop = "policy_form" if slots else None
        for action in (validate_policy_form, action_ask_policy_done):
            said, events = run(action, tracker(text, intent, slots=slots, loop=loop))
            slots |= slots_of(events)
        slots["requested_slot"] = "policy_done"
    cards = said[-1]["custom"]["cards"]
    assert (
        tuple(card["id"] for card in cards) == Search.model_validate(slots["policy_search"]).shown
    )
    assert len(cards) >= 2
    return slots


@pytest.fixture
def left(shown: Slots, tracker: Build) -> Slots:
    """The slots after the search has ended."""
    _, events = run(action_end_policy, tracker("就看到这里", "cancel", slots=shown))
    return {**shown, **slots_of(events), "requested_slot": None}


@pytest.mark.parametrize(
    ("action", "text", "intent", "place", "begins"),
    [  # as the model reads them
        (action_answer_service, "第一个怎么申请", "ask_service", 0, "去哪办："),
        (action_answer_service, "第二个要什么材料", "ask_materials", 1, "要准备"),
        (action_answer_service, "第一个多少钱", "ask_fee", 0, "能得到："),
        (action_policy_detail, "第一个截止到什么时候", "ask_policy_detail", 0, "申请时间："),
        (action_policy_detail, "最后一个能拿多少钱", "ask_policy_detail", -1, "能得到："),
        (action_small_talk, "第一项在哪办", "help", 0, "去哪办："),
        (action_bare_answer, "第二个呢", "inform", 1, "能得到："),
        (action_clarify, "第二个啥条件", "nlu_fallback", 1, "按您说的情况："),
    ],
)
def test_the_policy_at_that_place_is_told_what_was_asked_first(
    left: Slots, tracker: Build, action: Handler, text: str, intent: str, place: int, begins: str
) -> None:
    ids = Search.model_validate(left["policy_search"]).shown
    (said, *_), events = run(action, tracker(text, intent, slots=left))
    assert said["custom"]["cards"][0]["id"] == ids[place]
    assert said["text"].startswith(begins), said["text"]
    assert slots_of(events)["policy_id"] == ids[place]
    again = left | slots_of(events)
    (said, *_), _ = run(action_bare_answer, tracker("第一个呢", "inform", slots=again))
    assert said["custom"]["cards"][0]["id"] == ids[0]  # the list stays


@pytest.mark.parametrize("text", ["第一个孩子上户口怎么办", "第九个怎么申请"])
def test_other_words_find_what_they_name(left: Slots, tracker: Build, text: str) -> None:
    said, _ = run(action_answer_service, tracker(text, "ask_service", slots=left))
    kinds = {card["kind"] for message in said for card in message["custom"].get("cards", ())}
    assert "policy" not in kinds


def test_a_question_about_the_list_is_no_answer_in_a_search(shown: Slots, tracker: Build) -> None:
    ids = Search.model_validate(shown["policy_search"]).shown
    for text, intent in (("第二个要什么材料", "ask_materials"), ("第一个去哪申请", "ask_service")):
        asked = tracker(text, intent, slots=shown, loop="policy_form")
        asked.latest_message["intent"]["confidence"] = 0.5
        said, events = run(validate_policy_form, asked)
        assert said == []
        assert [event["event"] for event in events] == ["action_execution_rejected"]
    told = tracker("说说第二个", "inform", slots=shown, loop="policy_form")
    (said,), events = run(validate_policy_form, told)
    assert said["custom"]["cards"][0]["id"] == ids[1]
    search = Search.model_validate(slots_of(events)["policy_search"])
    assert search.asking == Search.model_validate(shown["policy_search"]).asking
    bare = tracker("第二个", "inform", slots=shown, loop="policy_form")
    assert run(validate_policy_form, bare)[0] == []  # perhaps the second answer


def test_tickets_shown_since_are_meant_instead(left: Slots, tracker: Build) -> None:
    user = {"event": "user", "text": "第一个呢"}
    met = tracker("第一个呢", "inform", slots=left, events=[TICKET, user])
    said, _ = run(action_bare_answer, met)
    assert not any(message["custom"].get("cards") for message in said)

"""Words that the model takes for something else, and what they find all the same."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from rasa_sdk import Tracker
from rasa_sdk.executor import CollectingDispatcher

from actions.checklist_start import action_start_checklist, answer_heard
from actions.checklists import action_my_checklist
from actions.closing import action_nothing_open
from actions.conversation import action_bare_answer, action_clarify, action_small_talk
from actions.policies import known_profile, validate_policy_form
from actions.policy_search import Search
from actions.registry import Handler
from actions.resources import catalogue
from actions.services import action_answer_service
from actions.tickets import action_rate_ticket

pytestmark = pytest.mark.usefixtures("installation")
Build = Callable[..., Tracker]
ME = "api:c-1"
ITEM = "id_card_replace"
NEAREST = "离我最近的？"


def run(action: Handler, tracker: Tracker) -> tuple[str, list[dict[str, Any]]]:
    """Return what is said, and the events."""
    dispatcher = CollectingDispatcher()
    events = action(dispatcher, tracker)
    return "\n".join(m["text"] or str(m["response"]) for m in dispatcher.messages), events


@pytest.mark.parametrize(
    ("action", "intent"),
    [
        (action_small_talk, "chitchat"),
        (action_small_talk, "out_of_scope"),
        (action_bare_answer, "inform"),
        (action_clarify, "nlu_fallback"),
    ],
)
def test_the_nearest_is_asked_of_the_item_spoken_of(
    tracker: Build, action: Handler, intent: str
) -> None:
    said, events = run(action, tracker(NEAREST, intent, slots={"service_id": ITEM}))
    assert said.startswith("把您的位置发给我")
    assert {"nearest_for": ITEM}.items() <= {
        event["name"]: event["value"] for event in events if event["event"] == "slot"
    }.items()


def test_the_nearest_of_nothing_and_inside_a_form_is_small_talk(tracker: Build) -> None:
    for found in (
        tracker(NEAREST, "chitchat"),
        tracker(NEAREST, "chitchat", slots={"service_id": ITEM}, loop="complaint_form"),
        tracker("最近天气好热啊，你那边热不热呀朋友", "chitchat", slots={"service_id": ITEM}),
    ):
        assert "utter_chitchat" in run(action_small_talk, found)[0]


def test_a_list_asked_for_in_words_begins_for_the_matter_spoken_of(tracker: Build) -> None:
    plain = next(i for i in catalogue().services if not i.variants)
    said, _ = run(action_my_checklist, tracker("建个清单", slots={"service_id": plain.id}))
    assert plain.name in said
    assert "还没有建过" not in said
    said, _ = run(action_my_checklist, tracker("我的清单", "my_checklist"))
    assert plain.name in said
    said, _ = run(action_my_checklist, tracker("建个清单", sender="api:c-2"))
    assert "还没有建过" in said


@pytest.mark.parametrize(("words", "taken"), [("好的", True), ("1办好了", False)])
def test_an_entry_ticked_too_early_is_no_yes(tracker: Build, words: str, taken: bool) -> None:
    begun = tracker("/start_checklist", "start_checklist", entities={"service_id": "newborn"})
    _, events = run(action_start_checklist, begun)
    slots = {event["name"]: event["value"] for event in events if event["event"] == "slot"}
    heard = answer_heard(CollectingDispatcher(), tracker(words, "affirm", slots=slots))
    assert (heard is not None) == taken


def test_something_else_told_in_a_search_is_noted_and_the_question_stays(tracker: Build) -> None:
    search = Search(kind="resident", asked=("is_low_income",), asking="is_low_income")
    slots = {
        "policy_search": search.model_dump(mode="json"),
        "requested_slot": "policy_done",
    }
    _, events = run(validate_policy_form, tracker("独居", slots=slots, loop="policy_form"))
    kept = events[-1]["value"]
    assert (kept["notes"], kept["asking"]) == (["noted"], "is_low_income")
    assert known_profile(ME, "resident").known("living_alone") is True
    _, events = run(validate_policy_form, tracker("哇啦哇啦", slots=slots, loop="policy_form"))
    assert events[-1]["value"]["notes"] == ["not_understood"]


def test_no_window_is_wanted(tracker: Build) -> None:
    slots = {"service_id": "passport"}
    said, _ = run(action_answer_service, tracker("不约了", "ask_appointment", slots=slots))
    assert said == "好的，先不约。想约的时候随时说。"


def test_ones_own_appointments_are_none_also_after_an_item(tracker: Build) -> None:
    slots = {"service_id": "passport"}
    said, _ = run(action_answer_service, tracker("我的预约", "ask_appointment", slots=slots))
    assert "没有预约" in said


def test_never_mind_may_go_back_to_the_matter_before(tracker: Build) -> None:
    slots = {"service_id": "passport", "service_trail": [ITEM, "passport"]}
    said, _ = run(action_nothing_open, tracker("算了，说回前面的", "cancel", slots=slots))
    item = catalogue().service(ITEM)
    assert item is not None
    assert item.name in said
    assert "utter_nothing_open" in run(action_nothing_open, tracker("算了", "cancel"))[0]


def test_going_back_to_the_only_matter_stays_with_it(tracker: Build) -> None:
    slots = {"service_id": ITEM, "service_trail": [ITEM]}
    words = "还是说回刚才那个身份证，要多少钱"
    said, _ = run(action_answer_service, tracker(words, "ask_fee", slots=slots))
    assert "40元" in said


def test_one_by_one_is_no_rating(tracker: Build) -> None:
    assert "先说第一件" in run(action_rate_ticket, tracker("分开报", "rate_ticket"))[0]
    assert "办结" in run(action_rate_ticket, tracker("我要打分", "rate_ticket"))[0]

"""What citizens do with notices of policies: subscribe, answer with a button, stop."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from rasa_sdk import Tracker
from rasa_sdk.executor import CollectingDispatcher

from actions.policies import (
    action_policy_detail,
    action_subscribe,
    action_unsubscribe,
    action_update_profile,
    known_profile,
    learn,
)
from actions.resources import catalogue
from channels.payloads import is_payload
from matcher.notices.ages import years_between
from matcher.profile import parse_profile
from matcher.ranking import Scope, match
from store.database import unit_of_work
from store.models import utc_now
from store.notice_contacts import save_contact
from store.notices import feedback_of
from store.people import channels_of, read_told
from store.tickets import city_day

pytestmark = pytest.mark.usefixtures("installation")
Build = Callable[..., Tracker]
ME = "api:c-1"


def run(action: Callable[..., Any], tracker: Tracker) -> dict[str, Any]:
    dispatcher = CollectingDispatcher()
    action(dispatcher, tracker)
    (said,) = dispatcher.messages
    for button in said["buttons"]:
        assert is_payload(button["payload"])
    return said


def said_of_policies() -> dict[str, str]:
    with unit_of_work() as session:
        return feedback_of(session, ME)


def test_subscribing_says_what_it_means_and_unsubscribing_ends_this_channel(
    tracker: Build,
) -> None:
    text = run(action_subscribe, tracker())["text"]
    assert "每7天最多3条" in text
    assert "21点到次日8点不打扰" in text
    with unit_of_work() as session:
        save_contact(session, ME, "email", "a@example.com", None, "form", utc_now())
    ended = run(action_unsubscribe, tracker("退订", "unsubscribe_policies"))
    assert "已取消订阅" in ended["text"]
    assert "邮箱" in ended["text"]
    with unit_of_work() as session:
        assert channels_of(session, ME) == ("email",)


@pytest.mark.parametrize(
    "how", [{"text": "全部退订"}, {"text": "", "entities": {"value": "all"}}], ids=str
)
def test_everything_stops_at_a_word(tracker: Build, how: dict[str, Any]) -> None:
    run(action_subscribe, tracker())
    with unit_of_work() as session:
        save_contact(session, ME, "email", "a@example.com", None, "form", utc_now())
    ended = run(action_unsubscribe, tracker(intent="unsubscribe_policies", **how))
    assert ended["buttons"] == []
    with unit_of_work() as session:
        assert channels_of(session, ME) == ()


@pytest.mark.parametrize(("word", "says"), [("applied", "已申请"), ("declined", "不再提醒")])
def test_a_button_of_a_notice_is_kept(tracker: Build, word: str, says: str) -> None:
    policy = catalogue().policies[0]
    pressed = tracker(
        f'/choose_policy{{"policy_id": "{policy.id}"}}',
        "choose_policy",
        entities={"policy_id": policy.id, "value": word},
    )
    assert says in run(action_policy_detail, pressed)["text"]
    assert said_of_policies() == {policy.id: word}
    looked = tracker("/choose_policy{}", "choose_policy", entities={"policy_id": policy.id})
    titles = [button["title"] for button in run(action_policy_detail, looked)["buttons"]]
    assert ("已申请" in titles) == (word != "applied")
    assert said_of_policies() == {policy.id: word}


def test_what_is_not_interesting_comes_last_and_what_was_applied_for_is_gone() -> None:
    profile = parse_profile(
        {"kind": "resident", "id": "x", "attributes": {"age": 85, "hukou": "local"}}
    )
    found = [m for m in match(catalogue(), profile) if m.evaluation.verdict == "eligible"]
    assert len(found) >= 2
    first = found[0].policy.id
    declined = match(catalogue(), profile, scope=Scope(declined=frozenset({first})))
    order = [m.policy.id for m in declined if m.evaluation.verdict == "eligible"]
    assert order[-1] == first
    received = match(catalogue(), profile, scope=Scope(received=frozenset({first})))
    assert first not in [m.policy.id for m in received]


def test_a_birth_date_is_kept_and_counts_on(tracker: Build) -> None:
    said = run(action_update_profile, tracker("我1946年3月5日出生", "update_profile"))
    today = city_day(utc_now())
    years = years_between(date(1946, 3, 5), today)
    assert f"{years}岁" in said["text"]
    assert known_profile(ME, "resident").attributes["age"] == years
    with unit_of_work() as session:
        assert read_told(session, ME, "test").birth == date(1946, 3, 5)
    assert learn(ME, "resident", {"age": 60})  # the newer word counts
    assert known_profile(ME, "resident").attributes["age"] == 60

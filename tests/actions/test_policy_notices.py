"""What citizens do with notices of policies: subscribe, answer with a button, stop."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, timedelta
from typing import Any

import pytest
from rasa_sdk import Tracker
from rasa_sdk.executor import CollectingDispatcher

from actions.conversation import action_small_talk
from actions.policies import (
    action_ask_policy_done,
    action_policy_detail,
    action_update_profile,
    known_profile,
    learn,
)
from actions.policy_subscriptions import action_subscribe, action_unsubscribe
from actions.resources import catalogue
from channels.payloads import is_payload
from matcher.notices.ages import years_between
from matcher.policy import Policy, Window
from matcher.profile import parse_profile
from matcher.ranking import Scope, match
from store.database import unit_of_work
from store.feedback import feedback_of, reminders_of
from store.models import utc_now
from store.notice_contacts import save_contact
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


@pytest.mark.parametrize(
    ("district", "words", "told"),
    [
        ("江南区", "第三胎给多少钱", "江南区"),
        ("云东区", "第三胎给多少钱", None),
        ("云东区", "江南区第三胎给多少钱", "江南区"),  # he names it
        (None, "第三胎给多少钱", "江南区"),  # where he lives is not known
        ("云西区", "民宿评级奖励有多少", "临山县"),  # nothing nearer fits: told with its title
    ],
)
def test_a_policy_of_another_district_is_not_told_for_ones_own(
    tracker: Build, district: str | None, words: str, told: str | None
) -> None:
    if district:
        learn(ME, "resident", {"district": district})
    said = run(action_policy_detail, tracker(words, "ask_policy_detail"))
    titles = [card["title"] for card in said["custom"]["cards"]] if said.get("custom") else []
    text = said["text"] + "".join(titles) + "".join(b["title"] for b in said["buttons"])
    assert ("江南区" in text or "临山县" in text) == (told is not None), text
    assert told is None or told in text


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


@pytest.fixture
def elderly() -> Iterator[Policy]:
    policy = catalogue().policy("elderly_allowance")
    assert policy is not None
    before = policy.window
    yield policy
    policy.__dict__["window"] = before


@pytest.mark.parametrize(
    ("days", "offered", "promised"),
    [
        (31, False, "还剩7、3、1天时提醒您"),
        (30, True, "还剩7、3、1天时提醒您"),
        (7, True, "还剩3、1天时提醒您"),
        (2, True, "还剩1天时提醒您"),
        (1, False, "马上就截止了"),
        (-1, False, "已经截止了"),
    ],
)
def test_a_deadline_is_told_and_a_reminder_offered(
    tracker: Build, elderly: Policy, days: int, offered: bool, promised: str
) -> None:
    today = city_day(utc_now())
    elderly.__dict__["window"] = Window(closes=today + timedelta(days=days))
    looked = run(
        action_policy_detail,
        tracker("/choose_policy{}", "choose_policy", entities={"policy_id": elderly.id}),
    )
    titles = [button["title"] for button in looked["buttons"]]
    assert ("到期前提醒我" in titles) is offered
    assert (f"还有{days}天截止" in looked["text"]) is (0 < days <= 30)
    press = {"policy_id": elderly.id, "value": "remind"}
    pressed = tracker("/choose_policy{}", "choose_policy", entities=press)
    assert promised in run(action_policy_detail, pressed)["text"]
    with unit_of_work() as session:
        assert reminders_of(session, ME) == ({elderly.id} if days >= 0 else set())
        assert channels_of(session, ME) == ()  # one reminder is no subscription
    again = run(
        action_policy_detail,
        tracker("/choose_policy{}", "choose_policy", entities={"policy_id": elderly.id}),
    )
    if days >= 0:
        assert "到期前提醒我" not in [button["title"] for button in again["buttons"]]
    run(action_unsubscribe, tracker("退订", "unsubscribe_policies"))
    with unit_of_work() as session:
        assert reminders_of(session, ME) == frozenset()


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


@pytest.mark.parametrize(
    "words", ["这两个能一起拿吗", "哪个划算", "能同时享受吗", "选哪个好一点，哪个更好"]
)
def test_which_of_two_is_answered_with_both_side_by_side(tracker: Build, words: str) -> None:
    assert learn(ME, "resident", {"age": 26, "hukou": "local", "education": "master"})
    asked = tracker(words, "ask_policy_detail", slots={"policy_id": "mortgage_deduction"})
    first, *blocks = run(action_policy_detail, asked)["text"].split("\n")
    assert first.endswith("不能同时享受，只能选一项：")
    for name in ("mortgage_deduction", "rent_deduction"):
        policy = catalogue().policy(name)
        assert policy is not None
        assert policy.title in first
        assert f"· {policy.title}" in blocks
    alone = tracker(words, "ask_policy_detail", slots={"policy_id": "elderly_allowance"})
    assert "没有写明" in run(action_policy_detail, alone)["text"]


def test_which_of_a_list_is_answered_from_the_search(tracker: Build) -> None:
    assert learn(ME, "resident", {"age": 85, "hukou": "local"})
    slots = {"policy_search": {"kind": "resident"}}
    text = run(action_policy_detail, tracker("这几个能一起领吗", "ask_policy_detail", slots=slots))[
        "text"
    ]
    assert "可以分别申请" in text or "只能选一项" in text


def test_what_is_only_just_missed_is_told_after_the_list(tracker: Build) -> None:
    assert learn(ME, "resident", {"age": 79, "hukou": "local", "residence_months": 300})
    slots = {"policy_search": {"kind": "resident", "query": "老人补贴", "show": True}}
    said = run(action_ask_policy_done, tracker("老人补贴", "ask_policy", slots=slots))
    assert "还有只差一点的" in said["text"]
    assert 1 <= said["text"].count("您只差一个条件") <= 2


def test_a_question_that_seems_about_nothing_is_about_the_policies_just_told(
    tracker: Build,
) -> None:
    assert learn(ME, "resident", {"age": 26, "hukou": "local"})
    slots = {"policy_id": "mortgage_deduction"}
    asked = tracker("哪个划算", "out_of_scope", slots=slots)
    assert "只能选一项" in run(action_small_talk, asked)["text"]
    alone = CollectingDispatcher()
    action_small_talk(alone, tracker("哪个划算", "out_of_scope"))
    assert [said["response"] for said in alone.messages] == ["utter_out_of_scope"]


def test_a_list_shown_is_what_follows_is_about(tracker: Build) -> None:
    assert learn(ME, "resident", {"age": 85, "hukou": "local"})
    slots = {"policy_search": {"kind": "resident", "show": True}, "policy_id": "rent_deduction"}
    events = action_ask_policy_done(
        CollectingDispatcher(), tracker("", "show_results", slots=slots)
    )
    assert {"policy_id": None}.items() <= {e["name"]: e["value"] for e in events}.items()


def test_a_reminder_asked_for_in_words_is_no_subscription(tracker: Build, elderly: Policy) -> None:
    today = city_day(utc_now())
    elderly.__dict__["window"] = Window(closes=today + timedelta(days=20))
    slots = {"policy_id": elderly.id}
    asked = tracker("到期前提醒我一下", "subscribe_policies", slots=slots)
    assert "天时提醒您" in run(action_subscribe, asked)["text"]
    with unit_of_work() as session:
        assert reminders_of(session, ME) == {elderly.id}
        assert channels_of(session, ME) == ()
    general = tracker("有新政策提醒我", "subscribe_policies", slots=slots)
    assert "已为您登记" in run(action_subscribe, general)["text"]

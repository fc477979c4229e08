"""Ratings of answers and the questions that found none, on real trackers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from rasa_sdk import Tracker
from rasa_sdk.executor import CollectingDispatcher
from sqlalchemy.orm import Session

from actions.conversation import (
    action_bare_answer,
    action_keep_attachments,
    action_small_talk,
)
from actions.people import action_hand_over
from actions.policies import (
    action_ask_policy_done,
    action_end_policy,
    action_policy_detail,
    learn,
)
from actions.policy_search import Search
from actions.quality import action_rate_answer
from actions.quality_log import QualityLog, quality_log
from actions.registry import Handler
from actions.resources import catalogue
from actions.services import action_answer_service
from base.calendar import city_today
from channels.payloads import is_payload
from store.answer_quality import (
    POLICY_SEARCH,
    Figures,
    count,
    figures,
    policy_key,
    read_unanswered,
)
from store.database import reading, unit_of_work
from store.models import utc_now

Trackers = Callable[..., Tracker]
ASKED = "对您有用吗"


class Talk:
    """A conversation: the slots an action sets are there for the next message."""

    def __init__(self, build: Trackers) -> None:
        self._build = build
        self.slots: dict[str, Any] = {}
        self.loop: str | None = None

    def say(self, action: Handler, text: str, intent: str, **entities: str) -> list[dict[str, Any]]:
        tracker = self._build(text, intent, entities=entities, loop=self.loop)
        for step in (action_keep_attachments, action):
            tracker.slots = dict(self.slots)
            dispatcher = CollectingDispatcher()
            events = step(dispatcher, tracker)
            self.slots |= {e["name"]: e["value"] for e in events if e["event"] == "slot"}
        for message in dispatcher.messages:
            assert all(is_payload(button["payload"]) for button in message["buttons"])
        return list(dispatcher.messages)

    def press(self, action: Handler, intent: str, **entities: str) -> list[dict[str, Any]]:
        return self.say(action, f"/{intent}", intent, **entities)

    def ask(self, text: str, intent: str = "ask_service") -> list[dict[str, Any]]:
        return self.say(action_answer_service, text, intent)

    def rate(self, **entities: str) -> list[dict[str, Any]]:
        return self.press(action_rate_answer, "rate_answer", **entities)


@pytest.fixture
def talk(installation: None, tracker: Trackers) -> Iterator[Talk]:
    yield Talk(tracker)
    quality_log().settle()


def found(name: str) -> Figures:
    quality_log().settle()
    with reading() as session:
        return figures(session, city_today()).get(name, Figures())


def kept() -> list[tuple[str, str, tuple[str, ...]]]:
    quality_log().settle()
    with unit_of_work() as session:
        rows = read_unanswered(session, utc_now() - timedelta(days=1), "test", 10)
    return [(row.kind, row.words, tuple(name for name, _ in row.candidates)) for row in rows]


def asks(messages: list[dict[str, Any]]) -> bool:
    return any(ASKED in (message["text"] or "") for message in messages)


def known_item(talk: Talk) -> str:
    """Ask about an item that asks for no situation; return its id."""
    item = next(i for i in catalogue().services if not i.variants)
    assert not asks(talk.press(action_answer_service, "choose_service", service_id=item.id))
    return item.id


def test_the_second_answer_asks_once(talk: Talk) -> None:
    name = known_item(talk)
    second = talk.press(action_answer_service, "ask_fee", service_id=name)
    assert asks(second)
    assert [b["title"] for b in second[-1]["buttons"]] == ["有用", "没帮上忙"]
    assert not asks(talk.press(action_answer_service, "ask_duration", service_id=name))
    assert not asks(talk.say(action_small_talk, "谢谢", "thank"))
    assert found(name).answers == 3


@pytest.mark.parametrize(("words", "intent"), [("谢谢你", "thank"), ("再见", "goodbye")])
def test_thanks_right_after_an_answer_ask(talk: Talk, words: str, intent: str) -> None:
    known_item(talk)
    assert asks(talk.say(action_small_talk, words, intent))
    assert not asks(talk.say(action_small_talk, words, intent))


def test_thanks_for_something_else_do_not_ask(talk: Talk) -> None:
    known_item(talk)
    talk.say(action_small_talk, "你好", "greet")
    assert not asks(talk.say(action_small_talk, "谢谢", "thank"))


def test_a_form_is_not_interrupted_by_the_question(talk: Talk) -> None:
    talk.loop = "complaint_form"
    name = known_item(talk)
    assert not asks(talk.press(action_answer_service, "ask_fee", service_id=name))
    assert not asks(talk.say(action_small_talk, "谢谢", "thank"))


def test_useful_is_counted_once(talk: Talk) -> None:
    name = known_item(talk)
    talk.press(action_answer_service, "ask_fee", service_id=name)
    for _ in range(3):
        (reply,) = talk.rate(service_id=name, useful="yes")
        assert "谢谢" in reply["text"]
    assert (found(name).useful, found(name).useless) == (1, 0)


def test_useless_asks_why_once_and_records_it(talk: Talk) -> None:
    name = known_item(talk)
    talk.press(action_answer_service, "ask_fee", service_id=name)
    (why,) = talk.rate(service_id=name, useful="no")
    titles = [button["title"] for button in why["buttons"]]
    assert titles == ["说的不是这件事", "内容不对", "太长看不懂", "转人工"]
    (again,) = talk.rate(service_id=name, useful="no")
    assert not again["buttons"]
    (reply,) = talk.rate(service_id=name, useful="no", reason="wrong")
    assert "核对" in reply["text"]
    assert dict(found(name).reasons) == {"wrong": 1}


def test_a_person_is_named_and_a_long_answer_made_short(talk: Talk) -> None:
    name = known_item(talk)
    talk.say(action_small_talk, "谢谢", "thank")
    (person,) = talk.rate(service_id=name, useful="no", reason="human")
    assert "12345" in person["text"]
    (short,) = talk.rate(service_id=name, useful="no", reason="too_long")
    assert short["text"].startswith("好的，简单说：")
    assert dict(found(name).reasons) == {"too_long": 1}


@pytest.mark.parametrize(
    "entities",
    [{"useful": "yes"}, {"useful": "maybe"}, {"useful": "no", "reason": "x"}, {}],
)
def test_what_was_not_asked_changes_no_figure(talk: Talk, entities: dict[str, str]) -> None:
    item = catalogue().services[0].id
    (reply,) = talk.rate(service_id=item, **entities)
    assert reply["text"]
    assert found(item) == Figures()


def test_another_matter_keeps_the_question_for_the_editors(talk: Talk) -> None:
    words = "身份证丢了怎么补办"
    talk.ask(words)
    name = str(talk.slots["service_id"])
    talk.say(action_small_talk, "谢谢", "thank")
    talk.rate(service_id=name, useful="no", reason="other_matter")
    assert kept() == [("other_matter", words, (name,))]


def test_an_unknown_matter_is_kept_and_a_bare_question_is_not(talk: Talk) -> None:
    talk.ask("怎么办")
    assert kept() == []
    talk.ask("火星移民签证怎么申请，我手机13912345678")
    ((kind, words, _),) = kept()
    assert kind == "unknown"
    assert "13912345678" not in words


def test_what_others_handle_is_kept(talk: Talk) -> None:
    other = catalogue().elsewhere[0]
    talk.ask(other.name)
    assert kept() == [("elsewhere", other.name, (other.id,))]


@pytest.mark.parametrize("intent", ["ask_human", "deny"])
def test_none_of_those_offered_is_kept(talk: Talk, intent: str) -> None:
    words = "社保卡"
    talk.ask(words)
    offered = talk.slots["services_offered"]
    assert offered is not None, "the words must be ambiguous for this test"
    talk.say(action_small_talk, "谢谢", "thank")
    assert kept() == []
    talk.ask(words)
    talk.say(action_bare_answer if intent == "deny" else action_hand_over, "都不是", intent)
    ((kind, text, candidates),) = kept()
    assert (kind, text) == ("none_fits", words)
    assert len(candidates) == len(offered["candidates"]) >= 2


def test_a_person_right_after_an_answer_counts_as_hand_over(talk: Talk) -> None:
    name = known_item(talk)
    talk.press(action_hand_over, "ask_human")
    talk.press(action_hand_over, "ask_human")
    assert found(name).hand_overs == 1


def test_a_note_that_fails_takes_no_other_with_it(installation: None) -> None:
    log, day = QualityLog(), city_today()

    def fail(session: Session) -> None:
        count(session, "bad", day, answers=1)
        raise OSError("disk")

    log.later(lambda session: count(session, "before", day, answers=1))
    log.later(fail)
    log.later(lambda session: count(session, "after", day, answers=1))
    log.settle()
    with reading() as session:
        assert {name: row.answers for name, row in figures(session, day).items()} == {
            "before": 1,
            "after": 1,
        }


def test_notes_that_come_together_share_a_commit(installation: None) -> None:
    log, sessions = QualityLog(), []
    for _ in range(250):
        log.later(sessions.append)
    log.settle()
    assert len(sessions) == 250
    assert len(set(map(id, sessions))) <= 4  # the first alone at worst, then by the hundred


# --- policies -----------------------------------------------------------------------------

POLICY = "elderly_allowance"


def search(talk: Talk, *, shows: bool = True) -> None:
    """A search for policies in which a list is shown, or only asked for the first datum."""
    learn("api:c-1", "resident", {"age": 82, "hukou": "local"})
    talk.slots["policy_search"] = Search(kind="resident", show=shows).model_dump(mode="json")
    talk.loop = "policy_form"
    assert not asks(talk.say(action_ask_policy_done, "先看结果", "show_results"))
    talk.loop = None


def test_the_second_answer_about_a_policy_asks_once(talk: Talk) -> None:
    def tell() -> list[dict[str, Any]]:
        return talk.press(action_policy_detail, "choose_policy", policy_id=POLICY)

    assert not asks(tell())
    second = tell()
    assert asks(second)
    assert second[-1]["buttons"][0]["payload"] == (
        '/rate_answer{"policy_id": "elderly_allowance", "useful": "yes"}'
    )
    assert not asks(tell())
    talk.rate(policy_id=POLICY, useful="yes")
    figures_now = found(policy_key(POLICY))
    assert (figures_now.answers, figures_now.useful) == (3, 1)
    assert found(POLICY) == Figures(), "an item of the same id has figures of its own"


def test_a_policy_that_did_not_help_asks_why(talk: Talk) -> None:
    talk.press(action_policy_detail, "choose_policy", policy_id=POLICY)
    assert asks(talk.say(action_small_talk, "谢谢", "thank"))
    (why,) = talk.rate(policy_id=POLICY, useful="no")
    assert [b["title"] for b in why["buttons"]][:2] == ["说的不是这件事", "内容不对"]
    (short,) = talk.rate(policy_id=POLICY, useful="no", reason="too_long")
    policy = catalogue().policy(POLICY)
    assert policy is not None
    assert policy.benefit.text in short["text"]
    (wrong,) = talk.rate(policy_id=POLICY, useful="no", reason="wrong")
    assert "核对" in wrong["text"]
    assert dict(found(policy_key(POLICY)).reasons) == {"wrong": 1}


def test_the_end_of_a_search_asks_about_its_list_once(talk: Talk) -> None:
    search(talk)
    ended = talk.say(action_end_policy, "谢谢", "thank")
    assert asks(ended)
    assert "政策匹配" in ended[-1]["text"]
    talk.rate(policy_id="*", useful="no", reason="other_matter")
    assert dict(found(POLICY_SEARCH).reasons) == {"other_matter": 1}
    search(talk)
    assert not asks(talk.say(action_end_policy, "不用了", "cancel"))
    assert found(POLICY_SEARCH).answers == 2


def test_a_search_that_showed_nothing_is_not_asked_about(talk: Talk) -> None:
    search(talk, shows=False)
    assert not asks(talk.say(action_end_policy, "不看了", "cancel"))
    assert found(POLICY_SEARCH) == Figures()

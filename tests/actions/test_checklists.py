"""Checklists in the conversation, over the city's own guides and an isolated store."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest
from rasa_sdk import Tracker

from actions import checklists, resources
from actions.checklist_start import (
    MOST_SITUATIONS,
    action_answer_checklist,
    action_start_checklist,
)
from actions.checklists import (
    action_drop_checklist,
    action_my_checklist,
    action_tick_checklist,
)
from actions.conversation import action_bare_answer, action_clarify, action_keep_attachments
from actions.policy_subscriptions import action_forget_me
from actions.registry import Handler
from actions.services import action_answer_service
from channels.message import Card
from store.checklist_models import Checklist
from store.checklists import checklists_of, ticked
from store.database import unit_of_work
from tests.actions.test_turns import run

Trackers = Callable[..., Tracker]
ME = "api:parent"

pytestmark = pytest.mark.usefixtures("installation")


class Talk:
    """A conversation: slots carry over, every message runs what runs on every message."""

    def __init__(self, tracker: Trackers) -> None:
        self._tracker = tracker
        self.slots: dict[str, Any] = {}

    def act(self, action: Handler, text: str = "", intent: str = "inform",
            entities: dict[str, str] | None = None) -> list[dict[str, Any]]:  # fmt: skip
        found = self._tracker(text, intent, slots=self.slots, sender=ME, entities=entities)
        _, slots = run(action_keep_attachments, found)
        self.slots |= slots
        found.slots = self.slots
        messages, slots = run(action, found)
        self.slots |= slots
        return messages

    def press(self, button: dict[str, str]) -> list[dict[str, Any]]:
        match = re.fullmatch(r"/([a-z_]+)(\{.*\})?", button["payload"])
        assert match is not None
        actions: dict[str, Handler] = {
            "start_checklist": action_start_checklist,
            "answer_checklist": action_answer_checklist,
            "tick_checklist": action_tick_checklist,
            "my_checklist": action_my_checklist,
            "drop_checklist": action_drop_checklist,
        }
        entities = json.loads(match[2] or "{}")
        return self.act(actions[match[1]], button["payload"], match[1], entities)


@pytest.fixture
def talk(tracker: Trackers) -> Talk:
    return Talk(tracker)


def titled(messages: list[dict[str, Any]], part: str) -> dict[str, str]:
    buttons = [b for message in messages for b in message["buttons"] if part in b["title"]]
    assert buttons, (part, [b["title"] for m in messages for b in m["buttons"]])
    found: dict[str, str] = buttons[0]
    return found


def ticks() -> set[tuple[str, str]]:
    with unit_of_work() as session:
        return {key for row in checklists_of(session, ME) for key in ticked(row)}


def matters() -> list[str]:
    with unit_of_work() as session:
        return [row.matter_id for row in checklists_of(session, ME)]


def unsure(talk: Talk, messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Go on to the list without telling the situation."""
    for _ in range(MOST_SITUATIONS):
        if "看情况不一样" in messages[-1]["text"]:
            messages = talk.press(titled(messages, "说不准"))
    return messages


def newborn(talk: Talk, needed: str = "生育津贴") -> list[dict[str, Any]]:
    """A checklist of the package, begun from its answer; only one optional step is needed."""
    messages = talk.act(action_answer_service, entities={"service_id": "newborn"}, text="/x",
                        intent="choose_service")  # fmt: skip
    messages = talk.press(titled(messages, "建个清单"))
    while "您家是这种情况吗" in messages[-1]["text"]:
        wanted = needed in messages[-1]["text"]
        messages = talk.press(titled(messages, "是，要办" if wanted else "不是"))
    return unsure(talk, messages)


def test_a_package_asks_what_only_some_need_and_lists_the_rest(talk: Talk) -> None:
    messages = newborn(talk)
    text = messages[-1]["text"]
    assert text.startswith("“新生儿出生一件事”的清单：材料 0/8，步骤 0/5。")
    assert "下一步：出生医学证明首次签发" in text
    assert len(messages[-1]["buttons"]) <= 8
    assert "☐ 1. 居民身份证" in text
    (card,) = messages[-1]["custom"]["cards"]
    address = Card.model_validate(card).fields["打印和保存"]
    assert re.search(r"/checklist/[\w-]{32}\?expires=\d+&signature=[0-9a-f]{64}$", address)
    assert matters() == ["newborn"]


def test_words_answer_the_question_just_asked(talk: Talk) -> None:
    talk.act(action_answer_service, "/x", "choose_service", {"service_id": "newborn"})
    messages = talk.act(action_start_checklist, "/x", "start_checklist", {"service_id": "newborn"})
    asked = 0
    while "您家是这种情况吗" in messages[-1]["text"]:
        asked += 1
        intent, words = [("affirm", "对"), ("deny", "不是"), ("inform", "没有")][asked % 3]
        messages = talk.act(action_bare_answer, words, intent)
    assert asked == 4
    asked, answers = 0, ["在医院生的", "说不准", "不清楚"]
    while "看情况不一样" in messages[-1]["text"]:
        messages = talk.act(action_bare_answer, answers[asked], "inform")
        asked += 1
    assert asked >= 2
    assert "的清单" in messages[-1]["text"]
    messages = talk.act(action_bare_answer, "不是", "deny")  # nothing is asked any more
    assert "清单" not in messages[-1]["text"]


def test_a_question_left_for_another_matter_is_answered_later_by_its_button(talk: Talk) -> None:
    messages = talk.act(action_start_checklist, "/x", "start_checklist", {"service_id": "newborn"})
    messages = talk.press(titled(messages, "不是"))
    second = titled(messages, "是，要办")
    talk.act(action_answer_service, "身份证丢了怎么补办", "ask_service")
    messages = talk.act(action_bare_answer, "是的", "affirm")
    assert "您家是这种情况吗" not in messages[-1]["text"]
    messages = talk.press(second)  # the answers given before still count
    assert "还有2个小问题" in messages[-1]["text"]


def test_ticking_by_button_and_back(talk: Talk) -> None:
    messages = newborn(talk)
    messages = talk.press(titled(messages, "☐ 居民身份证"))
    assert "材料 1/8" in messages[-1]["text"]
    assert "☑ 1. 居民身份证" in messages[-1]["text"]
    again = titled(messages, "☑ 居民身份证")
    messages = talk.press(again)
    assert ticks() == set()
    messages = talk.press(again)  # an old button pressed twice changes nothing more
    assert ticks() == set()
    messages = talk.press(titled(messages, "下一页"))
    assert "要办的步骤" in messages[-1]["text"]
    messages = talk.press(titled(messages, "☐ 出生医学证明首次签发"))
    assert "步骤 1/5" in messages[-1]["text"]
    assert "下一步：新生儿出生登记" in messages[-1]["text"]


@pytest.mark.parametrize(
    ("action", "intent"),
    [(action_bare_answer, "inform"), (action_bare_answer, "affirm"),
     (action_answer_service, "ask_service"), (action_answer_service, "ask_materials"),
     (action_clarify, "nlu_fallback")],
)  # fmt: skip
def test_words_tick_wherever_the_model_sends_them(talk: Talk, action: Handler, intent: str) -> None:
    newborn(talk)
    messages = talk.act(action, "户口本有了", intent)
    assert "材料 1/8" in messages[-1]["text"]
    messages = talk.act(action, "第一步办完了", intent)
    assert "步骤 1/5" in messages[-1]["text"]
    assert ticks() == {("material", "居民户口簿"), ("step", "birth_certificate")}


def test_unclear_words_are_asked_about(talk: Talk) -> None:
    newborn(talk)
    messages = talk.act(action_bare_answer, "证明有了", "inform")
    assert "哪一样" in messages[-1]["text"]
    talk.press(titled(messages, "监护关系证明"))
    assert ticks() == {("material", "监护关系证明")}


@pytest.mark.parametrize("words", ["身份证准备好了吗", "楼下烧烤店的油烟又有了", "噪音没有了"])
def test_questions_and_complaints_tick_nothing(talk: Talk, words: str) -> None:
    newborn(talk)
    talk.act(action_bare_answer, words, "inform")
    assert ticks() == set()


def test_words_are_not_heard_without_a_list_or_long_after(
    talk: Talk, monkeypatch: pytest.MonkeyPatch
) -> None:
    messages = talk.act(action_bare_answer, "户口本有了", "inform")
    assert "清单" not in messages[-1]["text"]
    newborn(talk)
    monkeypatch.setattr(checklists, "SHOWN_SECONDS", -1)
    talk.act(action_bare_answer, "户口本有了", "inform")
    assert ticks() == set()


def test_my_list_is_found_again_by_words_and_others_are_offered(talk: Talk) -> None:
    messages = talk.act(action_my_checklist, "我的清单", "my_checklist")
    assert "您还没有建过清单" in messages[-1]["text"]
    newborn(talk)
    unsure(talk, talk.act(action_start_checklist, "/x", "start_checklist",
                          {"service_id": "id_card_replace"}))  # fmt: skip
    assert matters() == ["id_card_replace", "newborn"]
    for action, intent in ((action_bare_answer, "inform"), (action_answer_service, "ask_service")):
        messages = talk.act(action, "看看我的清单", intent)
        assert "居民身份证补领" in messages[-1]["text"]
    messages = talk.press(titled(messages, "看新生儿出生一件事的清单"))
    assert "新生儿出生一件事" in messages[-1]["text"]


def test_a_single_item_has_a_list_from_its_materials(talk: Talk) -> None:
    messages = talk.act(action_answer_service, "补身份证要带什么材料", "ask_materials")
    titled(messages, "建个清单")
    options = ["age:minor", "origin:local"]
    while options and "choose_situation" in str(messages):
        messages = talk.act(
            action_answer_service,
            "/x",
            "choose_situation",
            {"service_id": "id_card_replace", "situation": options.pop(0)},
        )
    messages = talk.press(titled(messages, "建个清单"))
    assert "材料 0/3，步骤 0/1" in messages[-1]["text"]
    assert "监护关系证明" in messages[-1]["text"]


def test_the_situation_is_asked_before_the_list_when_it_changes_what_to_bring(talk: Talk) -> None:
    messages = talk.act(action_start_checklist, "/x", "start_checklist",
                        {"service_id": "id_card_replace"})  # fmt: skip
    assert "看情况不一样" in messages[-1]["text"]
    assert matters() == [], "nothing is kept before he has answered"
    assert [b["title"] for b in messages[-1]["buttons"]][-1] == "说不准"
    plain = unsure(talk, messages)
    adults = [b["title"] for b in plain[-1]["buttons"]]
    talk.press({"payload": '/drop_checklist{"service_id": "id_card_replace", "value": "delete"}'})
    messages = talk.act(action_start_checklist, "/x", "start_checklist",
                        {"service_id": "id_card_replace"})  # fmt: skip
    messages = talk.press(titled(messages, "未满16周岁"))
    messages = unsure(talk, messages)
    assert "监护关系证明" in messages[-1]["text"]
    assert [b["title"] for b in messages[-1]["buttons"]] != adults


def test_a_situation_told_later_changes_the_list(talk: Talk) -> None:
    newborn(talk)
    talk.press({"payload": '/tick_checklist{"service_id": "newborn", '
                '"entry": "material:居民身份证", "value": "1"}'})  # fmt: skip
    messages = talk.act(action_answer_service, "/x", "choose_situation", {
        "service_id": "birth_registration", "situation": "marriage:unmarried_mother"})  # fmt: skip
    assert "您的清单也按这种情况改好了" in messages[0]["text"]
    messages = talk.act(action_my_checklist, "/x", "my_checklist")
    assert "材料 1/9" in messages[-1]["text"]


def test_clearing_and_deleting_ask_first(talk: Talk) -> None:
    messages = newborn(talk)
    messages = talk.press(titled(messages, "☐ 居民身份证"))
    messages = talk.press(titled(messages, "清空或删除"))
    assert ticks()
    kept = messages
    messages = talk.press(titled(messages, "清空打勾"))
    assert ticks() == set()
    assert matters() == ["newborn"]
    messages = talk.press(titled(kept, "删除清单"))
    assert matters() == []
    messages = talk.press(titled(messages, "重新建一张"))
    assert "您家是这种情况吗" in messages[-1]["text"]


def test_forget_me_takes_the_list(talk: Talk) -> None:
    newborn(talk)
    messages = talk.act(action_forget_me, "删除我的资料", "forget_me")
    assert "清单" in messages[0]["text"]
    assert matters() == []
    assert talk.slots["checklist_shown"] is None


@contextmanager
def changed(**changes: Any) -> Iterator[None]:
    """The city's files with a changed item."""
    live = resources.live_catalogue()
    before = live.current
    services = tuple(
        item.model_copy(update=changes) if item.id == "medical_newborn" else item
        for item in before.services
    )
    live._current = replace(before, services=services)
    try:
        yield
    finally:
        live._current = before


def test_a_changed_file_keeps_ticks_and_says_what_went(talk: Talk) -> None:
    newborn(talk)
    talk.act(action_bare_answer, "身份证和照片都有了", "inform")
    item = resources.catalogue().service("social_card_apply")
    assert item is not None
    fresh = item.materials[0].model_copy(update={"name": "新生儿照片回执"})
    with changed(materials=(fresh,)):
        messages = talk.act(action_my_checklist, "/x", "my_checklist")
        assert "材料 2/9" in messages[-1]["text"]
    messages = talk.act(action_my_checklist, "/x", "my_checklist")
    assert "已从清单里去掉：新生儿照片回执" in messages[-1]["text"]
    assert ticks() == {("material", "居民身份证"), ("material", "证件照片")}
    assert "已从清单里去掉" not in talk.act(action_my_checklist, "/x", "my_checklist")[-1]["text"]


@pytest.mark.parametrize(
    "payload",
    [
        '/tick_checklist{"service_id": "newborn", "entry": "material:没有这样", "value": "1"}',
        '/tick_checklist{"service_id": "no_such"}',
        "/tick_checklist",
        '/answer_checklist{"service_id": "newborn", "entry": "birth_certificate", "value": "no"}',
        '/answer_checklist{"service_id": "id_card_replace", "entry": "x", "value": "yes"}',
        '/my_checklist{"service_id": "newborn", "value": "99"}',
        '/my_checklist{"service_id": "newborn", "value": "²"}',
        '/drop_checklist{"service_id": "no_such", "value": "delete"}',
        '/start_checklist{"service_id": "no_such"}',
        "/start_checklist",
    ],
)
def test_odd_buttons_are_answered_kindly(talk: Talk, payload: str) -> None:
    newborn(talk)
    talk.slots["service_id"] = None
    (message, *_) = talk.press({"payload": payload})
    assert message["text"]
    assert ticks() == set()
    with unit_of_work() as session:
        assert session.query(Checklist).count() == 1

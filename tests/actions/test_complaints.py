"""A complaint as Rasa drives it: validate, ask, file; slots carried over."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from rasa_sdk import Tracker
from rasa_sdk.executor import CollectingDispatcher
from sqlalchemy import select

from actions.closing import action_nothing_open
from actions.complaints import (
    action_ask_complaint_confirmed,
    action_ask_complaint_place,
    action_ask_complaint_words,
    action_cancel_complaint,
    action_file_complaint,
    action_pause_complaint,
    validate_complaint_form,
)
from actions.conversation import (
    action_bare_answer,
    action_clarify,
    action_keep_attachments,
)
from actions.policies import validate_policy_form
from actions.registry import Handler
from dispatch.reporting.draft import Draft
from store.database import unit_of_work
from store.models import OpenDraft, Ticket

Trackers = Callable[..., Tracker]
WORDS = "春风里小区楼下餐馆油烟太大了"
TWO = "春风里小区楼下餐馆油烟大，还有旁边工地半夜施工"
ASK = {
    "complaint_words": action_ask_complaint_words,
    "complaint_place": action_ask_complaint_place,
    "complaint_confirmed": action_ask_complaint_confirmed,
}
pytestmark = pytest.mark.usefixtures("installation")


class Talk:
    """One citizen; ``open`` is whether the form is active, as in the same Rasa session."""

    def __init__(self, tracker: Trackers) -> None:
        self._tracker = tracker
        self.slots: dict[str, Any] = {}
        self.events: list[dict[str, Any]] = []
        self.open = False

    def run(self, action: Handler, found: Tracker) -> str:
        dispatcher = CollectingDispatcher()
        self.events = action(dispatcher, found)
        for event in self.events:
            if event["event"] == "slot":
                self.slots[event["name"]] = event["value"]
        found.slots.update(self.slots)
        return "\n".join(str(m["text"] or m["response"]) for m in dispatcher.messages)

    def hear(self, text: str, intent: str, **more: Any) -> Tracker:
        """Return the tracker Rasa sends: without the form, no slot is requested."""
        if not self.open:
            self.slots["requested_slot"] = None
        loop = "complaint_form" if self.open else None
        found = self._tracker(text, intent, slots=self.slots, loop=loop, **more)
        self.run(action_keep_attachments, found)
        return found

    def say(self, text: str, intent: str = "report_pollution", **more: Any) -> str:
        """Say something to the form and return its next question, or what filing says."""
        found = self.hear(text, intent, **more)
        self.run(validate_complaint_form, found)
        if any(event["event"] == "action_execution_rejected" for event in self.events):
            return "rejected"
        said = ""
        while True:
            gap = next((slot for slot in ASK if not self.slots.get(slot)), None)
            if gap is not None:
                self.open, self.slots["requested_slot"] = True, gap
                return said + self.run(ASK[gap], found)
            self.open = False
            said += self.run(action_file_complaint, found) + "\n"
            if not any(event["event"] == "followup" for event in self.events):
                return said
            self.run(validate_complaint_form, found)

    def leave(self, age: timedelta) -> None:
        """Let the Rasa session end and the draft grow old."""
        self.open = False
        draft = self.draft
        assert draft.changed_at is not None
        aged = draft.model_copy(update={"changed_at": draft.changed_at - age})
        self.slots["complaint_draft"] = aged.model_dump(mode="json")

    @property
    def draft(self) -> Draft:
        return Draft.model_validate(self.slots["complaint_draft"])


@pytest.fixture
def talk(tracker: Trackers) -> Talk:
    return Talk(tracker)


def rows(model: type[Any]) -> list[Any]:
    with unit_of_work() as session:
        return list(session.scalars(select(model).order_by(model.id)))


def test_each_question_is_noted_until_the_complaint_is_filed(talk: Talk) -> None:
    talk.say("楼下餐馆油烟太大了")
    talk.say("春风里小区", "inform")
    (row,) = rows(OpenDraft)
    assert (row.id, row.gap, row.citizen_id) == (talk.draft.id, "confirmed", "api:c-1")
    assert "已受理" in talk.say("对", "affirm")
    assert rows(OpenDraft) == []
    assert len(rows(Ticket)) == 1


@pytest.mark.parametrize(
    ("text", "intent"),
    [  # as the model reads them
        ("就这些 没有照片", "deny"),
        ("就这些了", "goodbye"),
        ("没照片", "inform"),
        ("没有别的了", "deny"),
        ("没有其他问题了", "goodbye"),
        ("没有照片，直接提交吧", "deny"),
    ],
)
def test_nothing_to_add_means_file_it(talk: Talk, text: str, intent: str) -> None:
    talk.say(WORDS)
    assert "已受理" in talk.say(text, intent)
    assert len(rows(Ticket)) == 1


@pytest.mark.parametrize(
    "text",
    ["不对", "地址不对", "没有，地方错了", "没有", "没有照片，先不报了", "就这个不对", "我没说"],
)
def test_a_real_no_files_nothing(talk: Talk, text: str) -> None:
    talk.say(WORDS)
    talk.say(text, "deny")
    assert rows(Ticket) == []
    assert "哪里不对" in talk.say("没有别的了", "deny")  # asked what is wrong: no go-ahead
    assert rows(Ticket) == []


def test_no_photo_said_of_a_complaint_with_photos_files_nothing(talk: Talk) -> None:
    assert "照片：1张" in talk.say(WORDS, metadata={"photos": ["p-1"]})
    talk.say("没有照片", "deny")
    assert rows(Ticket) == []


@pytest.mark.parametrize(
    ("text", "intent"),
    [
        ("继续", "affirm"),
        ("继续吧", "affirm"),
        ("接着来", "inform"),
        ("好，接着报", "nlu_fallback"),
    ],
)
def test_a_paused_complaint_is_taken_up_again_by_words(talk: Talk, text: str, intent: str) -> None:
    talk.say("楼下餐馆油烟太大了")
    talk.run(action_pause_complaint, talk.hear("再见", "goodbye"))
    talk.open = False
    begun = talk.draft
    meant = action_clarify if intent == "nlu_fallback" else action_bare_answer
    assert talk.run(meant, talk.hear(text, intent)) == ""
    assert [event["name"] for event in talk.events if event["event"] == "followup"] == [
        "complaint_form"
    ]
    assert "在什么地方" in talk.say(text, intent)
    assert (talk.draft.id, talk.draft.words, talk.draft.place) == (begun.id, begun.words, None)


def test_who_goes_on_with_a_complaint_leaves_a_policy_search(talk: Talk, tracker: Trackers) -> None:
    searching = tracker("刚才的投诉接着报", "continue_complaint", loop="policy_form")
    searching.slots["requested_slot"] = "policy_done"
    talk.run(validate_policy_form, searching)
    assert not any(event["event"] == "followup" for event in talk.events)  # nothing was begun
    talk.say(WORDS)
    searching.slots |= {**talk.slots, "requested_slot": "policy_done"}
    talk.run(validate_policy_form, searching)
    assert talk.slots["requested_slot"] is None  # ends the search
    assert [e["name"] for e in talk.events if e["event"] == "followup"] == ["complaint_form"]


def test_going_on_with_nothing_begun_is_asked_about(talk: Talk) -> None:
    assert "还有什么要我帮忙" in talk.run(action_bare_answer, talk.hear("继续", "affirm"))


def test_cancelling_forgets_the_draft(talk: Talk) -> None:
    talk.say(WORDS)
    assert talk.say("取消", "cancel") == "rejected"  # the rule for cancel answers
    assert "已经取消" in talk.run(action_cancel_complaint, talk.hear("取消", "cancel"))
    assert rows(OpenDraft) == []
    assert talk.slots["complaint_draft"] is None


@pytest.mark.parametrize("text", ["不留了", "匿名吧"])
def test_no_number_is_no_wish_to_cancel(talk: Talk, text: str) -> None:
    talk.say(f"{WORDS}，我电话13812345678")
    assert "匿名" in talk.say(text, "cancel")
    assert talk.draft.contact is None


def test_two_problems_become_two_tickets_confirmed_apart(talk: Talk) -> None:
    assert "两件事" in talk.say(TWO)
    first = talk.say("分开报", "nlu_fallback")
    assert "先报这一件" in first
    assert "工地" not in first
    second = talk.say("对", "affirm")
    assert "已受理" in second
    assert "接着报另一件" in second
    assert "春风里小区" in second.split("接着报另一件")[1]
    assert len(rows(Ticket)) == 1
    talk.say("对", "affirm")
    assert {ticket.category for ticket in rows(Ticket)} == {
        "air.cooking_fume",
        "noise.construction",
    }
    assert rows(OpenDraft) == []


def test_the_second_problem_survives_cancelling_the_first(talk: Talk) -> None:
    talk.say(TWO)
    talk.say("分开", "inform")
    asked = talk.run(action_cancel_complaint, talk.hear("取消", "cancel"))
    assert "工地半夜施工" in asked
    talk.open = False
    assert "工地半夜施工" in talk.say("/continue_complaint", "continue_complaint")


def test_days_later_an_answer_goes_on_and_a_yes_only_shows_the_summary(talk: Talk) -> None:
    talk.say("楼下餐馆油烟太大了")
    talk.leave(timedelta(days=3))
    found = talk.hear("春风里小区", "inform")
    talk.run(action_bare_answer, found)
    assert [event["name"] for event in talk.events] == ["complaint_form"]
    assert "请您核对" in talk.say("春风里小区", "inform")
    talk.leave(timedelta(days=1))
    assert "请您核对" in talk.say("/affirm", "affirm")
    assert rows(Ticket) == []
    assert "已受理" in talk.say("/affirm", "affirm")


def test_after_ten_days_the_old_draft_is_gone_and_said_so(talk: Talk) -> None:
    talk.say("楼下餐馆油烟太大了")
    old = talk.draft.id
    talk.leave(timedelta(days=10))
    fresh = talk.say("/continue_complaint", "continue_complaint")
    assert "已经清掉了" in fresh
    assert "什么问题" in fresh
    assert talk.draft.id != old
    assert [row.id for row in rows(OpenDraft)] == [talk.draft.id]


def test_no_longer_wanted_outside_the_form(talk: Talk) -> None:
    assert talk.run(action_nothing_open, talk.hear("取消", "cancel")) == "utter_nothing_open"
    talk.say(WORDS)
    talk.leave(timedelta(hours=5))
    said = talk.run(action_nothing_open, talk.hear("/cancel", "cancel"))
    assert "已经取消" in said
    assert rows(OpenDraft) == []


def test_a_report_read_as_information_is_still_a_report(talk: Talk) -> None:
    found = talk.hear(f"{WORDS}，我电话13812345678，姓王", "inform")
    talk.run(action_bare_answer, found)
    assert [event["name"] for event in talk.events] == ["complaint_form"]
    shown = talk.say(f"{WORDS}，我电话13812345678，姓王", "inform")
    assert "138****5678（王）" in shown
    assert "收到" in talk.run(action_bare_answer, talk.hear("我今天休息", "inform"))


def test_an_album_in_several_messages_is_asked_about_once(talk: Talk) -> None:
    asked = [
        talk.say("/attach", "attach", metadata={"photos": [f"p{n}"], "text": ""}) for n in range(3)
    ]
    assert "什么问题" in asked[0]
    assert asked[1:] == ["照片收到了。现在有2张照片。", "照片收到了。现在有3张照片。"]


def test_a_video_and_the_time_of_a_photo(talk: Talk) -> None:
    taken = (datetime.now(UTC) - timedelta(hours=1)).isoformat()
    sent = {"photos": ["p"], "videos": ["v"], "taken_at": [taken, "gestern"]}
    shown = talk.say(WORDS, metadata=sent)
    assert "视频：1段" in shown
    assert "（照片拍摄时间）" in shown
    assert (talk.draft.photos, talk.draft.videos) == (("p",), ("v",))

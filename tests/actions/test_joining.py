"""Offering, joining and following through the real actions, with an isolated store."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from rasa_sdk import Tracker
from rasa_sdk.executor import CollectingDispatcher
from sqlalchemy import func, select

from actions.complaints import (
    action_ask_complaint_confirmed,
    action_file_complaint,
    draft_slots,
    validate_complaint_form,
)
from actions.following import action_join_ticket
from actions.joining import SLOT
from actions.registry import Handler
from actions.tickets import (
    action_check_ticket,
    action_rate_ticket,
    action_supplement_ticket,
    action_withdraw_ticket,
)
from channels.payloads import is_payload
from dispatch.case.filing import supplement
from dispatch.reporting.intake import Draft, Spot, new_draft
from store.database import unit_of_work
from store.drafts import keep_draft
from store.media import save_media
from store.models import Media, OpenDraft, OutboxEntry, Ticket, TicketFollower
from store.tickets import add_event
from tests.actions.test_turns import run

Trackers = Callable[..., Tracker]
OWNER, NEIGHBOUR = "api:owner", "api:neighbour"
HERE = Spot(
    address="云东区文昌街道春风里小区",
    district="云东区",
    latitude=30.27415,
    longitude=120.15513,
    source="shared",
)
SECRET = "烤肉店老板姓刘，我住春风里3栋502，电话13812345678"


class Talk:
    """A complaint as Rasa drives it: validate, then ask or file; slots carry over."""

    def __init__(self, tracker: Trackers, sender: str, draft: Draft) -> None:
        self._tracker = tracker
        self.sender = sender
        self.slots: dict[str, Any] = {"requested_slot": "complaint_confirmed"}
        for event in draft_slots(draft):
            self.slots[event["name"]] = event["value"]

    def act(
        self, action: Handler, text: str = "", intent: str = "inform", loop: str | None = None,
        entities: dict[str, str] | None = None,
    ) -> list[dict[str, Any]]:  # fmt: skip
        found = self._tracker(
            text, intent, slots=self.slots, sender=self.sender, loop=loop, entities=entities
        )
        messages, slots = run(action, found)
        self.slots |= slots
        return messages

    def ask(self) -> dict[str, Any]:
        """The question of the form for the go-ahead; the last reply said."""
        return self.act(action_ask_complaint_confirmed, loop="complaint_form")[-1]

    def answer(self, text: str, intent: str) -> list[dict[str, Any]]:
        """One message to the form, and what follows it."""
        self.act(validate_complaint_form, text, intent, loop="complaint_form")
        if self.slots["complaint_confirmed"]:
            return self.act(action_file_complaint, text, intent)
        return [self.ask()]

    @property
    def titles(self) -> list[str]:
        return [button["title"] for button in self.ask()["buttons"]]


def draft_of(*words: str) -> Draft:
    ready = {"words": words, "place": HERE, "category": "air.cooking_fume", "message_id": "m0"}
    return new_draft().model_copy(update=ready)


def count(model: type[Any]) -> int:
    with unit_of_work() as session:
        return session.scalar(select(func.count()).select_from(model)) or 0


@pytest.fixture
def ticket_id(installation: None, tracker: Trackers) -> Iterator[str]:
    """A complaint the owner filed, at work."""
    talk = Talk(tracker, OWNER, draft_of("楼下烧烤店的油烟直往我家窗户里灌", SECRET))
    talk.ask()
    talk.answer("/affirm", "affirm")
    number = str(talk.slots["ticket_id"])
    with unit_of_work() as session:
        ticket = session.get_one(Ticket, number)
        add_event(session, ticket, "in_progress", actor="dispatch", unit="市综合行政执法局")
    yield number


@pytest.fixture
def neighbour(ticket_id: str, tracker: Trackers) -> Talk:
    return Talk(tracker, NEIGHBOUR, draft_of("楼下烧烤店油烟太大，往我家窗户里灌"))


# --- the offer ----------------------------------------------------------------------------


def test_the_offer_tells_kind_state_and_people_and_nothing_else(
    neighbour: Talk, ticket_id: str
) -> None:
    reply = neighbour.ask()
    assert "已有1人反映过类似问题" in reply["text"]
    assert "工单状态：处置中" in reply["text"]
    assert "餐饮油烟" in reply["text"]
    assert "要一起关注吗" in reply["text"]
    assert [b["title"] for b in reply["buttons"]] == ["一起关注", "不是一回事，单独上报"]
    assert [b["payload"] for b in reply["buttons"]] == ["/join_ticket", "/file_separately"]
    assert all(is_payload(b["payload"]) for b in reply["buttons"])
    for secret in ("老板", "刘", "502", "138", "春风里", ticket_id, OWNER):
        assert secret not in str(reply)


@pytest.mark.parametrize(("text", "intent"), [("/join_ticket", "join_ticket"), ("好", "affirm")])
def test_joining_clears_the_draft_and_passes_the_words_on(
    neighbour: Talk, ticket_id: str, text: str, intent: str
) -> None:
    neighbour.ask()
    (reply,) = neighbour.answer(text, intent)
    assert ticket_id in reply["text"]
    assert reply["custom"]["cards"][0]["id"] == ticket_id
    assert SECRET not in str(reply)
    assert neighbour.slots["ticket_id"] == ticket_id
    assert neighbour.slots["complaint_draft"] is neighbour.slots[SLOT] is None
    assert (count(Ticket), count(TicketFollower), count(OutboxEntry)) == (1, 1, 2)


@pytest.mark.parametrize(
    ("text", "intent"), [("/file_separately", "file_separately"), ("不是", "deny")]
)
def test_not_the_same_goes_on_to_the_summary_and_files(
    neighbour: Talk, ticket_id: str, text: str, intent: str
) -> None:
    neighbour.ask()
    (reply,) = neighbour.answer(text, intent)
    assert "请您核对" in reply["text"]
    (filed,) = neighbour.answer("/affirm", "affirm")
    assert "已受理" in filed["text"]
    assert (count(Ticket), count(TicketFollower)) == (2, 0)


def test_an_offer_passed_over_is_not_made_again_but_its_button_stays_good(
    neighbour: Talk, ticket_id: str
) -> None:
    neighbour.ask()
    (reply,) = neighbour.answer("每天晚上六点到十点都这样", "report_pollution")
    assert "请您核对" in reply["text"]
    assert "每天晚上六点到十点" in reply["text"]
    (joined,) = neighbour.answer("/join_ticket", "join_ticket")
    assert ticket_id in joined["text"]
    assert (count(Ticket), count(TicketFollower)) == (1, 1)


def test_nothing_to_add_is_no_answer_to_the_offer(neighbour: Talk) -> None:
    neighbour.ask()
    (said,) = neighbour.answer("就这些了", "goodbye")
    assert "请您核对" in said["text"]
    assert count(Ticket) == 1
    assert "已受理" in neighbour.answer("就这些了", "goodbye")[-1]["text"]
    assert count(Ticket) == 2


def test_a_yes_to_the_summary_files_separately(neighbour: Talk) -> None:
    neighbour.ask()
    neighbour.answer("每天晚上六点到十点都这样", "report_pollution")
    (reply,) = neighbour.answer("确认", "affirm")
    assert "已受理" in reply["text"]
    assert count(TicketFollower) == 0


def test_after_an_interruption_the_offer_is_repeated(neighbour: Talk) -> None:
    assert neighbour.ask()["text"] == neighbour.ask()["text"]
    assert "一起关注" in neighbour.titles


def test_a_case_closed_meanwhile_is_told_and_the_complaint_filed(
    neighbour: Talk, ticket_id: str
) -> None:
    neighbour.ask()
    with unit_of_work() as session:
        add_event(session, session.get_one(Ticket, ticket_id), "resolved", actor="dispatch")
    told, filed = neighbour.answer("/join_ticket", "join_ticket")
    assert "刚刚办完" in told["text"]
    assert "已受理" in filed["text"]
    assert (count(Ticket), count(TicketFollower)) == (2, 0)


def test_a_case_just_handled_is_mentioned_once(neighbour: Talk, ticket_id: str) -> None:
    with unit_of_work() as session:
        add_event(session, session.get_one(Ticket, ticket_id), "closed", actor="dispatch")
    mention, summary = neighbour.act(action_ask_complaint_confirmed, loop="complaint_form")
    assert "刚办结" in mention["text"]
    assert mention["buttons"] == []
    assert "请您核对" in summary["text"]
    assert "请您核对" in neighbour.ask()["text"]
    neighbour.answer("/join_ticket", "join_ticket")  # an old button joins nothing
    assert count(TicketFollower) == 0


def test_the_owner_is_asked_to_add_to_his_own(tracker: Trackers, ticket_id: str) -> None:
    talk = Talk(tracker, OWNER, draft_of("烧烤店油烟又往我家窗户里灌"))
    reply = talk.ask()
    assert f"您反映过类似的问题（工单 {ticket_id}" in reply["text"]
    (done,) = talk.answer("/join_ticket", "join_ticket")
    assert f"已补充到您的工单 {ticket_id}" in done["text"]
    assert (count(Ticket), count(TicketFollower), count(OutboxEntry)) == (1, 0, 2)


def test_a_follower_who_comes_back_adds_his_words(
    neighbour: Talk, tracker: Trackers, ticket_id: str
) -> None:
    neighbour.ask()
    neighbour.answer("/join_ticket", "join_ticket")
    again = Talk(tracker, NEIGHBOUR, draft_of("烧烤店的油烟今天更大，直往窗户里灌"))
    assert f"您正在关注类似的问题（工单 {ticket_id}" in again.ask()["text"]
    again.answer("/join_ticket", "join_ticket")
    assert (count(TicketFollower), count(OutboxEntry)) == (1, 3)


def test_nobody_joins_what_was_not_offered(tracker: Trackers, ticket_id: str) -> None:
    talk = Talk(tracker, NEIGHBOUR, draft_of("路灯杆歪了要倒"))
    talk.slots["complaint_draft"]["category"] = "city.other"
    assert "请您核对" in talk.ask()["text"]
    for forged in ({}, {"ticket_id": ticket_id}):
        talk.act(validate_complaint_form, "/join_ticket", "join_ticket", "complaint_form", forged)
        talk.act(action_join_ticket, "/join_ticket", "join_ticket", None, forged)
    assert count(TicketFollower) == 0


def test_an_offer_for_another_draft_does_not_count(neighbour: Talk, tracker: Trackers) -> None:
    neighbour.ask()
    other = Talk(tracker, NEIGHBOUR, draft_of("路灯杆歪了要倒"))
    other.slots[SLOT] = neighbour.slots[SLOT]
    other.act(action_join_ticket, "/join_ticket", "join_ticket")
    assert count(TicketFollower) == 0


def test_pressed_outside_the_form(neighbour: Talk, ticket_id: str) -> None:
    neighbour.ask()
    neighbour.act(action_join_ticket, "/join_ticket", "join_ticket")
    assert neighbour.slots["complaint_confirmed"] is True  # the follow-up action joins
    neighbour.act(action_file_complaint)
    assert count(TicketFollower) == 1
    (again,) = neighbour.act(action_join_ticket, "/join_ticket", "join_ticket")
    assert f"已经在关注工单 {ticket_id}" in again["text"]
    neighbour.slots["ticket_id"] = None
    (late,) = neighbour.act(action_join_ticket, "/join_ticket", "join_ticket")
    assert "已经过去了" in late["text"]
    assert count(OutboxEntry) == 2


# --- followers ----------------------------------------------------------------------------


@pytest.fixture
def follower(neighbour: Talk, ticket_id: str) -> Talk:
    neighbour.ask()
    neighbour.answer("/join_ticket", "join_ticket")
    with unit_of_work() as session:
        supplement(session, OWNER, ticket_id, SECRET, (), "m9")
        ticket = session.get_one(Ticket, ticket_id)
        add_event(
            session, ticket, "in_progress", actor="dispatch", unit="市综合行政执法局",
            note="已联系13812345678，明天整改",
        )  # fmt: skip
    return neighbour


@pytest.mark.parametrize("named", [True, False])
def test_a_follower_reads_steps_and_no_word_of_the_owner(
    follower: Talk, ticket_id: str, named: bool
) -> None:
    words = f"查一下{ticket_id}" if named else "我的投诉办到哪了"
    (reply,) = follower.act(action_check_ticket, words, "check_ticket")
    assert "您关注的工单" in reply["text"]
    assert "明天整改" in reply["text"]
    assert [b["title"] for b in reply["buttons"]] == ["不再关注"]
    for secret in ("刘", "502", "13812345678", "市民补充"):
        assert secret not in str(reply)
    if not named:
        follower.slots["ticket_id"] = None
        assert follower.act(action_check_ticket, words, "check_ticket")[0]["text"] == reply["text"]


def test_withdrawing_as_a_follower_is_leaving(follower: Talk, ticket_id: str) -> None:
    (reply,) = follower.act(action_withdraw_ticket, "撤回", "withdraw_ticket")
    assert "不再给您发" in reply["text"]
    assert count(TicketFollower) == 0
    with unit_of_work() as session:
        assert session.get_one(Ticket, ticket_id).status == "in_progress"
    (reply,) = follower.act(action_check_ticket, f"查{ticket_id}", "check_ticket")
    assert "没有查到" in reply["text"]


def test_supplement_and_rating_stay_the_owners(follower: Talk, ticket_id: str) -> None:
    before = count(OutboxEntry)
    follower.slots["supplement_words"] = "现在更严重了"
    (reply,) = follower.act(action_supplement_ticket, "现在更严重了", "supplement_ticket")
    assert "不是您提交的" in reply["text"]
    with unit_of_work() as session:
        add_event(session, session.get_one(Ticket, ticket_id), "resolved", actor="dispatch")
    (reply,) = follower.act(
        action_rate_ticket, f"给{ticket_id}打1分", "rate_ticket", None, {"score": "1"}
    )
    assert "没有查到" in reply["text"]
    with unit_of_work() as session:
        assert session.get_one(Ticket, ticket_id).rating is None
    assert count(OutboxEntry) == before


def test_the_store_away_says_nothing_half(neighbour: Talk, monkeypatch: pytest.MonkeyPatch) -> None:
    """A failure between the yes and the commit joins nothing; the draft is still there."""
    neighbour.ask()
    neighbour.act(validate_complaint_form, "/join_ticket", "join_ticket", "complaint_form")

    def fail(*_: object, **__: object) -> None:
        raise OSError("the disk is full")

    with monkeypatch.context() as patch:
        patch.setattr("dispatch.similar.joining.queue_outbox", fail)
        with pytest.raises(OSError, match="disk"):
            action_file_complaint(
                CollectingDispatcher(),
                neighbour._tracker("", "inform", slots=neighbour.slots, sender=NEIGHBOUR),
            )
    assert count(TicketFollower) == 0
    (reply,) = neighbour.act(action_file_complaint)
    assert "已关注" in reply["text"]
    assert count(TicketFollower) == 1


@pytest.mark.parametrize("sender", [NEIGHBOUR, OWNER])
def test_a_second_problem_of_the_message_goes_on_after_joining(
    tracker: Trackers, ticket_id: str, sender: str
) -> None:
    with unit_of_work() as session:
        photo = save_media(session, sender, b"jpeg", "image/jpeg", None).id
        video = save_media(session, sender, b"mp4", "video/mp4", None).id
    waiting = new_draft().model_copy(update={"words": ("路灯也不亮",), "category": "city.other"})
    draft = draft_of("烧烤店的油烟太大，往我家窗户里灌").model_copy(
        update={"waiting": (waiting,), "photos": (photo,), "videos": (video,)}
    )
    talk = Talk(tracker, sender, draft)
    talk.ask()
    with unit_of_work() as session:
        keep_draft(session, draft.id, sender, "confirmed", datetime.now(UTC))
    talk.answer("/join_ticket", "join_ticket")
    assert talk.slots["complaint_draft"]["words"] == ["路灯也不亮"]
    assert talk.slots["complaint_confirmed"] is None
    assert (count(Ticket), count(OpenDraft)) == (1, 0)
    with unit_of_work() as session:
        bound = {media.id: media.ticket_id for media in session.scalars(select(Media))}
    assert bound == {photo: ticket_id, video: ticket_id}

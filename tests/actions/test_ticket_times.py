"""How long a ticket still takes, asked right after it was filed or shown."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from rasa_sdk import Tracker
from rasa_sdk.executor import CollectingDispatcher

from actions.registry import Handler
from actions.resources import categories
from actions.services import action_answer_service
from actions.ticket_times import asks_when_done
from actions.tickets import action_check_ticket
from dispatch.case.filing import file_complaint
from dispatch.reporting.draft import Spot, new_draft
from store.database import unit_of_work
from store.models import Ticket, utc_now
from store.tickets import add_event

pytestmark = pytest.mark.usefixtures("installation")
Build = Callable[..., Tracker]
ME = "api:c-1"


def filed(who: str = ME) -> str:
    spot = Spot(
        address="文昌路18号", district="云东区", latitude=30.27, longitude=120.15, source="text"
    )
    ready = {"words": ("油烟太大",), "place": spot, "category": "air.cooking_fume"}
    with unit_of_work() as session:
        draft = new_draft().model_copy(update=ready)
        return file_complaint(session, draft, who, categories()).ticket.id


def showed(kind: str, *ids: str) -> dict[str, Any]:
    cards = [{"kind": kind, "id": one} for one in ids]
    return {"event": "bot", "text": "…", "data": {"custom": {"cards": cards}}}


def ask(
    tracker: Build, action: Handler, text: str, *events: dict[str, Any], **more: Any
) -> list[dict[str, Any]]:
    intent = "check_ticket" if action is action_check_ticket else "ask_duration"
    user = {"event": "user", "text": text}
    dispatcher = CollectingDispatcher()
    action(dispatcher, tracker(text, intent, events=[*events, user], **more))
    return dispatcher.messages


@pytest.mark.parametrize(
    ("action", "text"),
    [
        (action_answer_service, "什么时候能办完"),
        (action_answer_service, "多久能处理好"),
        (action_answer_service, "那大概几天能解决啊？"),
        (action_check_ticket, "什么时候有人来处理"),
        (action_check_ticket, "什么时候能有结果"),
    ],
)
def test_it_is_about_the_ticket_just_shown(tracker: Build, action: Handler, text: str) -> None:
    number = filed()
    slots = {"service_id": "passport"}  # asked about before
    (said,) = ask(tracker, action, text, showed("ticket", number), slots=slots)
    assert said["text"].startswith(f"工单 {number} 24小时内受理，预计")
    assert "前办结" in said["text"]
    assert [card["id"] for card in said["custom"]["cards"]] == [number]
    (again,) = ask(tracker, action, text, showed("ticket", number), {"event": "bot", "text": "好"})
    assert again["text"] == said["text"]


def test_each_step_says_what_is_still_to_come(tracker: Build) -> None:
    number = filed()

    def told() -> str:
        (said,) = ask(tracker, action_answer_service, "多久能办好", showed("ticket", number))
        return str(said["text"])

    with unit_of_work() as session:
        ticket = session.get_one(Ticket, number)
        add_event(session, ticket, "forwarded", actor="relay")
        add_event(session, ticket, "accepted", actor="dispatch", unit="城管队")
    assert "受理，" not in told() and "预计" in told()
    with unit_of_work() as session:
        session.get_one(Ticket, number).created_at = utc_now() - timedelta(days=60)
    assert "已经超过办结时限" in told() and "12345" in told()
    with unit_of_work() as session:
        ticket = session.get_one(Ticket, number)
        add_event(session, ticket, "resolved", actor="dispatch", unit="城管队", note="好了")
    assert "“已办结”" in told()


def test_the_complaint_of_just_now_is_the_ticket() -> None:
    assert asks_when_done("刚才的投诉什么时候能处理完")


def test_several_tickets_shown_are_told_one_by_one(tracker: Build) -> None:
    mine = [filed(), filed()]
    (said,) = ask(tracker, action_answer_service, "要多久", showed("ticket", *mine))
    assert [line.split()[1] for line in said["text"].splitlines()] == mine


def test_what_was_shown_last_counts(tracker: Build) -> None:
    number, slots = filed(), {"service_id": "passport", "ticket_id": "SM"}
    shown = (showed("ticket", number), showed("service", "passport"))
    (said,) = ask(tracker, action_answer_service, "多久能办好", *shown, slots=slots)
    assert said["custom"]["cards"][0]["id"] == "passport"


@pytest.mark.parametrize("text", ["护照多久能办好", "身份证什么时候能办完", "刚才那个要多久"])
def test_a_matter_that_is_named_is_meant(tracker: Build, text: str) -> None:
    assert not asks_when_done(text)
    (said,) = ask(tracker, action_answer_service, text, showed("ticket", filed()))
    assert "工单" not in said["text"]
    assert not any(card["kind"] == "ticket" for card in said["custom"].get("cards", ()))


def test_nobody_hears_of_another_ones_ticket(tracker: Build) -> None:
    number = filed("api:somebody")
    for message in ask(tracker, action_answer_service, "多久能办好", showed("ticket", number)):
        assert number not in message["text"]


def test_while_a_complaint_is_taken_it_is_not_about_an_earlier_one(tracker: Build) -> None:
    shown, loop = showed("ticket", filed()), "complaint_form"
    said = ask(tracker, action_answer_service, "多久能处理好", shown, loop=loop)
    assert "工单" not in said[0]["text"]

"""Offering to join what others have reported nearby, and joining it.

The offer comes before the summary. Which ticket was offered lies in the slot
``offered_ticket``, never in a button, so nobody can follow a ticket that was not offered:
``{"draft_id", "ticket_id", "own", "open", "answer"}``. ``open`` means that a plain yes or no
answers it; ``answer`` is ``join``, ``separate`` or None.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from rasa_sdk import Tracker
from rasa_sdk.events import EventType, SlotSet
from rasa_sdk.executor import CollectingDispatcher
from sqlalchemy.orm import Session

from actions.registry import action
from actions.resources import categories, duplicates
from actions.turn import Turn, button, say
from base.errors import StateError
from dispatch.duplicates import Similar
from dispatch.filing import supplement
from dispatch.intake import Draft
from dispatch.joining import follows, join, leave, people
from dispatch.lifecycle import STATUS_NAMES
from dispatch.wording import ticket_card
from store.database import unit_of_work
from store.models import Ticket
from store.tickets import CITY_TIME, visible_to

SLOT = "offered_ticket"
_BUTTONS = {
    True: [button("补充进去", "join_ticket"), button("不是一回事，单独上报", "file_separately")],
    False: [button("一起关注", "join_ticket"), button("不是一回事，单独上报", "file_separately")],
}
_BUSY_NOTES = frozenset({"choose_category", "what_is_wrong"})


# --- the offer ----------------------------------------------------------------------------


def offer(
    dispatcher: CollectingDispatcher, tracker: Tracker, draft: Draft
) -> list[EventType] | None:
    """Offer a similar complaint instead of asking to confirm the draft; None to go on asking.

    A draft is compared once. What was handled days ago is only mentioned, and the summary
    follows.
    """
    if _BUSY_NOTES.intersection(draft.notes):
        return None
    kept = _offered(tracker, draft)
    if kept is not None and not kept["open"]:
        return None
    with unit_of_work() as session:
        found = duplicates().find(session, draft, tracker.sender_id, datetime.now(UTC))
        if found is None:
            return [SlotSet(SLOT, None)] if kept else None
        text = _offer_text(found)
        own = found.relation != "other"
    if found.relation == "handled":
        say(dispatcher, text)
        return None
    say(dispatcher, text, _BUTTONS[own])
    return [SlotSet(SLOT, _offer(draft, found.ticket.id, own=own))]


def answer(tracker: Tracker, turn: Turn, draft: Draft) -> dict[str, Any] | None:
    """Return the slot's new value when a message answers or passes over the offer, else None."""
    kept = _offered(tracker, draft)
    if kept is None:
        return None
    said = {"join_ticket": "join", "file_separately": "separate"}.get(turn.intent)
    if said is None and kept["open"]:
        said = {"affirm": "join", "deny": "separate"}.get(turn.intent)
    return {**kept, "open": False, "answer": said}


def fold(draft: Draft, answered: dict[str, Any]) -> Draft:
    """Return the draft after the answer: joining also confirms it."""
    return draft.model_copy(update={"confirmed": answered["answer"] == "join"})


def join_instead(
    dispatcher: CollectingDispatcher, tracker: Tracker, draft: Draft
) -> str | None:
    """Join the offered ticket instead of filing a draft, if that was the citizen's answer.

    Returns:
        The ticket joined; None when the draft is to be filed, also because the offered case
        has ended meanwhile (then the citizen is told).
    """
    kept = _offered(tracker, draft)
    if kept is None or kept["answer"] != "join":
        return None
    try:
        with unit_of_work() as session:
            ticket = _add(session, kept, tracker.sender_id, draft)
            text, own = _joined_text(ticket), ticket.citizen_id == tracker.sender_id
            card = ticket_card(ticket, categories().get(ticket.category))
    except StateError:
        say(dispatcher, "那个工单刚刚办完了，您说的我单独上报。")
        return None
    buttons = [button("查进度", "check_ticket", ticket_id=ticket.id)]
    if not own:
        buttons.append(button("不再关注", "withdraw_ticket", ticket_id=ticket.id))
    say(dispatcher, text, buttons, [card])
    return ticket.id


@action
def action_join_ticket(dispatcher: CollectingDispatcher, tracker: Tracker) -> list[EventType]:
    """Takes 一起关注 when no complaint is open: pressed again, or too late. Say how it stands."""
    with unit_of_work() as session:
        kept = tracker.get_slot("ticket_id")
        if kept and follows(session, str(kept), tracker.sender_id):
            say(dispatcher, f"您已经在关注工单 {kept}，有进展马上告诉您。")
        else:
            again = button("重新反映", "report_pollution")
            say(dispatcher, "刚才那条已经过去了。还想反映的话，请再说一遍。", [again])
    return []


# --- what a follower may do ---------------------------------------------------------------


def followed(session: Session, turn: Turn, named: str | None, kept: object) -> Ticket | None:
    """Return the ticket meant if the citizen follows it without having filed it."""
    meant = named or (str(kept) if kept else None)
    if meant is None or not follows(session, meant, turn.citizen_id):
        return None
    return visible_to(session, turn.citizen_id, meant)


def leave_followed(dispatcher: CollectingDispatcher, session: Session, ticket: Ticket, me: str) -> None:
    """Stop following a ticket; only its reporter can withdraw it."""
    leave(session, ticket.id, me)
    say(
        dispatcher,
        f"好的，不再给您发工单 {ticket.id} 的进展。这件事是其他市民反映的，会继续办理。",
    )


def _add(session: Session, kept: dict[str, Any], citizen_id: str, draft: Draft) -> Ticket:
    ticket_id = str(kept["ticket_id"])
    own = supplement(session, citizen_id, ticket_id, draft.description, draft.photos, draft.id)
    return own if own is not None else join(session, ticket_id, citizen_id, draft).ticket


def _offered(tracker: Tracker, draft: Draft) -> dict[str, Any] | None:
    kept = tracker.get_slot(SLOT)
    return kept if kept and kept["draft_id"] == draft.id else None


def _offer(draft: Draft, ticket_id: str, *, own: bool) -> dict[str, Any]:
    return {
        "draft_id": draft.id,
        "ticket_id": ticket_id,
        "own": own,
        "open": True,
        "answer": None,
    }

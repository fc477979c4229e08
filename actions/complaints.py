"""Snap-and-report: the form that fills a draft, and filing it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from pydantic import ValidationError
from rasa_sdk import Tracker
from rasa_sdk.events import ActionExecutionRejected, EventType, SlotSet
from rasa_sdk.executor import CollectingDispatcher

from actions import complaint_replies as replies
from actions import joining
from actions.forms import COMPLAINT_INTERRUPTIONS, interrupts, rejects
from actions.registry import action
from actions.resources import categories, intake
from actions.turn import Turn, button, say
from dispatch.filing import file_complaint
from dispatch.intake import Draft, Heard, Location, new_draft
from dispatch.wording import ticket_card
from store.database import unit_of_work

GAPS = {
    "words": "complaint_words",
    "place": "complaint_place",
    "confirmed": "complaint_confirmed",
}
CLEARED = ("complaint_draft", *GAPS.values(), "requested_slot", joining.SLOT)


def load_draft(tracker: Tracker) -> Draft | None:
    """Return the draft kept in the conversation, if any."""
    kept = tracker.get_slot("complaint_draft")
    try:
        return Draft.model_validate(kept) if kept else None
    except ValidationError:  # kept by an earlier release
        return None


def heard(turn: Turn, tracker: Tracker) -> Heard:
    """Translate a turn, and what was attached before, for the intake."""
    return Heard(
        message_id=turn.message_id,
        intent=turn.intent,
        text="" if turn.intent == "continue_complaint" else turn.text,
        places=turn.values("location"),
        photos=tuple(photo["id"] for photo in tracker.get_slot("pending_photos") or ()),
        locations=tuple(
            Location.model_validate(point["point"])
            for point in tracker.get_slot("pending_locations") or ()
        ),
        choices=dict(turn.entities) if turn.is_button else None,
    )


def draft_slots(draft: Draft) -> list[EventType]:
    """Return the slots that mirror a draft: a gap that is filled holds ``True``."""
    filled = {
        "words": bool(draft.words),
        "place": draft.place is not None,
        "confirmed": draft.confirmed,
    }
    events: list[EventType] = [SlotSet("complaint_draft", draft.model_dump(mode="json"))]
    events += [SlotSet(GAPS[gap], True if done else None) for gap, done in filled.items()]
    events += [SlotSet("pending_photos", None), SlotSet("pending_locations", None)]
    return events


@action
def validate_complaint_form(dispatcher: CollectingDispatcher, tracker: Tracker) -> list[EventType]:
    """Fold the message into the draft, unless it only interrupts the form.

    A new report starts a new draft; a draft left open is taken up again only by wish
    (``continue_complaint``) or by a photo or place that belongs to something.
    """
    turn = Turn.of(tracker)
    draft = load_draft(tracker)
    starting = tracker.get_slot("requested_slot") is None  # nothing has been asked yet
    if draft is None or (starting and turn.intent in ("report_pollution", "report_city_issue")):
        draft = draft if draft and draft.message_id == turn.message_id else new_draft()
    free_text = draft.gap in ("words", "place")
    if interrupts(turn, COMPLAINT_INTERRUPTIONS, free_text=free_text):
        if rejects(tracker, "complaint_form", turn):
            return [ActionExecutionRejected("complaint_form")]
        attached = replace(heard(turn, tracker), text="", choices=None)
        return draft_slots(intake().absorb(draft, attached))
    answer = joining.answered(tracker, turn, draft)
    if answer is not None and answer.answer is not None:
        attached = replace(heard(turn, tracker), text="", choices=None)
        joined = {"confirmed": answer.answer == "join"}
        draft = intake().absorb(draft, attached).model_copy(update=joined)
        return [*draft_slots(draft), *joining.offer_slots(answer)]
    draft = intake().absorb(draft, heard(turn, tracker))
    return [*draft_slots(draft), *joining.offer_slots(answer)]


@action
def action_ask_complaint_words(
    dispatcher: CollectingDispatcher, tracker: Tracker
) -> list[EventType]:
    """Ask what the problem is."""
    return _ask(dispatcher, tracker, "words")


@action
def action_ask_complaint_place(
    dispatcher: CollectingDispatcher, tracker: Tracker
) -> list[EventType]:
    """Ask where it is."""
    return _ask(dispatcher, tracker, "place")


@action
def action_ask_complaint_confirmed(
    dispatcher: CollectingDispatcher, tracker: Tracker
) -> list[EventType]:
    """Offer to join what others have reported, or show the summary and ask for the go-ahead."""
    events, asked = joining.offer(dispatcher, tracker, load_draft(tracker) or new_draft())
    return events if asked else [*events, *_ask(dispatcher, tracker, "confirmed")]


@action
def action_file_complaint(dispatcher: CollectingDispatcher, tracker: Tracker) -> list[EventType]:
    """Stores the confirmed draft as a ticket. File, tell the ticket id, and clear the draft."""
    draft = load_draft(tracker)
    if draft is None or draft.gap is not None:
        say(dispatcher, "这条投诉还没有填完，您可以重新说一遍。")
        return [SlotSet(slot, None) for slot in CLEARED]
    joined = joining.join_instead(dispatcher, tracker, draft)
    if joined is not None:
        return [
            *(SlotSet(slot, None) for slot in CLEARED),
            SlotSet("ticket_id", joined),
            *_resume_search(dispatcher, tracker),
        ]
    with unit_of_work() as session:
        ticket = file_complaint(session, draft, tracker.sender_id, categories()).ticket
    category = categories()[ticket.category]
    say(
        dispatcher,
        replies.filed_text(ticket, category),
        [
            button("查进度", "check_ticket", ticket_id=ticket.id),
            button("补充情况", "supplement_ticket", ticket_id=ticket.id),
        ],
        [ticket_card(ticket, category)],
    )
    forgotten = (*CLEARED, "service_id", "policy_id")
    return [
        *(SlotSet(slot, None) for slot in forgotten),
        SlotSet("ticket_id", ticket.id),
        *_resume_search(dispatcher, tracker),
    ]


@action
def action_cancel_complaint(dispatcher: CollectingDispatcher, tracker: Tracker) -> list[EventType]:
    """Drops the draft; nothing has been stored as a ticket. Say so and clear the draft."""
    say(dispatcher, "好的，这条没有提交，已经取消。需要时随时再说。")
    return [*(SlotSet(slot, None) for slot in CLEARED), *_resume_search(dispatcher, tracker)]


@action
def action_pause_complaint(dispatcher: CollectingDispatcher, tracker: Tracker) -> list[EventType]:
    """Keeps the draft for later. Say that the draft is kept."""
    say(
        dispatcher,
        "好的，您刚才说的我先留着，还没有提交。回来时点一下“继续投诉”就能接着填。",
        [button("继续投诉", "continue_complaint")],
    )
    return []


@action
def action_complaint_first(dispatcher: CollectingDispatcher, tracker: Tracker) -> list[EventType]:
    """A policy search has to wait until the complaint is filed or cancelled.

    Say so; the form asks its open question next.
    """
    say(dispatcher, "找政策的事我记着，咱们先把手上这件填完（不想填了就说“取消”）。")
    return [SlotSet("postponed_search", Turn.of(tracker).text or None)]


def _resume_search(dispatcher: CollectingDispatcher, tracker: Tracker) -> list[EventType]:
    """Offer the policy search that had to wait; its words come back with the button."""
    words = tracker.get_slot("postponed_search")
    if not words:
        return []
    say(dispatcher, f"您刚才还问了：“{words}”", [button("现在找政策", "ask_policy")])
    waiting = {"text": words, "readings": ["ask_policy"], "message_id": None, "for": None}
    return [SlotSet("postponed_search", None), SlotSet("unclear", waiting)]


def _ask(dispatcher: CollectingDispatcher, tracker: Tracker, gap: str) -> list[EventType]:
    """Say the question for a gap that fits the draft."""
    text, buttons = replies.question(load_draft(tracker) or new_draft(), gap, categories())
    say(dispatcher, text, buttons)
    return []


def draft_of_danger(turn: Turn, tracker: Tracker) -> list[dict[str, Any]]:
    """Return slot events that keep the words of an emergency in the open or a new draft."""
    if tracker.active_loop_name == "complaint_form":
        draft = load_draft(tracker) or new_draft()
        told = intake().add_words(draft, turn.text)
        notes = tuple(note for note in told.notes if note != "danger")  # warned already
        return draft_slots(told.model_copy(update={"notes": notes}))
    return draft_slots(intake().absorb(new_draft(), heard(turn, tracker)))

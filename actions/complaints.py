"""Snap-and-report: the form that fills a draft, and filing it."""

from __future__ import annotations

from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.events import ActionExecutionRejected, EventType, SlotSet
from rasa_sdk.executor import CollectingDispatcher
from rasa_sdk.types import DomainDict

from actions import complaint_replies as replies
from actions.forms import ASKED_AGAIN, COMPLAINT_INTERRUPTIONS, interrupts
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
CLEARED = ("complaint_draft", *GAPS.values(), "requested_slot")


def load_draft(tracker: Tracker) -> Draft | None:
    """Return the draft kept in the conversation, if any."""
    kept = tracker.get_slot("complaint_draft")
    return Draft.model_validate(kept) if kept else None


def heard(turn: Turn, tracker: Tracker) -> Heard:
    """Translate a turn, and what was attached before, for the intake."""
    return Heard(
        message_id=turn.message_id,
        intent=turn.intent,
        text=turn.text,
        places=turn.values("location"),
        photos=tuple(tracker.get_slot("pending_photos") or ()),
        locations=tuple(
            Location.model_validate(point) for point in tracker.get_slot("pending_locations") or ()
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


class ValidateComplaintForm(Action):
    """Folds the message into the draft, unless it only interrupts the form."""

    def name(self) -> str:
        """Action name."""
        return "validate_complaint_form"

    async def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict
    ) -> list[EventType]:
        """Return the slots of the draft after this message."""
        turn = Turn.of(tracker)
        draft = load_draft(tracker)
        if interrupts(tracker, "complaint_form", turn.intent, COMPLAINT_INTERRUPTIONS - ASKED_AGAIN):
            return [ActionExecutionRejected("complaint_form")]
        if draft is not None and turn.intent in COMPLAINT_INTERRUPTIONS:
            return draft_slots(draft.model_copy(update={"notes": ()}))
        return draft_slots(intake().absorb(draft or new_draft(), heard(turn, tracker)))


class _AskComplaint:
    """Asks for one gap of the draft."""

    gap: str

    def name(self) -> str:
        """Action name."""
        return f"action_ask_complaint_{self.gap}"

    async def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict
    ) -> list[EventType]:
        """Say the question that fits the draft."""
        draft = load_draft(tracker) or new_draft()
        text, buttons = replies.question(draft, self.gap, categories())
        say(dispatcher, text, buttons)
        return []


class ActionAskComplaintWords(_AskComplaint, Action):
    """Asks what the problem is."""

    gap = "words"


class ActionAskComplaintPlace(_AskComplaint, Action):
    """Asks where it is."""

    gap = "place"


class ActionAskComplaintConfirmed(_AskComplaint, Action):
    """Shows the summary and asks for the go-ahead."""

    gap = "confirmed"


class ActionFileComplaint(Action):
    """Stores the confirmed draft as a ticket."""

    def name(self) -> str:
        """Action name."""
        return "action_file_complaint"

    async def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict
    ) -> list[EventType]:
        """File, tell the ticket id, and clear the draft."""
        draft = load_draft(tracker)
        if draft is None or draft.gap is not None:
            say(dispatcher, "这条投诉还没有填完，您可以重新说一遍。")
            return [SlotSet(slot, None) for slot in CLEARED]
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
        return [*(SlotSet(slot, None) for slot in CLEARED), SlotSet("ticket_id", ticket.id)]


class ActionCancelComplaint(Action):
    """Drops the draft; nothing has been stored as a ticket."""

    def name(self) -> str:
        """Action name."""
        return "action_cancel_complaint"

    async def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict
    ) -> list[EventType]:
        """Say so and clear the draft."""
        say(dispatcher, "好的，这条没有提交，已经取消。需要时随时再说。")
        return [SlotSet(slot, None) for slot in CLEARED]


class ActionPauseComplaint(Action):
    """Keeps the draft for later."""

    def name(self) -> str:
        """Action name."""
        return "action_pause_complaint"

    async def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict
    ) -> list[EventType]:
        """Say that the draft is kept."""
        say(
            dispatcher,
            "好的，您刚才说的我先留着，还没有提交。回来时点一下“继续投诉”就能接着填。",
            [button("继续投诉", "continue_complaint")],
        )
        return []


class ActionComplaintFirst(Action):
    """A policy search has to wait until the complaint is filed or cancelled."""

    def name(self) -> str:
        """Action name."""
        return "action_complaint_first"

    async def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict
    ) -> list[EventType]:
        """Say so; the form asks its open question next."""
        say(dispatcher, "找政策的事我记着，咱们先把这条投诉填完（不想填了就说“取消”）。")
        return []


def fresh_draft_from(turn: Turn, tracker: Tracker) -> list[dict[str, Any]]:
    """Return slot events with a draft that already holds this message (used in emergencies)."""
    return draft_slots(intake().absorb(new_draft(), heard(turn, tracker)))

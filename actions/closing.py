"""Closing a case: the citizen's word that it is solved, or why it is not."""

from __future__ import annotations

from rasa_sdk import Tracker
from rasa_sdk.events import ActionExecutionRejected, EventType, SlotSet
from rasa_sdk.executor import CollectingDispatcher

from actions.appointments import leave_booking
from actions.complaints import action_cancel_complaint, load_draft
from actions.forms import REOPEN_INTERRUPTIONS, interrupts, rejects
from actions.registry import action
from actions.returning import goes_back
from actions.services import action_answer_service
from actions.turn import Turn, button, say
from actions.verdicts import (
    hear_verdict,
    say_why_not,
    settle_solved,
    settle_unsolved,
    ticket_judged,
    verdict_in,
)
from dispatch.case.closing import Stance, stance
from store.database import unit_of_work
from store.models import utc_now
from store.tickets import of_citizen

_NOTHING = "没有查到已办结的工单。请核对工单号，或者说“查进度”看看您的工单。"
_PHOTO_SAYS = "市民发来照片，说明问题没有解决。"
_CLEARED = (
    "reopen_reason",
    "reopen_target",
    "pending_verdict",
    "pending_photos",
    "pending_locations",
)
_SPEAKING = (Stance.MAY_REOPEN, Stance.REOPENED_BEFORE)
"""Stances in which the citizen's words still go somewhere."""
_SOUNDS_LIKE = frozenset({"rate_ticket", "check_ticket", "complain_bot", "chitchat"})
"""What the words of somebody who says why he is not content are often taken for."""


@action
def action_confirm_solved(dispatcher: CollectingDispatcher, tracker: Tracker) -> list[EventType]:
    """Closes a handled ticket by the citizen's word. Close, and ask for a rating."""
    turn = Turn.of(tracker)
    with unit_of_work() as session:
        ticket = ticket_judged(session, turn, tracker)
        if ticket is None:
            say(dispatcher, _NOTHING, [button("查进度", "check_ticket")])
            return []
        return settle_solved(dispatcher, session, ticket)


@action
def validate_reopen_form(dispatcher: CollectingDispatcher, tracker: Tracker) -> list[EventType]:
    """Takes the reason why a ticket shall be sent back. Return the slots after this message.

    What the citizen said before the question counts as his reason. A ticket that cannot be
    sent back ends the form at once.
    """
    turn = Turn.of(tracker)
    if tracker.get_slot("requested_slot") is None:
        return _begin(turn, tracker)
    kept, target = tracker.get_slot("reopen_reason"), tracker.get_slot("reopen_target")
    same = [SlotSet("reopen_reason", kept), SlotSet("reopen_target", target)]
    if turn.intent == "reopen_ticket" and turn.is_button:  # pressed again, or for another one
        return _begin(turn, tracker)
    if not _is_reason(turn) and interrupts(turn, REOPEN_INTERRUPTIONS, free_text=True):
        if rejects(tracker, "reopen_form", turn):
            return [ActionExecutionRejected("reopen_form")]
        return same
    reason = turn.text.strip() or (_PHOTO_SAYS if tracker.get_slot("pending_photos") else None)
    return [SlotSet("reopen_reason", reason or kept), SlotSet("reopen_target", target)]


@action
def action_ask_reopen_reason(dispatcher: CollectingDispatcher, tracker: Tracker) -> list[EventType]:
    """Asks what is not solved. Ask; who has used his one reopening learns of the hotline."""
    with unit_of_work() as session:
        ticket = of_citizen(session, tracker.sender_id, str(tracker.get_slot("reopen_target")))
        again = ticket is not None and stance(ticket, utc_now()) is Stance.REOPENED_BEFORE
    if again:
        say(
            dispatcher,
            "这个工单已经退回重办过一次，请拨打12345，报工单号，由人工帮您督办。"
            "您还想对责任部门说的，现在写给我，我转过去。",
            [button("转人工", "ask_human"), button("不用了", "cancel")],
        )
    else:
        say(
            dispatcher,
            "请说说哪里没解决，一句话就行，也可以带上照片。我连同工单一起退回重新办理。",
            [button("先不退回", "cancel")],
        )
    return []


@action
def action_reopen_ticket(dispatcher: CollectingDispatcher, tracker: Tracker) -> list[EventType]:
    """Sends the ticket back with its reason. Send, or say why not."""
    turn = Turn.of(tracker)
    reason = tracker.get_slot("reopen_reason")
    target = str(tracker.get_slot("reopen_target"))
    photos = tuple(photo["id"] for photo in tracker.get_slot("pending_photos") or ())
    done: list[EventType] = [SlotSet(slot, None) for slot in _CLEARED]
    with unit_of_work() as session:
        ticket = of_citizen(session, turn.citizen_id, target, lock=True)
        if ticket is None:
            say(dispatcher, _NOTHING, [button("查进度", "check_ticket")])
            return done
        found = stance(ticket, utc_now())
        if reason and found in _SPEAKING:
            settle_unsolved(dispatcher, session, ticket, reason, photos, turn.message_id)
        else:
            say_why_not(dispatcher, ticket, found)
        return [*done, SlotSet("ticket_id", ticket.id)]


@action
def action_cancel_reopen(dispatcher: CollectingDispatcher, tracker: Tracker) -> list[EventType]:
    """Leaves the ticket as it is. Say so."""
    say(dispatcher, "好的，不退回，工单保持原样。想好了随时告诉我。")
    return [SlotSet(slot, None) for slot in (*_CLEARED, "requested_slot")]


@action
def action_nothing_open(dispatcher: CollectingDispatcher, tracker: Tracker) -> list[EventType]:
    """Answers “never mind” outside the forms: a verdict (“重新办”), an appointment half made or
    to be cancelled, or 不报了 to a draft kept.

    Say so when there is none of them.
    """
    heard = hear_verdict(dispatcher, tracker)
    if heard is not None:
        return heard
    if goes_back(Turn.of(tracker).text) and tracker.get_slot("service_trail"):
        return action_answer_service(dispatcher, tracker)  # 算了，说回前面那个
    booked = leave_booking(dispatcher, tracker)
    if booked is not None:
        return booked
    if load_draft(tracker) is not None:
        return action_cancel_complaint(dispatcher, tracker)
    dispatcher.utter_message(response="utter_nothing_open")
    return []


def _is_reason(turn: Turn) -> bool:
    """Tell whether words say what is not solved, whatever else they could be.

    Danger comes first all the same.
    """
    if not turn.text or turn.intent == "emergency":
        return False
    return turn.intent in _SOUNDS_LIKE or verdict_in(turn.text) == "unsolved"


def _begin(turn: Turn, tracker: Tracker) -> list[EventType]:
    kept = tracker.get_slot("pending_verdict") or {}
    with unit_of_work() as session:
        ticket = ticket_judged(session, turn, tracker)
        if ticket is None:
            return [SlotSet("reopen_target", None), SlotSet("requested_slot", None)]
        target = SlotSet("reopen_target", ticket.id)
        if stance(ticket, utc_now()) not in _SPEAKING:
            return [target, SlotSet("requested_slot", None)]
    reason = kept.get("reason") if kept.get("ticket_id") == ticket.id else None
    return [target, SlotSet("reopen_reason", reason)]

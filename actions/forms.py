"""What interrupts a form.

``bot/dialogues/interruptions.yml`` answers these intents and returns to the form or leaves
it. Rasa asks its rules only after the form has rejected the message, so a validation action
rejects these, and takes none of them as an answer when the form comes back.
"""

from __future__ import annotations

from rasa_sdk import Tracker

from actions.turn import Turn

SERVICE_INTENTS = frozenset(
    {
        "ask_service",
        "ask_materials",
        "ask_place_time",
        "ask_fee",
        "ask_duration",
        "ask_appointment",
        "choose_service",
        "choose_situation",
    }
)
CHECKLIST = frozenset(
    {
        "start_checklist",
        "answer_checklist",
        "tick_checklist",
        "my_checklist",
        "drop_checklist",
    }
)
SMALL_TALK = frozenset({"greet", "help", "chitchat", "out_of_scope", "complain_bot"})
POLICY_DETAIL = frozenset({"ask_policy_detail", "choose_policy"})

APPOINTMENT_BUTTONS = frozenset(
    {
        "book_appointment",
        "choose_slot",
        "confirm_appointment",
        "my_appointments",
        "cancel_appointment",
        "confirm_cancel_appointment",
        "close_appointment",
    }
)
SUBSCRIPTION = frozenset({"subscribe_policies", "unsubscribe_policies"})
TICKET_BUTTONS = frozenset(
    {"rate_ticket", "withdraw_ticket", "confirm_withdraw", "confirm_solved", "reopen_ticket"}
)

_ALWAYS = (
    SERVICE_INTENTS
    | CHECKLIST
    | SMALL_TALK
    | TICKET_BUTTONS
    | APPOINTMENT_BUTTONS
    | {
        "rate_answer",
        "thank",
        "check_ticket",
        "ask_human",
        "emergency",
        "repeat",
        "cancel",
        "goodbye",
        "forget_me",
    }
)
_SEARCH = frozenset({"ask_policy", "choose_kind"})
_REPORT = frozenset({"report_pollution", "report_city_issue", "attach"})

COMPLAINT_INTERRUPTIONS = _ALWAYS | POLICY_DETAIL | SUBSCRIPTION | _SEARCH
_STOP_NEWS = frozenset({"unsubscribe_policies"})
SUPPLEMENT_INTERRUPTIONS = _ALWAYS | _SEARCH | _STOP_NEWS
REOPEN_INTERRUPTIONS = _ALWAYS - {"reopen_ticket"} | _SEARCH | _STOP_NEWS
POLICY_INTERRUPTIONS = _ALWAYS | POLICY_DETAIL | SUBSCRIPTION | _REPORT

ASKED_AGAIN = frozenset({"repeat"})
"""What only makes a form ask its open question again. Rasa never lets a form run right after
it rejected a message, so these are not rejected although a rule of their own names them."""

_EASILY_MISTAKEN = SERVICE_INTENTS | SMALL_TALK | POLICY_DETAIL | {"ask_policy"}
_SURE = 0.6


def interrupts(turn: Turn, interruptions: frozenset[str], *, free_text: bool) -> bool:
    """Tell whether a message interrupts a form instead of answering it.

    Args:
        turn: the message.
        interruptions: the intents that interrupt this form.
        free_text: whether the open question takes any words (an address, a description);
            then a message that is only perhaps a question counts as the answer.
    """
    if turn.intent not in interruptions:
        return False
    doubtful = turn.intent in _EASILY_MISTAKEN and turn.confidence < _SURE
    return not (free_text and doubtful and turn.text)


def rejects(tracker: Tracker, form: str, turn: Turn) -> bool:
    """Tell whether the active ``form`` must reject an interruption now.

    After the interruption has been answered the form runs again for the same message; then
    another action stands between the message and the form, and nothing is rejected.
    """
    if turn.intent in ASKED_AGAIN or tracker.active_loop_name != form:
        return False
    for event in reversed(tracker.events):
        if event["event"] == "user":
            return True
        if event["event"] == "action" and event["name"] not in (form, "action_extract_slots"):
            return False
    return False

"""What interrupts a form.

``bot/dialogues/interruptions.yml`` answers these intents and returns to the form or leaves
it. Rasa asks its rules only after the form has rejected the message, so a validation action
rejects these, and takes none of them as an answer when the form comes back.
"""

from __future__ import annotations

from rasa_sdk import Tracker

SERVICE_INTENTS = frozenset(
    {
        "ask_service",
        "ask_materials",
        "ask_place_time",
        "ask_fee",
        "ask_duration",
        "ask_appointment",
        "choose_service",
    }
)
SMALL_TALK = frozenset({"greet", "help", "chitchat", "out_of_scope", "complain_bot"})
POLICY_DETAIL = frozenset({"ask_policy_detail", "choose_policy"})

COMPLAINT_INTERRUPTIONS = (
    SERVICE_INTENTS
    | SMALL_TALK
    | POLICY_DETAIL
    | {
        "ask_policy",
        "choose_kind",
        "thank",
        "check_ticket",
        "ask_human",
        "emergency",
        "repeat",
        "cancel",
        "withdraw_ticket",
        "goodbye",
    }
)
SUPPLEMENT_INTERRUPTIONS = SERVICE_INTENTS | {"cancel", "goodbye", "emergency", "ask_human"}
POLICY_INTERRUPTIONS = (
    SERVICE_INTENTS
    | SMALL_TALK
    | POLICY_DETAIL
    | {
        "cancel",
        "goodbye",
        "thank",
        "report_pollution",
        "report_city_issue",
        "attach",
        "check_ticket",
        "ask_human",
        "emergency",
        "repeat",
        "subscribe_policies",
        "unsubscribe_policies",
        "forget_me",
    }
)

ASKED_AGAIN = frozenset({"repeat"})
"""What only makes a form ask its open question again. Rasa never lets a form run right after
it rejected a message, so these are not rejected although a rule of their own names them."""


def interrupts(tracker: Tracker, form: str, intent: str, interruptions: frozenset[str]) -> bool:
    """Tell whether the message just arrived and interrupts the active ``form``.

    After the interruption has been answered the form runs again for the same message; then
    another action stands between the message and the form, and nothing is rejected.
    """
    if intent not in interruptions or tracker.active_loop_name != form:
        return False
    for event in reversed(tracker.events):
        if event["event"] == "user":
            return True
        if event["event"] == "action" and event["name"] not in (form, "action_extract_slots"):
            return False
    return False

"""What interrupts a form.

``bot/dialogues/interruptions.yml`` answers these intents and returns to the form or leaves
it; a validation action must therefore not take such a message as an answer.
"""

from __future__ import annotations

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

"""Which button payloads a citizen may send.

Rasa reads any text that begins with ``/`` as an intent, so only what our own buttons carry
is let through; anything else is treated as plain words.
"""

from __future__ import annotations

import json
import re

INTENTS = frozenset(
    {
        "affirm",
        "answer_checklist",
        "answer_profile",
        "ask_appointment",
        "ask_duration",
        "ask_fee",
        "ask_human",
        "ask_materials",
        "ask_place_time",
        "ask_policy",
        "ask_service",
        "book_appointment",
        "cancel",
        "cancel_appointment",
        "change_category",
        "change_contact",
        "change_place",
        "check_ticket",
        "choose_category",
        "choose_kind",
        "choose_place",
        "choose_policy",
        "choose_service",
        "choose_situation",
        "choose_slot",
        "choose_split",
        "close_appointment",
        "confirm_appointment",
        "confirm_cancel_appointment",
        "confirm_solved",
        "confirm_withdraw",
        "continue_complaint",
        "deny",
        "drop_checklist",
        "file_separately",
        "help",
        "join_ticket",
        "my_checklist",
        "my_appointments",
        "rate_answer",
        "rate_ticket",
        "reopen_ticket",
        "report_city_issue",
        "report_pollution",
        "show_results",
        "start_checklist",
        "subscribe_policies",
        "supplement_ticket",
        "tick_checklist",
        "unsubscribe_policies",
        "update_profile",
        "withdraw_ticket",
    }
)
ENTITIES = frozenset(
    {
        "appointment",
        "category",
        "confirmed",
        "contact",
        "entry",
        "hall_id",
        "kind",
        "outcome",
        "place",
        "policy_id",
        "reason",
        "score",
        "service_id",
        "situation",
        "slot",
        "split",
        "ticket_id",
        "useful",
        "value",
    }
)
_SHAPE = re.compile(r"/([a-z_]+)(\{.*\})?", re.DOTALL)
_LONGEST_VALUE = 100


def is_payload(text: str) -> bool:
    """Tell whether ``text`` is a payload of one of our buttons."""
    match = _SHAPE.fullmatch(text)
    if match is None or match.group(1) not in INTENTS:
        return False
    if match.group(2) is None:
        return True
    try:
        entities = json.loads(match.group(2))
    except (ValueError, RecursionError):
        return False
    return isinstance(entities, dict) and all(
        name in ENTITIES and isinstance(value, str) and len(value) <= _LONGEST_VALUE
        for name, value in entities.items()
    )

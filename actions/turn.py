"""One turn of the conversation as an action sees it, and what it says back."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from rasa_sdk import Tracker
from rasa_sdk.executor import CollectingDispatcher

TICKET_ID = re.compile(r"SM\d{14}", re.IGNORECASE)


@dataclass(frozen=True)
class Turn:
    """The citizen's latest message.

    ``text`` is what he typed, not the normalised form; empty for buttons and attachments. A
    button that says what an unclear message meant brings the words of that message along.
    """

    citizen_id: str
    message_id: str
    intent: str
    confidence: float
    text: str
    entities: tuple[tuple[str, str], ...]
    metadata: dict[str, Any]

    @classmethod
    def of(cls, tracker: Tracker) -> Turn:
        """Read the latest message of a tracker."""
        message = tracker.latest_message
        metadata = message.get("metadata") or {}
        intent = message.get("intent") or {}
        return cls(
            citizen_id=tracker.sender_id,
            message_id=message.get("message_id") or metadata.get("message_id") or "",
            intent=intent.get("name") or "",
            confidence=float(intent.get("confidence") or 0.0),
            text=_words(tracker, message, metadata),
            entities=tuple(
                (str(entity["entity"]), str(entity["value"]))
                for entity in message.get("entities") or []
            ),
            metadata=metadata,
        )

    @property
    def is_button(self) -> bool:
        """Whether the message came from a button (an intent payload)."""
        return not self.text and self.intent != "attach"

    def entity(self, name: str) -> str | None:
        """The first value of an entity, if any."""
        return next((value for key, value in self.entities if key == name), None)

    def values(self, name: str) -> tuple[str, ...]:
        """Every value of an entity."""
        return tuple(value for key, value in self.entities if key == name)


def named_ticket(turn: Turn) -> str | None:
    """Return the ticket id in a message, in upper case."""
    found = turn.entity("ticket_id") or ""
    match = TICKET_ID.search(found) or TICKET_ID.search(turn.text)
    return match.group().upper() if match else None


def last_cards(tracker: Tracker) -> list[dict[str, Any]]:
    """Return the cards that were shown last, as far as the conversation is known here."""
    for event in reversed(tracker.events):
        if event.get("event") == "bot":
            cards = ((event.get("data") or {}).get("custom") or {}).get("cards")
            if cards:
                return list(cards)
    return []


def next_message_only(value: dict[str, Any] | None, message_id: str) -> dict[str, Any] | None:
    """Carry a slot value over to the message after the one that set it, and no further.

    ``value["for"]`` is None until that message comes, then its id.
    """
    if not value or value["for"] not in (None, message_id):
        return None
    return {**value, "for": message_id}


def _words(tracker: Tracker, message: dict[str, Any], metadata: dict[str, Any]) -> str:
    raw = message.get("text") or ""
    if not raw.startswith("/"):
        return str(metadata.get("text") or raw)
    unclear = tracker.get_slot("unclear")
    name = (message.get("intent") or {}).get("name")
    if unclear and name in unclear["readings"] and not message.get("entities"):
        return str(unclear["text"])
    return ""


def payload(intent: str, **entities: str) -> str:
    """Return the button payload of an intent with entities."""
    return f"/{intent}" + (json.dumps(entities, ensure_ascii=False) if entities else "")


def button(title: str, intent: str, **entities: str) -> dict[str, str]:
    """Return a button of the Chat API."""
    return {"title": title, "payload": payload(intent, **entities)}


def say(
    dispatcher: CollectingDispatcher,
    text: str,
    buttons: list[dict[str, str]] | None = None,
    cards: list[dict[str, Any]] | None = None,
    speech: str | None = None,
) -> None:
    """Say one reply; cards and a shorter version to read aloud travel as Rasa's custom payload."""
    custom = {name: value for name, value in (("cards", cards), ("speech", speech)) if value}
    dispatcher.utter_message(text=text, buttons=buttons or None, json_message=custom or None)

"""Where a message goes while a citizen waits for a person, or speaks with one.

Everything here works without Rasa: what is decided by a few words and buttons, before the
message would go there.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import structlog
from sqlalchemy.orm import Session

from base.settings import Settings
from channels.message import Answer, Message, Reply, Understanding
from channels.payloads import is_payload
from channels.rasa import RasaClient
from dispatch.reporting.contact import masked, refuses, take_contact
from dispatch.reporting.emergency import advice
from enquiries.handover import wording, words
from enquiries.handover.office import Office
from enquiries.handover.states import State
from store import handover as rows
from store.database import reading, unit_of_work
from store.handover_models import Handover
from store.models import utc_now

log = structlog.get_logger(__name__)

INTENT = "ask_human"
"""What the answer to a message says it was about, when no model has read it."""
_PRESSED = "（点了一个按钮）"
_RATINGS = {wording.rating_payload(score): score for score in words.SCORES.values()}
_BUTTONS = frozenset({words.LEAVE, words.POSITION, words.CALL_ME})


def is_about_queue(text: str) -> bool:
    """Tell whether a text is one of these buttons, or asks for one's place in the queue.

    Both are answered also when nobody waits.
    """
    return text in _BUTTONS or text in _RATINGS or words.asks_own_place(text)


class PersonInChat:
    """Takes messages that a person or the queue is concerned with."""

    def __init__(self, settings: Settings, rasa: RasaClient) -> None:
        self._office = Office(settings)
        self._rasa = rasa

    def state_of(self, citizen: str) -> State | None:
        """Return where the citizen's hand-over is, None without one; nobody waits for this."""
        with reading() as session:
            state = rows.open_state_of(session, citizen)
            return None if state is None else State(state)

    def answer_words(self, citizen: str, text: str) -> list[dict[str, Any]] | None:
        """Answer a button or a few words about the hand-over; None when they are about else."""
        now = utc_now()
        with unit_of_work() as session:
            row = rows.open_of(session, citizen, lock=True)
            if text in _RATINGS:
                return [self._office.rate(session, citizen, _RATINGS[text])]
            if row is None and words.asks_own_place(text):
                return [wording.not_in_queue()]
            if row is None:
                return [wording.nothing_open()] if text in _BUTTONS else None
            reply = self._answer(session, row, text, now)
        return None if reply is None else [reply]

    def pass_on(
        self, citizen: str, body: dict[str, Any], message_id: str
    ) -> list[dict[str, Any]] | None:
        """Bring words and photos to the agent; None when he has just ended the conversation.

        A message that comes again under its ``message_id`` is in front of him already.
        """
        now = utc_now()
        with unit_of_work() as session:
            row = rows.open_of(session, citizen, lock=True)
            if row is None or row.state != State.SERVING:
                return None
            first = not rows.is_posted(session, message_id) and self._office.hear(
                session, row, body, now, message_id
            )
        replies = [wording.passed_on()] if first else []
        text = body["text"]
        if text and self._is_emergency(text):
            replies.append({"text": advice(text), "buttons": [], "cards": []})
        return replies

    def remember(
        self, citizen: str, body: dict[str, Any], replies: list[dict[str, Any]], message_id: str
    ) -> None:
        """Keep a turn with the assistant for the agent who will take the waiting citizen."""
        now = utc_now()
        with unit_of_work() as session:
            row = rows.open_of(session, citizen)
            if row is None or row.state not in (State.WAITING, State.SERVING):
                return
            if rows.is_posted(session, message_id):
                return
            rows.add_message(session, row.id, "citizen", body, at=now, key=message_id)
            for reply in replies:
                rows.add_message(session, row.id, "bot", {"text": reply["text"]}, at=now)

    def _answer(
        self, session: Session, row: Handover, text: str, now: datetime
    ) -> wording.Reply | None:
        served = row.state == State.SERVING
        if text == words.LEAVE or words.leaves(text, served=served):
            return self._office.leave(session, row, now)
        if served:
            return wording.being_served() if text in _BUTTONS else None
        waits = row.state == State.WAITING
        asks = words.asks_own_place(text) or (waits and words.asks_position(text))
        if text == words.POSITION or asks:
            return self._office.place(session, row, now)
        if text == words.CALL_ME and row.state == State.WAITING:
            return self._office.offer(session, row, "asked", now)
        if text == words.CALL_ME or (row.state == State.CALLBACK and words.asks_when_called(text)):
            return self._office.where(session, row, now)
        if not self._office.takes_phone(row, now):
            return None
        told = take_contact(text, expected=True)
        if told.contact is not None and not told.text:
            contact = {"phone": told.contact.phone, "name": told.contact.name}
            return self._office.take_phone(session, row, contact, masked(told.contact), now)
        if row.state == State.OFFERED and (refuses(text) or words.declines(text)):
            return self._office.leave(session, row, now)
        return None

    def _is_emergency(self, text: str) -> bool:
        found = self._rasa.understand(text.lstrip("/"))
        return (found.get("intent") or {}).get("name") == "emergency"


def answered(message: Message, replies: list[dict[str, Any]], intent: str = INTENT) -> Answer:
    """Return the answer to a message no model has read; ``intent`` is what it was about."""
    return Answer(
        conversation_id=message.conversation_id,
        understanding=Understanding(intent=intent, confidence=1.0),
        replies=tuple(Reply.of(reply) for reply in replies),
    )


def words_of(text: str, metadata: dict[str, Any]) -> dict[str, Any]:
    """Return what of a message is kept for an agent: words, photos and videos by id, points."""
    text = _PRESSED if is_payload(text) else text
    points = [p for p in metadata["locations"] if p["source"] == "shared"]
    found = {
        "text": text,
        "photos": metadata["photos"],
        "videos": metadata["videos"],
        "locations": points,
    }
    return {name: value for name, value in found.items() if value or name == "text"}

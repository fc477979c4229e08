"""Handing the citizen over to a person."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from rasa_sdk import Tracker
from rasa_sdk.events import EventType
from rasa_sdk.executor import CollectingDispatcher

from actions.registry import action
from actions.turn import Turn, say
from base.settings import get_settings
from enquiries.handover.office import MOST_TURNS, Line, Office, Wish
from store.database import unit_of_work
from store.models import utc_now

_TOPICS = {
    "complaint_form": "complaint",
    "supplement_form": "complaint",
    "reopen_form": "complaint",
    "policy_form": "policy",
}


@action
def action_hand_over(dispatcher: CollectingDispatcher, tracker: Tracker) -> list[EventType]:
    """Puts the citizen in the queue for a person, or offers to call him back.

    What was said last goes along, so that he need not say it again. Where nobody is employed
    to answer, name the hotline and the ticket to mention there.
    """
    turn = Turn.of(tracker)
    channel, _, _ = turn.citizen_id.partition(":")
    wish = Wish(
        citizen_id=turn.citizen_id,
        channel=channel,
        topic=_topic(tracker),
        reason=_reason(tracker),
        turns=last_turns(tracker.events),
        ticket=tracker.get_slot("ticket_id"),
    )
    with unit_of_work() as session:
        reply = _office().ask(session, wish, utc_now())
    say(dispatcher, reply["text"], reply["buttons"])
    return []


def last_turns(events: list[dict[str, Any]]) -> tuple[Line, ...]:
    """Return the last lines of a conversation as an agent reads them, oldest first."""
    lines: list[Line] = []
    titles: dict[str, str] = {}
    for event in events:
        if event.get("event") == "user":
            body = _said(event, titles)
            if any(body.values()):
                lines.append(Line("citizen", _moment(event), body))
        elif event.get("event") == "bot":
            pressable = (event.get("data") or {}).get("buttons") or []
            titles = {str(b.get("payload")): str(b.get("title")) for b in pressable} or titles
            if event.get("text"):
                lines.append(Line("bot", _moment(event), {"text": str(event["text"])}))
    return tuple(lines[-MOST_TURNS:])


def _said(event: dict[str, Any], titles: dict[str, str]) -> dict[str, Any]:
    """Return the words of a message, or the title of the button that was pressed."""
    metadata = event.get("metadata") or {}
    raw = str(event.get("text") or "")
    text = str(metadata.get("text") or raw)
    if text.startswith("/"):
        known = {"/attach": "", "/ask_human": "转人工"}
        text = titles.get(text) or known.get(text, "（点了一个按钮）")
    points = [p for p in metadata.get("locations") or [] if p.get("source") == "shared"]
    found = {name: metadata.get(name) for name in ("photos", "videos")}
    return {"text": text, **{n: v for n, v in {**found, "locations": points}.items() if v}}


def _moment(event: dict[str, Any]) -> datetime:
    at = event.get("timestamp")
    return datetime.fromtimestamp(at, UTC) if isinstance(at, int | float) else utc_now()


def _topic(tracker: Tracker) -> str:
    loop = _TOPICS.get(tracker.active_loop_name or "")
    if loop:
        return loop
    if tracker.get_slot("policy_id"):
        return "policy"
    return "service" if tracker.get_slot("service_id") else "general"


def _reason(tracker: Tracker) -> str:
    """Return why, as far as the last messages before this one tell."""
    intents = [
        (e.get("parse_data") or {}).get("intent", {}).get("name")
        for e in tracker.events
        if e.get("event") == "user"
    ]
    before = intents[-3:-1]
    if "complain_bot" in before:
        return "unhappy"
    return "misunderstood" if "nlu_fallback" in before else "asked"


@lru_cache(maxsize=1)
def _office() -> Office:
    return Office(get_settings())

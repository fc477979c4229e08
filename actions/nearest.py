"""Which hall is nearest: asked after a place, answered once it is known where the citizen is."""

from __future__ import annotations

import re

from rasa_sdk import Tracker
from rasa_sdk.events import EventType, FollowupAction, SlotSet
from rasa_sdk.executor import CollectingDispatcher

from actions.registry import action
from actions.resources import catalogue, gazetteer
from actions.service_replies import answer_buttons, service_card
from actions.turn import Turn, button, say
from enquiries.bookings import bookable_halls
from enquiries.opening import by_distance, nearest_text
from enquiries.wording import spoken

__all__ = ["NEAREST", "action_attached", "asks_nearest", "nearest_asked", "place_named"]

NEAREST = re.compile(r"(最近|附近|就近|近一点|近点|离我|旁边|哪个近)")
"""Words that ask for what is near."""

_BARE_QUESTION = 16
"""Longer words are about something of their own."""


@action
def action_attached(dispatcher: CollectingDispatcher, tracker: Tracker) -> list[EventType]:
    """Photos or a location without words: the nearest hall if that was asked, else a complaint."""
    told = nearest_asked(dispatcher, tracker)
    return told or [SlotSet("nearest_for", None), FollowupAction("complaint_form")]


def asks_nearest(tracker: Tracker) -> bool:
    """Tell whether a message without a matter of its own asks how near the one spoken of is.

    离我最近的？ after an answer about an item, whatever such few words are taken for.
    """
    text = Turn.of(tracker).text
    known = catalogue().service(str(tracker.get_slot("service_id") or "")) is not None
    free = tracker.active_loop_name is None
    return known and free and len(text) <= _BARE_QUESTION and bool(NEAREST.search(text))


def nearest_asked(dispatcher: CollectingDispatcher, tracker: Tracker) -> list[EventType] | None:
    """Name the nearest hall if that was just asked and this message says where he is."""
    turn = Turn.of(tracker)
    item = catalogue().service(str(tracker.get_slot("nearest_for") or ""))
    if item is None or turn.metadata.get("photos") or turn.metadata.get("videos"):
        return None
    points = turn.metadata.get("locations") or []
    here = (points[-1]["latitude"], points[-1]["longitude"]) if points else place_named(turn.text)
    halls = catalogue().halls_for(item)
    if here is None or not halls:
        return None
    text = nearest_text(halls, *here)
    buttons = answer_buttons(item, "ask_place_time")
    windows = by_distance(bookable_halls(item, halls), *here)
    if windows:
        begun = tracker.get_slot("booking") or {}
        said = begun if begun.get("service_id") == item.id else {}
        named = {name: said[name] for name in ("slot", "appointment") if name in said}
        named |= {"service_id": item.id, "hall_id": windows[0].id}
        buttons.insert(0, button(f"约{windows[0].name}", "book_appointment", **named))
    say(dispatcher, text, buttons, [service_card(item)], speech=spoken(text))
    return [SlotSet("nearest_for", None), SlotSet("pending_locations", None)]


def place_named(text: str) -> tuple[float, float] | None:
    """Return the point (degrees, WGS 84) of the place that ``text`` names, or None."""
    found = gazetteer().find(text, limit=1) if text else ()
    return (found[0].latitude, found[0].longitude) if found else None

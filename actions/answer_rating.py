"""When a citizen is asked whether an answer helped, and what is noted of every answer.

He is asked once for each matter and conversation: after the second answer about it, or when he
thanks or leaves right after an answer. In the middle of a form he is not asked: the form has a
question of its own open.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rasa_sdk import Tracker
from rasa_sdk.events import EventType, SlotSet
from rasa_sdk.executor import CollectingDispatcher

from actions.quality_log import quality_log
from actions.resources import catalogue
from actions.turn import Turn, button, say
from base.calendar import city_today
from matcher.finder import Candidate, Matter
from store.answer_quality import Kind, answer_key, count, keep_unanswered

__all__ = ["answered", "ask_at_the_end", "note_next", "note_unanswered", "offered"]

_KEPT = 5
"""Matters of a conversation that can still be rated."""
_ASK_AT = 2
"""Answers about one matter after which he knows whether they help."""
_WORDS = 300


def answered(  # noqa: PLR0913
    dispatcher: CollectingDispatcher,
    tracker: Tracker,
    turn: Turn,
    matter: Matter,
    score: float,
    *,
    may_ask: bool,
) -> list[EventType]:
    """Note an answer and, after the second one, ask whether it helped.

    Args:
        dispatcher: what is said.
        tracker: the conversation.
        turn: the message answered.
        matter: the item or package the answer was about.
        score: how sure the finder was, from 0 to 1; 1 for a choice of the citizen's own.
        may_ask: whether no other question is open.
    """
    day = city_today()
    quality_log().later(lambda session: count(session, matter.id, day, answers=1))
    every = dict(tracker.get_slot("answer_quality") or {})
    kept = every.pop(matter.id, None) or {
        "times": 0,
        "words": _words(tracker, turn)[:_WORDS],
        "score": round(score, 4),
        "message_id": turn.message_id,
        "key": None,
        "why_asked": False,
    }
    kept = {**kept, "times": kept["times"] + 1}
    free = may_ask and tracker.active_loop_name is None
    if free and kept["key"] is None and kept["times"] >= _ASK_AT:
        kept = _ask(dispatcher, turn, matter, kept)
    every = dict(list({**every, matter.id: kept}.items())[-_KEPT:])
    return [
        SlotSet("answer_quality", every),
        SlotSet("just_answered", {"service_id": matter.id, "for": None}),
    ]


def ask_at_the_end(
    dispatcher: CollectingDispatcher, tracker: Tracker, turn: Turn
) -> list[EventType]:
    """Ask when he thanks or leaves right after an answer that he was not asked about."""
    just = tracker.get_slot("just_answered")
    if turn.intent not in ("thank", "goodbye") or not just or tracker.active_loop_name:
        return []
    every = tracker.get_slot("answer_quality") or {}
    kept = every.get(just["service_id"])
    city = catalogue()
    matter = city.service(just["service_id"]) or city.package(just["service_id"])
    if kept is None or kept["key"] is not None or matter is None:
        return []
    kept = _ask(dispatcher, turn, matter, kept)
    return [SlotSet("answer_quality", {**every, matter.id: kept})]


def offered(turn: Turn, candidates: Sequence[Candidate[Matter]]) -> EventType:
    """Remember for one message what was offered to choose from."""
    kept = {
        "text": turn.text[:_WORDS],
        "candidates": [[c.item.id, round(c.score, 4)] for c in candidates],
        "message_id": turn.message_id,
        "for": None,
    }
    return SlotSet("services_offered", kept)


def note_unanswered(
    message_id: str, kind: Kind, words: str, candidates: Sequence[tuple[str, float]]
) -> None:
    """Keep a question for the editors, behind the answer."""
    if message_id and words:
        quality_log().later(
            lambda session: keep_unanswered(session, message_id, kind, words, candidates)
        )


def note_next(tracker: Tracker, turn: Turn) -> None:
    """Note what the message after an answer says of it: none of those offered, or a person.

    Runs before the slots of the message before are carried over.
    """
    choice = tracker.get_slot("services_offered")
    if choice and choice["for"] is None and turn.intent in ("ask_human", "deny"):
        candidates = [(str(name), float(score)) for name, score in choice["candidates"]]
        note_unanswered(choice["message_id"], "none_fits", choice["text"], candidates)
    just = tracker.get_slot("just_answered")
    if just and just["for"] is None and turn.intent == "ask_human":
        name, day = str(just["service_id"]), city_today()
        quality_log().later(lambda session: count(session, name, day, hand_overs=1))


def _ask(
    dispatcher: CollectingDispatcher, turn: Turn, matter: Matter, kept: dict[str, Any]
) -> dict[str, Any]:
    say(
        dispatcher,
        f"关于“{matter.name}”的回答，对您有用吗？",
        [
            button("有用", "rate_answer", service_id=matter.id, useful="yes"),
            button("没帮上忙", "rate_answer", service_id=matter.id, useful="no"),
        ],
    )
    return {**kept, "key": answer_key(f"{turn.message_id}:{matter.id}")}


def _words(tracker: Tracker, turn: Turn) -> str:
    """Return the question that led to a matter: this message, or the one asked back about."""
    before = tracker.get_slot("services_offered") or tracker.get_slot("unclear") or {}
    return turn.text or str(before.get("text") or "")

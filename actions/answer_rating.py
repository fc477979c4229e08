"""When a citizen is asked whether an answer helped, and what is noted of every answer.

He is asked once for each matter and conversation: after the second answer about it, or when he
thanks or leaves right after an answer. In the middle of a form he is not asked: the form has a
question of its own open. What a search for policies has shown is asked about when it ends.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rasa_sdk import Tracker
from rasa_sdk.events import EventType, SlotSet
from rasa_sdk.executor import CollectingDispatcher

from actions.quality_log import quality_log
from actions.resources import catalogue
from actions.turn import Turn, button, say
from base.calendar import city_today
from enquiries.answer_report import SEARCH_NAME
from matcher.finder import Candidate, Matter
from matcher.policy import Policy
from store.answer_quality import (
    POLICY_SEARCH,
    Kind,
    answer_key,
    count,
    keep_unanswered,
    policy_key,
)

__all__ = [
    "SEARCH",
    "Subject",
    "answered",
    "ask_about_search",
    "ask_at_the_end",
    "note_next",
    "note_unanswered",
    "offered",
]

_KEPT = 5
"""Matters of a conversation that can still be rated."""
_ASK_AT = 2
"""Answers about one matter after which he knows whether they help."""
_WORDS = 300


@dataclass(frozen=True)
class Subject:
    """What an answer was about: the ``id`` its figures are kept under, and its ``name``."""

    id: str
    name: str

    @classmethod
    def of(cls, matter: Matter | Policy) -> Subject:
        """Return the subject of an answer about an item, a package, a neighbour or a policy."""
        if isinstance(matter, Policy):
            return cls(policy_key(matter.id), matter.title)
        return cls(matter.id, matter.name)

    @classmethod
    def known(cls, key: str) -> Subject | None:
        """Return the subject whose figures are kept under ``key``, if there (still) is one."""
        if key == POLICY_SEARCH:
            return SEARCH
        city = catalogue()
        matter = city.service(key) or city.package(key) or cls(key, "").policy
        return cls.of(matter) if matter is not None else None

    @classmethod
    def key_in(cls, turn: Turn) -> str:
        """Return the id that a :meth:`button` names; empty without one."""
        policy = turn.entity("policy_id")
        return policy_key(policy) if policy else turn.entity("service_id") or ""

    @property
    def policy(self) -> Policy | None:
        """The policy it is, None for anything else."""
        _, mark, policy = self.id.partition(":")
        return catalogue().policy(policy) if mark else None

    def button(self, title: str, **entities: str) -> dict[str, str]:
        """Return a button that rates this subject."""
        _, mark, policy = self.id.partition(":")
        named = {"policy_id": policy} if mark else {"service_id": self.id}
        return button(title, "rate_answer", **named, **entities)


SEARCH = Subject(POLICY_SEARCH, SEARCH_NAME)
"""The list that a search for policies shows."""


def answered(  # noqa: PLR0913
    dispatcher: CollectingDispatcher,
    tracker: Tracker,
    turn: Turn,
    subject: Subject,
    score: float,
    *,
    may_ask: bool,
) -> list[EventType]:
    """Note an answer and, after the second one, ask whether it helped.

    Args:
        dispatcher: what is said.
        tracker: the conversation.
        turn: the message answered.
        subject: what the answer was about.
        score: how sure the finder was, from 0 to 1; 1 for a choice of the citizen's own.
        may_ask: whether no other question is open.
    """
    day = city_today()
    quality_log().later(lambda session: count(session, subject.id, day, answers=1))
    every = dict(tracker.get_slot("answer_quality") or {})
    kept = every.pop(subject.id, None) or {
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
        kept = _ask(dispatcher, turn, subject, kept)
    every = dict(list({**every, subject.id: kept}.items())[-_KEPT:])
    return [
        SlotSet("answer_quality", every),
        SlotSet("just_answered", {"service_id": subject.id, "for": None}),
    ]


def ask_at_the_end(
    dispatcher: CollectingDispatcher, tracker: Tracker, turn: Turn
) -> list[EventType]:
    """Ask when he thanks or leaves right after an answer that he was not asked about."""
    just = tracker.get_slot("just_answered")
    if turn.intent not in ("thank", "goodbye") or not just or tracker.active_loop_name:
        return []
    return _ask_once(dispatcher, tracker, turn, just["service_id"])


def ask_about_search(
    dispatcher: CollectingDispatcher, tracker: Tracker, turn: Turn
) -> list[EventType]:
    """Ask at the end of a search about the policies it has shown, if any and not asked before."""
    return _ask_once(dispatcher, tracker, turn, POLICY_SEARCH)


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


def _ask_once(
    dispatcher: CollectingDispatcher, tracker: Tracker, turn: Turn, key: str
) -> list[EventType]:
    every = tracker.get_slot("answer_quality") or {}
    kept, subject = every.get(key), Subject.known(key)
    if kept is None or kept["key"] is not None or subject is None:
        return []
    kept = _ask(dispatcher, turn, subject, kept)
    return [SlotSet("answer_quality", {**every, key: kept})]


def _ask(
    dispatcher: CollectingDispatcher, turn: Turn, subject: Subject, kept: dict[str, Any]
) -> dict[str, Any]:
    say(
        dispatcher,
        f"关于“{subject.name}”的回答，对您有用吗？",
        [subject.button("有用", useful="yes"), subject.button("没帮上忙", useful="no")],
    )
    return {**kept, "key": answer_key(f"{turn.message_id}:{subject.id}")}


def _words(tracker: Tracker, turn: Turn) -> str:
    """Return the question that led to a matter: this message, or the one asked back about."""
    before = tracker.get_slot("services_offered") or tracker.get_slot("unclear") or {}
    return turn.text or str(before.get("text") or "")

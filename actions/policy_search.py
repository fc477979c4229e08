"""A policy search as the conversation keeps it, and which policy of its list is meant."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, ValidationError
from rasa_sdk import Tracker

from actions.policy_aspects import in_list
from actions.resources import catalogue
from actions.turn import Turn, last_cards
from matcher.policy import Policy
from matcher.profile import Kind

__all__ = ["Search", "in_last_list", "load_search"]


class Search(BaseModel):
    """A policy search in progress.

    ``asked`` are the columns asked for so far, ``asking`` the one open now; ``since_results``
    counts questions since results were last shown, ``show`` asks for them now; ``shown`` are the
    policies of the list last shown, in its order; ``notes`` are remarks for the next reply, by
    code.
    """

    model_config = ConfigDict(frozen=True)

    kind: Kind | None = None
    query: str | None = None
    asked: tuple[str, ...] = ()
    asking: str | None = None
    since_results: int = 0
    show: bool = False
    shown: tuple[str, ...] = ()
    message_id: str = ""
    notes: tuple[str, ...] = ()


def load_search(tracker: Tracker) -> Search:
    """Return the search kept in the conversation, or a new one."""
    try:
        return Search.model_validate(tracker.get_slot("policy_search") or {})
    except ValidationError:  # kept by an earlier release
        return Search()


def in_last_list(tracker: Tracker, turn: Turn) -> Policy | None:
    """Return the policy of the list last shown that a message means by its place (第一个怎么申请).

    Items that were put to the choice since come first, and tickets that were shown. While a
    question of the search is open, a bare 第二个 may be the second of its answers.
    """
    tickets = any(card["kind"] == "ticket" for card in last_cards(tracker))
    if tickets or tracker.get_slot("services_offered"):
        return None
    meant = in_list(turn.text, load_search(tracker).shown, bare=tracker.active_loop_name is None)
    return catalogue().policy(meant) if meant else None

"""Every custom action by name, and how rasa-sdk runs it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import structlog
from rasa_sdk import Tracker
from rasa_sdk.events import EventType, FollowupAction
from rasa_sdk.executor import CollectingDispatcher
from rasa_sdk.interfaces import ActionExecutionRejection
from rasa_sdk.types import DomainDict

from base.metrics import ACTION_FAILURES, ACTION_SECONDS
from base.tracing import HEADER, traced

log = structlog.get_logger(__name__)

Handler = Callable[[CollectingDispatcher, Tracker], list[EventType]]
Runner = Callable[[CollectingDispatcher, Tracker, DomainDict], Awaitable[list[EventType]]]

ACTIONS: dict[str, Runner] = {}
"""Filled by :func:`action`; ``actions.server`` registers it with rasa-sdk."""


def action(handler: Handler) -> Handler:
    """Register ``handler`` as the Rasa action of its own name.

    It runs in a worker thread, so that one citizen waiting for the database does not hold up
    the others, as a step of the trace that the message brought along.
    """

    name = handler.__name__

    async def run(
        dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict
    ) -> list[EventType]:
        metadata = tracker.latest_message.get("metadata") or {}
        with traced(metadata.get(HEADER)), ACTION_SECONDS.labels(name).time():
            try:
                events = await asyncio.to_thread(handler, dispatcher, tracker)
            except ActionExecutionRejection:  # how a form says that something else is wanted
                raise
            except Exception as error:
                ACTION_FAILURES.labels(name, type(error).__name__).inc()
                log.exception("action_failed", action=name)
                raise
        events = _news(name, tracker, events)
        return (
            [*events, FollowupAction("action_listen")]
            if _is_last(name, tracker, events)
            else events
        )

    ACTIONS[name] = run
    return handler


def _news(name: str, tracker: Tracker, events: list[EventType]) -> list[EventType]:
    """Leave out slots that are set to what they are.

    Rasa stores, replays and compares every event of a conversation with every message. A form
    is told everything: a slot that its check sets is how it knows an answer.
    """
    if name.startswith("validate_"):
        return events
    slots, news = dict(tracker.slots), list[EventType]()
    for event in events:
        if event["event"] == "slot":
            if slots.get(event["name"]) == event["value"]:
                continue
            slots[event["name"]] = event["value"]
        news.append(event)
    return news


def _is_last(name: str, tracker: Tracker, events: list[EventType]) -> bool:
    """Tell whether a turn is over with the action ``name``, which another one called.

    No rule knows how a turn goes on after a ``FollowupAction``: left to the policies, it would
    end in one “not understood” after another. An open form asks its question again by itself.
    """
    if tracker.active_loop_name or any(event["event"] == "followup" for event in events):
        return False
    for event in reversed(tracker.events):
        if event["event"] == "action":
            return False
        if event["event"] == "followup":
            return bool(event["name"] == name)
    return False

"""Every custom action by name, and how rasa-sdk runs it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from rasa_sdk import Tracker
from rasa_sdk.events import EventType
from rasa_sdk.executor import CollectingDispatcher
from rasa_sdk.types import DomainDict

Handler = Callable[[CollectingDispatcher, Tracker], list[EventType]]
Runner = Callable[[CollectingDispatcher, Tracker, DomainDict], Awaitable[list[EventType]]]

ACTIONS: dict[str, Runner] = {}
"""Filled by :func:`action`; ``actions.server`` registers it with rasa-sdk."""


def action(handler: Handler) -> Handler:
    """Register ``handler`` as the Rasa action of its own name.

    It runs in a worker thread, so that one citizen waiting for the database does not hold up
    the others.
    """

    async def run(
        dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict
    ) -> list[EventType]:
        return await asyncio.to_thread(handler, dispatcher, tracker)

    ACTIONS[handler.__name__] = run
    return handler

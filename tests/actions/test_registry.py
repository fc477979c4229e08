"""How an action that was called by another one ends a turn."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from rasa_sdk import Tracker
from rasa_sdk.events import EventType, FollowupAction, SlotSet
from rasa_sdk.executor import CollectingDispatcher

from actions.registry import ACTIONS, action

LISTEN = FollowupAction("action_listen")
BEFORE: list[dict[str, Any]] = [
    {"event": "user"},
    {"event": "action", "name": "action_first"},
]
CALLED = [*BEFORE, FollowupAction("action_of_this_test"), SlotSet("kept", 1)]


@pytest.fixture
def run() -> Iterator[Callable[..., list[EventType]]]:
    """Run an action that returns ``events``, as the action server does."""

    def running(tracker: Tracker, *events: EventType) -> list[EventType]:
        def action_of_this_test(_: CollectingDispatcher, __: Tracker) -> list[EventType]:
            return list(events)

        action(action_of_this_test)
        return asyncio.run(ACTIONS["action_of_this_test"](CollectingDispatcher(), tracker, {}))

    yield running
    ACTIONS.pop("action_of_this_test", None)


def test_an_action_that_was_called_ends_the_turn(run: Any, tracker: Any) -> None:
    assert run(tracker(events=CALLED), SlotSet("a", 1)) == [SlotSet("a", 1), LISTEN]


def test_the_policies_go_on_after_an_action_of_theirs(run: Any, tracker: Any) -> None:
    later = [*CALLED, {"event": "action", "name": "action_of_this_test"}]
    other = [*BEFORE, FollowupAction("complaint_form")]
    for events in ([], BEFORE, later, other):
        assert run(tracker(events=events)) == []


def test_an_open_form_and_a_further_call_are_not_cut_off(run: Any, tracker: Any) -> None:
    assert run(tracker(events=CALLED, loop="complaint_form")) == []
    further = FollowupAction("complaint_form")
    assert run(tracker(events=CALLED), further) == [further]

"""What the action server makes of what an action returns."""

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
    names = set(ACTIONS)

    def running(
        tracker: Tracker, *events: EventType, name: str = "action_of_this_test"
    ) -> list[EventType]:
        def handler(_: CollectingDispatcher, __: Tracker) -> list[EventType]:
            return list(events)

        handler.__name__ = name
        action(handler)
        return asyncio.run(ACTIONS[name](CollectingDispatcher(), tracker, {}))

    yield running
    for name in set(ACTIONS) - names:
        del ACTIONS[name]


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


def test_a_slot_that_stays_as_it_is_is_not_told(run: Any, tracker: Any) -> None:
    now = tracker(slots={"kept": {"id": 1}, "empty": None})
    same = [SlotSet("kept", {"id": 1}), SlotSet("empty", None), SlotSet("never_set", None)]
    assert run(now, *same) == []
    there_and_back = [SlotSet("kept", None), SlotSet("kept", {"id": 1}), SlotSet("empty", 2)]
    assert run(now, *there_and_back) == there_and_back


def test_a_form_hears_every_answer(run: Any, tracker: Any) -> None:
    again = SlotSet("place", "文昌路")
    assert run(tracker(slots={"place": "文昌路"}), again, name="validate_form_of_this_test") == [
        again
    ]

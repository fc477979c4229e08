"""An isolated store, and trackers as the action server receives them."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from rasa_sdk import Tracker

from tests.isolated import isolated

_numbers = itertools.count(1)


@pytest.fixture
def installation(tmp_path: Any) -> Iterator[None]:
    with isolated(tmp_path):
        yield


@pytest.fixture
def tracker() -> Callable[..., Tracker]:
    """Build a tracker whose latest message is the one given."""

    def build(
        text: str = "",
        intent: str = "inform",
        *,
        slots: dict[str, Any] | None = None,
        loop: str | None = None,
        sender: str = "api:c-1",
        entities: dict[str, str] | None = None,
        metadata: dict[str, Any] | None = None,
        events: list[dict[str, Any]] | None = None,
    ) -> Tracker:
        message = {
            "text": text,
            "intent": {"name": intent, "confidence": 0.9},
            "entities": [{"entity": k, "value": v} for k, v in (entities or {}).items()],
            "message_id": f"m-{next(_numbers)}",
            "metadata": metadata or {},
            "intent_ranking": [{"name": intent, "confidence": 0.9}],
        }
        return Tracker(
            sender_id=sender,
            slots=slots or {},
            latest_message=message,
            events=events if events is not None else [{"event": "user", **message}],
            paused=False,
            followup_action=None,
            active_loop={"name": loop} if loop else {},
            latest_action_name="action_listen",
        )

    return build

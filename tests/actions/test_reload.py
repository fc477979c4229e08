"""Every item of the city is replaced while fifty people are asking: nobody loses his thread."""

from __future__ import annotations

import re
import shutil
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from rasa_sdk import Tracker
from rasa_sdk.executor import CollectingDispatcher

from actions import resources
from actions.services import action_answer_service
from base.settings import get_settings
from matcher.live import LiveCatalogue

CONVERSATIONS = 50
FOLLOW_UPS = ("ask_materials", "ask_fee", "ask_place_time", "ask_duration", "ask_service")
CHECKED = re.compile(r"^checked: .*$", re.MULTILINE)
DAYS = ("2026-11-20", "2026-11-21")

Track = Callable[..., Tracker]


@pytest.fixture
def live(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LiveCatalogue]:
    """The whole sample city, with files of its own that may be rewritten."""
    settings = get_settings()
    directory = tmp_path / "policies"
    shutil.copytree(settings.policies_dir, directory)
    catalogue = LiveCatalogue(settings.model_copy(update={"policies_dir": directory}))
    monkeypatch.setattr(resources, "live_catalogue", lambda: catalogue)
    yield catalogue
    catalogue.close()


def _talk(track: Track, number: int, wanted: str, go_on: threading.Event) -> list[str]:
    """Name an item, then ask about it until told to stop; return the items answered from."""
    slots: dict[str, Any] = {}
    answered = []
    turns = 0
    while turns < len(FOLLOW_UPS) or go_on.is_set():
        intent = "choose_service" if turns == 0 else FOLLOW_UPS[turns % len(FOLLOW_UPS)]
        entities = {"service_id": wanted} if turns == 0 else {}
        dispatcher = CollectingDispatcher()
        found = track(f"/{intent}", intent, slots=slots, entities=entities, sender=f"api:{number}")
        for event in action_answer_service(dispatcher, found):
            if event["event"] == "slot":
                slots[event["name"]] = event["value"]
        cards = [c for m in dispatcher.messages for c in (m["custom"] or {}).get("cards", [])]
        answered += [card["id"] for card in cards]
        turns += 1
    assert len(answered) == turns, "a question was left without an answer"
    return answered


def test_fifty_conversations_survive_the_replacement_of_every_item(
    installation: None, live: LiveCatalogue, tracker: Track
) -> None:
    items = [item.id for item in live.current.services]
    assert len(items) >= 150
    wanted = [items[number * 3 % len(items)] for number in range(CONVERSATIONS)]
    go_on = threading.Event()
    go_on.set()
    with ThreadPoolExecutor(CONVERSATIONS) as people:
        talks = [
            people.submit(_talk, tracker, number, item, go_on) for number, item in enumerate(wanted)
        ]
        try:
            for day in DAYS:
                for path in sorted((live._settings.policies_dir / "services").glob("*.yml")):
                    text = path.read_text(encoding="utf-8")
                    path.write_text(CHECKED.sub(f"checked: {day}", text), encoding="utf-8")
                assert live.reload()
        finally:
            go_on.clear()
        answered = [talk.result(timeout=120) for talk in talks]
    assert [set(ids) for ids in answered] == [{item} for item in wanted]
    assert {str(item.checked) for item in live.current.services} == {DAYS[-1]}

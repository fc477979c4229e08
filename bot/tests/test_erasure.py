"""What is left of a conversation when its beginning was erased (store/erasures.py)."""

from __future__ import annotations

import asyncio
import sqlite3
import unittest
from contextlib import closing
from typing import List, Text

from rasa.shared.core.domain import Domain
from rasa.shared.core.events import (
    ActionExecuted,
    ActiveLoop,
    BotUttered,
    Event,
    SessionStarted,
    SlotSet,
    UserUttered,
)
from rasa.shared.core.trackers import DialogueStateTracker

from bot.tests.stores import StoreTest
from bot.tracker_store import EncryptedSQLTrackerStore

DOMAIN = Domain.from_dict(
    {
        "intents": ["inform", "forget_me"],
        "actions": ["action_forget_me"],
        "forms": {"complaint_form": {"required_slots": ["place"]}},
        "slots": {"place": {"type": "any", "mappings": [{"type": "custom"}]}},
    }
)
ME, OTHER = "web:c-1", "web:c-2"
ASKED = 1_000_000.0


def at(moment: float, *events: Event) -> List[Event]:
    for event in events:
        event.timestamp = moment
    return list(events)


def heard(text: Text, intent: Text) -> UserUttered:
    return UserUttered(text, {"name": intent, "confidence": 1.0})


def before() -> List[Event]:
    """A form filled in, and the words that ask for the erasure."""
    return [
        *at(ASKED - 100, ActionExecuted("action_session_start"), SessionStarted()),
        *at(ASKED - 100, ActionExecuted("action_listen")),
        *at(ASKED - 90, heard("文昌路18号", "inform"), ActiveLoop("complaint_form")),
        *at(ASKED - 90, SlotSet("place", "文昌路18号"), ActiveLoop(None)),
        *at(ASKED - 90, ActionExecuted("action_listen")),
        *at(ASKED - 1, heard("删除我的资料", "forget_me")),
    ]


def after() -> List[Event]:
    """The end of that turn."""
    return [
        *at(ASKED + 0.1, ActionExecuted("action_forget_me"), BotUttered("都已删除。")),
        *at(ASKED + 0.2, ActionExecuted("action_listen")),
    ]


class ErasureTest(StoreTest):
    domain = DOMAIN

    def erase(self) -> None:
        """Delete as the relay does."""
        with closing(sqlite3.connect(self.path)) as connection, connection:
            connection.execute(
                "DELETE FROM events WHERE sender_id = ? AND timestamp <= ?", (ME, ASKED)
            )

    def save(self, store: EncryptedSQLTrackerStore, sender: Text, events: List[Event]) -> None:
        tracker = DialogueStateTracker.from_events(sender, events, slots=DOMAIN.slots)
        asyncio.run(store.save(tracker))

    def read(self, sender: Text = ME) -> DialogueStateTracker:
        tracker = asyncio.run(self.store().retrieve(sender))
        assert tracker is not None
        return tracker

    def test_the_rest_listens_and_knows_nothing_any_more(self) -> None:
        self.save(self.store(), ME, [*before(), *after()])
        self.save(self.store(), OTHER, before())
        self.erase()
        left = self.read()
        self.assertEqual(len(left.events), len(after()))
        self.assertEqual(left.latest_action_name, "action_listen")
        self.assertIsNone(left.active_loop_name)
        self.assertIsNone(left.get_slot("place"))
        self.assertIsNone(left.latest_message.text)
        self.assertEqual(self.read(OTHER).get_slot("place"), "文昌路18号")

    def test_the_next_turn_is_added_and_brings_nothing_back(self) -> None:
        self.save(self.store(), ME, [*before(), *after()])
        self.erase()
        for text in ("你好", "身份证丢了"):  # each time by a worker that reads what there is
            store = self.store()
            tracker = asyncio.run(store.retrieve(ME))
            assert tracker is not None
            moment = ASKED + 60 + len(tracker.events)
            turn = [heard(text, "inform"), BotUttered("您好"), ActionExecuted("action_listen")]
            for event in at(moment, *turn):
                tracker.update(event, DOMAIN)
            asyncio.run(store.save(tracker))
        left = self.read()
        self.assertEqual(len(left.events), len(after()) + 6)
        said = [event.text for event in left.events if isinstance(event, UserUttered)]
        self.assertEqual(said, ["你好", "身份证丢了"])

    def test_what_a_turn_under_way_wrote_again_is_taken_by_the_next_look(self) -> None:
        self.save(self.store(), ME, [*before(), *after()])
        store = self.store()
        tracker = asyncio.run(store.retrieve(ME))
        assert tracker is not None
        self.erase()  # in the middle of a turn
        turn = [heard("你好", "inform"), ActionExecuted("action_listen")]
        for event in at(ASKED + 60, *turn):
            tracker.update(event, DOMAIN)
        asyncio.run(store.save(tracker))
        self.erase()
        left = self.read()
        self.assertTrue(all(event.timestamp > ASKED for event in left.events))
        self.assertEqual(left.latest_message.text, "你好")
        self.assertEqual(left.latest_action_name, "action_listen")


if __name__ == "__main__":
    unittest.main()

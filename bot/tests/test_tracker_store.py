from __future__ import annotations

import asyncio
import json
import random
import time
import unittest
from unittest import mock

from cryptography.fernet import Fernet, InvalidToken
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import (
    ActionExecuted,
    BotUttered,
    Event,
    SessionStarted,
    SlotSet,
    UserUttered,
)
from rasa.shared.core.trackers import DialogueStateTracker

from bot import tracker_store
from bot.tests.stores import StoreTest
from bot.tracker_store import EncryptedSQLTrackerStore

DOMAIN = Domain.from_dict(
    {
        "intents": ["report_pollution"],
        "slots": {"place": {"type": "any", "mappings": [{"type": "custom"}]}},
    }
)
SECRETS = ("楼下餐馆油烟太大了", "13800001111", "文昌路18号", "已受理您的投诉")


class EncryptedTrackerStoreTest(StoreTest):
    domain = DOMAIN

    def save(self, store: EncryptedSQLTrackerStore) -> None:
        tracker = DialogueStateTracker.from_events(
            "web:c-1",
            [
                ActionExecuted("action_listen"),
                UserUttered(
                    SECRETS[0],
                    {"name": "report_pollution", "confidence": 0.9},
                    [{"entity": "phone", "value": SECRETS[1], "start": 0, "end": 2}],
                ),
                SlotSet("place", SECRETS[2]),
                BotUttered(SECRETS[3]),
            ],
            slots=DOMAIN.slots,
        )
        asyncio.run(store.save(tracker))

    def test_a_conversation_comes_back_whole(self) -> None:
        self.save(self.store())
        tracker = asyncio.run(self.store().retrieve("web:c-1"))
        self.assertEqual(tracker.latest_message.text, SECRETS[0])
        self.assertEqual(tracker.latest_message.entities[0]["value"], SECRETS[1])
        self.assertEqual(tracker.get_slot("place"), SECRETS[2])
        self.assertIsInstance(tracker.events[-1], BotUttered)
        self.assertEqual(tracker.events[-1].text, SECRETS[3])

    def test_turns_are_appended_and_read_by_others_at_once(self) -> None:
        writer, reader = self.store(), self.store()
        with writer.engine.connect() as connection:
            self.assertEqual(connection.exec_driver_sql("PRAGMA journal_mode").scalar(), "wal")
            self.assertEqual(connection.exec_driver_sql("PRAGMA synchronous").scalar(), 1)
        self.save(writer)
        self.assertEqual(asyncio.run(reader.retrieve("web:c-1")).latest_message.text, SECRETS[0])

    def test_the_file_holds_no_plain_words(self) -> None:
        """Rasa writes JSON with escapes, so both spellings of the words are looked for."""
        self.save(self.store())
        raw = b"".join(path.read_bytes() for path in self.path.parent.iterdir())
        self.assertIn(b"report_pollution", raw)  # stays readable for operations
        for secret in SECRETS:
            self.assertNotIn(secret.encode(), raw)
            self.assertNotIn(json.dumps(secret).strip('"').encode(), raw)

    def test_another_key_opens_nothing(self) -> None:
        self.save(self.store())
        with self.assertRaises(InvalidToken):
            asyncio.run(self.store(Fernet.generate_key().decode()).retrieve("web:c-1"))

    def test_no_key_no_store(self) -> None:
        with self.assertRaisesRegex(ValueError, "SHIMIN_TRACKER_KEY"):
            self.store("")
        with self.assertRaises(ValueError):
            self.store("not-a-key")


WHO = "web:c-2"


def turn(chance: random.Random) -> list[Event]:
    """What one message adds to a conversation."""
    said = [UserUttered(f"第{chance.randrange(1000)}句", {"name": "report_pollution"})]
    place: list[Event] = [SlotSet("place", chance.choice([None, "文昌路", {"lat": 31.2}]))]
    return [*said, *place * chance.randint(0, 2), BotUttered("好"), ActionExecuted("action_listen")]


class GoingOnTest(StoreTest):
    """A conversation that goes on is not read again, and never told from what is stored."""

    domain = DOMAIN

    def take(self, store: EncryptedSQLTrackerStore, events: list[Event]) -> DialogueStateTracker:
        tracker = asyncio.run(store.get_or_create_tracker(WHO))
        tracker.update_with_events(events, DOMAIN)
        asyncio.run(store.save(tracker))
        return tracker

    def read(self, store: EncryptedSQLTrackerStore) -> DialogueStateTracker:
        tracker = asyncio.run(store.retrieve(WHO))
        assert tracker is not None
        return tracker

    def stored(self) -> list[dict[str, object]]:
        """What somebody reads who has not heard of the conversation."""
        return [event.as_dict() for event in self.read(self.store()).events]

    def test_it_is_what_was_stored_whoever_goes_on(self) -> None:
        chance = random.Random(3)
        workers = [self.store() for _ in range(3)]
        for number in range(40):
            events = turn(chance)
            if number in (0, 17, 18):
                events = [ActionExecuted("action_session_start"), SessionStarted(), *events]
            worker = chance.choice(workers[: 1 + number // 20])
            self.take(worker, events)
            for reader in workers:
                tracker = self.read(reader)
                self.assertEqual([e.as_dict() for e in tracker.events], self.stored())
                self.assertEqual(tracker.get_slot("place"), self.read(worker).get_slot("place"))

    def test_what_goes_on_is_not_read_again(self) -> None:
        store = self.store()
        self.take(store, turn(random.Random(1)))
        with mock.patch.object(tracker_store.Fernet, "decrypt") as decrypt:
            self.take(store, turn(random.Random(2)))
            self.read(store)
        decrypt.assert_not_called()

    def test_a_turn_that_failed_is_forgotten(self) -> None:
        store = self.store()
        self.take(store, turn(random.Random(1)))
        before = self.stored()
        self.read(store).update(UserUttered("说到一半"))
        self.assertEqual([event.as_dict() for event in self.read(store).events], before)

    def test_what_was_deleted_is_gone_and_does_not_come_back(self) -> None:
        store = self.store()
        self.take(store, turn(random.Random(1)))
        tracker = self.read(store)
        with store.engine.begin() as connection:
            connection.exec_driver_sql("DELETE FROM events")
        tracker.update(UserUttered("删除之后"))
        asyncio.run(store.save(tracker))
        self.assertEqual([event["text"] for event in self.stored()], ["删除之后"])
        with store.engine.begin() as connection:
            connection.exec_driver_sql("DELETE FROM events")
        self.assertIsNone(asyncio.run(store.retrieve(WHO)))

    def test_few_are_kept_and_not_for_long(self) -> None:
        store = self.store()
        with mock.patch.object(tracker_store, "KEPT_CONVERSATIONS", 5):
            for number in range(9):
                tracker = DialogueStateTracker(str(number), [])
                tracker.update(UserUttered("你好"))
                asyncio.run(store.save(tracker))
        self.assertEqual(list(store._kept), list("45678"))
        later = time.monotonic() + tracker_store.KEPT_SECONDS + 1
        with mock.patch.object(tracker_store.time, "monotonic", return_value=later):
            self.take(store, turn(random.Random(1)))
        self.assertEqual(list(store._kept), [WHO])


if __name__ == "__main__":
    unittest.main()

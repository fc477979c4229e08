from __future__ import annotations

import asyncio
import json
import os
import tempfile
import unittest
from pathlib import Path
from unittest import mock

from cryptography.fernet import Fernet, InvalidToken
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import ActionExecuted, BotUttered, SlotSet, UserUttered
from rasa.shared.core.trackers import DialogueStateTracker

from bot.tracker_store import EncryptedSQLTrackerStore

DOMAIN = Domain.from_dict(
    {
        "intents": ["report_pollution"],
        "slots": {"place": {"type": "any", "mappings": [{"type": "custom"}]}},
    }
)
SECRETS = ("楼下餐馆油烟太大了", "13800001111", "文昌路18号", "已受理您的投诉")


class EncryptedTrackerStoreTest(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = Path(folder.name) / "rasa.db"
        self.key = Fernet.generate_key().decode()

    def store(self, key: str) -> EncryptedSQLTrackerStore:
        with mock.patch.dict(os.environ, {"SHIMIN_TRACKER_KEY": key}):
            store = EncryptedSQLTrackerStore(DOMAIN, dialect="sqlite", db=str(self.path))
        self.addCleanup(store.engine.dispose)
        return store

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
        self.save(self.store(self.key))
        tracker = asyncio.run(self.store(self.key).retrieve("web:c-1"))
        self.assertEqual(tracker.latest_message.text, SECRETS[0])
        self.assertEqual(tracker.latest_message.entities[0]["value"], SECRETS[1])
        self.assertEqual(tracker.get_slot("place"), SECRETS[2])
        self.assertIsInstance(tracker.events[-1], BotUttered)
        self.assertEqual(tracker.events[-1].text, SECRETS[3])

    def test_turns_are_appended_and_read_by_others_at_once(self) -> None:
        writer, reader = self.store(self.key), self.store(self.key)
        with writer.engine.connect() as connection:
            self.assertEqual(connection.exec_driver_sql("PRAGMA journal_mode").scalar(), "wal")
            self.assertEqual(connection.exec_driver_sql("PRAGMA synchronous").scalar(), 1)
        self.save(writer)
        self.assertEqual(asyncio.run(reader.retrieve("web:c-1")).latest_message.text, SECRETS[0])

    def test_the_file_holds_no_plain_words(self) -> None:
        """Rasa writes JSON with escapes, so both spellings of the words are looked for."""
        self.save(self.store(self.key))
        raw = b"".join(path.read_bytes() for path in self.path.parent.iterdir())
        self.assertIn(b"report_pollution", raw)  # stays readable for operations
        for secret in SECRETS:
            self.assertNotIn(secret.encode(), raw)
            self.assertNotIn(json.dumps(secret).strip('"').encode(), raw)

    def test_another_key_opens_nothing(self) -> None:
        self.save(self.store(self.key))
        with self.assertRaises(InvalidToken):
            asyncio.run(self.store(Fernet.generate_key().decode()).retrieve("web:c-1"))

    def test_no_key_no_store(self) -> None:
        with self.assertRaisesRegex(ValueError, "SHIMIN_TRACKER_KEY"):
            self.store("")
        with self.assertRaises(ValueError):
            self.store("not-a-key")


if __name__ == "__main__":
    unittest.main()

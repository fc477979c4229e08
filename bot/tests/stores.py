"""Tracker stores over one file, for the tests that need them."""

from __future__ import annotations

import os
import tempfile
import unittest
from pathlib import Path
from typing import Optional, Text
from unittest import mock

from cryptography.fernet import Fernet
from rasa.shared.core.domain import Domain

from bot.tracker_store import EncryptedSQLTrackerStore


class StoreTest(unittest.TestCase):
    """Each :meth:`store` is a worker that has just started; all share ``path`` and ``key``."""

    domain: Domain

    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = Path(folder.name) / "rasa.db"
        self.key = Fernet.generate_key().decode()

    def store(self, key: Optional[Text] = None) -> EncryptedSQLTrackerStore:
        with mock.patch.dict(os.environ, {"SHIMIN_TRACKER_KEY": self.key if key is None else key}):
            store = EncryptedSQLTrackerStore(self.domain, dialect="sqlite", db=str(self.path))
        self.addCleanup(store.engine.dispose)
        return store

"""Rasa tracker store whose event bodies are encrypted at rest."""

from __future__ import annotations

import os
from typing import Any, Optional, Text

import sqlalchemy as sa
from cryptography.fernet import Fernet
from rasa.core.tracker_store import SQLTrackerStore
from sqlalchemy.types import TypeDecorator


class EncryptedText(TypeDecorator):  # type: ignore[misc]
    """Text stored as a Fernet token (AES-128-CBC with HMAC-SHA256)."""

    impl = sa.Text
    cache_ok = True

    def __init__(self, key: Text) -> None:
        super().__init__()
        self._fernet = Fernet(key.encode())

    def process_bind_param(self, value: Optional[Text], dialect: Any) -> Optional[Text]:
        """Encrypt on the way in."""
        return None if value is None else self._fernet.encrypt(value.encode()).decode()

    def process_result_value(self, value: Optional[Text], dialect: Any) -> Optional[Text]:
        """Decrypt on the way out; raises InvalidToken when the key is not the one used."""
        return None if value is None else self._fernet.decrypt(value.encode()).decode()


class EncryptedSQLTrackerStore(SQLTrackerStore):
    """SQL tracker store with the ``data`` column encrypted by ``SHIMIN_TRACKER_KEY``.

    Intent and action names, the sender id and times stay readable for operations; the
    citizen's words, entities and slots are only in ``data``.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        key = os.environ.get("SHIMIN_TRACKER_KEY", "")
        if not key:
            raise ValueError("SHIMIN_TRACKER_KEY is not set: conversations cannot be encrypted")
        self.SQLEvent.__table__.c.data.type = EncryptedText(key)
        super().__init__(*args, **kwargs)
        if self.engine.dialect.name == "sqlite" and self.engine.url.database:
            sa.event.listen(self.engine, "connect", _write_ahead)
            self.engine.dispose()  # the connection that made the tables has not heard of it


def _write_ahead(connection: Any, _record: Any) -> None:
    """Let SQLite append turns to a log instead of syncing two files twice for each of them.

    The server waits for a commit with its only thread, and so does everybody it serves. What was
    committed outlives a killed process; a power failure may take the last turns of conversations
    with it, which their citizens see and say again. Complaints are not in here.
    """
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=NORMAL")

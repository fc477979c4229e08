"""Rasa tracker store: event bodies are encrypted at rest, who is talking is remembered."""

from __future__ import annotations

import itertools
import json
import os
import time
from collections import OrderedDict
from typing import Any, Dict, List, NamedTuple, Optional, Text

import sqlalchemy as sa
from cryptography.fernet import Fernet
from rasa.core.tracker_store import SQLTrackerStore
from rasa.shared.core.events import Event, SessionStarted
from rasa.shared.core.trackers import DialogueStateTracker
from sqlalchemy.engine import Connection
from sqlalchemy.types import TypeDecorator

KEPT_CONVERSATIONS = 500
"""Conversations in memory at most: a few hundred KB each after a long day."""

KEPT_SECONDS = 600.0
"""Seconds after its last turn that a conversation stays in memory."""


_EXTENT = sa.text("SELECT count(*), max(id) FROM events WHERE sender_id = :sender_id")


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


class Extent(NamedTuple):
    """What tells that nobody wrote to a conversation or deleted from it: its rows, the last one."""

    rows: int
    last: Optional[int]


class Kept(NamedTuple):
    """A tracker as it was saved or read, and what the database held then."""

    tracker: DialogueStateTracker
    events: int
    extent: Extent
    until: float


class EncryptedSQLTrackerStore(SQLTrackerStore):
    """SQL tracker store with the ``data`` column encrypted by ``SHIMIN_TRACKER_KEY``.

    Intent and action names, the sender id and times stay readable for operations; the
    citizen's words, entities and slots are only in ``data``.

    Rasa reads a conversation whole for every message, which is most of what a message costs:
    each event is decrypted, parsed and replayed. The tracker of a conversation that is going on
    is therefore kept and given out again, as long as the database holds just what it held when
    the tracker was saved (another worker may have gone on with it, or somebody deleted it) and
    nothing was added to the tracker that was not saved (its turn failed).
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        key = os.environ.get("SHIMIN_TRACKER_KEY", "")
        if not key:
            raise ValueError("SHIMIN_TRACKER_KEY is not set: conversations cannot be encrypted")
        self._events = self.SQLEvent.__table__
        self._events.c.data.type = EncryptedText(key)
        super().__init__(*args, **kwargs)
        if self.engine.dialect.name == "sqlite" and self.engine.url.database:
            self._use_one_log()
        self._kept: "OrderedDict[Text, Kept]" = OrderedDict()

    def _use_one_log(self) -> None:
        """Let SQLite append turns to a log, over connections that stay open."""
        self.engine.dispose()
        self.engine = sa.create_engine(self.engine.url, poolclass=sa.pool.QueuePool)
        sa.event.listen(self.engine, "connect", _write_ahead)
        self.sessionmaker = sa.orm.sessionmaker(bind=self.engine)

    async def retrieve(self, sender_id: Text) -> Optional[DialogueStateTracker]:
        """Return the tracker of the latest session, None when there is no conversation."""
        with self.engine.connect() as connection:
            extent = self._extent(connection, sender_id)
        kept = self._kept.get(sender_id)
        if kept and kept.extent == extent and len(kept.tracker.events) == kept.events:
            return kept.tracker
        self._kept.pop(sender_id, None)
        tracker: Optional[DialogueStateTracker] = await super().retrieve(sender_id)
        if tracker is not None:
            self._keep(tracker, extent)
        return tracker

    async def save(self, tracker: DialogueStateTracker) -> None:
        """Append what is new in a conversation."""
        await self.stream_events(tracker)
        sender_id = tracker.sender_id
        with self.engine.begin() as connection:
            events = self._unsaved(connection, tracker)
            if events:
                connection.execute(self._events.insert(), [_row(sender_id, e) for e in events])
            extent = self._extent(connection, sender_id)
        self._keep(tracker, extent)
        if any(isinstance(event, SessionStarted) for event in events):
            del self._kept[sender_id]  # read back without what came before the session

    def _unsaved(self, connection: Connection, tracker: DialogueStateTracker) -> List[Event]:
        kept = self._kept.get(tracker.sender_id)
        if kept is not None and kept.tracker is tracker:
            return list(itertools.islice(tracker.events, kept.events, None))
        with self.sessionmaker(bind=connection) as session:
            return list(self._additional_events(session, tracker))

    @staticmethod
    def _extent(connection: Connection, sender_id: Text) -> Extent:
        return Extent(*connection.execute(_EXTENT, {"sender_id": sender_id}).one())

    def _keep(self, tracker: DialogueStateTracker, extent: Extent) -> None:
        now = time.monotonic()
        kept = Kept(tracker, len(tracker.events), extent, now + KEPT_SECONDS)
        self._kept[tracker.sender_id] = kept
        self._kept.move_to_end(tracker.sender_id)
        while len(self._kept) > KEPT_CONVERSATIONS or next(iter(self._kept.values())).until < now:
            self._kept.popitem(last=False)


def _row(sender_id: Text, event: Event) -> Dict[Text, Any]:
    """Return the columns of an event as Rasa's own store fills them."""
    data = event.as_dict()
    return {
        "sender_id": sender_id,
        "type_name": event.type_name,
        "timestamp": data.get("timestamp"),
        "intent_name": data.get("parse_data", {}).get("intent", {}).get("name"),
        "action_name": data.get("name"),
        "data": json.dumps(data),
    }


def _write_ahead(connection: Any, _record: Any) -> None:
    """Let SQLite append turns to a log instead of syncing two files twice for each of them.

    The server waits for a commit with its only thread, and so does everybody it serves. What was
    committed outlives a killed process; a power failure may take the last turns of conversations
    with it, which their citizens see and say again. Complaints are not in here.
    """
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=NORMAL")

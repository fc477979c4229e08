"""What the two databases and the citizens' inboxes hold after a run, read by their schema.

Of what is encrypted only the desk's own words are opened: they tell its steps apart.
"""

from __future__ import annotations

import json
import sqlite3
from base64 import urlsafe_b64decode
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dispatch.desk.sealing import MARK
from store.keyring import Keyring


@dataclass(frozen=True)
class DeskCase:
    """A request at the desk; ``ticket`` is the id its sender gave it."""

    request_id: str
    ticket: str | None
    status: str


@dataclass(frozen=True)
class DeskEvent:
    """A step the desk took, with its words; ``delivered`` tells whether its webhook was taken."""

    request_id: str
    status: str
    words: str
    delivered: bool


@dataclass(frozen=True)
class TicketRow:
    """A ticket of the citizen side."""

    ticket_id: str
    citizen: str
    status: str
    external_id: str | None


@dataclass(frozen=True)
class Letter:
    """An outbox entry that has not been sent."""

    entry_id: int
    ticket_id: str
    kind: str
    state: str
    attempts: int
    error: str | None


class Databases:
    """The databases of one installation. What was there at the start does not count.

    Args:
        folder: holds ``shimin.db`` and ``desk.db``.
        key: the desk's ``SHIMIN_DATA_KEY``.
    """

    def __init__(self, folder: Path, key: str) -> None:
        self._keys = Keyring((urlsafe_b64decode(key),))
        self._citizens = folder / "shimin.db"
        self._desk = folder / "desk.db"
        self._first_entry = self._number(self._citizens, "SELECT max(id) FROM outbox")
        self._first_case = self._number(self._desk, "SELECT max(pk) FROM desk_request")
        rows = self._rows(self._desk, "SELECT request_id FROM desk_request")
        self.old_cases = frozenset(str(row[0]) for row in rows)

    def tickets(self, citizens: Sequence[str]) -> list[TicketRow]:
        """Return the tickets of these citizens (ids of the product), oldest first."""
        wanted = set(citizens)
        sql = "SELECT id, citizen_id, status, external_id FROM tickets ORDER BY id"
        return [TicketRow(*row) for row in self._rows(self._citizens, sql) if row[1] in wanted]

    def cases(self) -> list[DeskCase]:
        """Return the requests filed at the desk since the start, in order."""
        sql = "SELECT request_id, sender_id, status FROM desk_request WHERE pk > ? ORDER BY pk"
        return [DeskCase(*row) for row in self._rows(self._desk, sql, self._first_case)]

    def events(self) -> list[DeskEvent]:
        """Return the steps the desk took since the start, in order."""
        sql = (
            "SELECT r.request_id, e.status, e.description, w.delivered_at FROM desk_event e"
            " JOIN desk_request r ON r.pk = e.request_pk"
            " LEFT JOIN desk_webhook w ON w.update_id = e.update_id"
            " WHERE e.actor = 'desk' AND r.pk > ? ORDER BY e.pk"
        )
        rows = self._rows(self._desk, sql, self._first_case)
        return [DeskEvent(row[0], row[1], self._open(row[2]), row[3] is not None) for row in rows]

    def letters(self) -> list[Letter]:
        """Return the outbox entries since the start that have not been sent."""
        sql = (
            "SELECT id, ticket_id, kind, state, attempts, last_error FROM outbox"
            " WHERE id > ? AND state != 'sent' ORDER BY id"
        )
        return [Letter(*row) for row in self._rows(self._citizens, sql, self._first_entry)]

    def end_leases(self) -> None:
        """Make everything that waits due now: as if the pauses had passed."""
        for path, table, waits in (
            (self._citizens, "outbox", "state = 'pending'"),
            (self._desk, "desk_webhook", "delivered_at IS NULL"),
        ):
            # In SQLAlchemy's own form: the desk leases a row by comparing this very text.
            self._rows(
                path, f"UPDATE {table} SET due_at = '2026-01-01 00:00:00.000000' WHERE {waits}"
            )

    def _open(self, stored: str) -> str:
        if not stored.startswith(MARK):
            return stored
        return str(json.loads(self._keys.open(stored.removeprefix(MARK).encode())))

    @classmethod
    def _number(cls, path: Path, sql: str) -> int:
        return int(cls._rows(path, sql)[0][0] or 0)

    @staticmethod
    def _rows(path: Path, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(path, timeout=30)) as connection, connection:
            return connection.execute(sql, values).fetchall()

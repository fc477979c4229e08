"""Rasa's own database as its SQL tracker store makes it, with conversations to put into it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from cryptography.fernet import Fernet

from store.database import make_engine

EVENTS = sa.Table(
    "events",
    sa.MetaData(),
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("sender_id", sa.String(255), nullable=False, index=True),
    sa.Column("type_name", sa.String(255), nullable=False),
    sa.Column("timestamp", sa.Float),
    sa.Column("intent_name", sa.String(255)),
    sa.Column("action_name", sa.String(255)),
    sa.Column("data", sa.Text),
)


@dataclass(frozen=True)
class RasaStore:
    """A tracker's database; every method has a connection of its own, as Rasa is a process."""

    url: str
    key: str

    @property
    def setting(self) -> str:
        """The URL as Rasa's runtime wants it, which has another driver."""
        return self.url.replace("postgresql+psycopg://", "postgresql://")

    def make(self) -> None:
        with self._connected() as connection:
            EVENTS.metadata.create_all(connection)

    def add(
        self, sender: str, at: datetime, kind: str, name: str | None = None, **event: Any
    ) -> None:
        """Add an event; ``name`` is that of an action or a form."""
        with self._connected() as connection:
            connection.execute(EVENTS.insert(), self._row(sender, at, kind, name, **event))

    def turn(self, sender: str, at: datetime, *, session: bool = False) -> None:
        """Add a turn at one moment, the first of a session if wished."""
        self.turns(sender, [(at, session)])

    def turns(self, sender: str, turns: Iterable[tuple[datetime, bool]]) -> None:
        """Add turns: when, and whether a session begins with it."""
        rows = [
            self._row(sender, at, kind)
            for at, begins in turns
            for kind in ["session_started"] * begins + ["user", "bot", "action"]
        ]
        with self._connected() as connection:
            connection.execute(EVENTS.insert(), rows)

    def moments(self, sender: str) -> list[datetime]:
        """When something was said or done in a conversation, each moment once."""
        mine = sa.select(EVENTS.c.timestamp).where(EVENTS.c.sender_id == sender).distinct()
        with self._connected() as connection:
            found = connection.scalars(mine.order_by(EVENTS.c.timestamp)).all()
        return [datetime.fromtimestamp(moment, UTC) for moment in found]

    def _row(
        self, sender: str, at: datetime, kind: str, name: str | None = None, **event: Any
    ) -> dict[str, Any]:
        body = {"event": kind, "timestamp": at.timestamp(), "name": name, **event}
        return {
            "sender_id": sender,
            "type_name": kind,
            "timestamp": at.timestamp(),
            "action_name": name,
            "data": Fernet(self.key).encrypt(json.dumps(body).encode()).decode(),
        }

    @contextmanager
    def _connected(self) -> Iterator[sa.Connection]:
        engine = make_engine(self.url)
        try:
            with engine.begin() as connection:
                yield connection
        finally:
            engine.dispose()

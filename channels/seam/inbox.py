"""Where a receiver leaves what was pushed: once it is stored the platform may forget it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from store.database import unit_of_work
from store.incoming import receive


@dataclass(frozen=True)
class Pushed:
    """One thing a platform pushed; the fields are those of :func:`store.incoming.receive`."""

    key: str
    conversation_id: str
    content: Any
    album: str | None = None
    replaces: str | None = None


def store_pushed(channel: str, pushed: Iterable[Pushed]) -> int:
    """Store what is new, all of it or nothing; return how much that was.

    Raises:
        SQLAlchemyError: the store is away; the platform must push it again.
    """
    with unit_of_work() as session:
        return sum(
            receive(
                session, channel, p.key, p.conversation_id, p.content, p.album, replaces=p.replaces
            )
            for p in pushed
        )

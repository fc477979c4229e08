"""Messages that were not understood, kept for a person to read."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from base.masking import mask
from store.models import UnclearMessage, plain, utc_now
from store.privacy import reveal


@dataclass(frozen=True)
class Unclear:
    """One kept message: its masked words, the model's ranking, the button pressed afterwards."""

    id: int
    words: str
    ranking: tuple[tuple[str, float], ...]
    chosen: str | None
    intent: str | None


def keep_unclear(
    session: Session,
    message_id: str,
    words: str,
    ranking: list[dict[str, Any]],
    keep_days: int,
) -> None:
    """Keep a message, masked and without its sender; forget those older than ``keep_days``."""
    oldest = utc_now() - timedelta(days=keep_days)
    session.execute(delete(UnclearMessage).where(UnclearMessage.at < oldest))
    session.add(UnclearMessage(message_id=message_id, words=plain(mask(words)), ranking=ranking))


def note_choice(session: Session, message_id: str, intent: str) -> None:
    """Note the intent of the button a citizen pressed after his unclear message."""
    session.execute(
        update(UnclearMessage)
        .where(UnclearMessage.message_id == message_id, UnclearMessage.state == "open")
        .values(chosen=intent)
    )


def read_unclear(session: Session, state: str, actor: str) -> list[Unclear]:
    """Return the messages in a state (``open``, ``decided``, ``dropped``), oldest first.

    Reading is audited, although the words are masked: a mask may miss something.
    """
    rows = session.scalars(
        select(UnclearMessage).where(UnclearMessage.state == state).order_by(UnclearMessage.id)
    )
    return [
        Unclear(
            id=row.id,
            words=reveal(session, row, "words", actor=actor, purpose="nlu_review"),
            ranking=tuple((r["name"], float(r["confidence"])) for r in row.ranking),
            chosen=row.chosen,
            intent=row.intent,
        )
        for row in rows
    ]


def decide(session: Session, ids: Iterable[int], intent: str | None) -> Sequence[int]:
    """Record what open messages mean, or drop them (``intent`` None); return the ids changed."""
    rows = session.scalars(
        select(UnclearMessage).where(
            UnclearMessage.id.in_(list(ids)), UnclearMessage.state == "open"
        )
    ).all()
    for row in rows:
        row.state, row.intent = ("decided", intent) if intent else ("dropped", None)
    return [row.id for row in rows]

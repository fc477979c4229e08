"""Erasing conversations on request (个人信息保护法 第四十七条): noted at once, done a little later.

“删除我的资料” is itself a turn of the conversation it erases. Rasa saves a turn at its end, and may
then write again what was deleted meanwhile. So the request is a row, written with the rest of the
erasure, and whoever keeps house carries it out when the turn is over: up to the moment of the
request, again and again for a day, in case another turn brought something back.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from base.settings import Settings
from store.conversations import NAME, erase, is_form_open
from store.database import reading, unit_of_work
from store.erasure_models import ConversationErasure
from store.privacy import note_access

TURN = timedelta(minutes=1)
"""Longer than any turn: the gateway gives up on one after ``SHIMIN_RASA_TIMEOUT_SECONDS``."""
DAY = timedelta(days=1)
"""A session of Rasa ends after so long a silence (``session_config`` in bot/domain), and with it
every open form and whatever a worker still remembers of it."""

_FORM_PAUSE = timedelta(minutes=5)
_WATCH_PAUSE = timedelta(hours=1)
_AT_ONCE = 50


def ask_for_erasure(session: Session, citizen_ids: Iterable[str], now: datetime) -> None:
    """Note that conversations are to be erased up to now; an earlier request is part of it."""
    for citizen_id in citizen_ids:
        session.execute(
            delete(ConversationErasure).where(ConversationErasure.citizen_id == citizen_id)
        )
        session.add(ConversationErasure(citizen_id=citizen_id, asked_at=now, due_at=now + TURN))


def waiting_since(session: Session) -> datetime | None:
    """Return since when (aware) the oldest request waits that nothing was done about yet."""
    return session.scalar(
        select(func.min(ConversationErasure.asked_at)).where(
            ConversationErasure.erased_at.is_(None)
        )
    )


def carry_out(settings: Settings, now: datetime) -> int:
    """Erase what was asked for and is due; return how many events went.

    An open form is left to be finished first, for a day at most: a complaint that is being filed
    would lose its beginning. Nobody waits for the store while the other database is asked.

    Raises:
        UpstreamError: the tracker's database cannot be reached; what is left stays due.
    """
    due = (
        select(ConversationErasure)
        .where(ConversationErasure.due_at <= now)
        .order_by(ConversationErasure.due_at, ConversationErasure.id)
        .limit(_AT_ONCE)
    )
    with reading() as session:
        rows = session.scalars(due).all()
    return sum(_carry_out(row, settings, now) for row in rows)


def _carry_out(row: ConversationErasure, settings: Settings, now: datetime) -> int:
    url, is_late = settings.tracker_url, now - row.asked_at > DAY
    if row.erased_at is None and not is_late and is_form_open(url, row.citizen_id, row.asked_at):
        gone = None
    else:
        gone = erase(url, row.citizen_id, row.asked_at)
    with unit_of_work() as session:
        _note(session, row.id, gone, now)
    return gone or 0


def _note(session: Session, number: int, gone: int | None, now: datetime) -> None:
    """Write down how a look ended: ``gone`` events, None when it was put off."""
    row = session.get(ConversationErasure, number, with_for_update=True)
    if row is None or row.due_at > now:  # asked for anew, or another relay was here
        return
    if gone is None:
        row.due_at = now + _FORM_PAUSE
        return
    if gone or row.erased_at is None:
        note_access(session, "relay", "conversation_erased", f"{NAME}:{row.citizen_id}", "all")
    row.erased_at = row.erased_at or now
    if now - row.asked_at > DAY:
        session.delete(row)
    else:
        row.due_at = now + _WATCH_PAUSE

"""Rasa's conversation events: forgetting them, and reading them for their owner.

They lie in a database of their own (``SHIMIN_TRACKER_URL``), in the table ``events`` of Rasa's
SQL tracker store, whose times are Unix seconds. Rasa writes it (bot/tracker_store.py): sender,
kind, name and time are plain, everything said is in ``data``, a Fernet token under
``SHIMIN_TRACKER_KEY``. A conversation falls into sessions, each of which begins with
``session_started`` after a day of silence; Rasa reads the newest session alone.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import structlog
from cryptography.fernet import Fernet, InvalidToken
from sqlalchemy import (
    URL,
    Column,
    Connection,
    Engine,
    Float,
    Integer,
    MetaData,
    Select,
    String,
    Table,
    Text,
    case,
    delete,
    func,
    inspect,
    literal,
    make_url,
    select,
)
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from base.errors import ConfigurationError, UpstreamError
from base.settings import Settings
from store.database import make_engine
from store.privacy import note_access

log = structlog.get_logger(__name__)

NAME = "conversations"
"""What the copy of one's own data and the audit call them."""

_PAGE = 500
_CONNECT_SECONDS = "5"
_LOCKED_AWAY = (
    "聊天记录由另一套系统加密保存，这里打不开。需要的话请拨打12345，说明要一份聊天记录的副本。"
)
_UNREADABLE = "这一条打不开了。"

_events = Table(
    "events",
    MetaData(),
    Column("id", Integer, primary_key=True),
    Column("sender_id", String(255)),
    Column("type_name", String(255)),
    Column("timestamp", Float),
    Column("action_name", String(255)),
    Column("data", Text),
)
_columns = _events.c


# --- forgetting ---------------------------------------------------------------------------


def forget_before(url: str, before: datetime, most: int | None = None) -> int:
    """Delete events older than a moment, but for a session that went on after it.

    A conversation that was silent since goes as a whole; of one that goes on, the sessions
    before its newest. Ids grow with time, so only the old end of the table is read, a page and
    a transaction at a time.

    Args:
        url: the tracker's database.
        before: aware.
        most: stop after about so many events; the next call goes on.

    Returns:
        How many events were deleted.

    Raises:
        UpstreamError: the database cannot be reached.
    """
    gone, last = 0, 0
    with _opened(url) as engine:
        while engine is not None and (most is None or gone < most):
            with engine.begin() as connection:
                page = connection.execute(_page_after(last)).all()
                old = {row.sender_id for row in page if row.timestamp < before.timestamp()}
                if not old:
                    break
                gone += _forget(connection, old, before)
            last = page[-1].id
    return gone


def count_before(url: str, before: datetime) -> int:
    """Return how many events :func:`forget_before` would delete.

    Raises:
        UpstreamError: the database cannot be reached.
    """
    ends = _ends(before).subquery()
    old = (
        select(func.count())
        .select_from(_events)
        .join(ends, ends.c.sender_id == _columns.sender_id)
        .where(_columns.timestamp < ends.c.end)
    )
    with _opened(url) as engine:
        if engine is None:
            return 0
        with _reading(engine) as connection:
            return connection.scalar(old) or 0


def erase(url: str, citizen_id: str, until: datetime) -> int:
    """Delete what was said in a conversation up to a moment; return how many events.

    Raises:
        UpstreamError: the database cannot be reached.
    """
    with _opened(url) as engine:
        if engine is None:
            return 0
        said = _of(citizen_id) & (_columns.timestamp <= until.timestamp())
        with engine.begin() as connection:
            return connection.execute(delete(_events).where(said)).rowcount


def is_form_open(url: str, citizen_id: str, since: datetime) -> bool:
    """Tell whether a form that was opened by a moment is still being filled in.

    Raises:
        UpstreamError: the database cannot be reached.
    """
    opens_or_closes = ("active_loop", "session_started", "restart")
    newest = (
        select(_columns.type_name, _columns.action_name, _columns.timestamp)
        .where(_of(citizen_id), _columns.type_name.in_(opens_or_closes))
        .order_by(_columns.id.desc())
        .limit(1)
    )
    with _opened(url) as engine:
        if engine is None:
            return False
        with _reading(engine) as connection:
            row = connection.execute(newest).first()
    if row is None or row.type_name != "active_loop" or row.action_name is None:
        return False
    return bool(row.timestamp <= since.timestamp())


def _page_after(last: int) -> Select[tuple[int, str, float]]:
    return (
        select(_columns.id, _columns.sender_id, _columns.timestamp)
        .where(_columns.id > last)
        .order_by(_columns.id)
        .limit(_PAGE)
    )


def _forget(connection: Connection, senders: Collection[str], before: datetime) -> int:
    ends = connection.execute(_ends(before).where(_columns.sender_id.in_(senders))).all()
    return sum(
        connection.execute(
            delete(_events).where(_of(row.sender_id), _columns.timestamp < row.end)
        ).rowcount
        for row in ends
        if row.end is not None
    )


def _ends(before: datetime) -> Select[tuple[str, float | None]]:
    """Select up to which moment each conversation is forgotten, null where nothing of it is."""
    moment = literal(before.timestamp(), Float)
    newest = func.max(_columns.timestamp)
    session = func.max(case((_columns.type_name == "session_started", _columns.timestamp)))
    end = case((newest < moment, moment), (session >= moment, moment), else_=session)
    return select(_columns.sender_id, end.label("end")).group_by(_columns.sender_id)


# --- reading ------------------------------------------------------------------------------


def own_words(session: Session, settings: Settings, citizen_id: str) -> list[dict[str, Any]]:
    """Return what a citizen and the assistant said, oldest first, for himself (audited).

    Each row has ``at`` (ISO 8601, UTC), ``speaker`` and ``words``, and ``shown`` when the
    assistant showed more than words. What cannot be opened here is a row with a ``note``.

    Raises:
        UpstreamError: the tracker's database cannot be reached.
        ConfigurationError: ``SHIMIN_TRACKER_KEY`` is no Fernet key.
    """
    with _opened(settings.tracker_url) as engine:
        rows = [] if engine is None else _said(engine, citizen_id)
    if not rows:
        return []
    key = settings.tracker_key.get_secret_value()
    if not key:
        log.warning("conversation_not_in_copy", cause="SHIMIN_TRACKER_KEY is not set here")
        return [{"note": _LOCKED_AWAY}]
    shown = _decrypted(rows, _fernet(key))
    note_access(session, f"citizen:{citizen_id}", "data_export", f"{NAME}:{citizen_id}", "data")
    return shown


def _said(engine: Engine, citizen_id: str) -> list[tuple[float, str]]:
    said = (
        select(_columns.timestamp, _columns.data)
        .where(_of(citizen_id), _columns.type_name.in_(("user", "bot")))
        .order_by(_columns.id)
    )
    with _reading(engine) as connection:
        return [(row.timestamp, row.data) for row in connection.execute(said)]


def _decrypted(rows: list[tuple[float, str]], fernet: Fernet) -> list[dict[str, Any]]:
    shown: list[dict[str, Any]] = []
    titles: dict[str, str] = {}
    for at, token in rows:
        moment = {"at": datetime.fromtimestamp(at, UTC).isoformat()}
        try:
            event = json.loads(fernet.decrypt(token.encode()))
        except InvalidToken:
            shown.append({**moment, "note": _UNREADABLE})
            continue
        if event["event"] == "user":
            shown.append({**moment, "speaker": "您", "words": _typed(event, titles)})
            continue
        more = {name: value for name, value in (event.get("data") or {}).items() if value}
        titles |= {button["payload"]: button["title"] for button in more.get("buttons", ())}
        answer = {**moment, "speaker": "助手", "words": event.get("text")}
        shown.append({**answer, "shown": more} if more else answer)
    if any("note" in row for row in shown):
        log.warning("conversation_unreadable", events=sum("note" in row for row in shown))
    return shown


def _typed(event: dict[str, Any], titles: dict[str, str]) -> str:
    """Return what the citizen wrote before it was normalised, or the title he pressed."""
    heard = str(event.get("text") or "")
    typed = str((event.get("metadata") or {}).get("text") or heard)
    return titles.get(heard, typed)


def _fernet(key: str) -> Fernet:
    try:
        return Fernet(key)
    except ValueError as error:
        raise ConfigurationError("SHIMIN_TRACKER_KEY is no Fernet key") from error


# --- the database -------------------------------------------------------------------------


def _of(citizen_id: str) -> Any:
    return _columns.sender_id == citizen_id


@contextmanager
def _opened(url: str) -> Iterator[Engine | None]:
    """Open Rasa's database; None while Rasa has not made it or its table."""
    address = _address(url)
    if _is_missing_file(address):
        yield None
        return
    engine = make_engine(address.render_as_string(hide_password=False))
    try:
        with _reading(engine) as connection:
            there = inspect(connection).has_table(_events.name)
        yield engine if there else None
    except SQLAlchemyError as error:
        raise UpstreamError(
            "conversations_unavailable",
            "聊天记录暂时打不开，请过几分钟再试。",
            f"SHIMIN_TRACKER_URL {address.render_as_string()}: {type(error).__name__}: {error}",
        ) from error
    finally:
        engine.dispose()


@contextmanager
def _reading(engine: Engine) -> Iterator[Connection]:
    with engine.execution_options(shimin_reading=True).connect() as connection:
        yield connection


def _address(url: str) -> URL:
    """Return the URL as this runtime takes it: Rasa's names its own driver of PostgreSQL."""
    address = make_url(url)
    if address.get_backend_name() != "postgresql":
        return address
    patience = {"connect_timeout": _CONNECT_SECONDS}
    address = address.set(drivername="postgresql+psycopg")
    return address if "connect_timeout" in address.query else address.update_query_dict(patience)


def _is_missing_file(address: URL) -> bool:
    if address.get_backend_name() != "sqlite":
        return False
    return not address.database or not Path(address.database).is_file()

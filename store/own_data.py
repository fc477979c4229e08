"""Everything the house knows of one person, for himself (个人信息保护法 第四十五条)."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Table, delete, select
from sqlalchemy.orm import Mapper, Session

from store.every_table import load_tables
from store.models import Base, Citizen
from store.privacy import Encrypted, reveal
from store.privacy_models import DataExport

LINK_LIVES = timedelta(minutes=30)

_OWNER = "citizen_id"
_LEFT_OUT = frozenset(
    # secrets that open something, and who of the staff did it: no data about this person
    {"progress_token", "token", "link_id", "secret", "external_token", "key", "idempotency_key"}
    | {"code_hash"}
    | {"agent_id", "fingerprint", "perceptual_hash", "last_error", "source_url"}
)
_LEFT_OUT_TABLES = frozenset({DataExport.__tablename__, "hot_spots"})
"""The links themselves, and warnings about a place, which hang on a ticket of nobody's."""


def collect(session: Session, citizen_id: str) -> dict[str, list[dict[str, Any]]]:
    """Return every row about a person by table, encrypted columns opened (audited).

    A table is about him when it names him (``citizen_id``) or hangs on a row that does. Empty
    tables are left out; values are what JSON knows, moments in ISO 8601.
    """
    found = {}
    for mapper, mine in _owned(citizen_id):
        rows = session.scalars(select(mapper.class_).where(mine).order_by(*mapper.primary_key))
        shown = [_row(session, mapper, row, citizen_id) for row in rows]
        if shown:
            found[mapper.local_table.description] = shown
    return found


def _owned(citizen_id: str) -> Iterator[tuple[Mapper[Any], ColumnElement[bool]]]:
    """Yield what is about a person, each with the condition that picks his rows."""
    load_tables()
    mappers = sorted(Base.registry.mappers, key=lambda mapper: mapper.local_table.description)
    owned: dict[Any, ColumnElement[bool]] = {
        Citizen.__table__: Citizen.__table__.c.id == citizen_id
    }
    for mapper in mappers:
        if _OWNER in mapper.local_table.c:
            owned[mapper.local_table] = mapper.local_table.c[_OWNER] == citizen_id
    for mapper in mappers:
        table = mapper.local_table
        if table.description in _LEFT_OUT_TABLES:
            continue
        mine = owned.get(table)
        if mine is None and isinstance(table, Table):
            mine = _by_parent(table, owned)
        if mine is not None:
            yield mapper, mine


def _by_parent(table: Table, owned: dict[Any, ColumnElement[bool]]) -> ColumnElement[bool] | None:
    for key in table.foreign_keys:
        parent = key.column.table
        if parent in owned and key.column.name == "id":
            return key.parent.in_(select(key.column).where(owned[parent]))
    return None


def _row(session: Session, mapper: Mapper[Any], row: Any, citizen_id: str) -> dict[str, Any]:
    shown = {}
    for column in mapper.columns:
        if column.name in _LEFT_OUT or column.name == _OWNER:
            continue
        value = getattr(row, column.name)
        if value is not None and isinstance(column.type, Encrypted):
            value = _opened(session, row, column.name, citizen_id)
        shown[column.name] = value.isoformat() if isinstance(value, date | datetime) else value
    return shown


def _opened(session: Session, row: Any, name: str, citizen_id: str) -> Any:
    return reveal(session, row, name, actor=f"citizen:{citizen_id}", purpose="data_export")


# --- links --------------------------------------------------------------------------------


def new_link(session: Session, citizen_id: str, now: datetime) -> str:
    """Return 192 random bits that open the data once; earlier ones open nothing any more."""
    session.execute(delete(DataExport).where(DataExport.citizen_id == citizen_id))
    token = secrets.token_urlsafe(24)
    session.add(DataExport(key=_key(token), citizen_id=citizen_id, expires_at=now + LINK_LIVES))
    return token


def is_open(session: Session, token: str, now: datetime) -> bool:
    """Tell whether a link can still be used; looking does not use it."""
    found = session.get(DataExport, _key(token))
    return found is not None and found.taken_at is None and found.expires_at > now


def take(session: Session, token: str, now: datetime) -> str | None:
    """Use a link; return whose data it opens, None when it is used, over or unknown."""
    found = session.get(DataExport, _key(token), with_for_update=True)
    if found is None or found.taken_at is not None or found.expires_at <= now:
        return None
    found.taken_at = now
    return found.citizen_id


def _key(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()

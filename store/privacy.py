"""Personal data at rest: encrypted columns, sealed values and audited reading.

A personal column never comes out of the database as text. It comes out as :class:`Sealed`,
which prints as ``<sealed>``; only :func:`reveal` opens it, and writes who read what and why.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from cryptography.fernet import InvalidToken
from sqlalchemy import LargeBinary
from sqlalchemy.engine import Dialect
from sqlalchemy.orm import Session
from sqlalchemy.types import TypeDecorator

from base.errors import ConfigurationError
from store.keyring import keyring

_NOTED = "accesses"


@dataclass(frozen=True)
class Access:
    """That somebody read a field of a record, and why; see :class:`store.models.AuditEntry`."""

    actor: str
    purpose: str
    record: str
    field: str


def note_access(session: Session, actor: str, purpose: str, record: str, field: str) -> None:
    """Remember a read for the audit, which :func:`store.database.unit_of_work` writes at its end.

    Args:
        session: the open unit of work.
        actor: who reads, at most 160 characters.
        purpose: why, at most 80.
        record: ``<table>:<primary key>``, at most 200.
        field: which column or copy, at most 40.
    """
    session.info.setdefault(_NOTED, []).append(Access(actor, purpose, record, field))


def noted(session: Session) -> list[Access]:
    """Return the reads of a session that the audit has not been told of yet."""
    accesses: list[Access] = session.info.get(_NOTED, [])
    return accesses


def take_noted(session: Session) -> list[Access]:
    """Return them and forget them."""
    accesses: list[Access] = session.info.pop(_NOTED, [])
    return accesses


class Sealed:
    """An encrypted value that does not show itself in logs, reprs or templates."""

    __slots__ = ("_token",)

    def __init__(self, token: bytes) -> None:
        self._token = token

    def __repr__(self) -> str:
        return "<sealed>"

    def token(self) -> bytes:
        """The ciphertext."""
        return self._token


class Encrypted(TypeDecorator[Any]):
    """A column that takes plain JSON-able values and gives :class:`Sealed` back."""

    impl = LargeBinary
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> bytes | None:  # noqa: ARG002
        """Encrypt a plain value; a sealed one is stored as it is."""
        if value is None:
            return None
        if isinstance(value, Sealed):
            return value.token()
        return keyring().seal(json.dumps(value, ensure_ascii=False).encode())

    def process_result_value(self, value: bytes | None, dialect: Dialect) -> Sealed | None:  # noqa: ARG002
        """Seal what was read."""
        return None if value is None else Sealed(value)


def reveal(session: Session, record: Any, field: str, *, actor: str, purpose: str) -> Any:
    """Decrypt ``record.field``; the audit says so in the same transaction (store.audit).

    Args:
        session: the open unit of work; the audit row commits or fails with it.
        record: a mapped object with an ``id``.
        field: name of an :class:`Encrypted` column.
        actor: who reads (``relay``, ``citizen:<id>``, ``official:<name>``).
        purpose: why, in a few words.

    Returns:
        The plain value, or None when the column is empty.

    Raises:
        ConfigurationError: the value was written with another key.
    """
    value = getattr(record, field)
    note_access(session, actor, purpose, f"{record.__tablename__}:{record.id}", field)
    if value is None or not isinstance(value, Sealed):
        return value
    try:
        return json.loads(keyring().open(value.token()))
    except InvalidToken as error:
        raise ConfigurationError(
            f"{record.__tablename__}:{record.id}.{field} cannot be decrypted with SHIMIN_DATA_KEY"
        ) from error

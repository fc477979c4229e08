"""Personal data at rest: encrypted columns, sealed values and audited reading.

A personal column never comes out of the database as text. It comes out as :class:`Sealed`,
which prints as ``<sealed>``; only :func:`reveal` opens it, and writes who read what and why.
"""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from sqlalchemy import LargeBinary
from sqlalchemy.engine import Dialect
from sqlalchemy.orm import Session
from sqlalchemy.types import TypeDecorator

from base.errors import ConfigurationError
from base.settings import get_settings


def cipher() -> MultiFernet:
    """Return the cipher of ``SHIMIN_DATA_KEY`` (Fernet: AES-128-CBC with HMAC-SHA256).

    Several comma-separated keys may be given: the first encrypts, all decrypt (rotation).

    Raises:
        ConfigurationError: no key, or a malformed one.
    """
    return MultiFernet([Fernet(urlsafe_b64encode(key)) for key in data_keys()])


def data_keys() -> list[bytes]:
    """Return the keys of ``SHIMIN_DATA_KEY`` (32 bytes each), newest first.

    Raises:
        ConfigurationError: no key, or a malformed one.
    """
    keys = [key.strip() for key in get_settings().data_key.get_secret_value().split(",")]
    if not keys[0]:
        raise ConfigurationError("SHIMIN_DATA_KEY is not set; `make run` generates one")
    try:
        for key in keys:
            Fernet(key)
        return [urlsafe_b64decode(key) for key in keys]
    except ValueError as error:
        raise ConfigurationError("SHIMIN_DATA_KEY is not a Fernet key") from error


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
        return cipher().encrypt(json.dumps(value, ensure_ascii=False).encode())

    def process_result_value(self, value: bytes | None, dialect: Dialect) -> Sealed | None:  # noqa: ARG002
        """Seal what was read."""
        return None if value is None else Sealed(value)


def reveal(session: Session, record: Any, field: str, *, actor: str, purpose: str) -> Any:
    """Decrypt ``record.field`` and write an audit row in the same session.

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
    from store.models import AuditEntry  # noqa: PLC0415 - the models use this module

    value = getattr(record, field)
    session.add(
        AuditEntry(
            actor=actor, purpose=purpose, record=f"{record.__tablename__}:{record.id}", field=field
        )
    )
    if value is None or not isinstance(value, Sealed):
        return value
    try:
        return json.loads(cipher().decrypt(value.token()))
    except InvalidToken as error:
        raise ConfigurationError(
            f"{record.__tablename__}:{record.id}.{field} cannot be decrypted with SHIMIN_DATA_KEY"
        ) from error

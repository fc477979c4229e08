"""Columns whose content is encrypted in the desk's database.

The key is the ``SHIMIN_DATA_KEY`` of the desk's own process (several may be given, newest first).
A desk run by another office than the citizen side has its own key there: the two share none.
"""

from __future__ import annotations

import json
from typing import Any

from cryptography.fernet import InvalidToken
from sqlalchemy import JSON, Text
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator

from base.errors import ConfigurationError
from store.keyring import keyring
from store.privacy import Sealed

MARK = "sealed:"
"""What a sealed value begins with; older rows are plain and are read as they are."""


def _seal(value: Any) -> str:
    return MARK + keyring().seal(json.dumps(value, ensure_ascii=False).encode()).decode()


def _token(stored: object) -> bytes | None:
    if isinstance(stored, str) and stored.startswith(MARK):
        return stored.removeprefix(MARK).encode()
    return None


def unseal(sealed: Sealed) -> Any:
    """Open a sealed value.

    Raises:
        ConfigurationError: it was written with another key.
    """
    return _open(sealed.token())


def _open(token: bytes) -> Any:
    try:
        return json.loads(keyring().open(token))
    except InvalidToken as error:
        raise ConfigurationError(
            "the desk's database was written with another SHIMIN_DATA_KEY"
        ) from error


class SealedText(TypeDecorator[str]):
    """Text, encrypted at rest; it opens when it is read."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:  # noqa: ARG002
        """Seal a text; an empty one says nothing and stays empty."""
        return _seal(value) if value else value

    def process_result_value(self, value: str | None, dialect: Dialect) -> str | None:  # noqa: ARG002
        """Open a text."""
        token = _token(value)
        return value if token is None else str(_open(token))


class SealedJson(TypeDecorator[Any]):
    """A JSON object, encrypted at rest; it opens when it is read."""

    impl = JSON
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> Any:  # noqa: ARG002
        """Seal an object; an empty one says nothing and stays empty."""
        return _seal(value) if value else {}

    def process_result_value(self, value: Any, dialect: Dialect) -> Any:  # noqa: ARG002
        """Open an object."""
        token = _token(value)
        return value if token is None else _open(token)


class ClosedJson(TypeDecorator[Any]):
    """A JSON object that stays :class:`Sealed` when it is read, ``None`` when it is empty."""

    impl = JSON
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> Any:  # noqa: ARG002
        """Seal a plain object; store a sealed one as it is."""
        if isinstance(value, Sealed):
            return MARK + value.token().decode()
        return _seal(value) if value else {}

    def process_result_value(self, value: Any, dialect: Dialect) -> Sealed | None:  # noqa: ARG002
        """Hand the object out closed."""
        if not value:
            return None
        return Sealed(_token(value) or _seal(value).removeprefix(MARK).encode())

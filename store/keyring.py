"""The keys of personal data at rest: each value names the key it was written with.

``SHIMIN_DATA_KEY`` encrypts; it may be followed by older ones, comma-separated, and
``SHIMIN_DATA_KEYS_OLD`` names more: they only decrypt. A value begins with the id of its key
(eight hexadecimal digits), so that a database can be asked which values still need an old key
(:mod:`store.rotation`). Values of older versions carry no id; every key is tried on them.
"""

from __future__ import annotations

import hashlib
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from functools import lru_cache

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from base.errors import ConfigurationError
from base.settings import get_settings

ID_CHARS = 8
"""Of a key's id: enough to tell the few keys of an installation apart, and no help in guessing."""

NO_ID = ""
"""Instead of a key's id, for values written before there were ids."""

_MARKED = re.compile(rb"([0-9a-f]{8}):(.*)", re.DOTALL)
_FILE_PURPOSE = b"shimin media file"


def key_id(key: bytes) -> str:
    """Return the id of a key of 32 bytes: the beginning of a SHA-256 of its own."""
    return hashlib.sha256(b"shimin key id:" + key).hexdigest()[:ID_CHARS]


def split(token: bytes) -> tuple[str, bytes]:
    """Return the id of the key a value was sealed with (:data:`NO_ID`) and its Fernet token.

    A Fernet token begins with ``gA``, which is no hexadecimal digit: the two are never mixed up.
    """
    match = _MARKED.fullmatch(token)
    return (match[1].decode(), match[2]) if match else (NO_ID, token)


class Keyring:
    """Several keys of 32 bytes; the first is the current one.

    Columns are Fernet tokens (AES-128-CBC with HMAC-SHA256), files AES-256-GCM
    (:mod:`store.file_cipher`) under a key derived from the same secret (HKDF, RFC 5869).
    """

    def __init__(self, keys: tuple[bytes, ...]) -> None:
        ids = [key_id(key) for key in keys]
        self.current = ids[0]
        self._columns = {
            name: Fernet(urlsafe_b64encode(key)) for name, key in zip(ids, keys, strict=True)
        }
        self._files = {name: _file_cipher(key) for name, key in zip(ids, keys, strict=True)}
        self._any = MultiFernet(list(self._columns.values()))

    @property
    def ids(self) -> tuple[str, ...]:
        """The ids of the keys, the current one first."""
        return tuple(self._columns)

    @property
    def mark(self) -> bytes:
        """What a column's value begins with when the current key sealed it."""
        return f"{self.current}:".encode()

    def seal(self, data: bytes) -> bytes:
        """Encrypt a column's value with the current key."""
        return self.mark + self._columns[self.current].encrypt(data)

    def open(self, token: bytes) -> bytes:
        """Decrypt a column's value.

        Raises:
            InvalidToken: its key is not among these, or it was changed.
        """
        name, body = split(token)
        if name == NO_ID:
            return self._any.decrypt(body)
        if name not in self._columns:
            raise InvalidToken
        return self._columns[name].decrypt(body)

    def file_cipher(self, name: str) -> AESGCM | None:
        """Return the cipher of files under the key with this id, None when there is none."""
        return self._files.get(name)


def keyring() -> Keyring:
    """Return the keys of the settings.

    Raises:
        ConfigurationError: no key, or a malformed one.
    """
    settings = get_settings()
    return _keyring(settings.data_key.get_secret_value(), settings.data_keys_old.get_secret_value())


@lru_cache(maxsize=4)
def _keyring(current: str, old: str) -> Keyring:
    keys = [key.strip() for key in current.split(",")]
    if not keys[0]:
        raise ConfigurationError("SHIMIN_DATA_KEY is not set; `make run` generates one")
    keys += [key.strip() for key in old.split(",") if key.strip()]
    try:
        for key in keys:
            Fernet(key)
        return Keyring(tuple(dict.fromkeys(urlsafe_b64decode(key) for key in keys)))
    except ValueError as error:
        raise ConfigurationError(
            "SHIMIN_DATA_KEY or SHIMIN_DATA_KEYS_OLD is not a Fernet key"
        ) from error


def _file_cipher(key: bytes) -> AESGCM:
    return AESGCM(HKDF(SHA256(), 32, salt=None, info=_FILE_PURPOSE).derive(key))

"""Encryption of files (photos, videos): AES-256-GCM, bound to the name a file is kept under.

Fernet, which the columns use, takes twenty times as long for a photo and makes it a third larger
(docs/faults.md). The key is derived from ``SHIMIN_DATA_KEY``, so an installation has one secret.

A file is ``AG2:``, the id of its key and ``:``, a nonce of 12 bytes, and the ciphertext. What
older versions wrote opens as well: ``AG1:`` without an id, and Fernet tokens.
"""

from __future__ import annotations

import secrets

from cryptography.exceptions import InvalidTag
from cryptography.fernet import InvalidToken

from base.errors import ConfigurationError
from store.keyring import ID_CHARS, NO_ID, keyring

_MARK = b"AG2:"
_OLDER_MARK = b"AG1:"
_NONCE_BYTES = 12
"""Of NIST SP 800-38D, 8.2.2: a random 96-bit nonce serves 2**32 files under one key."""

HEAD_BYTES = len(_MARK) + ID_CHARS + 1
"""So many first bytes of a file say which key it needs."""


def seal_file(data: bytes, name: str) -> bytes:
    """Encrypt a file under the current key; it opens only under the same ``name``."""
    keys = keyring()
    cipher = keys.file_cipher(keys.current)
    assert cipher is not None
    head = _head(keys.current)
    nonce = secrets.token_bytes(_NONCE_BYTES)
    return head + nonce + cipher.encrypt(nonce, data, head + name.encode())


def key_of(head: bytes) -> str:
    """Return the id of the key a file needs, from its first bytes (:data:`NO_ID`)."""
    if not head.startswith(_MARK) or len(head) < HEAD_BYTES:
        return NO_ID
    return head[len(_MARK) : HEAD_BYTES - 1].decode("ascii", "replace")


def open_file(sealed: bytes, name: str) -> bytes:
    """Decrypt a file with the key it names; those of older versions with whichever fits.

    Raises:
        ConfigurationError: no present key opens it, or it was changed or kept under another name.
    """
    try:
        if sealed.startswith(_MARK):
            head = sealed[:HEAD_BYTES]
            return _opened(sealed[HEAD_BYTES:], key_of(head), _head(key_of(head)) + name.encode())
        if sealed.startswith(_OLDER_MARK):
            return _opened_by_any(sealed[len(_OLDER_MARK) :], name.encode())
        return keyring().open(sealed)
    except (InvalidTag, InvalidToken, ValueError) as error:  # ValueError: cut short
        raise ConfigurationError(f"{name} cannot be decrypted with SHIMIN_DATA_KEY") from error


def _head(key: str) -> bytes:
    return _MARK + key.encode() + b":"


def _opened(body: bytes, key: str, bound_to: bytes) -> bytes:
    cipher = keyring().file_cipher(key)
    if cipher is None:
        raise InvalidTag
    return cipher.decrypt(body[:_NONCE_BYTES], body[_NONCE_BYTES:], bound_to)


def _opened_by_any(body: bytes, bound_to: bytes) -> bytes:
    for key in keyring().ids:
        try:
            return _opened(body, key, bound_to)
        except InvalidTag:
            continue
    raise InvalidTag

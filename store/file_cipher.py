"""Encryption of files (photos, videos): AES-256-GCM, bound to the name a file is kept under.

Fernet, which the columns use, takes twenty times as long for a photo and makes it a third larger
(docs/faults.md). The key is derived from ``SHIMIN_DATA_KEY``, so an installation has one secret.
"""

from __future__ import annotations

import secrets

from cryptography.exceptions import InvalidTag
from cryptography.fernet import InvalidToken
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from base.errors import ConfigurationError
from store.privacy import cipher, data_keys

_MARK = b"AG1:"
_PURPOSE = b"shimin media file"
_NONCE_BYTES = 12
"""Of NIST SP 800-38D, 8.2.2: a random 96-bit nonce serves 2**32 files under one key."""


def seal_file(data: bytes, name: str) -> bytes:
    """Encrypt a file under the newest key; it opens only under the same ``name``."""
    nonce = secrets.token_bytes(_NONCE_BYTES)
    return _MARK + nonce + _cipher(data_keys()[0]).encrypt(nonce, data, name.encode())


def open_file(sealed: bytes, name: str) -> bytes:
    """Decrypt a file with whichever key it was sealed; Fernet tokens of older versions as well.

    Raises:
        ConfigurationError: no present key opens it, or it was changed or kept under another name.
    """
    problem = ConfigurationError(f"{name} cannot be decrypted with SHIMIN_DATA_KEY")
    if not sealed.startswith(_MARK):
        try:
            return cipher().decrypt(sealed)
        except InvalidToken as error:
            raise problem from error
    start = len(_MARK)
    nonce, body = sealed[start : start + _NONCE_BYTES], sealed[start + _NONCE_BYTES :]
    for key in data_keys():
        try:
            return _cipher(key).decrypt(nonce, body, name.encode())
        except (InvalidTag, ValueError):  # ValueError: cut short
            continue
    raise problem


def _cipher(key: bytes) -> AESGCM:
    return AESGCM(HKDF(SHA256(), 32, salt=None, info=_PURPOSE).derive(key))

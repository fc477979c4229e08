"""Signed links: a photo can be fetched with the link, and with nothing else."""

from __future__ import annotations

import hashlib
import hmac

MEDIA_LINK_SECONDS = 180 * 24 * 3600


def sign_link(secret: str, path: str, expires: int) -> str:
    """Return ``path?expires=…&signature=…`` valid until ``expires`` (unix seconds)."""
    return f"{path}?expires={expires}&signature={_signature(secret, path, expires)}"


def link_is_valid(secret: str, path: str, expires: int, signature: str, now: float) -> bool:
    """Tell whether a signature fits the path and has not run out."""
    if not secret or now > expires:
        return False
    return hmac.compare_digest(_signature(secret, path, expires).encode(), signature.encode())


def _signature(secret: str, path: str, expires: int) -> str:
    message = f"{path}:{expires}".encode()
    return hmac.new(secret.encode(), message, hashlib.sha256).hexdigest()

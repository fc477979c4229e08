"""Signed links: what they lead to can be had with the link, and with nothing else."""

from __future__ import annotations

import hashlib
import hmac
from datetime import datetime, timedelta

from base.settings import Settings

MEDIA_LINK_SECONDS = 180 * 24 * 3600


def sign_link(secret: str, path: str, expires: int) -> str:
    """Return ``path?expires=…&signature=…`` valid until ``expires`` (unix seconds)."""
    return f"{path}?expires={expires}&signature={_signature(secret, path, expires)}"


def signed_address(settings: Settings, path: str, now: datetime, life: timedelta) -> str:
    """Return the public address of ``path``, good for ``life`` from ``now``."""
    secret = settings.session_key.get_secret_value()
    link = sign_link(secret, path, int((now + life).timestamp()))
    return f"{settings.public_url.rstrip('/')}{link}"


def address_is_valid(
    settings: Settings, path: str, expires: int, signature: str, now: datetime
) -> bool:
    """Tell whether a :func:`signed_address` of ``path`` is ours and has not run out."""
    secret = settings.session_key.get_secret_value()
    return link_is_valid(secret, path, expires, signature, now.timestamp())


def link_is_valid(secret: str, path: str, expires: int, signature: str, now: float) -> bool:
    """Tell whether a signature fits the path and has not run out."""
    if not secret or now > expires:
        return False
    return hmac.compare_digest(_signature(secret, path, expires).encode(), signature.encode())


def _signature(secret: str, path: str, expires: int) -> str:
    message = f"{path}:{expires}".encode()
    return hmac.new(secret.encode(), message, hashlib.sha256).hexdigest()

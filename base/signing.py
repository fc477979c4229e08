"""Signed messages between the desk and the gateway (HMAC-SHA256 over timestamp and body).

The scheme is the one Stripe and Slack document for webhooks: the signature covers
``"<unix seconds>.<body>"``, and a timestamp outside the window is refused as a replay.
"""

from __future__ import annotations

import hashlib
import hmac

from base.errors import InputError

TIMESTAMP_HEADER = "X-Shimin-Timestamp"
SIGNATURE_HEADER = "X-Shimin-Signature"
REPLAY_WINDOW_SECONDS = 300


def sign(secret: str, timestamp: int, body: bytes) -> str:
    """Return ``sha256=<hex>`` for ``body`` sent at ``timestamp`` (unix seconds)."""
    message = str(timestamp).encode() + b"." + body
    return "sha256=" + hmac.new(secret.encode(), message, hashlib.sha256).hexdigest()


def verify(secret: str, timestamp: str, signature: str, body: bytes, now: float) -> None:
    """Check a signature and its age.

    Raises:
        InputError: ``signature_invalid`` when the secret is empty, the signature is wrong,
            or the timestamp is malformed or more than five minutes from ``now``.
    """
    refused = InputError("signature_invalid", "签名校验失败。", "webhook signature refused")
    if not secret or not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= 12):
        raise refused
    if abs(now - int(timestamp)) > REPLAY_WINDOW_SECONDS:
        raise refused
    expected = sign(secret, int(timestamp), body)
    if not hmac.compare_digest(expected.encode(), signature.encode()):
        raise refused

"""One-time codes of a second factor (TOTP, RFC 6238: SHA-1, six digits, thirty seconds).

These are the parameters every authenticator app knows; RFC 6238, appendix A, and RFC 4226 say why
SHA-1 is enough inside an HMAC.
"""

from __future__ import annotations

import hmac

import pyotp

STEP_SECONDS = 30
TOLERANCE = 1
"""Steps a clock may be off, and the network slow (RFC 6238, 5.2)."""
DIGITS = 6
ISSUER = "市民助手工作台"


def new_secret() -> str:
    """Return 160 random bits in base32 (RFC 4226, 4, R6 recommends so many)."""
    return pyotp.random_base32(length=32)


def address_of(secret: str, account: str) -> str:
    """Return the ``otpauth://`` address that an app reads from a QR code."""
    return pyotp.TOTP(secret).provisioning_uri(name=account, issuer_name=ISSUER)


def matching_step(secret: str, code: str, now: float, after: int) -> int | None:
    """Return the step whose code this is, None when it is wrong or was used.

    Args:
        secret: in base32.
        code: what was typed, six ASCII digits.
        now: the present moment in seconds since 1970.
        after: the last step that was accepted; it and earlier ones are not accepted again.
    """
    if len(code) != DIGITS or not (code.isascii() and code.isdigit()):
        return None
    totp, present = pyotp.TOTP(secret), int(now) // STEP_SECONDS
    fits = [
        step
        for step in range(present - TOLERANCE, present + TOLERANCE + 1)
        if hmac.compare_digest(totp.at(step * STEP_SECONDS), code)
    ]
    return next((step for step in fits if step > after), None)

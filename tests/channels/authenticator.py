"""An authenticator app, for tests of the second factor."""

from __future__ import annotations

import time

import pyotp

from base.totp import STEP_SECONDS


class Authenticator:
    """Shows codes that were not used yet: each is of a later step than the one before.

    The first is of the present step and stays right for half a minute at least, the second is
    taken early, as the tolerance allows; a third would need waiting.
    """

    def __init__(self, secret: str) -> None:
        self._totp = pyotp.TOTP(secret)
        self._step = 0

    def next(self) -> str:
        """Return the next code."""
        self._step = max(self._step + 1, int(time.time()) // STEP_SECONDS)
        return self._totp.at(self._step * STEP_SECONDS)

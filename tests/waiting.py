"""Waiting for what another thread or process will do."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

WAIT_SECONDS = 30.0
POLL_SECONDS = 0.1


def wait_until(
    look: Callable[[], T], what: str, seconds: float = WAIT_SECONDS, *, pause: float = POLL_SECONDS
) -> T:
    """Return the first truthy result of ``look``; fail after ``seconds``."""
    deadline = time.monotonic() + seconds
    while True:
        found = look()
        if found:
            return found
        assert time.monotonic() < deadline, f"{what}: not within {seconds} s, last: {found!r}"
        time.sleep(pause)

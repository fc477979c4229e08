"""Waiting for what another thread or process will do."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

WAIT_SECONDS = 60.0
"""So long something is awaited that comes at once: a busy machine is slow, not wrong."""
POLL_SECONDS = 0.1


def wait_until(
    look: Callable[[], T],
    what: str | Callable[[], str],
    seconds: float = WAIT_SECONDS,
    *,
    pause: float = POLL_SECONDS,
) -> T:
    """Return the first truthy result of ``look``; fail after ``seconds``.

    ``what`` names it in the failure; a callable is asked then.
    """
    deadline = time.monotonic() + seconds
    while True:
        found = look()
        if found:
            return found
        if time.monotonic() >= deadline:
            name = what() if callable(what) else what
            raise AssertionError(f"{name}: not within {seconds} s, last: {found!r}")
        time.sleep(pause)

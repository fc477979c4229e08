"""Values that are good for a short while, so that many readers cost one look at the store."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Kept(Generic[T]):
    """Keeps what was made under a key for ``seconds``.

    Whoever comes too late makes it anew; others who come meanwhile read the old value and wait
    only when there is none.
    """

    def __init__(self, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds
        self._clock = clock
        self._making = threading.Lock()
        self._values: dict[object, tuple[float, T]] = {}

    def get(self, key: object, make: Callable[[], T]) -> T:
        """Return the kept value, or make and keep it; what ``make`` raises is not kept."""
        found = self._values.get(key)
        if found is not None and self._is_good(found):
            return found[1]
        if not self._making.acquire(blocking=found is None):
            assert found is not None
            return found[1]
        try:
            latest = self._values.get(key)  # made while we waited
            if latest is not None and self._is_good(latest):
                return latest[1]
            fresh = make()
            self._values[key] = (self._clock(), fresh)
            return fresh
        finally:
            self._making.release()

    def _is_good(self, value: tuple[float, T]) -> bool:
        return self._clock() - value[0] < self._seconds

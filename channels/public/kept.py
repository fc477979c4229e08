"""Values that are good for a short while, so that many readers cost one look at the store."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Kept(Generic[T]):
    """Keeps what was made under a key for ``seconds``; one reader at a time makes it anew."""

    def __init__(self, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds
        self._clock = clock
        self._lock = threading.Lock()
        self._values: dict[object, tuple[float, T]] = {}

    def get(self, key: object, make: Callable[[], T]) -> T:
        """Return the kept value, or make and keep it; what ``make`` raises is not kept."""
        with self._lock:
            made, value = self._values.get(key, (None, None))
            if made is not None and value is not None and self._clock() - made < self._seconds:
                return value
            fresh = make()
            self._values[key] = (self._clock(), fresh)
            return fresh

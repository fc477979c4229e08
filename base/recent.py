"""What was worked out for the last keys, in a fixed amount of memory."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

Value = TypeVar("Value")


class Recent(Generic[Value]):
    """The values of the keys asked for last; the one not asked for longest makes room.

    Threads may share it; two that ask for a new key at once both work it out. Unlike
    ``functools.lru_cache`` on a method it does not refer back to its owner, which therefore goes
    with its last user instead of waiting for the garbage collector.

    Args:
        most: how many values are kept, at least 1.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._values: OrderedDict[Hashable, Value] = OrderedDict()
        self._changing = threading.Lock()

    def __len__(self) -> int:
        return len(self._values)

    def of(self, key: Hashable, work_out: Callable[[], Value]) -> Value:
        """Return the value of ``key``, worked out when it is not among the last ones."""
        with self._changing:
            if key in self._values:
                self._values.move_to_end(key)
                return self._values[key]
        value = work_out()
        with self._changing:
            self._values[key] = value
            if len(self._values) > self._most:
                self._values.popitem(last=False)
        return value

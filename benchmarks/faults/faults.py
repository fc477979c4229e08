"""Which faults a network path has, and how often."""

from __future__ import annotations

import random
import threading
from collections import Counter
from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType


class Fault(StrEnum):
    """One thing that goes wrong with one HTTP request on its way."""

    LOST_ANSWER = "taken, answer later than the client waits"
    ERROR_BEFORE = "500, 502 or 503, not passed on"
    ERROR_AFTER = "500, 502 or 503 after it was taken"
    DROP_BEFORE = "connection dropped, not passed on"
    DROP_AFTER = "connection dropped after it was taken"
    SLOW_REQUEST = "request passed on byte by byte"
    SLOW_ANSWER = "answer passed back byte by byte"
    TWICE = "passed on twice, one after the other"
    TWICE_AT_ONCE = "passed on twice at the same moment"
    CUT_REQUEST = "request broken off in its body"
    SHORT_REQUEST = "request with half its body, declared as whole"
    CUT_ANSWER = "answer broken off in its body"
    SHORT_ANSWER = "answer with half its body, declared as whole"


TO_DESK: Mapping[Fault, float] = MappingProxyType(
    {fault: 1.0 for fault in Fault if fault is not Fault.SHORT_REQUEST}
)
"""Weights on the way to the desk. Half a form is another complaint, and Open311 has no
checksum that would tell, so ``SHORT_REQUEST`` is left out."""

TO_GATEWAY: Mapping[Fault, float] = MappingProxyType(
    {fault: 0.3 if fault is Fault.LOST_ANSWER else 1.0 for fault in Fault}
)
"""Weights on the way to the gateway's webhook. A lost answer holds up the desk's one courier for
ten seconds, and there are five times as many status events as complaints."""


class FaultPlan:
    """Draws the fault of each request; safe to share between threads.

    Args:
        seed: where the draws start.
        weights: how often each fault comes compared with the others.
        rate: share of the requests that have a fault (0 to 1). May be changed at any time.
    """

    def __init__(self, seed: int, weights: Mapping[Fault, float], rate: float) -> None:
        self.rate = rate
        self.drawn: Counter[Fault] = Counter()
        self.passed = 0
        self._random = random.Random(seed)
        self._faults = tuple(weights)
        self._weights = tuple(weights.values())
        self._lock = threading.Lock()

    def draw(self) -> Fault | None:
        """Return the fault of the next request, ``None`` for a good one, and count it."""
        with self._lock:
            if self._random.random() >= self.rate:
                self.passed += 1
                return None
            (fault,) = self._random.choices(self._faults, self._weights)
            self.drawn[fault] += 1
            return fault

"""How fast we may speak: a second a message in a chat after a few at once, 20 a minute in a group.

https://core.telegram.org/bots/faq#my-bot-is-hitting-limits-how-do-i-avoid-this
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

EVERYBODY = (30.0, 30.0)
"""Messages at once, and a second."""
ONE_CHAT = (3.0, 1.0)
ONE_GROUP = (5.0, 1 / 3)
KEPT = 10_000
"""Chats remembered; who is forgotten has been silent for long."""


@dataclass
class _Bucket:
    tokens: float
    at: float


class Pace:
    """Token buckets of each chat and of all together.

    Args:
        clock: seconds that only grow.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._all = _Bucket(EVERYBODY[0], clock())
        self._chats: dict[int, _Bucket] = {}

    def wait(self, chat: int) -> float:
        """Take one message's share and return 0, or the seconds until there is one."""
        now = self._clock()
        size, rate = ONE_CHAT if chat > 0 else ONE_GROUP
        own = self._chats.pop(chat, None) or _Bucket(size, now)
        self._chats[chat] = own  # the last spoken with are the last forgotten
        while len(self._chats) > KEPT:
            del self._chats[next(iter(self._chats))]
        _fill(own, size, rate, now)
        _fill(self._all, *EVERYBODY, now)
        missing = max((1 - own.tokens) / rate, (1 - self._all.tokens) / EVERYBODY[1])
        if missing > 1e-9:
            return missing
        own.tokens -= 1
        self._all.tokens -= 1
        return 0.0


def _fill(bucket: _Bucket, size: float, rate: float, now: float) -> None:
    bucket.tokens = min(size, bucket.tokens + (now - bucket.at) * rate)
    bucket.at = now

"""The access token: fetched once, shared by every thread, renewed before it ends.

“获取稳定版接口调用凭据” (``/cgi-bin/stable_token``): asking again within its two hours gives the
same token, so several processes do not spoil each other's; a forced renewal is allowed 20 times
a day, at least 30 seconds apart.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock

MARGIN_SECONDS = 300
"""The platform keeps the former token good for five minutes beside its successor."""
FORCE_PAUSE_SECONDS = 60.0

Fetch = Callable[[bool], tuple[str, float]]
"""Asks for a token (forced or not); returns it with the seconds it is good for."""


@dataclass(frozen=True)
class _Held:
    token: str
    until: float


class AccessToken:
    """The token of one account, kept in memory only.

    Args:
        fetch: how to ask for one.
        clock: seconds that only go forward.
    """

    def __init__(self, fetch: Fetch, clock: Callable[[], float] = time.monotonic) -> None:
        self._fetch = fetch
        self._clock = clock
        self._lock = Lock()
        self._held: _Held | None = None
        self._refused = ""
        self._forced_at: float | None = None

    def get(self) -> str:
        """Return the token; the first of many threads fetches it for all.

        Raises:
            DeliveryError: see channels.wechat.platform.
        """
        with self._lock:
            if self._held is None or self._held.until <= self._clock():
                self._held = self._fetched()
            return self._held.token

    def refuse(self, token: str) -> None:
        """Note that the platform does not take a token any more."""
        with self._lock:
            self._refused = token
            if self._held is not None and self._held.token == token:
                self._held = None

    def _fetched(self) -> _Held:
        token, seconds = self._fetch(False)
        if token == self._refused and self._may_force():
            self._forced_at = self._clock()
            token, seconds = self._fetch(True)
        return _Held(token, self._clock() + max(0.0, seconds - MARGIN_SECONDS))

    def _may_force(self) -> bool:
        return self._forced_at is None or self._clock() - self._forced_at >= FORCE_PAUSE_SECONDS

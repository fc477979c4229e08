"""The library's asynchronous calls, made from the seam's threads."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from concurrent.futures import CancelledError
from threading import Event
from typing import Any, TypeVar

T = TypeVar("T")

LOOK_SECONDS = 0.2


class Loop:
    """An event loop in a thread of its own; it begins to run at once."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(
            target=self._loop.run_forever, name="telegram-loop", daemon=True
        )
        self._thread.start()

    def call(self, work: Coroutine[Any, Any, T]) -> T:
        """Return what ``work`` returns, or raise what it raises."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    def call_until(self, stop: Event, work: Coroutine[Any, Any, T]) -> T | None:
        """As :meth:`call`; None when ``stop`` came first, and the work is broken off."""
        future = asyncio.run_coroutine_threadsafe(work, self._loop)
        while True:
            try:
                return future.result(LOOK_SECONDS)
            except CancelledError:
                return None
            except TimeoutError:
                if future.done():
                    raise  # the work's own
                if stop.is_set():
                    future.cancel()

    def close(self) -> None:
        """Stop and free the loop."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

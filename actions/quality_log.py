"""Figures about answers are written behind the answer, so that nobody waits for them."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from functools import lru_cache

import structlog
from sqlalchemy.orm import Session

from store.database import unit_of_work

__all__ = ["QualityLog", "quality_log"]

log = structlog.get_logger(__name__)

_MOST_WAITING = 1000
"""The database has been away for long by then; answering goes before counting."""

Work = Callable[[Session], object]


class QualityLog:
    """One thread that does small writes in the order they come, each in a unit of work.

    Args:
        most_waiting: writes that may wait; what comes on top is dropped with a line in the log.
    """

    def __init__(self, most_waiting: int = _MOST_WAITING) -> None:
        self._waiting: queue.Queue[Work] = queue.Queue(most_waiting)
        threading.Thread(target=self._write, name="quality-log", daemon=True).start()

    def later(self, work: Work) -> None:
        """Do ``work`` soon; return at once."""
        try:
            self._waiting.put_nowait(work)
        except queue.Full:
            log.error("quality_note_dropped", waiting=self._waiting.qsize())

    def settle(self) -> None:
        """Wait until everything that was handed in is done."""
        self._waiting.join()

    def _write(self) -> None:
        while True:
            work = self._waiting.get()
            try:
                with unit_of_work() as session:
                    work(session)
            except Exception as error:
                log.error("quality_note_failed", error=type(error).__name__, exc_info=True)
            finally:
                self._waiting.task_done()


@lru_cache(maxsize=1)
def quality_log() -> QualityLog:
    """The log of this process."""
    return QualityLog()

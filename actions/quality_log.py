"""Figures about answers are written behind the answer, so that nobody waits for them."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Sequence
from functools import lru_cache

import structlog
from sqlalchemy.orm import Session

from store.database import unit_of_work

__all__ = ["QualityLog", "quality_log"]

log = structlog.get_logger(__name__)

_MOST_WAITING = 1000
"""The database has been away for long by then; answering goes before counting."""

_GATHER_SECONDS = 0.5
"""So long the first write waits for others to share its commit, which costs more than they do."""
_MOST_AT_ONCE = 100
"""Writes of one commit: others may be waiting for the lock it takes."""

Work = Callable[[Session], object]


class QualityLog:
    """One thread that does small writes in the order they come, several in a unit of work.

    One that fails takes no other with it: those it shared a unit of work with are done again,
    each in its own.

    Args:
        most_waiting: writes that may wait; what comes on top is dropped with a line in the log.
    """

    def __init__(self, most_waiting: int = _MOST_WAITING) -> None:
        self._waiting: queue.Queue[Work] = queue.Queue(most_waiting)
        self._hurry = threading.Event()
        threading.Thread(target=self._write, name="quality-log", daemon=True).start()

    def later(self, work: Work) -> None:
        """Do ``work`` soon; return at once. It may be tried twice, the first try undone."""
        try:
            self._waiting.put_nowait(work)
        except queue.Full:
            log.error("quality_note_dropped", waiting=self._waiting.qsize())

    def settle(self) -> None:
        """Wait until everything that was handed in is done."""
        self._hurry.set()
        self._waiting.join()
        self._hurry.clear()

    def _write(self) -> None:
        while True:
            works = [self._waiting.get()]
            self._hurry.wait(_GATHER_SECONDS)
            while len(works) < _MOST_AT_ONCE and not self._waiting.empty():
                works.append(self._waiting.get())  # nobody else takes any
            try:
                _do(works)
            except Exception:
                for work in works:
                    _try(work)
            finally:
                for _ in works:
                    self._waiting.task_done()


def _do(works: Sequence[Work]) -> None:
    with unit_of_work() as session:
        for work in works:
            work(session)


def _try(work: Work) -> None:
    try:
        _do((work,))
    except Exception as error:
        log.error("quality_note_failed", error=type(error).__name__, exc_info=True)


@lru_cache(maxsize=1)
def quality_log() -> QualityLog:
    """The log of this process."""
    return QualityLog()

"""Memory of the processes of a stack over time."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import numpy as np

from tests.stack import Stack


def resident_mb(pid: int) -> float:
    """Return the resident memory of a process and its children in MB (proc(5))."""
    total, waiting = 0.0, [pid]
    while waiting:
        process = Path("/proc") / str(waiting.pop())
        try:
            status = (process / "status").read_text()
            children = (process / "task" / process.name / "children").read_text()
        except OSError:
            continue
        total += next(
            (int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS")), 0
        )
        waiting += [int(child) for child in children.split()]
    return total / 1024


class MemoryWatch(threading.Thread):
    """Looks every ``every`` seconds until it is ended."""

    def __init__(self, stack: Stack, every: float) -> None:
        super().__init__(daemon=True)
        self._stack = stack
        self._every = every
        self._ending = threading.Event()
        self.seen: dict[str, list[tuple[float, float]]] = {name: [] for name in stack.processes}

    def run(self) -> None:
        """Look until :meth:`end`."""
        began = time.monotonic()
        while True:
            for name, process in self._stack.processes.items():
                self.seen[name].append((time.monotonic() - began, resident_mb(process.pid)))
            if self._ending.wait(self._every):
                return

    def end(self) -> None:
        """Look no more."""
        self._ending.set()
        self.join()

    def rows(self) -> list[tuple[str, float, float, float]]:
        """Return name, first and last MB, and MB a minute over the second half of the time."""
        rows = []
        for name, seen in self.seen.items():
            times, sizes = np.array(seen[len(seen) // 2 :]).T
            slope = float(np.polyfit(times, sizes, 1)[0] * 60) if len(times) > 2 else float("nan")
            rows.append((name, seen[0][1], seen[-1][1], slope))
        return rows

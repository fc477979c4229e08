"""Memory and processor time of the processes of a run, over time."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE_MB = os.sysconf("SC_PAGE_SIZE") / 2**20


@dataclass(frozen=True)
class Sample:
    """One look at a process and its children.

    ``at``: seconds since the watch began; ``memory``: resident MB; ``cpu``: seconds of processor
    time, user and system, since the process began.
    """

    at: float
    memory: float
    cpu: float


class ProcessWatch(threading.Thread):
    """Looks at processes every ``every`` seconds until it is ended.

    What one of them started counts as it, unless it is among them itself.

    Args:
        processes: their ids, by name.
        every: seconds.
    """

    def __init__(self, processes: Mapping[str, int], every: float) -> None:
        super().__init__(daemon=True)
        self._processes = dict(processes)
        self._every = every
        self._ending = threading.Event()
        self._began = time.monotonic()
        self.seen: dict[str, list[Sample]] = {name: [] for name in processes}

    def run(self) -> None:
        """Look until :meth:`end`."""
        self.look()
        while not self._ending.wait(self._every):
            self.look()

    def look(self) -> None:
        """Look at every process now."""
        at = time.monotonic() - self._began
        for name, pid in self._processes.items():
            others = {other for other in self._processes.values() if other != pid}
            looks = [_look(part) for part in _family(pid, others)]
            memory, cpu = (sum(column) for column in zip(*looks, strict=True))
            self.seen[name].append(Sample(at, memory, cpu))

    def end(self) -> None:
        """Look once more, and then no more."""
        self._ending.set()
        self.join()
        self.look()

    @property
    def seconds(self) -> float:
        """From the first look to the last."""
        return next(looks[-1].at - looks[0].at for looks in self.seen.values())

    def cpu(self) -> dict[str, float]:
        """Return the processor seconds each process took while it was watched."""
        return {name: looks[-1].cpu - looks[0].cpu for name, looks in self.seen.items()}

    def growth(self) -> dict[str, float]:
        """Return the MB a minute by which each grew over the second half of the time."""
        rates = {}
        for name, looks in self.seen.items():
            late = looks[len(looks) // 2 :]
            times, sizes = [look.at for look in late], [look.memory for look in late]
            rates[name] = float(np.polyfit(times, sizes, 1)[0] * 60) if len(late) > 2 else np.nan
        return rates

    def memory_at(self, second: float) -> dict[str, float]:
        """Return each process's MB when it was last looked at before a moment."""
        return {
            name: [look.memory for look in looks if look.at <= second or look is looks[0]][-1]
            for name, looks in self.seen.items()
        }


def _family(pid: int, others: Collection[int]) -> Iterator[int]:
    """Yield a process and those it started, without ``others`` and theirs."""
    yield pid
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    except OSError:
        return
    for child in map(int, children.split()):
        if child not in others:
            yield from _family(child, others)


def _look(pid: int) -> tuple[float, float]:
    """Return resident MB and processor seconds of a process (proc(5)); nothing when it is gone."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return 0.0, 0.0
    fields = stat.rpartition(")")[2].split()  # from the third field on: a name may hold spaces
    return int(fields[21]) * _PAGE_MB, (int(fields[11]) + int(fields[12])) / _TICKS

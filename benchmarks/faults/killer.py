"""Kills processes of the running product and starts them again."""

from __future__ import annotations

import random
import signal
import socket
import threading
import time
from collections import Counter
from dataclasses import dataclass

from tests.stack import Stack

VICTIMS = ("gateway", "actions", "relay", "desk")
START_SECONDS = 120.0


@dataclass(frozen=True)
class Pace:
    """How fast processes die; each is a range in seconds drawn from evenly.

    ``alive`` is the time between a start and the next kill, ``dead`` how long a victim stays
    away. ``together`` is the chance that the next victim dies with the first one.
    """

    alive: tuple[float, float] = (4.0, 10.0)
    dead: tuple[float, float] = (0.2, 3.0)
    together: float = 0.25


class Killer(threading.Thread):
    """Kills (SIGKILL) in rounds: each round takes every victim once, in a random order.

    ``kills`` counts them by name. ``crashes`` names processes that ended without being killed;
    they are started again.
    """

    def __init__(self, stack: Stack, victims: tuple[str, ...], seed: int, pace: Pace) -> None:
        super().__init__(name="killer", daemon=True)
        self.kills: Counter[str] = Counter()
        self.crashes: list[str] = []
        self._stack = stack
        self._victims = victims
        self._random = random.Random(seed)
        self._pace = pace
        self._ending = threading.Event()

    def run(self) -> None:
        """Kill until :meth:`end` is called; then everything runs again."""
        waiting: list[str] = []
        while not self._ending.wait(self._random.uniform(*self._pace.alive)):
            self._look_for_crashes()
            waiting = waiting or self._random.sample(self._victims, len(self._victims))
            victims = [waiting.pop()]
            if waiting and self._random.random() < self._pace.together:
                victims.append(waiting.pop())
            for name in victims:
                self._stack.stop(name, signal.SIGKILL)
                self.kills[name] += 1
            self._ending.wait(self._random.uniform(*self._pace.dead))
            for name in victims:
                self._stack.start(name)
            for name in victims:
                self._wait_listening(name)

    def end(self) -> None:
        """Stop killing and wait until the last victims are up."""
        self._ending.set()
        if self.is_alive():
            self.join(START_SECONDS + 30)
        self._look_for_crashes()

    def _look_for_crashes(self) -> None:
        for name, process in list(self._stack.processes.items()):
            if process.poll() is not None:
                self.crashes.append(name)
                self._stack.start(name)

    def _wait_listening(self, name: str) -> None:
        port = self._stack.settings.get(f"SHIMIN_{name.upper()}_PORT")
        deadline = time.monotonic() + START_SECONDS
        while port is not None and time.monotonic() < deadline and not self._ending.is_set():
            with socket.socket() as probe:
                probe.settimeout(1)
                if probe.connect_ex(("127.0.0.1", int(port))) == 0:
                    return
            self._ending.wait(0.2)

"""What threads free and what was loaded, in processes of their own."""

from __future__ import annotations

import subprocess
import sys

import pytest

_THREADS_IN_TURN = """
import os, queue, threading
from pathlib import Path
from base.memory import share_freed_memory

def resident():
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") >> 20

def work(asked, done):
    while asked.get():
        done.put(len(bytes(6 << 20)))

print(int(share_freed_memory()))
done, queues = queue.Queue(), [queue.Queue() for _ in range(20)]
for one in queues:
    threading.Thread(target=work, args=(one, done), daemon=True).start()
before = resident()
for one in queues * 3:
    one.put(True)
    done.get()
print(resident() - before)
"""


def told(program: str) -> list[int]:
    """Run a program and return the numbers it prints."""
    ended = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    return [int(word) for word in ended.stdout.split()]


def test_what_one_thread_frees_another_uses() -> None:
    limited, grown = told(_THREADS_IN_TURN)
    if not limited:
        pytest.skip("not glibc")
    assert grown < 40  # MB; twenty times six if each thread kept its own


_LEAVING_CYCLES = """
import gc
from base.memory import keep_what_is_loaded

class Loaded:
    def __init__(self, number):
        self.itself = self if number % 2 else None

class Left(Loaded):
    pass

loaded = [Loaded(n) for n in range(300_000)]
keep_what_is_loaded()
most = 0
for number in range(100_000):
    Left(1)
    if number % 1000 == 0:
        most = max(most, sum(type(one) is Left for one in gc.get_objects()))
print(most, gc.get_freeze_count())
"""


def test_cycles_that_requests_leave_are_found_soon_however_much_is_loaded() -> None:
    most, frozen = told(_LEAVING_CYCLES)
    assert frozen >= 300_000
    assert most < 20_000


_LOADED_AND_DROPPED = """
import weakref
from base.memory import keep_what_is_loaded

class Loaded:
    pass

loaded = Loaded()
gone = weakref.ref(loaded)
keep_what_is_loaded()
del loaded
print(int(gone() is None))
"""


def test_what_is_frozen_still_goes_when_nobody_wants_it() -> None:
    assert told(_LOADED_AND_DROPPED) == [1]

"""Keeping the memory of a process that runs for months as it is after its start."""

from __future__ import annotations

import ctypes
import gc

_M_ARENA_MAX = -8  # malloc.h of glibc
_ARENAS = 2


def share_freed_memory() -> bool:
    """Let all threads of this process take memory from two places (glibc's arenas).

    To be called before threads are started. glibc gives each of eight threads a core a place of
    its own and, once a large block was freed there, keeps twice its size for that place alone. The
    gateway's forty threads each read a photo now and then: 80 photos of 12 megapixels, one after
    the other, left 370 MB behind in sixteen places, and 16 MB in two. The threads hold
    Python's lock most of the time, so they hardly wait for each other here.

    Returns:
        Whether the C library has such a limit; others (musl, macOS) are left as they are.
    """
    try:
        return bool(ctypes.CDLL(None).mallopt(_M_ARENA_MAX, _ARENAS))
    except (AttributeError, OSError, TypeError):
        return False


def keep_what_is_loaded() -> None:
    """Take everything loaded so far out of what the garbage collector looks at.

    To be called once, when a process is ready to serve. CPython looks for cycles among old
    objects only when those that became old since the last look are a quarter of all
    (https://devguide.python.org/internals/garbage-collector/, "Collecting the oldest generation").
    With catalogue, models and modules that is half a million: each look stops every thread for
    0.3 s, and what requests leave behind in cycles lies about until it comes. What is frozen is
    neither counted nor looked at, so a look is short and comes often. Frozen objects still go when
    nothing refers to them; only frozen cycles stay.
    """
    gc.collect()
    gc.freeze()
    gc.collect()  # counts what is left: the next quarter is one of that

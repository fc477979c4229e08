"""When a call-back can be promised, and how long a wait may be said to be."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from base.calendar import CITY_TIME, WeeklyHours

__all__ = ["FEWEST_SERVICES", "later", "promised_time", "wait_minutes"]

MOST_SLOTS = 200
"""Stretches looked through for a free one: weeks of work. A list as long is never kept."""
FEWEST_SERVICES = 5
"""Conversations of late without which no wait is estimated."""


def later(hours: WeeklyHours, start: datetime, minutes: int) -> datetime | None:
    """Return the moment ``minutes`` of opening time after ``start`` (aware); None when never."""
    left = timedelta(minutes=minutes)
    at = hours.next_opening(start)
    while at is not None:
        local = at.astimezone(CITY_TIME)
        period = next(p for p in hours.on(local.date()) if p.start <= local.time() < p.end)
        end = datetime.combine(local.date(), period.end, CITY_TIME)
        if left <= end - local:
            return local + left
        left -= end - local
        at = hours.next_opening(end)
    return None


def promised_time(
    hours: WeeklyHours,
    now: datetime,
    minutes: int,
    capacity: int,
    promised: Callable[[datetime, datetime], int],
) -> datetime | None:
    """Return until when a call can be promised: the end of the first stretch with room.

    Opening time from the next opening on (from now when it is open) is cut into stretches of
    ``minutes``; each has room for ``capacity`` calls.

    Args:
        promised: how many calls are promised after one moment and up to another.

    Returns:
        An aware moment, or None when there is no opening or no room in sight.
    """
    start = hours.next_opening(now)
    for _ in range(MOST_SLOTS):
        end = None if start is None else later(hours, start, minutes)
        if start is None or end is None:
            return None
        if promised(start, end) < capacity:
            return end
        start = end
    return None


def wait_minutes(position: int, seconds: Sequence[float], agents: int) -> int | None:
    """Estimate a wait from how long late conversations took; None when too little is known.

    Each of ``agents`` frees himself once per mean conversation; five minutes are the smallest
    step, rounded up, because nobody minds being served early.
    """
    if agents < 1 or len(seconds) < FEWEST_SERVICES:
        return None
    minutes = position * (sum(seconds) / len(seconds)) / agents / 60
    return max(5, math.ceil(minutes / 5) * 5)

"""How old is somebody today, of whom an age was noted on some day?

With a birth date the age is exact. Without one, an age ``a`` told on a day leaves a year open: on
the same day ``k`` years later the person is exactly ``a + k``, on any other day that or one more.
Whoever decides by an age must therefore get the same answer for every age that is possible.

What can still go wrong: the age was meant in 虚岁 (up to two years more), somebody else's was told,
or it was wrong when it was told. A birthday is then announced early or late; the notice says which
datum it rests on, and the office decides by the papers.
"""

from __future__ import annotations

import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import date

__all__ = ["MOST", "Age", "day_of_age", "read_birth", "years_between"]

MOST = 120
_DAY = r"(?<!\d)((?:19|20)\d\d)\s*[年./-]\s*(\d{1,2})\s*[月./-]\s*(\d{1,2})(?!\d)\s*[日号]?"
_BIRTH = (
    re.compile(_DAY + r"\s*(?:出生|生的|生人|的?生日)"),
    re.compile(r"(?:出生于|生于|生日是?|出生日期[是为:：]?)\s*" + _DAY),
)


@dataclass(frozen=True, slots=True)
class Age:
    """What is known of an age.

    Args:
        years: the age in full years as it was told, None when none was.
        told: the day it was told, None when that was not kept.
        since: a day before which it cannot have been told.
        birth: the birth date, when it is known; the rest is then of no matter.
    """

    years: int | None
    told: date | None
    since: date
    birth: date | None = None

    def possible(self, day: date) -> range:
        """Return every age in full years the person may have on ``day``; empty when unknown."""
        if self.birth is not None:
            return _within(*[years_between(self.birth, day)] * 2)
        if self.years is None:
            return range(0)
        if self.told is None:  # told at some time since: no year is sure to have passed
            return _within(self.years, self.years + years_between(self.since, day) + 1)
        passed = years_between(self.told, day)
        least = self.years + passed
        return _within(least, least if _anniversary(self.told, passed) == day else least + 1)


def years_between(start: date, end: date) -> int:
    """Return the full years from ``start`` to ``end``, 0 when ``end`` lies before.

    What began on 29 February completes a year on 1 March of a common year.
    """
    years = end.year - start.year
    if (end.month, end.day) < (start.month, start.day):
        years -= 1
    return max(0, years)


def day_of_age(birth: date, years: int) -> date:
    """Return the day on which somebody born on ``birth`` is ``years`` old."""
    return _anniversary(birth, years)


def read_birth(text: str, today: date) -> date | None:
    """Read a birth date (1946年12月1日出生, 生日是1946-12-1) from words; None when there is none.

    A day that does not exist, lies ahead or more than 120 years back is none.
    """
    found = next(filter(None, (pattern.search(text) for pattern in _BIRTH)), None)
    if found is None:
        return None
    year, month, day = map(int, found.groups())
    if not 1 <= month <= 12 or not 1 <= day <= monthrange(year, month)[1]:
        return None
    birth = date(year, month, day)
    return birth if birth <= today and years_between(birth, today) <= MOST else None


def _anniversary(day: date, years: int) -> date:
    year = day.year + years
    last = monthrange(year, day.month)[1]
    return date(year, day.month, day.day) if day.day <= last else date(year, 3, 1)


def _within(least: int, greatest: int) -> range:
    return range(min(least, MOST), min(greatest, MOST) + 1)

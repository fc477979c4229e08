"""Opening hours, public holidays and working days of the city.

Public holidays and the weekend days worked in exchange (调休) follow the yearly notices of the
State Council's General Office, as kept by the ``holidays`` library. A year whose notice is not
out yet has the holidays of the statute (全国年节及纪念日放假办法) without exchanged days.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo

import holidays

__all__ = [
    "CITY_TIME",
    "Period",
    "WeeklyHours",
    "city_today",
    "is_holiday",
    "is_working_day",
    "public_holidays",
]

CITY_TIME = ZoneInfo("Asia/Shanghai")

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
FRIDAY, SATURDAY = 4, 5
HORIZON = 60
"""Days looked ahead for the next opening: longer than any holiday."""

_NAMES = ("周一", "周二", "周三", "周四", "周五", "周六", "周日")
_PART = re.compile(rf"({'|'.join(DAYS)})(?:-({'|'.join(DAYS)}))?((?: \d\d:\d\d-\d\d:\d\d)+)")


def city_today() -> date:
    """Return the day it is in the city."""
    return datetime.now(CITY_TIME).date()


@cache
def _year(year: int) -> tuple[frozenset[date], frozenset[date]]:
    """Return the days off and the weekend days worked; a weekend beside a day off is part of it."""
    calendar = holidays.country_holidays("CN", years=year)
    worked = frozenset(day for day in calendar.weekend_workdays if day.year == year)
    off = {day for day in calendar if day.year == year}
    for day in sorted(off):
        for step in (timedelta(days=-1), timedelta(days=1)):
            beside = day + step
            while beside.weekday() >= SATURDAY and beside not in worked:
                off.add(beside)
                beside += step
    return frozenset(off), worked


def public_holidays(year: int) -> tuple[tuple[date, str], ...]:
    """Return the statutory days off of ``year`` with their Chinese names, in their order.

    A day that two festivals share comes twice; days off in exchange are left out.
    """
    calendar = holidays.country_holidays("CN", years=year, language="zh_CN")
    return tuple(
        (day, "春节" if name == "农历除夕" else name.removesuffix("（补假）"))
        for day, names in sorted(calendar.items())
        for name in names.split("; ")
        if day.year == year and not name.startswith("休息日")
    )


def is_holiday(day: date) -> bool:
    """Whether ``day`` is a public holiday, a day off in exchange for another included."""
    return day in _year(day.year)[0]


def is_working_day(day: date) -> bool:
    """Whether offices work on ``day``: Monday to Friday and exchanged weekend days."""
    off, worked = _year(day.year)
    return day in worked or (day.weekday() < SATURDAY and day not in off)


@dataclass(frozen=True, slots=True, order=True)
class Period:
    """One stretch of a day, city time; ``end`` is after ``start``."""

    start: time
    end: time

    def __str__(self) -> str:
        return f"{self.start:%H:%M}-{self.end:%H:%M}"


@dataclass(frozen=True)
class WeeklyHours:
    """When a place is open: periods by weekday (0 is Monday), closed on public holidays.

    A weekend day worked in exchange has Friday's periods.
    """

    periods: Mapping[int, tuple[Period, ...]]

    @classmethod
    def parse(cls, text: str) -> WeeklyHours:
        """Read ``mon-fri 09:00-12:00 13:30-17:00; sat 09:00-12:00``.

        Raises:
            ValueError: the text is no such list, a day comes twice, or periods overlap.
        """
        periods: dict[int, tuple[Period, ...]] = {}
        for part in text.split(";"):
            found = _PART.fullmatch(part.strip())
            if found is None:
                raise ValueError(f"not opening hours: {part.strip()!r}")
            first = DAYS.index(found[1])
            last = DAYS.index(found[2]) if found[2] else first
            if last < first:
                raise ValueError(f"days run backwards: {part.strip()!r}")
            for day in range(first, last + 1):
                if day in periods:
                    raise ValueError(f"{DAYS[day]} comes twice")
                periods[day] = _periods(found[3].split())
        return cls(periods)

    def on(self, day: date) -> tuple[Period, ...]:
        """Return the periods of ``day``, holidays and exchanged days considered."""
        if is_holiday(day):
            return ()
        weekday = day.weekday()
        if weekday >= SATURDAY and is_working_day(day):
            weekday = FRIDAY
        return self.periods.get(weekday, ())

    def is_open(self, at: datetime) -> bool:
        """Whether the place is open at ``at`` (timezone-aware)."""
        local = at.astimezone(CITY_TIME)
        return any(p.start <= local.time() < p.end for p in self.on(local.date()))

    def next_opening(self, at: datetime) -> datetime | None:
        """Return ``at`` itself when open, else the next opening within sixty days, or None."""
        if self.is_open(at):
            return at
        local = at.astimezone(CITY_TIME)
        for offset in range(HORIZON):
            day = local.date() + timedelta(days=offset)
            for period in self.on(day):
                start = datetime.combine(day, period.start, CITY_TIME)
                if start > local:
                    return start
        return None

    def __str__(self) -> str:
        """Return the hours as people read them: 周一至周五 09:00-12:00、13:30-17:00，周六 …"""
        return "，".join(self._spans())

    def _spans(self) -> Iterator[str]:
        days = sorted(self.periods)
        while days:
            first = last = days.pop(0)
            while days and days[0] == last + 1 and self.periods[days[0]] == self.periods[first]:
                last = days.pop(0)
            span = _NAMES[first] if first == last else f"{_NAMES[first]}至{_NAMES[last]}"
            yield f"{span} {'、'.join(map(str, self.periods[first]))}"


def _periods(texts: list[str]) -> tuple[Period, ...]:
    periods: list[Period] = []
    for text in texts:
        start, end = (time.fromisoformat(clock) for clock in text.split("-"))
        if end <= start or (periods and start < periods[-1].end):
            raise ValueError(f"hours overlap or run backwards: {text!r}")
        periods.append(Period(start, end))
    return tuple(periods)

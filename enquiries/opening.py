"""Whether a hall is open when somebody wants to come, and which hall is nearest."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from itertools import pairwise

import numpy as np
from sklearn.metrics.pairwise import haversine_distances

from base.calendar import CITY_TIME, is_holiday, public_holidays
from dispatch.places.bearings import rounded
from matcher.service import Hall

__all__ = ["asked_days", "by_distance", "nearest_text", "opening_text"]

EARTH_METRES = 6_371_009
"""Mean radius of the earth (IUGG)."""

SHOWN = 3
_WEEKDAY = re.compile(r"(下)?(?:周|星期|礼拜)([一二三四五六日天])")
_NUMBERS = {word: number for number, word in enumerate("一二三四五六日")} | {"天": 6}
_NEAR_DAYS = (("大后天", 3), ("后天", 2), ("明天", 1), ("明儿", 1), ("今天", 0), ("今儿", 0))
_WEEKEND = re.compile(r"周末|双休|礼拜六礼拜天|礼拜天|礼拜六")
_NOW = re.compile(r"现在|这会儿?|此刻|这时候|下班了[吗没]|还(?:开着|上班|营业)|关门了[吗没]")
_NOON = re.compile(r"中午|午休")
_HOLIDAY = re.compile(r"节假日|放假|法定假|过节")
_FESTIVALS = {
    "元旦": "元旦", "春节": "春节", "过年": "春节", "清明": "清明节", "五一": "劳动节",
    "劳动节": "劳动节", "端午": "端午节", "中秋": "中秋节", "国庆": "国庆节", "十一": "国庆节",
}  # fmt: skip


def opening_text(text: str, halls: Sequence[Hall], now: datetime) -> str | None:
    """Answer a question about opening times, or return None when ``text`` asks for none.

    Args:
        text: what the citizen wrote: 周末开门吗, 中午休息不, 国庆上班吗, 现在还开着没.
        halls: those that handle his matter, the most useful first.
        now: timezone-aware.
    """
    shown = halls[:SHOWN]
    if not shown:
        return None
    if _NOW.search(text):
        return "\n".join(_now(hall, now) for hall in shown)
    if _NOON.search(text):
        return "\n".join(_noon(hall, now) for hall in shown)
    days = asked_days(text, now.astimezone(CITY_TIME).date())
    if not days:
        return None
    lines = [_day(day, shown) for day in days]
    if any(is_holiday(day) for day in days) or _HOLIDAY.search(text):
        lines.append("法定节假日不办公，调休上班的周末照常开门。")
    return "\n".join(lines)


def asked_days(text: str, today: date) -> tuple[date, ...]:
    """Return the days that ``text`` asks about, the next ones of their kind; none when none.

    今天, 明天, 周六, 下周三, 周末 (Saturday and Sunday), a festival (its first day off).
    """
    for word, offset in _NEAR_DAYS:
        if word in text:
            return (today + timedelta(days=offset),)
    for word, festival in _FESTIVALS.items():
        if word in text:
            return _next_festival(festival, today)
    weekend = _WEEKEND.search(text)
    named = _WEEKDAY.search(text)
    if weekend and not (named and weekend[0].startswith("礼拜")):
        saturday = today + timedelta(days=(5 - today.weekday()) % 7)
        return saturday, saturday + timedelta(days=1)
    if named:
        day = today + timedelta(days=(_NUMBERS[named[2]] - today.weekday()) % 7)
        next_monday = today + timedelta(days=7 - today.weekday())
        return (day + timedelta(days=7) if named[1] and day < next_monday else day,)
    if _HOLIDAY.search(text):
        return _next_festival(None, today)
    return ()


def by_distance(halls: Sequence[Hall], latitude: float, longitude: float) -> tuple[Hall, ...]:
    """Return ``halls`` from the nearest to the farthest, as the crow flies."""
    if not halls:
        return ()
    metres = _metres(halls, latitude, longitude)
    return tuple(halls[i] for i in np.argsort(metres, kind="stable"))


def nearest_text(halls: Sequence[Hall], latitude: float, longitude: float) -> str:
    """Name the nearest hall with its distance and the next ones; degrees, WGS 84."""
    metres = _metres(halls, latitude, longitude)
    order = np.argsort(metres, kind="stable")
    nearest = halls[order[0]]
    lines = [f"离您最近的是{nearest.name}，直线{rounded(metres[order[0]])}。"]
    for row in order[:SHOWN]:
        hall = halls[row]
        lines.append(
            f"· {hall.name}（{rounded(metres[row])}）：{hall.address}，{hall.opening}，"
            f"电话{hall.phone}"
        )
    return "\n".join(lines)


def _metres(halls: Sequence[Hall], latitude: float, longitude: float) -> np.ndarray:
    here = np.radians([[latitude, longitude]])
    there = np.radians([[hall.lat, hall.lon] for hall in halls])
    distances: np.ndarray = haversine_distances(here, there)[0] * EARTH_METRES
    return distances


def _next_festival(name: str | None, today: date) -> tuple[date, ...]:
    """Return the first day off of the festival from ``today`` on; of any when no name is given."""
    for year in (today.year, today.year + 1):
        for day, festival in public_holidays(year):
            if day >= today and (name is None or festival == name):
                return (day,)
    return ()


def _named(day: date) -> str:
    festivals = [name for known, name in public_holidays(day.year) if known == day]
    words = "，".join([f"{day.month}月{day.day}日", *festivals])
    return f"周{'一二三四五六日'[day.weekday()]}（{words}）"


def _day(day: date, halls: Sequence[Hall]) -> str:
    open_halls = [hall for hall in halls if hall.opening.on(day)]
    if not open_halls:
        return f"{_named(day)}不开门。"
    lines = [f"· {hall.name}：{'、'.join(map(str, hall.opening.on(day)))}" for hall in open_halls]
    lead = (
        f"{_named(day)}开门。"
        if len(open_halls) == len(halls)
        else (f"{_named(day)}有的大厅开门。")
    )
    return "\n".join([lead, *lines])


def _now(hall: Hall, now: datetime) -> str:
    local = now.astimezone(CITY_TIME)
    for period in hall.opening.on(local.date()):
        if period.start <= local.time() < period.end:
            return f"{hall.name}现在开着，到{period.end:%H:%M}。"
    opening = hall.opening.next_opening(now)
    when = f"{_named(opening.date())}{opening:%H:%M}" if opening else "另行通知"
    return f"{hall.name}现在没开，下次开门是{when}。"


def _noon(hall: Hall, now: datetime) -> str:
    """Say whether the hall closes over noon on its next open day."""
    opening = hall.opening.next_opening(now)
    periods = hall.opening.on(opening.date()) if opening else ()
    for before, after in pairwise(periods):
        if before.end.hour in (11, 12, 13):
            return f"{hall.name}中午休息，{before.end:%H:%M}到{after.start:%H:%M}不办公。"
    return f"{hall.name}中午不休息。"

"""Which windows are free, which time somebody means, and how a time is said.

Nothing here reads the store: what is taken is handed in.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Literal, cast

import cn2an

from base.calendar import CITY_TIME
from enquiries.opening import asked_days
from matcher.service import Hall
from store.appointments import Kept, Stay

__all__ = [
    "FOLLOW_UP_AFTER",
    "HORIZON_DAYS",
    "REMIND_AT",
    "Part",
    "Slot",
    "Wish",
    "around",
    "clock_words",
    "day_words",
    "fitting",
    "free_slots",
    "horizon",
    "slots_on",
    "stay_for",
    "when_words",
    "wished",
]

HORIZON_DAYS = 14
"""Today and the thirteen days after it can be booked."""

REMIND_AT = time(18)
"""When on the day before a citizen is reminded, city time."""

FOLLOW_UP_AFTER = timedelta(hours=2)
"""So long after the end of a slot he is asked how it went."""

Part = Literal["am", "pm"]
"""Half of a day."""

_NOON = time(12)
_NUMBER = r"\d{1,2}|[一二两三四五六七八九十]{1,3}"
_CLOCK = re.compile(
    r"(?P<half>凌晨|清早|早上|早晨|上午|中午|下午|午后|傍晚|晚上)?的?"
    rf"(?P<hour>{_NUMBER})(?:点钟?|时|[:：](?=\d\d))"
    rf"(?P<rest>半|一刻|三刻|整|(?P<minute>\d{{1,2}}|[零一二三四五六七八九十]{{1,3}})分?)?"
)
_A_LITTLE = re.compile(r"[早晚快慢有差近多少远好便轻大小]一点(?!半|钟|整|一刻)|一点[儿也都]")
_A_WEEKDAY = re.compile(r"((?:周|星期|礼拜)[一二三四五六日天])")
"""周三十一点 is Wednesday at eleven, not thirty-one."""
_DATE = re.compile(
    rf"(?<![路街巷弄道院村栋楼幢座\d一二三四五六七八九十])(?:(?P<month>{_NUMBER})月)?"
    rf"(?P<day>{_NUMBER})[号日](?![码线楼院窗])"
)
"""文昌路12号 and 3号楼 are addresses."""
_PARTS: tuple[tuple[re.Pattern[str], Part], ...] = (
    (re.compile(r"上午|早上|早晨|清早|一早|大早"), "am"),
    (re.compile(r"下午|午后|傍晚"), "pm"),
)
_WRITTEN = re.compile(r"(\d{4}-\d\d-\d\d)(?:-(am|pm)|T(\d\d:\d\d))?")
_WEEKDAYS = "一二三四五六日"


@dataclass(frozen=True, order=True)
class Slot:
    """A stretch of time at a window; both moments aware."""

    start: datetime
    end: datetime

    @property
    def part(self) -> Part:
        """Before or after noon, city time."""
        return "am" if self.start.astimezone(CITY_TIME).time() < _NOON else "pm"

    @property
    def day(self) -> date:
        """The day in the city."""
        return self.start.astimezone(CITY_TIME).date()


@dataclass(frozen=True)
class Wish:
    """What somebody has said about the time; what he left open is None."""

    day: date | None = None
    part: Part | None = None
    clock: time | None = None

    def __bool__(self) -> bool:
        return self != Wish()

    def written(self) -> str:
        """Return the wish as a button carries it: ``2026-11-24``, ``…-am`` or ``…T09:30``.

        Only a wish with a day can be written; another is the empty text.
        """
        if self.day is None:
            return ""
        if self.clock is not None:
            return f"{self.day}T{self.clock:%H:%M}"
        return f"{self.day}-{self.part}" if self.part else str(self.day)

    @classmethod
    def read(cls, text: str) -> Wish:
        """Read what :meth:`written` wrote; anything else is the empty wish."""
        found = _WRITTEN.fullmatch(text)
        try:
            day = date.fromisoformat(found[1]) if found else None
            clock = time.fromisoformat(found[3]) if found and found[3] else None
        except ValueError:
            return cls()
        part = cast("Part | None", found[2]) if found else None
        return cls(day, part, clock)


# --- what is free -------------------------------------------------------------------------


def slots_on(hall: Hall, day: date) -> tuple[Slot, ...]:
    """Return every slot of ``day``, taken or not: whole ones within the opening hours."""
    if hall.booking is None:
        return ()
    length = timedelta(minutes=hall.booking.minutes)
    slots = []
    for period in hall.opening.on(day):
        start = datetime.combine(day, period.start, CITY_TIME)
        closing = datetime.combine(day, period.end, CITY_TIME)
        while start + length <= closing:
            slots.append(Slot(start, start + length))
            start += length
    return tuple(slots)


def horizon(now: datetime) -> tuple[datetime, datetime]:
    """Return the first and the last moment that bookings are about."""
    today = now.astimezone(CITY_TIME).date()
    end = datetime.combine(today + timedelta(days=HORIZON_DAYS), time(), CITY_TIME)
    return now, end


def free_slots(
    hall: Hall, domain: str, held: Sequence[Kept], now: datetime
) -> dict[date, tuple[Slot, ...]]:
    """Return what can be booked now, by day; days with nothing left are missing.

    Args:
        hall: where.
        domain: of the item; it decides how many windows there are.
        held: the windows taken within :func:`horizon`.
        now: aware; a slot begins at least the hall's ``lead_minutes`` later.
    """
    windows = hall.windows_for(domain)
    if hall.booking is None or not windows:
        return {}
    earliest = now + timedelta(minutes=hall.booking.lead_minutes)
    today = now.astimezone(CITY_TIME).date()
    free: dict[date, tuple[Slot, ...]] = {}
    for offset in range(HORIZON_DAYS):
        day = today + timedelta(days=offset)
        found = tuple(
            slot
            for slot in slots_on(hall, day)
            if slot.start >= earliest and _windows_left(slot, held, windows)
        )
        if found:
            free[day] = found
    return free


def _windows_left(slot: Slot, held: Sequence[Kept], windows: int) -> bool:
    """Whether one window is free during the whole slot."""
    seats = {kept.seat for kept in held if kept.start < slot.end and kept.end > slot.start}
    return any(seat not in seats for seat in range(windows))


def stay_for(hall: Hall, domain: str, slot: Slot, now: datetime) -> Stay:
    """Return what the store keeps of a slot: a reminder only while its time is to come."""
    remind = datetime.combine(slot.day - timedelta(days=1), REMIND_AT, CITY_TIME)
    return Stay(
        hall_id=hall.id,
        domain=domain,
        start=slot.start,
        end=slot.end,
        windows=hall.windows_for(domain),
        remind_at=remind if remind > now else None,
        follow_up_at=slot.end + FOLLOW_UP_AFTER,
    )


def fitting(free: Mapping[date, Sequence[Slot]], wish: Wish) -> tuple[Slot, ...]:
    """Return the free slots that are what was wished; a clock time means the slot's beginning."""
    days = free if wish.day is None else [day for day in free if day == wish.day]
    return tuple(
        slot
        for day in days
        for slot in free[day]
        if (wish.part is None or slot.part == wish.part)
        and (wish.clock is None or slot.start.astimezone(CITY_TIME).time() == wish.clock)
    )


def around(free: Mapping[date, Sequence[Slot]], wish: Wish, count: int = 4) -> tuple[Slot, ...]:
    """Return the free slots nearest to a wish, in their order: the same day first, then later."""
    slots = [slot for day in sorted(free) for slot in free[day]]
    if wish.day is None:
        return tuple(slots[:count])
    clock = wish.clock or (time(14) if wish.part == "pm" else time(9))
    middle = datetime.combine(wish.day, clock, CITY_TIME)

    def distance(slot: Slot) -> tuple[bool, timedelta]:
        return slot.day < middle.date(), abs(slot.start - middle)

    return tuple(sorted(sorted(slots, key=distance)[:count]))


# --- which time is meant ------------------------------------------------------------------


def wished(text: str, today: date) -> Wish:
    """Read the day, the half of the day and the time that ``text`` asks for.

    明天上午9点半, 下周三下午, 12月3号十点, 周五两点. Hours from one to seven without a half of the
    day are in the afternoon: no hall opens before eight.
    """
    text = _A_WEEKDAY.sub(r"\1 ", _A_LITTLE.sub("", text))
    clock = _clock(text)
    bare = _CLOCK.sub(lambda found: found["half"] or "", text)
    part = next((part for pattern, part in _PARTS if pattern.search(bare)), None)
    day = _dated(bare, today)
    if day is None:
        asked = asked_days(_DATE.sub("", bare), today)
        day = asked[0] if asked else None
    return Wish(day, None if clock else part, clock)


def _clock(text: str) -> time | None:
    found = _CLOCK.search(text)
    if found is None:
        return None
    hour = _number(found["hour"])
    rest = found["rest"] or ""
    minute = {"": 0, "整": 0, "半": 30, "一刻": 15, "三刻": 45}.get(rest)
    if minute is None:
        minute = _number((found["minute"] or "0").removeprefix("零"))
    half = found["half"]
    later = half in ("下午", "午后", "傍晚", "晚上") or (half in (None, "中午") and 1 <= hour <= 7)
    if later and hour < 12:
        hour += 12
    return time(hour, minute) if hour < 24 and minute < 60 else None


def _dated(text: str, today: date) -> date | None:
    """Return the next day with that number in its month, or of that month."""
    found = _DATE.search(text)
    if found is None:
        return None
    number = _number(found["day"])
    if found["month"]:
        months = [(today.year + extra, _number(found["month"])) for extra in (0, 1)]
    else:
        months = [
            (today.year + (today.month + extra - 1) // 12, (today.month + extra - 1) % 12 + 1)
            for extra in range(3)
        ]
    for year, month in months:
        try:
            day = date(year, month, number)
        except ValueError:
            continue
        if day >= today:
            return day
    return None


def _number(text: str) -> int:
    if text.isdigit():
        return int(text)
    try:
        return int(cn2an.cn2an(text.replace("两", "二"), "smart"))
    except ValueError:
        return 99  # 三三: no hour, no minute and no day


# --- how a time is said -------------------------------------------------------------------


def day_words(day: date, today: date) -> str:
    """Say a day: 明天（周二，11月24日）, 周五（11月27日）."""
    weekday = f"周{_WEEKDAYS[day.weekday()]}"
    near = {0: "今天", 1: "明天", 2: "后天"}.get((day - today).days)
    if near:
        return f"{near}（{weekday}，{day.month}月{day.day}日）"
    return f"{weekday}（{day.month}月{day.day}日）"


def clock_words(moment: datetime) -> str:
    """Say a time of the day in the city: 上午9点半, 下午1点20分."""
    there = moment.astimezone(CITY_TIME)
    half = "上午" if there.time() < _NOON else "中午" if there.hour == 12 else "下午"
    hour = there.hour - 12 if there.hour > 12 else there.hour
    minute = {0: "", 30: "半"}.get(there.minute, f"{there.minute}分")
    return f"{half}{hour}点{minute}"


def when_words(moment: datetime, now: datetime) -> str:
    """Say a moment as people do: 明天（周二，11月24日）上午9点半."""
    there, today = moment.astimezone(CITY_TIME), now.astimezone(CITY_TIME).date()
    return f"{day_words(there.date(), today)}{clock_words(moment)}"

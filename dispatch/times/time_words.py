"""The words for days and hours that residents use, and what they mean.

Pure tables and small readers; :mod:`dispatch.times.occurrence` puts them together.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from dispatch.places.address import chinese_number

NUMERAL = r"(?:\d{1,2}|[零〇一二两三四五六七八九十]{1,3})"

# Hours from midnight; 29 is five o'clock of the next day.
PARTS: tuple[tuple[str, tuple[float, float]], ...] = (
    (r"后半夜|下半夜", (24, 29)),
    (r"前半夜|上半夜", (20, 24)),
    (r"三更半夜|大半夜|深更半夜|半夜三更|半夜里?|深夜|夜间|夜里厢|夜里头?|深更", (22, 29)),
    (r"天还?(?:不|没)亮|天没亮", (4, 6)),
    (r"凌晨", (0, 6)),
    (r"一大清?早|大清早|清早|清晨|早晨|早上|早起|一早|早间", (5, 10)),
    (r"半晌午|头晌", (9, 11)),
    (r"上午|午前", (8, 12)),
    (r"大中午|中午|晌午头?|正午", (11, 14)),
    (r"后半晌|后晌|过晌|下午|午后", (12, 18)),
    (r"天?擦黑|傍黑儿?|傍晚|天刚黑|黄昏", (17, 19)),
    (r"大晚上|晚上|晚间|夜晚", (18, 24)),
    (r"大白天|白天|白日里?", (6, 18)),
)
SHORT_PARTS = {"早": (5.0, 10.0), "晚": (18.0, 24.0), "夜": (22.0, 29.0)}
"""Parts that are words only after a day or before an hour: 昨晚, 晚9点."""

PART = "|".join(pattern for pattern, _ in PARTS)
_SPOKEN_PARTS = [(re.compile(pattern), hours) for pattern, hours in PARTS]

_TWO_NUMBERS = re.compile(r"([一两二三四五六七八九])([二三四五六七八九])")

# What jionlp does not know, in words that it does.
PLAIN_DAYS = (
    (re.compile(r"大大前[天日]"), "大大前天"),
    (re.compile(r"昨儿个?|昨日|昨个|夜儿个|头天|昨(?![天日])"), "昨天"),
    (re.compile(r"前儿个?|前日|^前$"), "前天"),
    (re.compile(r"今儿个?|今日|^今$|当天"), "今天"),
    (re.compile(r"礼拜|星期"), "周"),
    (re.compile(r"周[日天]"), "周日"),
    (re.compile(r"这个?(?=周)|本(?=周)"), "这"),
    (re.compile(r"上个(?=周)"), "上"),
    (re.compile(r"(?:这个|本)月"), "这个月"),
    (re.compile(r"(?<!个)上月"), "上个月"),
    (re.compile(r"那天|当日|那会儿?"), ""),
)


def part_hours(word: str) -> tuple[float, float]:
    """Return the hours of a part of the day, from midnight of its day.

    Raises:
        KeyError: when the word is none.
    """
    for pattern, hours in _SPOKEN_PARTS:
        if pattern.fullmatch(word):
            return hours
    return SHORT_PARTS[word]


def number(text: str) -> int:
    """Read digits or a Chinese numeral; of 两三 take the larger."""
    if text.isdecimal():
        return int(text)
    return chinese_number(text[1] if _TWO_NUMBERS.fullmatch(text) else text)


@dataclass(frozen=True)
class Clock:
    """A time of day as said: ``hour`` 0–24, ``until_hour`` of 两三点 (3), else None."""

    hour: int
    minute: int
    exact: bool
    until_hour: int | None = None


_CLOCK = (
    rf"(?:(?<![\d.一二三四五六七八九十百千])(?P<@h>{NUMERAL})(?:点钟?|时(?!候|间|常|不))"
    r"(?P<@m>半|一刻|三刻|[零〇]?[一二两三四五六七八九十]{1,3}分?|\d{1,2}分)?"
    r"|(?<!\d)(?P<@dh>[01]?\d|2[0-4])[:：](?P<@dm>[0-5]\d)(?!\d))"
)


def clock_pattern(prefix: str) -> str:
    """Return the pattern of a time of day whose groups start with ``prefix``."""
    return _CLOCK.replace("@", prefix)


def read_clock(match: re.Match[str], prefix: str) -> Clock | None:
    """Read the time of day matched with :func:`clock_pattern`; None when there is none."""
    if match[f"{prefix}dh"]:
        return _checked(Clock(int(match[f"{prefix}dh"]), int(match[f"{prefix}dm"]), exact=True))
    if not match[f"{prefix}h"]:
        return None
    hours = match[f"{prefix}h"]
    minute = match[f"{prefix}m"]
    two = re.fullmatch(r"([一两二三四五六七八九])([一二三四五六七八九])", hours)
    if two and number(two[2]) - number(two[1]) == 1:  # 两三点, but not 三十
        return _checked(Clock(number(two[1]), 0, exact=False, until_hour=number(two[2])))
    return _checked(Clock(number(hours), _minutes(minute), exact=minute is not None))


def _minutes(word: str | None) -> int:
    if not word:
        return 0
    named = {"半": 30, "一刻": 15, "三刻": 45}
    return named[word] if word in named else number(word.removesuffix("分"))


def _checked(clock: Clock) -> Clock | None:
    return clock if clock.hour <= 24 and clock.minute < 60 else None

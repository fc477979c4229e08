"""Days as residents name them: 上周三, 大前天, 十一号, 国庆节. The calendar is jionlp's.

jionlp takes half a second to load and prints a banner, so it is loaded on first use, quietly;
it needs no network. Only short phrases that the patterns here have found are handed to it:
on hostile text its own search takes minutes (500 characters of 每天: 158 s).
"""

from __future__ import annotations

import contextlib
import io
import re
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from dispatch.times.time_words import NUMERAL, PLAIN_DAYS, number

Span = tuple[datetime, datetime]
"""From (included) to (excluded), both naive local time."""

_WEEK = r"(?:周|礼拜|星期)"
_FESTIVAL = (
    r"(?:元旦|春节|除夕|大年三十|大年初[一二三四五六七]|元宵|清明|五一|劳动节|端午|中秋|国庆|双十一|圣诞)节?"
    r"(?!路|街|大道|广场|小区|公园|村|新村|桥|里|苑|月饼|粽)"
)
DAY = (
    r"大*前[天日]|前儿个?|昨[天日]|昨儿个?|夜儿个|头天|今[天日]|今儿个?"
    r"|(?<![目以之提从])[昨今前](?=[早晚夜])"
    rf"|(?<![一两每几\d])(?:上上个?|上个?|这个?|本)?{_WEEK}[一二三四五六日天]"
    rf"|上上?个?{_WEEK}(?![一二三四五六日天末])"
    rf"|(?:上个?|这个?)?{_WEEK}末"
    rf"|(?:(?:\d{{4}}|去|今|前)年)?(?:{NUMERAL}月|上个?月|这个?月|本月)(?:份的?)?{NUMERAL}[号日](?![楼线院])"
    r"|(?<!\d)\d{4}-\d{1,2}-\d{1,2}(?!\d)"
    rf"|{_FESTIVAL}"
)
BARE_DATE = rf"{NUMERAL}[号日](?![楼线院])"
"""十一号: a date only when an hour or a part of the day follows, else a house number."""


def day_span(words: str, now: datetime) -> Span | None:
    """Return the last days before ``now`` that the words can mean, or None.

    ``now`` is naive local time. The span is a day, a week (上周) or two days (周末); it may
    reach past ``now``, but never begins after it.
    """
    if words.endswith("末"):
        saturday = _midnight(now) - timedelta(days=(now.weekday() - 5) % 7)
        if words.startswith("上") and now.weekday() >= 5:
            saturday -= timedelta(days=7)
        return saturday, saturday + timedelta(days=2)
    plain = words
    for pattern, replacement in PLAIN_DAYS:
        plain = pattern.sub(replacement, plain)
    for base in (now, *_earlier(plain, now)):
        span = _parse(plain, base)
        if span and span[0] <= now:
            return span
    return None


def earlier_span(words: str, span: Span, now: datetime) -> Span | None:
    """Return the next earlier days of the same name: last week's 周三, last year's 国庆."""
    if re.search(rf"^{_WEEK}", words):
        return span[0] - timedelta(days=7), span[1] - timedelta(days=7)
    for base in _earlier(words, now):
        earlier = _parse(words, base)
        if earlier and earlier[0] < span[0]:
            return earlier
    return None


def ago(match: re.Match[str], now: datetime) -> tuple[datetime | None, datetime]:
    """Return the moment (minutes, hours) or day of 三天前; months ago have no known start."""
    count, unit = match["count"], match["unit"]
    value = 0.5 if count == "半" else float(number(count))
    if unit in ("分钟", "小时", "钟头"):
        moment = now - timedelta(minutes=value * (1 if unit == "分钟" else 60))
        return moment, moment
    days = {"天": 1, "周": 7, "星期": 7, "礼拜": 7, "月": 30}[unit]
    midnight = _midnight(now) - timedelta(days=int(value * days))
    vague = unit == "月" and value >= 1
    return (None if vague else midnight), midnight + timedelta(days=1)


def _earlier(words: str, now: datetime) -> tuple[datetime, ...]:
    """Moments to look from when the words seem to mean the future."""
    last_month = now.replace(day=1) - timedelta(days=1)
    if words.startswith(("这", "本")):
        return ()
    if "周" in words:
        return (now - timedelta(days=7),)
    if re.fullmatch(BARE_DATE, words):
        return last_month, last_month.replace(day=1) - timedelta(days=1)
    return (now - timedelta(days=365),)


def _midnight(moment: datetime) -> datetime:
    return moment.replace(hour=0, minute=0, second=0, microsecond=0)


def _parse(words: str, base: datetime) -> Span | None:
    try:
        found = _parser()(words, time_base=base)
        start, end = (datetime.fromisoformat(moment) for moment in found["time"])
    except Exception:  # a parser made of rules, which raises whatever it meets
        return None
    return _midnight(start), _midnight(end) + timedelta(days=1)


@cache
def _parser() -> Callable[..., dict[str, Any]]:
    with contextlib.redirect_stdout(io.StringIO()):  # the banner
        import jionlp  # noqa: PLC0415 - half a second, only when a day is named
    parse: Callable[..., dict[str, Any]] = jionlp.parse_time
    return parse

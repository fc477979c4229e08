"""When a problem happened, from a resident's words: 昨晚十点多, 每天半夜, 好几天了.

A phrase means the last time it can mean before now; what can only mean the future (明天,
下周三) is no time of occurrence. Conventions, all local time:

* an hour without minutes is that hour (十点: 22:00–23:00), with minutes half an hour;
* 晚上 is 18:00–24:00, 夜里 and 半夜 22:00–5:00 of the next day, the other parts of the day
  are in :data:`dispatch.times.time_words.PARTS`; 昨晚两点 is two o'clock this morning;
* 刚才 is the last half hour, 现在 and 正在 this minute, 前两天 the three days before today,
  前几天 the seven before today;
* what goes on for a vague time (好几天了, 最近, 每天) has no start: ``start`` is None;
* what repeats (每天晚上) has the start and end of its last time.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from dispatch.times.calendar_days import BARE_DATE, DAY, Span, ago, day_span, earlier_span
from dispatch.times.time_words import (
    NUMERAL,
    PART,
    Clock,
    clock_pattern,
    number,
    part_hours,
    read_clock,
)

SHANGHAI = ZoneInfo("Asia/Shanghai")
MAX_CHARS = 500
"""Only the beginning of a long text is searched."""


@dataclass(frozen=True)
class Occurrence:
    """A time of occurrence, Asia/Shanghai; ``start`` ≤ ``end`` ≤ the moment it was said.

    ``start`` is None when the beginning is unknown (好几天了). ``words`` is the phrase as
    said, ``repeated`` tells 每天晚上 from 昨天晚上.
    """

    start: datetime | None
    end: datetime
    words: str
    repeated: bool


_NOT_A_NAME = r"(?!路(?!过|上|边|口|面|灯|人)|街(?!道|上|边|坊)|广场(?!舞)|超市|城|大厦|大药房)"
_ALWAYS = r"每天|天天|每日|日日|夜夜|见天儿?|成天|整天"
_OFTEN = (
    r"每(?=[早晚夜周]|礼拜|星期|个周|个礼拜|个星期)个?|每到|一到|经常|总是|老是|常常|时常|动不动"
)
_ABOUT = r"(?P<about>来钟|多钟|多|左右|前后|上下|的样子)?"
_UNTIL = (
    r"(?:(?P<until>(?:一直)?[\u4e00-\u9fff]?(?:到|至)|[-~—－])"
    rf"(?:(?P<to_now>现在|这会儿?|目前|今天)|(?P<to_part>{PART}|早|晚)?{clock_pattern('to')}(?P<to_about>多|左右)?))?"
)
_MOMENT = re.compile(
    rf"(?P<always>{_ALWAYS})?(?P<often>{_OFTEN})?"
    rf"(?:(?P<day>{DAY})|(?P<bare>{BARE_DATE})(?=的?(?:那天|当天)?(?:{PART}|[早晚夜]|{NUMERAL}[点时]|\d+[:：])))?"
    rf"(?:那天|当天)?的?\s?(?:(?P<part>{PART})|(?P<short>[早晚夜](?![餐饭市报班会点茶场宵])))?{_NOT_A_NAME}"
    rf"的?(?:{clock_pattern('at')}{_ABOUT}(?P<start>开始)?)?{_UNTIL}"
)
_FUTURE = re.compile(
    rf"(?:大?后[天日](?!桥)|明[天日早晚]|明儿个?|下下?个?(?:周|礼拜|星期)[一二三四五六日天末]?|下个?月|明年)"
    rf"(?:{NUMERAL}[号日])?(?:{PART})?(?:{clock_pattern('f')})?"
)
_JUST = re.compile(r"刚才|刚刚|方才|适才")
_NOW = re.compile(r"(?:现在|这会儿|这会子|眼下|此刻|正在)" + _NOT_A_NAME)
_AGO = re.compile(
    rf"(?P<count>半|{NUMERAL})个?(?:多)?(?P<unit>分钟|小时|钟头|天|周|星期|礼拜|月)(?:之|以)?前(?!面|后|进)"
)
_DAYS_BEFORE = re.compile(r"前(?P<two>两)天|前(?:几|些)天|前些日子")
_DAYS_SINCE = re.compile(rf"(?P<days>{NUMERAL})天了")
_ONGOING = re.compile(
    r"好[几些多]?(?:几|些)?个?(?:天|周|星期|礼拜|月|年)了?|这几个?(?:天|周|星期|礼拜|月|年)"
    r"|这段时间|这阵子|最近(?!的|距)|近来|近期|近段时间|长期|常年|一直以来|前阵子|前段时间"
    rf"|(?:{NUMERAL}|半)个?多?(?:周|星期|礼拜|月|年)多?了|{NUMERAL}多天了"
)
_TWO_DAYS = re.compile(r"这两[天日]")
_SMALL_HOURS = 6


def occurrence(text: str, now: datetime) -> Occurrence | None:
    """Return when it happened, or None when the text says no time that is past.

    ``now`` is an aware moment. Of several times the first one is taken that has a start.
    """
    here = now.astimezone(SHANGHAI).replace(tzinfo=None)
    searched = text[:MAX_CHARS]
    first: Occurrence | None = None
    at = 0
    while at < len(searched):
        end, found = _read(searched, at, here)
        at = max(end, at + 1)
        if found is not None and found.start is not None:
            return found
        first = first or found
    return first


def _read(text: str, at: int, now: datetime) -> tuple[int, Occurrence | None]:
    """Read a phrase that begins at ``at``; return where it ends (``at`` when there is none)."""
    future = _FUTURE.match(text, at)
    if future:
        return future.end(), None
    for pattern, span_of in _SIMPLE:
        match = pattern.match(text, at)
        if match:
            span = span_of(match, now)
            return match.end(), _occurrence(span, match.group(), now, repeated=False)
    match = _MOMENT.match(text, at)
    if match is None or not match.group():
        return at, None
    return _moment(text, match, now)


def display(found: Occurrence) -> str:
    """Word a time of occurrence for the confirmation: 11月17日晚上10点左右, 每天晚上.

    What repeats or has no known start is shown in the citizen's own phrase.
    """
    if found.repeated or found.start is None:
        return found.words
    start, end = found.start, found.end
    day = f"{start.month}月{start.day}日"
    part = _PART_SAID.search(found.words)
    if end - start <= timedelta(hours=1) and not (part and not _HOUR_SAID.search(found.words)):
        return f"{day}{_hour_words(start)}左右"
    if _HOUR_SAID.search(found.words):
        next_day = end.date() != start.date() and end.hour >= _SMALL_HOURS
        until = f"{end.month}月{end.day}日{_hour_words(end)}" if next_day else _hour_words(end)
        return f"{day}{_hour_words(start)}到{until}"
    if part:
        return f"{day}{_PLAIN_PART.get(part.group(), part.group())}"
    last = (end - timedelta(seconds=1)).date()
    return day if last == start.date() else f"{day}到{last.month}月{last.day}日"


_PART_SAID = re.compile(PART + r"|[早晚夜]")
_HOUR_SAID = re.compile(r"[点时:：]|分钟|钟头")
_PLAIN_PART = {"早": "早上", "晚": "晚上", "夜": "夜里"}


def _hour_words(moment: datetime) -> str:
    """Word an hour as people say it: 晚上10点, 下午3点20分, 夜里12点."""
    hour = moment.hour
    named = ((5, "凌晨"), (8, "早上"), (11, "上午"), (13, "中午"), (18, "下午"), (24, "晚上"))
    part = next(name for until, name in named if hour < until) if hour else "夜里"
    minute = f"{moment.minute}分" if moment.minute else ""
    return f"{part}{(hour - 1) % 12 + 1 if hour else 12}点{minute}"


def _moment(text: str, match: re.Match[str], now: datetime) -> tuple[int, Occurrence | None]:
    """Work out a phrase of the shape [每天] [day] [part of the day] [hour] [到 …]."""
    part, clock = match["part"] or match["short"], read_clock(match, "at")
    day, often = match["day"] or match["bare"], match["always"] or match["often"]
    words = match.group().strip("的 ")
    if match["short"] and not (day or match["often"] or clock):
        return match.start(), None
    if not (day or part or clock):
        if match["always"]:
            return match.end(), _occurrence((None, now), words, now, repeated=True)
        return match.start(), None
    if clock and not (day or part) and not _is_hour(text, match):
        return match.end(), None
    hours = part_hours(part) if part else None
    span = _anchored(day, hours, clock, now)
    if span is None:
        return match.end(), None
    return match.end(), _occurrence(
        (span[0], _until(match, span, now)), words, now, repeated=bool(often)
    )


def _is_hour(text: str, match: re.Match[str]) -> bool:
    """Tell an hour that stands alone from a number: 八点开始, but not 三点意见, 有一点臭."""
    if match["atdh"] or "钟" in match.group():
        return True
    if match["ath"] in ("一", "1") and not match["atm"]:
        return False
    said = match["atm"] or match["about"] or match["start"] or match["until"]
    return bool(said) or _AFTER_HOUR.match(text, match.end()) is not None


_AFTER_HOUR = re.compile(r"就|以后|之后|的时候|那会|才|又|还在|不到")


def _anchored(
    day: str | None, hours: tuple[float, float] | None, clock: Clock | None, now: datetime
) -> Span | None:
    """Return the last span before ``now`` of a part of the day or an hour on its day."""
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    if day is None:
        days = [midnight, midnight - timedelta(days=1)]
        return next((s for d in days for s in _within(d, hours, clock) if s[0] <= now), None)
    said = day_span(day, now)
    if said is None or (hours is None and clock is None):
        return said
    tries = [said]
    if day.startswith("今"):
        if now.hour < _SMALL_HOURS or (hours and hours[1] > 24):
            tries.append((said[0] - timedelta(days=1), said[0]))
    else:
        earlier = earlier_span(day, said, now)
        tries += [earlier] if earlier else []
    if day.startswith(("昨", "前", "大", "头")) and hours is None and clock:
        tries = [said]
    return next((s for t in tries for s in _within(t[0], hours, clock) if s[0] <= now), None)


def _within(day: datetime, hours: tuple[float, float] | None, clock: Clock | None) -> list[Span]:
    """Return the spans that an hour, or a part of the day, can mean; the likeliest first."""
    if clock is None:
        first, last = hours or (0, 24)
        return [(day + timedelta(hours=first), day + timedelta(hours=last))]
    choices = [_hour(clock.hour, hours)] if hours else sorted(_both_halves(clock.hour))[::-1]
    spans: list[Span] = []
    for hour in choices:
        start = day + timedelta(hours=hour, minutes=clock.minute)
        length = timedelta(minutes=30) if clock.exact else timedelta(hours=1)
        if clock.until_hour is not None:
            length += timedelta(hours=clock.until_hour - clock.hour)
        spans.append((start, start + length))
    return spans


def _both_halves(hour: int) -> set[int]:
    return {hour, hour + 12} if hour < 12 else {hour}


def _hour(said: int, hours: tuple[float, float]) -> int:
    """Read a spoken hour inside a part of the day: 晚上八点 is 20, 昨晚两点 is 26."""
    start, end = hours
    end = 29 if end == 24 else end
    for hour in (said, said + 12, said + 24, said - 12):
        if start <= hour <= end and hour >= 0:
            return hour
    return said + 12 if start >= 12 and said < 12 else said


def _until(match: re.Match[str], span: Span, now: datetime) -> datetime:
    """Return the end that is said (到十二点, 到现在), else the end of the span."""
    if match["to_now"]:
        return now
    clock = read_clock(match, "to")
    if clock is None:
        return span[1]
    hours = part_hours(match["to_part"]) if match["to_part"] else None
    hour = _hour(clock.hour, hours) if hours else clock.hour
    end = span[0].replace(hour=0, minute=0) + timedelta(hours=hour, minutes=clock.minute)
    while end <= span[0]:
        end += timedelta(hours=24 if hours or clock.hour > 12 else 12)
    return end


def _just(_match: re.Match[str], now: datetime) -> Span:
    return now - timedelta(minutes=30), now


def _right_now(_match: re.Match[str], now: datetime) -> Span:
    return now, now


def _days_before(match: re.Match[str], now: datetime) -> Span:
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight - timedelta(days=3 if match["two"] else 7), midnight


def _days_since(match: re.Match[str], now: datetime) -> Span:
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight - timedelta(days=number(match["days"])), now


def _two_days(_match: re.Match[str], now: datetime) -> Span:
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight - timedelta(days=1), now


def _ongoing(_match: re.Match[str], now: datetime) -> tuple[None, datetime]:
    return None, now


_SIMPLE = (
    (_JUST, _just),
    (_NOW, _right_now),
    (_AGO, ago),
    (_DAYS_BEFORE, _days_before),
    (_TWO_DAYS, _two_days),
    (_DAYS_SINCE, _days_since),
    (_ONGOING, _ongoing),
)


def _occurrence(
    span: tuple[datetime | None, datetime], words: str, now: datetime, *, repeated: bool
) -> Occurrence:
    """Clip a span at ``now`` and put it in its time zone."""
    start = span[0].replace(tzinfo=SHANGHAI) if span[0] else None
    end = min(span[1], now).replace(tzinfo=SHANGHAI)
    return Occurrence(start, max(start, end) if start else end, words, repeated)

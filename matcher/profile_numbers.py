"""Numbers and spans of time as citizens say them: 一百二十人, 三千五, 1.2亿, 三年多, 2019年."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

import cn2an

_ASCII = str.maketrans("０１２３４５６７８９．％萬億俩", "0123456789.%万亿两")
_CHINESE = "零〇一二两三四五六七八九十百千万亿壹贰叁肆伍陆柒捌玖拾佰仟点"
RUN = rf"[0-9.{_CHINESE}]{{1,40}}+"
_UNITS = (
    "万美元|美元|美金|刀|元|块钱|块|人民币|个百分点|个点|%|平方米|平米|平方|㎡|平|亩|"
    "(?:个|名|号|位)?(?:人|员工|职工|工人)|个|名|号|位|项|件|种|次|场|回|分|级|成|"
    "个?月|周岁|岁|年"
)
_LESS = "不到|不足|未满|不满|没到|少于|小于|低于|将近|接近|快到?"
_MORE = "超过|大于|多于|高于|不止"
_QUANTITY = re.compile(
    rf"(?P<less>{_LESS})?(?P<more>{_MORE})?(?:了|有)?(?P<percent>百分之)?"
    rf"(?P<run>{RUN})(?P<tail>多|余|来|几)?(?P<unit>{_UNITS})?(?P<end>多|余|出头|几)?"
)
_WORDS_WITH_ONE = re.compile(
    rf"(?<![0-9{_CHINESE}])(?:一共|一下|一般|一直|一起|一些|一点(?![0-9{_CHINESE}])|统一|唯一|万一|"
    "第一|之一|一定)"
)
_VAGUE_BEFORE = tuple("几好上数第")
_COLLOQUIAL = re.compile(r"([百千万亿])([一二两三四五六七八九1-9])$")
_NEXT_LOWER = {"百": "十", "千": "百", "万": "千", "亿": "千万"}
_PLAIN = re.compile(r"\d+(?:\.\d+)?")
_RANGE = re.compile(rf"{RUN}\S{{0,3}}?(?:到|至|-|—|~|～){RUN}")


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number found in a sentence.

    Args:
        value: the number itself, multipliers such as 万 applied.
        scaled: 万 or 亿 was said, so an amount of money is complete without a unit.
        unit: the unit said after it, empty when none.
        bound: +1 when the speaker said more than that, -1 for less, 0 for the number itself.
        start: where it begins in the cleaned sentence.
        end: where it ends.
    """

    value: float
    scaled: bool
    unit: str
    bound: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Span:
    """A length of time in months, with ``bound`` as in :class:`Quantity`."""

    months: float
    bound: int


def clean(text: str) -> str:
    """Return ``text`` without spaces, with ASCII digits and without thousands commas."""
    text = re.sub(r"(?<!\d)\d{1,3}(?:,\d{3})+(?!\d)", lambda m: m[0].replace(",", ""), text)
    text = re.sub(r"\s+", "", text.translate(_ASCII)).replace("个亿", "亿")
    text = re.sub(rf"(?<=[0-9{_CHINESE}])([多余来])([万亿]+)", r"\2\1", text)  # 三百多万 → 三百万多
    return _WORDS_WITH_ONE.sub("", text)


def parse_number(run: str) -> float | None:
    """Return the number ``run`` writes, or None when it writes none.

    Understands 一百二十, 一百二 (120), 三千五 (3500), 1亿2千万, 1.2亿, 3千, 二零一九.
    """
    run = run.strip("点.").replace("〇", "零")
    if _PLAIN.fullmatch(run):
        return float(run)
    if re.search(r"[一二两三四五六七八九]{2}[十百千万亿]", run) or not run:
        return None
    if run[0] in "百千万亿佰仟":
        return None
    run = _COLLOQUIAL.sub(lambda m: m[1] + m[2] + _NEXT_LOWER[m[1]], run)
    if (
        len(run) > 1
        and not re.search("[零.点]", run)
        and re.fullmatch("[一二两三四五六七八九]+", run)
    ):
        return _digits(run)
    try:
        return float(cn2an.cn2an(run.lstrip("零") or "零", "smart"))
    except (ValueError, KeyError, IndexError):
        return None


def _digits(run: str) -> float | None:
    """Read digits said one by one; only a year of four digits is sure to be meant."""
    digits = run.translate(str.maketrans("一二两三四五六七八九", "1223456789"))
    return float(digits) if len(run) == 4 else None


def is_range(text: str) -> bool:
    """Say whether ``text`` (cleaned) gives a range such as 80到100人."""
    return _RANGE.search(text) is not None


def quantities(text: str) -> Iterator[Quantity]:
    """Yield every number in ``text`` (cleaned); vague ones (几十, 十几) are left out."""
    for match in _QUANTITY.finditer(text):
        before = text[match.start("run") - 1] if match.start("run") else ""
        value = parse_number(match["run"])
        if value is None or before in _VAGUE_BEFORE or "几" in (match["tail"], match["end"]):
            continue
        more = match["more"] or match["tail"] in ("多", "余") or match["end"]
        bound = -1 if match["less"] else 1 if more else 0
        unit = "%" if match["percent"] else match["unit"] or ""
        scaled = bool(re.search("[万亿]", match["run"]))
        yield Quantity(value, scaled, unit, bound, match.start(), match.end())


_SPAN = re.compile(
    rf"(?P<less>{_LESS})?(?P<more>{_MORE})?(?:了|有)?(?:"
    rf"(?P<years>{RUN}|半)(?P<ymore>多|来)?个?(?P<yunit>年|周岁|岁)(?P<yhalf>半)?(?P<yend>多|出头)?"
    rf"(?:又|加|,)?(?:(?P<rest>{RUN})个月)?"
    rf"|(?P<months>{RUN}|半)个?(?P<mhalf>半)?(?P<mmore>多)?个?月(?P<mend>多)?)"
)
_EVENT = "成立|注册|开办|开业|开的|办的|毕业|出生|生的|生人|的|届|入职|取得|拿"
_YEAR = re.compile(r"(?<!\d)(?P<year>(?:19|20)\d\d)(?:年|届)?(?:(?P<month>1[0-2]|0?[1-9])月)?")
_SHORT_YEAR = re.compile(
    rf"(?<!\d)(?P<year>\d\d)(?:年(?:(?P<month>1[0-2]|0?[1-9])月)?(?=份?(?:{_EVENT}))|届)"
)
_CHINESE_YEAR = re.compile(r"[一二][零〇一二三四五六七八九]{3}(?=年|届|$)")
_RELATIVE = {"大前年": 3, "前年": 2, "去年": 1, "上一年": 1, "今年": 0, "应届": 0}


def find_span(text: str) -> Span | None:
    """Return the length of time ``text`` (cleaned) gives, or None: 三年半, 8个月, 半岁."""
    spans = [span for match in _SPAN.finditer(text) if (span := _span(text, match))]
    return spans[0] if len(spans) == 1 else None


def _span(text: str, match: re.Match[str]) -> Span | None:
    start = match.start("years") if match["years"] else match.start("months")
    if start and text[start - 1] in _VAGUE_BEFORE:
        return None
    run, each = (match["years"], 12) if match["years"] else (match["months"], 1)
    count = 0.5 if run == "半" else parse_number(run)
    if count is None:
        return None
    months = count * each + (each / 2 if match["yhalf"] or match["mhalf"] else 0)
    if match["rest"]:
        rest = parse_number(match["rest"])
        if rest is None:
            return None
        months += rest
    more = any(match[name] for name in ("more", "ymore", "yend", "mmore", "mend"))
    return Span(months, -1 if match["less"] else int(more))


def months_since(text: str, today: date) -> int | None:
    """Return the whole months from the year (and month) ``text`` names until ``today``.

    A year without a month counts whole years (2019年 in 2026: 84 months). None when no
    past year is named, or more than one.
    """
    text = _CHINESE_YEAR.sub(lambda m: f"{parse_number(m[0]) or 0:.0f}", text)
    found = set[int]()
    for match in (*_YEAR.finditer(text), *_SHORT_YEAR.finditer(text)):
        year = int(match["year"])
        if year < 100:
            year += 2000 if year <= today.year % 100 else 1900
        found.add(_elapsed(year, int(match["month"]) if match["month"] else None, today))
    if not found:
        said = next((word for word in _RELATIVE if word in text), None)
        if said is not None:
            month = re.search(rf"{said}(1[0-2]|[1-9])月", text)
            year = today.year - _RELATIVE[said]
            found.add(_elapsed(year, int(month[1]) if month else None, today))
    elapsed = found.pop() if len(found) == 1 else -1
    return elapsed if elapsed >= 0 else None


def _elapsed(year: int, month: int | None, today: date) -> int:
    months = (today.year - year) * 12
    return months if month is None else months + today.month - month

"""Quantities and days in official documents: 不低于50%, 三年以上, 二十万元, 2026年9月1日.

以上, 以下 and 以内 include the number, 不满, 超过 and 以外 do not (《民法典》 article 1259);
a document's own （含） or （不含） comes first.
"""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass, replace
from datetime import date
from typing import Literal

from matcher.profile_numbers import parse_number

__all__ = ["UNITS", "Quantity", "Span", "convert", "find_days", "quantities"]

Operator = Literal[">=", ">", "<=", "<"]
Span = tuple[int, int]

_DIGITS = "零〇一二两三四五六七八九十百千万亿半"
_RUN = rf"(?:\d{{1,3}}(?:,\d{{3}})+|\d+(?:\.\d+)?)(?:[十百千万亿]{{1,2}})?|[{_DIGITS}]{{1,12}}"
_UNIT = (
    "美元|元|%|个百分点|平方米|平米|㎡|个月|周岁|岁|年|月|"
    "人|名|位|家|户|项|件|分|场|次|个|孩|级|天|日|倍"
)
_NOT = "(?:不得|不能|不应|不可|没有|没|未|不)"
_AT_LEAST = f"{_NOT}(?:低于|少于|小于|短于)|至少|达到|达|年满|已满|满|够|高达|最低"
_ABOVE = "超过|高于|大于|多于|突破|超出"
_AT_MOST = f"{_NOT}(?:超过|超出|高于|多于|大于)|至多|最高|最多"
_BELOW = "低于|少于|小于|不足|未满|不满|没满|不到|没到|未达到|未达|没达到|不得达到"
_BEFORE: dict[Operator, str] = {"<=": _AT_MOST, "<": _BELOW, ">=": _AT_LEAST, ">": _ABOVE}
_WITH = r"[（(](?P<{0}>不?含)[^（）()]{{0,10}}[)）]"
_QUANTITY = re.compile(
    rf"(?P<prefix>近|前|最近|过去|第|上)?(?:(?P<word>{_AT_MOST}|{_BELOW}|{_AT_LEAST}|{_ABOVE})(?:了|为)?)?"
    rf"(?P<percent>百分之)?(?P<run>{_RUN})(?P<more>余|多)?(?P<unit>{_UNIT})?"
    rf"(?:{_WITH.format('with1')})?的?(?P<after>(?:及|或|或者)?(?:以上|以下|以内|之内)|(?<=年)内|(?<=月)内|(?<=日)内)?"
    rf"(?:{_WITH.format('with2')})?"
)
_AFTER: dict[str, Operator] = {"以上": ">=", "以下": "<=", "以内": "<=", "之内": "<=", "内": "<="}
_FRACTION = re.compile(r"(?P<below>[二三四五六七八九十])分之(?P<above>[一二三四五六七八九])")

UNITS: dict[str, dict[str, float]] = {
    "万元": {"元": 1e-4},
    "元": {"元": 1},
    "万美元": {"美元": 1e-4},
    "%": {"%": 1, "个百分点": 1},
    "年": {"年": 1, "个月": 1 / 12},
    "个月": {"年": 12, "个月": 1},
    "岁": {"周岁": 1, "岁": 1},
    "人": {"人": 1, "名": 1, "位": 1},
    "项": {"项": 1, "件": 1, "个": 1},
    "次": {"次": 1, "场": 1, "个": 1},
    "个": {"个": 1, "名": 1, "孩": 1},
    "平方米": {"平方米": 1, "平米": 1, "㎡": 1},
    "分": {"分": 1},
    "级": {"级": 1},
}
"""Unit of a column → units of documents and what one of them is worth in it."""


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number with its unit and the comparison said with it.

    Args:
        value: multipliers such as 万 applied; 100万元 is 1000000 with the unit 元.
        unit: as written (元, %, 年, 个月, 周岁 …), empty when none.
        operator: None when the document compares nothing.
        start: where it begins, the word of comparison included.
        end: where it ends.
        at: where the number itself begins.
        period: it only says of which time something is told (近三年, 前两年).
    """

    value: float
    unit: str
    operator: Operator | None
    start: int
    end: int
    at: int
    period: bool = False


def quantities(text: str) -> list[Quantity]:
    """Return the numbers in ``text`` in their order; days, ordinals and titles are none."""
    blocked = [span for span, _ in find_days(text)]
    blocked += [
        match.span()
        for match in re.finditer(
            r"《[^》]*》|[〔\[]\d{4}[〕\]]\d+号|第[\d一-十百]+[条款项章]", text
        )
    ]
    found: list[Quantity] = []
    for match in _FRACTION.finditer(text):
        above, below = parse_number(match["above"]), parse_number(match["below"])
        if above and below:
            found.append(Quantity(above * 100 // below, "%", None, *match.span(), match.start()))
            blocked.append(match.span())
    for match in _QUANTITY.finditer(text):
        at, end = match.start("run"), match.end()
        if any(low < end and at < high for low, high in blocked):
            continue
        quantity = _quantity(text, match)
        if quantity is not None:
            found.append(quantity)
    return _with_shared_units(text, sorted(found, key=lambda quantity: quantity.start))


def _quantity(text: str, match: re.Match[str]) -> Quantity | None:
    run, unit = match["run"].replace(",", ""), match["unit"] or ""
    value = parse_number(run)
    if run == "半" and unit == "年":
        value, unit = 6, "个月"
    if value is None or (unit == "年" and value >= 1900) or unit == "月":
        return None
    if not unit and not match["percent"] and not run[0].isdigit():
        return None  # 一次性, 一旦
    before = text[match.start("run") - 1] if match.start("run") else ""
    if before and before.isascii() and (before.isalnum() or before in "-./"):
        return None
    unit = "%" if match["percent"] else unit
    operator = _operator(match) or _operator_before_bracket(text, match)
    period = bool(match["prefix"]) and not match["word"]
    period = period or bool(re.match("期限|劳动合同|以上期限|的?劳动合同", text[match.end() :]))
    return Quantity(value, unit, operator, match.start(), match.end(), match.start("run"), period)


def _operator(match: re.Match[str]) -> Operator | None:
    word, after = match["word"], match["after"]
    operator: Operator | None = None
    if after:
        operator = _AFTER[after.removeprefix("及").removeprefix("或").removeprefix("者")]
    elif word:
        operator = next(sign for sign, words in _BEFORE.items() if re.fullmatch(words, word))
    explicit = match["with1"] or match["with2"]
    if explicit and operator:
        operator = _explicit(operator, explicit == "含")
    return operator


_BRACKETED = re.compile(
    rf"(?P<word>{_AT_MOST}|{_BELOW}|{_AT_LEAST}|{_ABOVE})[^，。；\d（(]{{2,24}}[（(][^（）()\d]{{0,12}}$"
)


def _operator_before_bracket(text: str, match: re.Match[str]) -> Operator | None:
    """Return the comparison of 低于当地保障标准（每人每月1100元）."""
    before = _BRACKETED.search(text[: match.start()])
    if before is None:
        return None
    return next(sign for sign, words in _BEFORE.items() if re.fullmatch(words, before["word"]))


def _explicit(operator: Operator, included: bool) -> Operator:
    if operator in (">", ">="):
        return ">=" if included else ">"
    return "<=" if included else "<"


def _with_shared_units(text: str, found: list[Quantity]) -> list[Quantity]:
    """Give 16至60周岁 and 80至89周岁 two numbers of one unit: from and to."""
    result = list(found)
    for position, (low, high) in enumerate(itertools.pairwise(found)):
        joined = re.fullmatch("至|到|-|—|~|～|－|–", text[low.end : high.at])
        ordered = low.value < high.value and high.operator in (None, "<=")
        if joined and ordered and low.unit in ("", high.unit):
            result[position] = replace(low, unit=high.unit, operator=">=")
            result[position + 1] = replace(high, operator="<=")
    return result


def convert(quantity: Quantity, unit: str) -> float | None:
    """Return the quantity in a column's ``unit``, None when it measures something else."""
    factor = UNITS.get(unit, {unit: 1.0}).get(quantity.unit)
    if factor is None:
        return None
    value = round(quantity.value * factor, 6)
    return int(value) if value == int(value) else value


_DAY = re.compile(
    r"(?P<year>\d{4})\s*(?:年|[-./])\s*(?P<month>\d{1,2})\s*(?:月|[-./])\s*(?P<day>\d{1,2})(?:日|(?!\d))"
)
_CHINESE_DAY = re.compile(
    r"(?P<year>[二一][〇零○一二三四五六七八九]{3})年(?P<month>[一二三四五六七八九十]{1,2})月"
    r"(?P<day>[一二三四五六七八九十]{1,3})日"
)
_DAY_OF_YEAR = re.compile(r"(?<!\d)(?P<month>\d{1,2})月(?P<day>\d{1,2})日")
_DIGIT_OF = {char: str(i) for i, char in enumerate("〇一二三四五六七八九")} | {"零": "0", "○": "0"}


def find_days(text: str, year: int | None = None) -> list[tuple[Span, date]]:
    """Return the days ``text`` names with their places, in order.

    A day without a year takes that of the day before it in the text, else ``year``.
    """
    found: list[tuple[Span, date]] = []
    for match in (*_DAY.finditer(text), *_CHINESE_DAY.finditer(text)):
        written = match["year"]
        number = int("".join(_DIGIT_OF.get(char, char) for char in written))
        _append(found, match, number, _small(match["month"]), _small(match["day"]))
    taken = [span for span, _ in found]
    for match in _DAY_OF_YEAR.finditer(text):
        if any(low < match.end() and match.start() < high for low, high in taken):
            continue
        earlier = [day.year for (low, _), day in sorted(found) if low < match.start()]
        known = earlier[-1] if earlier else year
        if known is not None:
            _append(found, match, known, int(match["month"]), int(match["day"]))
    return sorted(found)


def _append(
    found: list[tuple[Span, date]], match: re.Match[str], year: int, month: int, day: int
) -> None:
    try:
        found.append((match.span(), date(year, month, day)))
    except ValueError:
        return  # the 31st of February is no day


def _small(written: str) -> int:
    return int(written) if written.isdigit() else int(parse_number(written) or 0)

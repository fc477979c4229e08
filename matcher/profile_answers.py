"""Reads a citizen's answer to one question into the value of a profile column."""

from __future__ import annotations

import re
from datetime import date
from enum import Enum
from typing import Final

from base.errors import InputError
from matcher.attributes import Attribute, Value, check_value
from matcher.profile_numbers import (
    Quantity,
    clean,
    find_span,
    is_range,
    months_since,
    parse_number,
    quantities,
)
from matcher.profile_words import (
    CHOICE_WORDS,
    CONTRAST,
    HEDGED,
    NEGATED_BEFORE,
    NO,
    PHRASES,
    QUESTION,
    UNSURE,
    YES,
)

MAX_ANSWER_CHARS = 200


class Unknown(Enum):
    """The type of :data:`UNKNOWN`."""

    UNKNOWN = "unknown"


UNKNOWN: Final = Unknown.UNKNOWN
"""The citizen says that he does not know."""

_DURATION_UNITS = {"年": 12, "个月": 1, "岁": 12}
_PERSONS = ("人", "员工", "职工", "工人", "个", "名", "号", "位")
_YUAN = ("元", "块", "块钱", "人民币")
_ACCEPTED_UNITS = {
    "人": _PERSONS,
    "个": _PERSONS,
    "项": ("项", "件", "个", "种"),
    "次": ("次", "场", "回", "个"),
    "万元": _YUAN,
    "元": _YUAN,
    "万美元": ("美元", "万美元", "美金", "刀"),
    "%": ("%", "个点", "个百分点", "成"),
    "平方米": ("平方米", "平米", "平方", "㎡", "平"),
    "亩": ("亩",),
    "分": ("分",),
    "家": ("个",),
    "户": (),
    "张": ("个",),
    "人次": ("人", "次"),
    "大类": (),
    "级": ("级",),
}
_STEP_FROM_BOUND = {"%": 0.1, "分": 0.1}
_COMPLETED_YEARS = ("registered_years", "market_years")
_NEVER_ZERO = ("headcount", "assets_wan")
_ZERO = re.compile(
    "(?:目前|暂时|现在|我们|我|公司|企业|家里|还|也|都|并|一[个项次分名]|从来|从)*"
    "(?:没有?|无|不|零)(?:残疾|孩子|小孩|参加|收入|任何|招|交|过|买|投入|出口|办|缴|租|拥有|呢|啊|的|了|哦)*"
)


def parse_answer(attribute: Attribute, text: str, today: date | None = None) -> Value | Unknown:
    """Return the value a citizen's answer gives to ``attribute``.

    Understands 三年多, 2019年成立的, 一百二十人, 三千万, 百分之十五, 是的, 没有, 开饭店的.
    Amounts of money come back in the column's unit. *More than n* (三百多人) is stored as the
    next value above n, *less than n* as the next below it, so that a limit of n is judged
    rightly; completed years stay as they are (三年多 is 3 years registered).

    Args:
        attribute: the column asked for.
        text: the citizen's words.
        today: the day spans of time are counted to, default the present day.

    Returns:
        The value, or :data:`UNKNOWN` when the citizen says that he does not know.

    Raises:
        InputError: ``answer_not_understood``; the message says how to answer.
    """
    said = clean(text).strip("。！!，,.、~ ")
    if not said or len(said) > MAX_ANSWER_CHARS:
        raise _not_understood(attribute)
    if UNSURE.search(said) and not any(quantities(said)):
        return UNKNOWN
    if attribute.type == "boolean":
        value: Value | Unknown | None = _read_boolean(attribute, said)
    elif attribute.type == "choice":
        value = _read_choice(attribute, said)
    else:
        value = _read_number(attribute, said, today or date.today())
    if value is None:
        raise _not_understood(attribute)
    if isinstance(value, Unknown):
        return value
    try:
        return check_value(attribute, value)
    except InputError as error:
        raise _not_understood(attribute) from error


def _read_boolean(attribute: Attribute, said: str) -> Value | Unknown | None:
    said = re.sub("没有?(?:问题|错)", "对", said)
    if QUESTION.search(said):
        return None
    if HEDGED.search(said):
        return UNKNOWN
    for pattern, value in zip(PHRASES.get(attribute.name, ()), (True, False), strict=False):
        if pattern.search(said):
            return value
    if CONTRAST.search(said):
        return None
    if YES.match(said):
        return None if re.search("(?<!有)没|不是", said) else True
    return False if NO.match(said) else None


def _read_choice(attribute: Attribute, said: str) -> Value | None:
    exact = {choice.value for choice in attribute.choices if said in (choice.value, choice.label)}
    if exact:
        return exact.pop()
    if QUESTION.search(said):
        return None
    hits: list[tuple[int, int, str]] = []
    for choice in attribute.choices:
        words = CHOICE_WORDS.get(attribute.name, {}).get(choice.value)
        pattern = words or re.escape(choice.label.removesuffix("区").removesuffix("县"))
        hits += [(m.start(), m.end(), choice.value) for m in re.finditer(pattern, said)]
    longest = [hit for hit in hits if not any(_covers(other, hit) for other in hits)]
    values = {v for start, _, v in longest if not NEGATED_BEFORE.search(said[:start])}
    return values.pop() if len(values) == 1 else None


def _covers(outer: tuple[int, int, str], inner: tuple[int, int, str]) -> bool:
    """Say whether ``outer`` is a longer match over the same words."""
    longer = outer[1] - outer[0] > inner[1] - inner[0]
    return longer and outer[0] <= inner[0] and inner[1] <= outer[1]


def _read_number(attribute: Attribute, said: str, today: date) -> Value | None:
    if is_range(said):
        return None
    if attribute.unit in _DURATION_UNITS:
        return _read_duration(attribute, said, today)
    if _ZERO.fullmatch(said):
        return None if attribute.name in _NEVER_ZERO else 0
    if re.search("没有|不是|[没不](?=\\d)|以内|以下|最多", said):
        return None
    accepted = _ACCEPTED_UNITS[attribute.unit]
    found = [q for q in quantities(said) if not q.unit or _accepts(accepted, q.unit)]
    named = [q for q in found if q.unit] or found
    values = {v for q in named if (v := _in_unit(attribute, q)) is not None}
    if len(values) != 1:
        return None
    value = values.pop()
    return -value if attribute.minimum is None and re.search("亏|负", said) else value


def _accepts(accepted: tuple[str, ...], unit: str) -> bool:
    return unit in accepted or (len(unit) > 1 and unit[0] in "个名号位" and unit[1:] in accepted)


def _in_unit(attribute: Attribute, quantity: Quantity) -> int | float | None:
    """Convert a quantity to the column's unit and move it off an open bound."""
    value, unit = quantity.value, attribute.unit
    if unit == "万元" and (quantity.scaled or quantity.unit):
        value /= 10_000
    elif unit == "万美元" and (quantity.scaled or quantity.unit.endswith(("元", "金", "刀"))):
        value /= 1 if quantity.unit == "万美元" and not quantity.scaled else 10_000
    elif unit in ("万元", "万美元") and value >= 1_000_000:
        return None  # a bare 5000000 is more likely in yuan: ask again
    elif unit == "%" and quantity.unit == "成":
        value *= 10
    elif unit == "%" and not quantity.unit and 0 < value < 1:
        return None  # 0.15 may mean 15% or 0.15%
    if quantity.bound:
        value += quantity.bound * _STEP_FROM_BOUND.get(unit, 1)
    return int(value) if value == int(value) else round(value, 4)


def _read_duration(attribute: Attribute, said: str, today: date) -> Value | None:
    per_unit = _DURATION_UNITS[attribute.unit]
    since = _bare_year(said, today) if attribute.unit != "个月" else None
    if since is None:
        since = months_since(said, today)
    if since is not None:
        return _whole(attribute, since / per_unit)
    if re.fullmatch(
        "(?:今年)?(?:才|刚刚?|是)*(?:出生|满月|成立|注册|毕业|开业|开的)(?:不久|的|了)*", said
    ):
        return 0
    if attribute.unit == "个月" and _ZERO.fullmatch(said):
        return 0
    span = find_span(said)
    if span is not None:
        value = span.months / per_unit
        return _whole(attribute, value + span.bound * _duration_step(attribute, span.bound))
    bare = re.fullmatch(
        "(?:今年|有|大概|大约|满|快|虚岁|她|他|我|已经|,)*(.+?)(?:了|吧|左右)*", said
    )
    number = parse_number(bare[1]) if bare else None
    if number is None or (attribute.unit != "岁" and attribute.unit not in attribute.question):
        return None
    return _whole(attribute, number - ("快" in said))


def _bare_year(said: str, today: date) -> int | None:
    """Read a bare 2019 as a year."""
    match = re.fullmatch(r"((?:19|20)\d\d)年?(?:的|生的?|成立的?)?", said)
    elapsed = (today.year - int(match[1])) * 12 if match else -1
    return elapsed if elapsed >= 0 else None


def _duration_step(attribute: Attribute, bound: int) -> float:
    if attribute.unit == "个月":
        return 1
    if bound > 0 and (attribute.unit == "岁" or attribute.name in _COMPLETED_YEARS):
        return 0
    return 1 if attribute.type == "integer" else 0.1


def _whole(attribute: Attribute, value: float) -> int | float:
    if attribute.type == "integer":
        return int(value)
    value = round(value, 2)
    return int(value) if value == int(value) else value


_HINTS = {
    "人": "请说一个人数，例如“80人”。",
    "万元": "请说一个金额，例如“三百万元”。",
    "元": "请说一个金额，例如“3000元”。",
    "万美元": "请说一个金额，例如“50万美元”。",
    "年": "请说时间，例如“三年”或“2019年”。",
    "个月": "请说时间，例如“8个月”或“一年半”。",
    "岁": "请说年龄，例如“35岁”。",
    "%": "请说一个百分数，例如“5%”。",
}


def _not_understood(attribute: Attribute) -> InputError:
    if attribute.type == "boolean":
        hint = "请回答“是”或“不是”。"
    elif attribute.type == "choice" and attribute.choices:
        hint = f"请从这些里选一个：{'、'.join(choice.label for choice in attribute.choices)}。"
    else:
        hint = _HINTS.get(attribute.unit, f"请说一个数，例如“3{attribute.unit}”。")
    message = f"没听明白“{attribute.label}”。{hint}不知道的话，可以说“不清楚”。"
    return InputError("answer_not_understood", message, f"column {attribute.name}")

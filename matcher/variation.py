"""A policy with other numbers: which numbers it rests on, and the same policy with some changed.

What an official tries out before a document is changed. Every number of a condition, a tier, a
formula, the fixed amount and the cap has a key; the changed policy goes through the same parser as
one from a file.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import sqlglot
from pydantic import ValidationError
from sqlglot import exp

from base.errors import InputError
from matcher.policy import Policy
from matcher.profile import ATTRIBUTES, Attribute

__all__ = ["GREATEST", "Number", "numbers", "varied"]

GREATEST = 1e12
"""The greatest number of a predicate (:mod:`matcher.predicate`)."""

_COMPARISONS = (exp.GT, exp.GTE, exp.LT, exp.LTE, exp.EQ, exp.NEQ, exp.Between)
_SIGNS = {
    '"': "",
    "'": "",
    ">=": "≥",
    "<=": "≤",
    "<>": "≠",
    " * ": " × ",
    " / ": " ÷ ",
    " BETWEEN ": " 介于 ",
    " AND ": " 且 ",
    " OR ": " 或 ",
    " IN ": " 属于 ",
    "NOT ": "非 ",
}


@dataclass(frozen=True, slots=True)
class Number:
    """A number of a policy.

    Args:
        key: names it for :func:`varied`.
        value: as the policy has it.
        words: what it is compared with or part of, in Chinese.
        group: the condition's own text, ``金额`` for what belongs to the benefit.
    """

    key: str
    value: float
    words: str
    group: str

    @property
    def text(self) -> str:
        """The value without an exponent."""
        return _plain(self.value)


def numbers(policy: Policy) -> tuple[Number, ...]:
    """Return the numbers of a policy that may be changed, in reading order.

    Codes in a list (``IN``) are no thresholds and are left out.
    """
    columns = ATTRIBUTES[policy.audience]
    found = []
    for key, sql, group in _expressions(policy):
        for place, literal in enumerate(_literals(sqlglot.parse_one(sql))):
            around: Any = literal.find_ancestor(*_COMPARISONS) or literal.root()
            words = _words(around, columns)
            found.append(Number(f"{key}.{place}", float(literal.this), words, group))
    benefit = policy.benefit
    unit = benefit.unit or ""
    for key, value, name in (("amount", benefit.amount, "金额"), ("cap", benefit.cap, "上限")):
        if value is not None:
            found.append(Number(key, value, f"{name}（{unit}）" if unit else name, "金额"))
    return tuple(found)


def varied(policy: Policy, values: Mapping[str, float]) -> Policy:
    """Return the policy with other numbers under some of the keys of :func:`numbers`.

    Raises:
        InputError: ``number_unknown``, ``number_out_of_range``, ``variation_invalid``.
    """
    known = {number.key for number in numbers(policy)}
    for key, value in values.items():
        if key not in known:
            raise InputError("number_unknown", "这项政策没有这个数字。", f"{policy.id}: {key[:40]}")
        if not math.isfinite(value) or not 0 <= value <= GREATEST:
            raise InputError("number_out_of_range", "数字应在0到1万亿之间。", f"{policy.id}: {key}")
    changed: dict[str, Any] = policy.model_dump()
    for key, sql, _ in _expressions(policy):
        tree = sqlglot.parse_one(sql)
        for place, literal in enumerate(_literals(tree)):
            wanted = values.get(f"{key}.{place}")
            if wanted is not None:
                literal.set("this", _plain(wanted))
        _put(changed, key, tree.sql())
    for key in ("amount", "cap"):
        changed["benefit"][key] = values.get(key, changed["benefit"][key])
    try:
        return Policy.model_validate(changed)
    except ValidationError as error:
        raise InputError(
            "variation_invalid", "改动以后的条件不成立，请换一个数字。", f"{policy.id}: {error}"
        ) from error


def _expressions(policy: Policy) -> Iterator[tuple[str, str, str]]:
    """Yield key, SQL and group of everything that may hold numbers."""
    columns = ATTRIBUTES[policy.audience]
    for place, condition in enumerate(policy.eligibility):
        yield f"if{place}", condition.when, condition.text
    for place, tier in enumerate(policy.benefit.tiers):
        case = f"金额：{_words(sqlglot.parse_one(tier.when), columns)}"
        yield f"tier{place}", tier.when, case
        yield f"sum{place}", tier.formula, case
    if policy.benefit.formula:
        yield "sum", policy.benefit.formula, "金额"


def _put(changed: dict[str, Any], key: str, sql: str) -> None:
    """Write an expression back to where :func:`_expressions` found it."""
    kind = key.rstrip("0123456789")
    if key == "sum":
        changed["benefit"]["formula"] = sql
        return
    place = int(key.removeprefix(kind))
    if kind == "if":
        changed["eligibility"][place]["when"] = sql
    else:
        changed["benefit"]["tiers"][place]["when" if kind == "tier" else "formula"] = sql


def _literals(tree: Any) -> list[exp.Literal]:
    """Return the numbers of a tree, in the order in which they are read."""
    return [
        node
        for node in tree.walk(bfs=False)
        if isinstance(node, exp.Literal) and not node.is_string and not node.find_ancestor(exp.In)
    ]


def _words(tree: Any, columns: Mapping[str, Attribute]) -> str:
    """Write an expression with the labels of its columns and choices."""

    def named(node: Any) -> Any:
        if isinstance(node, exp.Column) and node.name in columns:
            return exp.column(columns[node.name].label)
        if isinstance(node, exp.Literal) and node.is_string:
            return exp.Literal.string(labels.get(node.this, node.this))
        return node

    names = [column.name for column in tree.find_all(exp.Column)]
    labels = {c.value: c.label for name in names for c in columns[name].choices}
    text = str(tree.copy().transform(named).sql())
    for sign, shown in _SIGNS.items():
        text = text.replace(sign, shown)
    return text


def _plain(value: float) -> str:
    return f"{value:.6f}".rstrip("0").rstrip(".") or "0"

"""How people are divided in figures about policies, and which figures are too small to be shown.

A count of fewer than :data:`SMALLEST` is not shown, and nothing from which it could be worked
out: the *minimum frequency rule* with secondary suppression (Hundepool et al., *Statistical
Disclosure Control*, Wiley 2012, ch. 4). Its reason in law: what lets a single subject of a
statistic be recognised or inferred may not be given out (统计法, 2009 revision, 第二十五条).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from matcher.profile import ATTRIBUTES, Kind, Value

__all__ = ["AXES", "SMALLEST", "UNKNOWN_GROUP", "WITHHELD", "Axis", "shown"]

SMALLEST = 5
UNKNOWN_GROUP = "未知"
WITHHELD = "*"
"""Stands for a count that is large enough, but would give a small one away."""


@dataclass(frozen=True, slots=True)
class Axis:
    """A way of dividing profiles: a column, or a column in steps of ``step``."""

    column: str
    label: str
    step: int | None = None

    def key(self, value: Value | None) -> Value | None:
        """Return the group of a value: itself, or the lower end of its step."""
        if value is None or self.step is None or isinstance(value, str):
            return value
        return math.floor(value / self.step) * self.step

    def name(self, kind: Kind, key: Value | None) -> str:
        """Return a group as it is read: ``云东区``, ``工业``, ``80–89岁``."""
        attribute = ATTRIBUTES[kind][self.column]
        if key is None:
            return UNKNOWN_GROUP
        if self.step and not isinstance(key, str):
            return f"{key}–{key + self.step - 1}{attribute.unit}"
        return attribute.describe(key)

    def order(self, kind: Kind, key: Value | None) -> tuple[bool, float, str]:
        """Return what groups are sorted by: the column's own order, the unknown last."""
        if key is None or isinstance(key, str):
            values = [choice.value for choice in ATTRIBUTES[kind][self.column].choices]
            return (key is None, values.index(key) if key in values else 0, key or "")
        return (False, float(key), "")


AXES: Mapping[Kind, tuple[Axis, ...]] = MappingProxyType(
    {
        "enterprise": (
            Axis("district", "区县"),
            Axis("industry", "行业"),
            Axis("scale", "企业规模"),
        ),
        "resident": (
            Axis("district", "区县"),
            Axis("age", "年龄", 10),
            Axis("hukou", "户籍"),
        ),
    }
)


def shown(counts: Sequence[int]) -> list[str]:
    """Return the counts of groups that make up a whole as they may be shown beside its count.

    A small one is ``<5``. Who subtracts what is shown from the whole must not learn a small
    count either: while that would be one count, or add up to a small one, the least of the
    others is :data:`WITHHELD`.
    """
    hidden = [count for count in counts if count < SMALLEST]
    rest = sorted((count, place) for place, count in enumerate(counts) if count >= SMALLEST)
    withheld: set[int] = set()
    while hidden and rest and (len(hidden) == 1 or sum(hidden) < SMALLEST):
        count, place = rest.pop(0)
        hidden.append(count)
        withheld.add(place)
    return [
        WITHHELD if place in withheld else str(count) if count >= SMALLEST else f"<{SMALLEST}"
        for place, count in enumerate(counts)
    ]

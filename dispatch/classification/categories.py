"""Complaint categories: who handles what, how fast, and when a matter is urgent.

The categories of a city are data (``dispatch/categories.yml``); a code is also the Open311
``service_code`` under which a complaint leaves the house.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from base.errors import ConfigurationError
from dispatch.files import read_mapping, validate

Level = Literal["normal", "urgent"]
Text = Annotated[str, Field(min_length=1)]
Hours = Annotated[int, Field(gt=0)]
Code = Annotated[str, Field(pattern=r"^[a-z]+(\.[a-z_]+)?$")]
Metres = Annotated[int, Field(ge=0, le=2000)]

RESPOND_LIMIT_HOURS = 15 * 24
"""Outer bound for the first answer: 《信访工作条例》, 15 days."""
RESOLVE_LIMIT_HOURS = 60 * 24
"""Outer bound for settlement: 《信访工作条例》, 60 days."""

# What turns a keyword round when it stands directly before it: 没有人(晕倒), 并未(泄漏).
_NEGATION = re.compile(r"(没有?|并?未|无|不是|不算)(什么|任何|人|谁|发生|出现|闻到|看到)?$")


class SeverityRule(BaseModel):
    """``level`` applies when a keyword occurs un-negated and no ``unless`` word does.

    ``danger``: then somebody may be in danger now.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    level: Level
    keywords: Annotated[tuple[Text, ...], Field(min_length=1)]
    unless: tuple[Text, ...] = ()
    danger: bool = False

    def matches(self, text: str) -> bool:
        """Tell whether the rule applies to ``text``."""
        if any(word in text for word in self.unless):
            return False
        return any(asserted(text, keyword) for keyword in self.keywords)


class Category(BaseModel):
    """One kind of complaint. Limits are calendar hours from acceptance.

    ``severity`` holds this category's own rules followed by the file's common ones;
    ``advice`` is what a citizen is told first when the matter is an emergency.
    ``duplicate_metres`` is how far apart two reports of one problem may lie; 0 switches the
    search for duplicates off. ``confused_with`` are categories under which the same problem
    may have been filed as well; naming it on one side is enough.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    code: Code
    name: Text
    group: Text
    description: Text
    department: Text
    respond_hours: Annotated[Hours, Field(le=RESPOND_LIMIT_HOURS)]
    resolve_hours: Annotated[Hours, Field(le=RESOLVE_LIMIT_HOURS)]
    urgent_respond_hours: Hours
    urgent_resolve_hours: Hours
    keywords: tuple[Text, ...]
    severity: tuple[SeverityRule, ...]
    advice: Text
    duplicate_metres: Metres = 100
    confused_with: tuple[Code, ...] = ()

    @model_validator(mode="after")
    def _limits_are_ordered(self) -> Category:
        if self.resolve_hours < self.respond_hours:
            raise ValueError("resolve_hours must not be below respond_hours")
        if self.urgent_resolve_hours < self.urgent_respond_hours:
            raise ValueError("urgent_resolve_hours must not be below urgent_respond_hours")
        if self.urgent_respond_hours > self.respond_hours:
            raise ValueError("urgent_respond_hours must not exceed respond_hours")
        if self.urgent_resolve_hours > self.resolve_hours:
            raise ValueError("urgent_resolve_hours must not exceed resolve_hours")
        return self

    def limits(self, level: Level) -> tuple[int, int]:
        """Return ``(respond_hours, resolve_hours)`` for a matter of this ``level``."""
        if level == "urgent":
            return self.urgent_respond_hours, self.urgent_resolve_hours
        return self.respond_hours, self.resolve_hours


@dataclass(frozen=True)
class Categories:
    """The categories of one city, in the order of their file, and its rules of danger."""

    items: tuple[Category, ...]
    dangers: tuple[SeverityRule, ...] = ()

    def in_danger(self, text: str) -> bool:
        """Tell whether a text says, and does not deny, that somebody is in danger now.

        People who are hurt or trapped, a fire, leaking gas or chemicals. A net below the model:
        an accident that is read as a matter for the roads department still gets the numbers to
        call.
        """
        return any(rule.matches(text) for rule in self.dangers)

    def get(self, code: str) -> Category | None:
        """Return the category with this code, or ``None``."""
        return next((item for item in self.items if item.code == code), None)

    def __getitem__(self, code: str) -> Category:
        found = self.get(code)
        if found is None:
            raise KeyError(code)
        return found

    def __contains__(self, code: object) -> bool:
        return any(item.code == code for item in self.items)

    def __iter__(self) -> Iterator[Category]:
        return iter(self.items)

    def __len__(self) -> int:
        return len(self.items)

    def confusable(self, code: str) -> tuple[str, ...]:
        """Return the codes under which the same problem may have been filed, ``code`` first."""
        named = self[code].confused_with
        naming = (item.code for item in self.items if code in item.confused_with)
        return tuple(dict.fromkeys((code, *named, *naming)))

    @property
    def codes(self) -> tuple[str, ...]:
        """All codes, in file order."""
        return tuple(item.code for item in self.items)


def severity(category: Category, text: str) -> Level:
    """Judge how pressing ``text`` is for this category: the first matching rule decides."""
    for rule in category.severity:
        if rule.matches(text):
            return rule.level
    return "normal"


def load_categories(path: Path) -> Categories:
    """Read and check a categories file.

    Raises:
        ConfigurationError: naming the file, the category code and the field at fault.
    """
    document = read_mapping(path)
    unknown = set(document) - {"categories", "common_severity"}
    if unknown:
        raise ConfigurationError(f"{path}: unknown field {', '.join(sorted(map(str, unknown)))}")
    rows = document.get("categories")
    if not isinstance(rows, list) or not rows:
        raise ConfigurationError(f"{path}: categories: must be a non-empty list")
    common = document.get("common_severity", [])
    if not isinstance(common, list):
        raise ConfigurationError(f"{path}: common_severity: must be a list")
    rules = [
        validate(SeverityRule, rule, f"{path}: common_severity.{index}")
        for index, rule in enumerate(common)
    ]
    items = tuple(_parse_row(path, index, row, common) for index, row in enumerate(rows))
    seen: set[str] = set()
    for item in items:
        if item.code in seen:
            raise ConfigurationError(f"{path}: {item.code}: code: occurs twice")
        seen.add(item.code)
    for item in items:
        if missing := set(item.confused_with) - (seen - {item.code}):
            names = ", ".join(sorted(missing))
            raise ConfigurationError(
                f"{path}: {item.code}: confused_with: no other category {names}"
            )
    return Categories(items, tuple(rule for rule in rules if rule.danger))


def _parse_row(path: Path, index: int, row: object, common: list[object]) -> Category:
    if not isinstance(row, dict):
        raise ConfigurationError(f"{path}: categories.{index}: must be a mapping")
    where = f"{path}: {row.get('code', f'categories.{index}')}"
    own = row.get("severity", [])
    if not isinstance(own, list):
        raise ConfigurationError(f"{where}: severity: must be a list")
    return validate(Category, {**row, "severity": [*own, *common]}, where)


def asserted(text: str, keyword: str) -> bool:
    """Tell whether ``keyword`` occurs in ``text`` at least once without a negation before it."""
    start = text.find(keyword)
    while start >= 0:
        if not _NEGATION.search(text, max(0, start - 8), start):
            return True
        start = text.find(keyword, start + 1)
    return False

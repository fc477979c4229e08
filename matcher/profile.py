"""Profiles: what is known of one enterprise or one resident.

A column that is not there is unknown, never false and never zero. Values are checked on
the way in, so every later step may trust their type and range.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, get_args

from base.errors import InputError
from matcher.answers import UNKNOWN, Unknown, parse_answer, read_facts
from matcher.attributes import Attribute, Choice, Kind, Value, check_value
from matcher.industry import industry_of
from matcher.profile_enterprise import ENTERPRISE, SCALES
from matcher.profile_resident import RESIDENT
from matcher.scale import classify_scale, greatest_scale

__all__ = [
    "ATTRIBUTES",
    "KINDS",
    "SCALE_AT_MOST",
    "UNKNOWN",
    "Attribute",
    "Choice",
    "Kind",
    "Profile",
    "Unknown",
    "Value",
    "check_value",
    "complete",
    "facts_of",
    "load_profile",
    "parse_answer",
    "parse_profile",
    "read_facts",
    "scale_at_most",
]

KINDS: tuple[Kind, ...] = get_args(Kind)
ATTRIBUTES: Mapping[str, Mapping[str, Attribute]] = MappingProxyType(
    {"enterprise": ENTERPRISE, "resident": RESIDENT}
)
"""Every column by kind and name."""

SCALE_AT_MOST = Attribute(
    "scale_at_most",
    "enterprise",
    "choice",
    "",
    tuple(Choice(value, label) for value, label in SCALES.items()),
    "企业规模上限",
    "",
    derived=True,
)
"""The greatest scale that what is known leaves possible. It is always worked out, never given,
so it is no column of a profile; conditions on ``scale`` read it besides (matcher.predicate)."""


@dataclass(frozen=True, slots=True)
class Profile:
    """One enterprise or resident.

    Args:
        kind: ``enterprise`` or ``resident``.
        id: identifier of the profile, unique within its kind.
        attributes: known columns only, values of the column's type.
    """

    kind: Kind
    id: str
    attributes: Mapping[str, Value]

    def known(self, name: str) -> Value | None:
        """Return the value of column ``name``, or None when it is unknown."""
        return self.attributes.get(name)

    def merged(self, facts: Mapping[str, Value]) -> Profile:
        """Return a profile with ``facts`` checked and laid over what is known.

        Raises:
            InputError: ``profile_invalid``, see :func:`parse_profile`.
        """
        checked = _check_attributes(self.kind, {**self.attributes, **facts})
        return replace(self, attributes=checked)


def load_profile(path: Path) -> Profile:
    """Read a profile from a JSON file ``{"kind", "id", "attributes"}``.

    Raises:
        InputError: ``profile_invalid`` when the file cannot be read, is not JSON, or does
            not hold a profile.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise _invalid("画像文件无法读取，请检查是否为 UTF-8 编码的 JSON。", str(error)) from error
    return parse_profile(content)


def parse_profile(content: object) -> Profile:
    """Check a decoded profile and freeze it.

    A column whose value is null is dropped: it is unknown.

    Raises:
        InputError: ``profile_invalid``; the Chinese message names the column at fault.
    """
    if not isinstance(content, Mapping):
        raise _invalid("画像应为一个 JSON 对象。")
    kind, identifier = content.get("kind"), content.get("id")
    attributes = content.get("attributes", {})
    extra = set(content) - {"kind", "id", "attributes"}
    known_kind = next((known for known in KINDS if known == kind), None)
    if known_kind is None:
        raise _invalid("字段 kind 应为 enterprise（企业）或 resident（居民）。")
    if not isinstance(identifier, str) or not identifier.strip():
        raise _invalid("字段 id 应为非空文字。")
    if not isinstance(attributes, Mapping):
        raise _invalid("字段 attributes 应为一个 JSON 对象。")
    if extra:
        raise _invalid(f"画像中有未知的字段：{'、'.join(sorted(map(str, extra)))}。")
    return Profile(known_kind, identifier, _check_attributes(known_kind, attributes))


def complete(profile: Profile) -> Profile:
    """Return ``profile`` with its derived columns filled in where the data decide them.

    A derived column that is given stays as given. ``industry`` follows the division of GB/T 4754,
    ``scale`` 工信部联企业〔2011〕300号.
    """
    if profile.kind != "enterprise":
        return profile
    division = profile.known("industry_division")
    if "industry" not in profile.attributes and isinstance(division, int):
        named = industry_of(division)
        profile = profile if named is None else profile.merged({"industry": named})
    if "scale" in profile.attributes:
        return profile
    scale = classify_scale(*_scale_data(profile))
    return profile if scale is None else profile.merged({"scale": scale})


def facts_of(profile: Profile) -> Mapping[str, Value]:
    """Return what a condition is judged by: the columns, derived ones and bounds filled in."""
    filled = complete(profile)
    bound = scale_at_most(filled)
    return filled.attributes if bound is None else {**filled.attributes, SCALE_AT_MOST.name: bound}


def scale_at_most(filled: Profile) -> str | None:
    """Return the greatest scale a completed profile can have; None for a resident."""
    if filled.kind != "enterprise":
        return None
    known = filled.known("scale")
    return greatest_scale(*_scale_data(filled)) if known is None else str(known)


def _scale_data(profile: Profile) -> tuple[str | None, float | None, float | None, float | None]:
    industry = profile.known("industry")
    headcount, revenue, assets = (
        _number(profile, name) for name in ("headcount", "revenue_wan", "assets_wan")
    )
    return None if industry is None else str(industry), headcount, revenue, assets


def _number(profile: Profile, name: str) -> float | None:
    value = profile.known(name)
    return None if value is None else float(value)


def _check_attributes(kind: Kind, attributes: Mapping[Any, object]) -> Mapping[str, Value]:
    columns = ATTRIBUTES[kind]
    checked: dict[str, Value] = {}
    for name, value in attributes.items():
        if name not in columns:
            raise _invalid(
                f"字段 {name} 不是{'企业' if kind == 'enterprise' else '居民'}画像的字段。"
            )
        if value is not None:
            checked[name] = check_value(columns[name], value)
    return MappingProxyType(checked)


def _invalid(message: str, detail: str = "") -> InputError:
    return InputError("profile_invalid", message, detail)

"""Everything that is wrong with a profile at once, field by field, without its values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from base.errors import InputError
from matcher.profile import ATTRIBUTES, Kind, check_value

__all__ = ["Fault", "profile_faults"]

MAX_NAME = 60
"""Characters of an unknown field's name that a report repeats."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One field that is wrong.

    Args:
        field: its name, as it was sent.
        label: its Chinese name; empty where there is no such field.
        message: what is wrong, in Chinese; never the value.
    """

    field: str
    label: str
    message: str


def profile_faults(kind: Kind, attributes: Mapping[str, object]) -> tuple[Fault, ...]:
    """Return what is wrong with the attributes of a profile; nothing when all may be stored.

    A field that is null is unknown and never wrong.
    """
    columns = ATTRIBUTES[kind]
    whose = "企业" if kind == "enterprise" else "居民"
    found = []
    for name, value in attributes.items():
        column = columns.get(name)
        if column is None:
            found.append(Fault(name[:MAX_NAME], "", f"{whose}画像没有这个字段。"))
        elif value is not None:
            try:
                check_value(column, value)
            except InputError as error:
                found.append(Fault(name, column.label, error.message))
    return tuple(found)

"""The typed columns a profile may carry: what each means and how a citizen is asked for it.

Policies write their conditions over these names (``headcount < 300``), so a name here is a
contract. ``docs/profile.md`` is generated from this table.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import Literal

import yaml

from base.errors import ConfigurationError, InputError
from base.settings import get_settings

Kind = Literal["enterprise", "resident"]
AttributeType = Literal["integer", "number", "boolean", "choice"]
Value = int | float | bool | str


@dataclass(frozen=True, slots=True)
class Choice:
    """One allowed value of a choice column: ``value`` in conditions, ``label`` for people."""

    value: str
    label: str


@dataclass(frozen=True, slots=True)
class Attribute:
    """One column of a profile.

    Args:
        name: column name used in policy conditions.
        kind: whose profile carries it.
        type: ``integer``, ``number``, ``boolean`` or ``choice``.
        unit: Chinese unit of a number (``万元``, ``年``), empty for the other types.
        choices: allowed values of a ``choice`` column (none listed: any name), empty for the
            other types.
        label: Chinese noun shown to citizens and officials.
        question: one Chinese question that asks a citizen for this datum.
        minimum: smallest number accepted, or None for no bound.
        maximum: largest number accepted, or None for no bound.
        derived: computed from other columns when it is not given.
    """

    name: str
    kind: Kind
    type: AttributeType
    unit: str
    choices: tuple[Choice, ...]
    label: str
    question: str
    minimum: float | None = None
    maximum: float | None = None
    derived: bool = False

    def describe(self, value: Value) -> str:
        """Return ``value`` as a citizen reads it: ``120人``, ``是``, ``制造业等工业``."""
        if isinstance(value, bool):
            return "是" if value else "否"
        if isinstance(value, str):
            return next((c.label for c in self.choices if c.value == value), value)
        return f"{value:g}{self.unit}" if abs(value) < 1e6 else f"{value:.0f}{self.unit}"


@dataclass(frozen=True, slots=True)
class Columns:
    """Writes the columns of one kind of profile without repeating the kind."""

    kind: Kind

    def integer(
        self,
        name: str,
        unit: str,
        label: str,
        question: str,
        *,
        maximum: float | None = None,
    ) -> Attribute:
        """A whole number from zero up to ``maximum``."""
        return Attribute(name, self.kind, "integer", unit, (), label, question, 0, maximum)

    def number(
        self,
        name: str,
        unit: str,
        label: str,
        question: str,
        *,
        maximum: float | None = None,
    ) -> Attribute:
        """A decimal number from zero up to ``maximum``."""
        return Attribute(name, self.kind, "number", unit, (), label, question, 0, maximum)

    def balance(self, name: str, unit: str, label: str, question: str) -> Attribute:
        """A decimal number that may be negative, such as a profit or loss."""
        return Attribute(name, self.kind, "number", unit, (), label, question)

    def boolean(self, name: str, label: str, question: str) -> Attribute:
        """A yes-or-no column."""
        return Attribute(name, self.kind, "boolean", "", (), label, question)

    def choice(
        self,
        name: str,
        choices: Mapping[str, str],
        label: str,
        question: str,
        *,
        derived: bool = False,
    ) -> Attribute:
        """One of ``choices`` (value to label)."""
        options = tuple(Choice(value, text) for value, text in choices.items())
        return Attribute(name, self.kind, "choice", "", options, label, question, derived=derived)

    def district(self, label: str, question: str) -> Attribute:
        """The district of the configured city."""
        return self.choice("district", {name: name for name in city_districts()}, label, question)


def table(columns: Iterable[Attribute]) -> Mapping[str, Attribute]:
    """Index ``columns`` by name, read-only, in their order."""
    return MappingProxyType({column.name: column for column in columns})


@cache
def city_districts() -> tuple[str, ...]:
    """Read the district names from ``districts.yml`` in the configured policies directory.

    A city that does not list them has no choices to offer, and any name is accepted.

    Raises:
        ConfigurationError: the file is there but is not a list of names.
    """
    path = get_settings().policies_dir / "districts.yml"
    if not path.exists():
        return ()
    try:
        names = yaml.safe_load(path.read_text(encoding="utf-8"))["districts"]
    except (OSError, ValueError, yaml.YAMLError, KeyError, TypeError) as error:
        raise ConfigurationError(f"{path}: cannot read the list of districts: {error}") from error
    if not isinstance(names, list) or not all(isinstance(n, str) and n for n in names):
        raise ConfigurationError(f"{path}: districts must be a list of names")
    return tuple(names)


def check_value(attribute: Attribute, value: object) -> Value:
    """Return ``value`` as the column's type, or refuse it.

    Raises:
        InputError: ``profile_invalid`` naming the column, when type or range is wrong.
    """
    if attribute.type == "boolean":
        if isinstance(value, bool):
            return value
        raise _column_invalid(attribute, "应为 true 或 false")
    if attribute.type == "choice":
        allowed = [choice.value for choice in attribute.choices]
        if isinstance(value, str) and value.strip() and (value in allowed or not allowed):
            return value
        raise _column_invalid(attribute, f"应为以下之一：{'、'.join(allowed)}")
    return _check_number(attribute, value)


def _check_number(attribute: Attribute, value: object) -> int | float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not _finite(value):
        raise _column_invalid(attribute, "应为数字")
    if attribute.minimum is not None and value < attribute.minimum:
        raise _column_invalid(attribute, f"不能小于{attribute.minimum:g}{attribute.unit}")
    if attribute.maximum is not None and value > attribute.maximum:
        raise _column_invalid(attribute, f"不能大于{attribute.maximum:.0f}{attribute.unit}")
    if attribute.type == "integer":
        if value != int(value):
            raise _column_invalid(attribute, "应为整数")
        return int(value)
    return value


def _finite(value: float) -> bool:
    try:
        return math.isfinite(value)
    except OverflowError:
        return False


def _column_invalid(attribute: Attribute, reason: str) -> InputError:
    return InputError("profile_invalid", f"字段 {attribute.name}（{attribute.label}）{reason}。")

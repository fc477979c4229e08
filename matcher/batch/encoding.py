"""Profile columns as a batch holds them: numbers only, an unknown value being one of them.

* a number or integer is a DOUBLE, unknown is :data:`UNKNOWN_NUMBER`, greater than every other;
* a boolean is 0, 1 or :data:`UNKNOWN_CODE`;
* a choice is its position in the column's table, or :data:`UNKNOWN_CODE`.
"""

from __future__ import annotations

from collections.abc import Iterable

from base.errors import ConfigurationError
from matcher.attributes import Attribute

__all__ = [
    "GREATEST_NUMBER",
    "TRUE",
    "UNKNOWN_CODE",
    "UNKNOWN_NUMBER",
    "code_of",
    "encoded_select",
    "quoted",
    "unknown_of",
]

UNKNOWN_NUMBER = 1e300
GREATEST_NUMBER = 1e15
"""The greatest magnitude of a number in a profile that takes part in a batch."""
UNKNOWN_CODE = 255
TRUE = 1


def unknown_of(attribute: Attribute) -> int | float:
    """Return what stands for "unknown" in a column."""
    return UNKNOWN_NUMBER if attribute.type in ("integer", "number") else UNKNOWN_CODE


def code_of(attribute: Attribute, value: str) -> int:
    """Return the position of a choice.

    Raises:
        ConfigurationError: the column has no such value, or too many to number them.
    """
    values = [choice.value for choice in attribute.choices]
    if value not in values or len(values) >= UNKNOWN_CODE:
        raise ConfigurationError(f"{attribute.name} has no value {value!r}")
    return values.index(value)


def encoded_select(key: str, attributes: Iterable[Attribute], table: str) -> str:
    """Return SQL that reads ``key`` and typed, nullable columns from ``table`` and encodes these.

    The SQL is understood by DuckDB and PostgreSQL alike.
    """
    columns = (f"{_encoded(attribute)} AS {attribute.name}" for attribute in attributes)
    return f"SELECT {', '.join([key, *columns])} FROM {table}"


def _encoded(attribute: Attribute) -> str:
    name = attribute.name
    if attribute.type in ("integer", "number"):
        return f"COALESCE(CAST({name} AS DOUBLE PRECISION), {UNKNOWN_NUMBER!r})"
    if attribute.type == "boolean":
        cases = f"WHEN {name} THEN {TRUE} WHEN NOT {name} THEN 0"
    else:
        cases = " ".join(
            f"WHEN {name} = {quoted(choice.value)} THEN {code}"
            for code, choice in enumerate(attribute.choices)
        )
    if not cases:  # a city that lists no districts: nothing can be asked of the column
        return f"CAST({UNKNOWN_CODE} AS SMALLINT)"
    return f"CAST(CASE {cases} ELSE {UNKNOWN_CODE} END AS SMALLINT)"


def quoted(text: str) -> str:
    """Return ``text`` as a string of SQL."""
    return "'" + text.replace("'", "''") + "'"

"""Profiles that stay in somebody else's table: what is read of them, and which rows are refused.

A file is read value by value (:mod:`matcher.batch.intake`). A table of a database or a cluster
has types already: its columns must fit those of the kind, and a row with a value out of range, or
without an ``id`` of its own, is left out whole, as there.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import sqlglot

from base.errors import InputError
from matcher.attributes import Attribute
from matcher.batch.encoding import GREATEST_NUMBER, quoted
from matcher.profile import ATTRIBUTES, Kind

__all__ = ["Family", "check_columns", "checked_select", "translated"]

Family = Literal["number", "boolean", "text", "other"]
"""What a column of a table can hold."""

_FAMILIES: Mapping[str, Family] = {
    "integer": "number",
    "number": "number",
    "boolean": "boolean",
    "choice": "text",
}
_TYPES = {"integer": "BIGINT", "number": "DOUBLE PRECISION", "boolean": "BOOLEAN", "choice": "TEXT"}


def check_columns(kind: Kind, found: Mapping[str, Family], where: str) -> None:
    """Check that a table can be read as profiles of ``kind``; columns it lacks are unknown.

    Args:
        kind: of the profiles.
        found: the table's columns, in lower case.
        where: the table, for the operator.

    Raises:
        InputError: ``profiles_without_id``, ``profiles_mistyped``.
    """
    if "id" not in found:
        raise InputError("profiles_without_id", "数据里没有 id 列，无法区分每一条画像。", where)
    wrong = [
        name
        for name, column in ATTRIBUTES[kind].items()
        if name in found and found[name] != _FAMILIES[column.type]
    ]
    if wrong:
        names = "、".join(wrong)
        raise InputError("profiles_mistyped", f"这些列的类型不对：{names}。", f"{where}: {names}")


def checked_select(kind: Kind, found: Mapping[str, Family], table: str) -> str:
    """Return SQL (as PostgreSQL writes it) for every row of ``table``: ``id``, ``wrong``, columns.

    Absent columns are NULL. ``wrong`` is true for a row to be refused: its id is missing or
    comes twice, or a value is none that the column may have.
    """
    columns = ATTRIBUTES[kind]
    read = [
        f"CAST({name} AS {_TYPES[column.type]}) AS {name}"
        if name in found
        else f"CAST(NULL AS {_TYPES[column.type]}) AS {name}"
        for name, column in columns.items()
    ]
    faults = [f"({_fault(column)})" for name, column in columns.items() if name in found]
    wrong = " OR ".join(["id IS NULL", "shimin_again > 1", *faults])
    inner = f"SELECT *, COUNT(*) OVER (PARTITION BY id) AS shimin_again FROM {table}"
    return (
        f"SELECT CAST(id AS TEXT) AS id, COALESCE({wrong}, FALSE) AS wrong, {', '.join(read)}"
        f" FROM ({inner}) AS counted"
    )


def _fault(column: Attribute) -> str:
    """SQL for a value that the column may not have; never NULL."""
    name = column.name
    if column.type == "boolean":
        return "FALSE"
    if column.type == "choice":
        values = ", ".join(quoted(choice.value) for choice in column.choices)
        return f"{name} IS NOT NULL AND {name} NOT IN ({values})" if values else "FALSE"
    number = f"CAST({name} AS DOUBLE PRECISION)"
    least = -GREATEST_NUMBER if column.minimum is None else column.minimum
    most = GREATEST_NUMBER if column.maximum is None else column.maximum
    inside = f"{number} BETWEEN {float(least)!r} AND {float(most)!r}"  # what is NaN is not
    whole = f" AND {number} = FLOOR({number})" if column.type == "integer" else ""
    return f"{name} IS NOT NULL AND NOT ({inside}{whole})"


def translated(sql: str, dialect: str) -> str:
    """Write SQL of ours, which PostgreSQL understands, for another database."""
    return sql if dialect == "postgres" else sqlglot.transpile(sql, "postgres", dialect)[0]

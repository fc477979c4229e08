"""Profiles from a CSV, Parquet or JSON-lines file into the batch engine, every value checked.

A row with a fault is refused whole: half a profile could be told of a policy it has no right to.
What was wrong is reported by row and column, without the value, which may be personal.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import duckdb

from base.errors import InputError
from matcher.attributes import Attribute
from matcher.batch.encoding import GREATEST_NUMBER, quoted
from matcher.batch.engine import BatchEngine
from matcher.profile import ATTRIBUTES

__all__ = ["READERS", "Fault", "IntakeReport", "load_profiles"]

READERS: Mapping[str, str] = MappingProxyType(
    {
        ".csv": "read_csv(?, header=true, all_varchar=true, strict_mode=true)",
        ".parquet": "read_parquet(?)",
        ".jsonl": "read_json(?, format='newline_delimited')",
    }
)
"""How DuckDB reads a file, by its ending."""

MAX_FAULTS = 200
"""Faults that a report lists; it counts all."""

_TRUE = "('true', 't', '1', 'yes', 'y', '是')"
_FALSE = "('false', 'f', '0', 'no', 'n', '否')"


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong: ``row`` counts from 1, the heading apart; ``reason`` is Chinese."""

    row: int
    id: str
    column: str
    reason: str


@dataclass(frozen=True, slots=True)
class IntakeReport:
    """What became of a file.

    Args:
        rows: in the file.
        accepted: rows that are in the engine now.
        refused: rows left out.
        faults: the first :data:`MAX_FAULTS`, in the file's order.
        fault_count: of all faults.
        ignored: columns of the file that profiles of this kind do not have.
        absent: columns of the kind that the file lacks; they are unknown for everybody.
    """

    rows: int
    accepted: int
    refused: int
    faults: tuple[Fault, ...]
    fault_count: int
    ignored: tuple[str, ...]
    absent: tuple[str, ...]


def load_profiles(engine: BatchEngine, path: Path) -> IntakeReport:
    """Read a file of profiles into an empty engine.

    The file has a column ``id`` and columns of :data:`matcher.profile.ATTRIBUTES` by name; an
    empty cell is unknown. A truth value is true/false, 1/0 or 是/否, a choice its value or its
    Chinese label.

    Raises:
        InputError: ``profiles_unreadable`` (no such file, not of these kinds, broken),
            ``profiles_without_id``.
        ValueError: the engine holds profiles already.
    """
    if len(engine):
        raise ValueError("the engine holds profiles already")
    reader = READERS.get(path.suffix.lower())
    if reader is None or not path.is_file():
        raise _unreadable(path, f"no file of the kinds {', '.join(READERS)}")
    connection = engine.connection
    try:
        connection.execute(
            f"CREATE TEMP TABLE raw AS SELECT row_number() OVER () AS row_number, * FROM {reader}",
            [str(path)],
        )
    except duckdb.Error as error:
        raise _unreadable(path, str(error).split("\n", 1)[0]) from error
    try:
        return _take(engine, path)
    finally:
        connection.execute("DROP TABLE IF EXISTS raw")
        connection.execute("DROP TABLE IF EXISTS cells")


def _take(engine: BatchEngine, path: Path) -> IntakeReport:
    connection = engine.connection
    present = [str(row[0]) for row in connection.execute("DESCRIBE raw").fetchall()][1:]
    if "id" not in present:
        raise InputError("profiles_without_id", "文件里没有 id 列，无法区分每一条画像。", str(path))
    columns = {n: c for n, c in ATTRIBUTES[engine.kind].items() if n in present}
    reasons = {"id": "CASE WHEN id IS NULL THEN '缺少 id' WHEN again > 1 THEN 'id 重复' END"}
    reasons |= {name: _reason(column) for name, column in columns.items()}
    connection.execute(_cells_table(columns, reasons))
    names = ", ".join(["id", *columns])
    values = ", ".join(["id", *(_value(column) for column in columns.values())])
    connection.execute(
        f"INSERT INTO profiles ({names}) SELECT {values} FROM cells WHERE NOT wrong"
        " ORDER BY row_number"
    )
    rows, refused = _one(connection, "SELECT count(*), count(*) FILTER (wrong) FROM cells")
    listed = ", ".join(_fault(name, reason) for name, reason in reasons.items())
    faults = (
        "SELECT row_number, id, unnest(list_filter("
        f"[{listed}], lambda f : f.reason IS NOT NULL)) AS f FROM cells WHERE wrong"
    )
    first = connection.execute(
        f"SELECT row_number, coalesce(id, ''), f.column_name, f.reason FROM ({faults})"
        f" ORDER BY row_number LIMIT {MAX_FAULTS}"
    ).fetchall()
    return IntakeReport(
        rows=rows,
        accepted=rows - refused,
        refused=refused,
        faults=tuple(Fault(*fault) for fault in first),
        fault_count=int(_one(connection, f"SELECT count(*) FROM ({faults})")[0]),
        ignored=tuple(n for n in present if n != "id" and n not in columns),
        absent=tuple(n for n in ATTRIBUTES[engine.kind] if n not in columns),
    )


def _cells_table(columns: Mapping[str, Attribute], reasons: Mapping[str, str]) -> str:
    """SQL for a table of trimmed texts and, by row, whether something is wrong."""
    texts = "".join(
        f", nullif(trim(CAST({_name(name)} AS VARCHAR)), '') AS {name}" for name in columns
    )
    wrong = " OR ".join(f"({reason}) IS NOT NULL" for reason in reasons.values())
    return (
        f"CREATE TEMP TABLE cells AS SELECT *, ({wrong}) AS wrong"
        " FROM (SELECT *, count(*) OVER (PARTITION BY id) AS again FROM"
        f" (SELECT row_number, nullif(trim(CAST(id AS VARCHAR)), '') AS id{texts} FROM raw))"
    )


def _fault(name: str, reason: str) -> str:
    return f"{{'column_name': '{name}', 'reason': {reason}}}"


def _value(column: Attribute) -> str:
    """The typed value of a text column, NULL where it is empty or wrong."""
    name = column.name
    if column.type == "integer":
        return f"TRY_CAST(TRY_CAST({name} AS DOUBLE) AS BIGINT)"
    if column.type == "number":
        return f"TRY_CAST({name} AS DOUBLE)"
    if column.type == "boolean":
        return (
            f"CASE WHEN lower({name}) IN {_TRUE} THEN true"
            f" WHEN lower({name}) IN {_FALSE} THEN false END"
        )
    if not column.choices:
        return name
    cases = " ".join(
        f"WHEN {name} IN ({value}, {label}) THEN {value}"
        for value, label in ((quoted(c.value), quoted(c.label)) for c in column.choices)
    )
    return f"CASE {cases} END"


def _reason(column: Attribute) -> str:
    """SQL for what is wrong with a text value, NULL when nothing is."""
    name, number = column.name, f"TRY_CAST({column.name} AS DOUBLE)"
    if column.type in ("boolean", "choice"):
        wanted = "应为 是 或 否" if column.type == "boolean" else "不是允许的取值"
        return f"CASE WHEN {name} IS NOT NULL AND ({_value(column)}) IS NULL THEN '{wanted}' END"
    least = -GREATEST_NUMBER if column.minimum is None else column.minimum
    most = GREATEST_NUMBER if column.maximum is None else column.maximum
    cases = [
        f"WHEN {name} IS NULL THEN NULL",
        f"WHEN {number} IS NULL OR NOT isfinite({number}) THEN '应为数字'",
        f"WHEN {number} < {least!r} THEN '不能小于{least:g}{column.unit}'",
        f"WHEN {number} > {most!r} THEN '不能大于{most:.0f}{column.unit}'",
    ]
    if column.type == "integer":
        cases.append(f"WHEN {number} != floor({number}) THEN '应为整数'")
    return f"CASE {' '.join(cases)} END"


def _one(connection: duckdb.DuckDBPyConnection, sql: str) -> tuple[Any, ...]:
    row = connection.execute(sql).fetchone()
    assert row is not None
    return row


def _name(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _unreadable(path: Path, detail: str) -> InputError:
    return InputError(
        "profiles_unreadable",
        "画像文件无法读取：请提供 .csv（UTF-8）、.parquet 或 .jsonl 文件。",
        f"{path}: {detail}",
    )

"""One query that judges many profiles by many policies: conditions shared, columns read once."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from matcher.batch.bounds import bounds
from matcher.batch.derived import INDUSTRY, industry_sql, scale_at_most_sql, scale_sql
from matcher.batch.encoding import encoded_select
from matcher.policy import Policy
from matcher.profile import ATTRIBUTES, SCALE_AT_MOST, Kind

__all__ = ["PLACE", "completed_select", "encode_query", "verdict_query"]


PLACE = "place"
"""The column of a verdict query that tells which profile a row is about."""
_SOURCE = "source_place"
"""The same within, where a table may have a column of its own by that name."""


def completed_select(kind: Kind, table: str, columns: Collection[str], place: str = "rowid") -> str:
    """Return SQL for some columns of a table of profiles, derived ones filled in.

    With ``scale`` comes ``scale_at_most``, which conditions on it read besides.

    Args:
        kind: of the profiles.
        table: with the kind's typed, nullable columns.
        columns: those wanted.
        place: the column of ``table`` that identifies a profile; it comes out as ``place``.
    """
    if kind != "enterprise":
        selected = [name for name in ATTRIBUTES[kind] if name in columns]
        return f"SELECT {', '.join([f'{place} AS {PLACE}', *selected])} FROM {table}"
    derived = {"industry": INDUSTRY, "scale": scale_sql()}
    selected = [f"{_SOURCE} AS {PLACE}"]
    for name in ATTRIBUTES[kind]:
        if name in columns:
            selected.append(f"{derived[name]} AS {name}" if name in derived else name)
    if "scale" in columns:
        selected.append(f"{scale_at_most_sql()} AS {SCALE_AT_MOST.name}")
    source = f"SELECT *, {place} AS {_SOURCE}, {industry_sql()} AS {INDUSTRY} FROM {table}"
    return f"SELECT {', '.join(selected)} FROM ({source}) AS source"


def encode_query(kind: Kind, table: str, columns: Collection[str], place: str = "rowid") -> str:
    """Return SQL from a table of profiles to encoded columns (matcher.batch.encoding).

    The arguments are those of :func:`completed_select`.
    """
    inner = completed_select(kind, table, columns, place)
    wanted = [column for name, column in ATTRIBUTES[kind].items() if name in columns]
    wanted += [SCALE_AT_MOST] if "scale" in columns else []
    return encoded_select(PLACE, wanted, f"({inner}) AS completed")


def verdict_query(policies: Sequence[Policy], table: str, dialect: str = "duckdb") -> str:
    """Return SQL over encoded profiles: ``place`` and one column a policy, named by its id.

    A verdict is 2 (eligible: every condition certainly holds), 1 (possible) or 0 (ineligible).
    Every distinct condition is computed once, whichever policies have it. The query uses no
    NULL and nothing but comparisons, AND, OR and NOT, apart from conditions with arithmetic.

    Args:
        policies: of one kind.
        table: what :func:`encode_query` gave.
        dialect: of sqlglot: ``duckdb``, ``postgres``, ``spark``, ``trino`` …
    """
    whole = "UTINYINT" if dialect == "duckdb" else "INT"
    numbers: dict[str, int] = {}
    inner = [PLACE]
    selected = [PLACE]
    for policy in policies:
        mine = []
        for predicate in policy.predicates:
            sql = predicate.to_sql("duckdb")
            if sql not in numbers:
                number = numbers[sql] = len(numbers)
                pair = bounds(predicate)
                inner.append(f"{pair.certain.sql(dialect)} AS c{number}")
                inner.append(f"{pair.possible.sql(dialect)} AS p{number}")
            mine.append(numbers[sql])
        certain = " AND ".join(f"c{number}" for number in mine)
        possible = " AND ".join(f"p{number}" for number in mine)
        selected.append(f"CAST({certain} AS {whole}) + CAST({possible} AS {whole}) AS {policy.id}")
    judged = f"(SELECT {', '.join(inner)} FROM {table}) AS judged"
    return f"SELECT {', '.join(selected)} FROM {judged}"

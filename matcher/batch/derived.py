"""The derived columns of a profile in SQL: the same as :func:`matcher.profile.complete`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from matcher.industry import DIVISIONS
from matcher.scale import SCALE_ORDER, STANDARDS, Limits, Standard

__all__ = ["INDUSTRY", "industry_sql", "scale_at_most_sql", "scale_sql"]

INDUSTRY = "known_industry"
"""The column that the scale is worked out from."""


def industry_sql() -> str:
    """Return SQL for an enterprise's industry: as given, else by its division of GB/T 4754."""
    divisions: dict[str, list[int]] = {}
    for division, industry in DIVISIONS.items():
        divisions.setdefault(industry, []).append(division)
    cases = " ".join(
        f"WHEN industry_division IN ({', '.join(map(str, numbers))}) THEN '{industry}'"
        for industry, numbers in divisions.items()
    )
    return f"COALESCE(industry, CASE {cases} END)"


def scale_sql() -> str:
    """Return SQL for an enterprise's scale from nullable columns; NULL where it is not decided.

    It reads ``known_industry``, the industry as :func:`industry_sql` has it, from a subquery:
    databases write the operand of a CASE out for each of its cases.

    It decides as :func:`matcher.scale.classify_scale` does (工信部联企业〔2011〕300号): by the
    weakest indicator, before all are known when that one is at the bottom, and without the
    industry when all sixteen agree.
    """
    return f"COALESCE(scale, {_by_industry(_ranked)})"


def scale_at_most_sql() -> str:
    """Return SQL for the greatest scale possible, as :func:`matcher.profile.scale_at_most`."""
    return f"COALESCE(scale, {_by_industry(_greatest)})"


def _by_industry(found: Callable[[Sequence[Standard]], str]) -> str:
    """What ``found`` says by the industry's standard, by all of them where it is unknown."""
    cases = " ".join(
        f"WHEN '{industry}' THEN {found([standard])}" for industry, standard in STANDARDS.items()
    )
    agreed = found(list(STANDARDS.values()))
    return f"CASE WHEN {INDUSTRY} IS NULL THEN {agreed} ELSE CASE {INDUSTRY} {cases} END END"


def _greatest(standards: Sequence[Standard]) -> str:
    """The greatest scale that one of ``standards`` leaves possible; never NULL."""
    *lower, top = SCALE_ORDER
    cases = [f"WHEN {_below(standards, rank)} THEN '{name}'" for rank, name in enumerate(lower)]
    return f"CASE {' '.join(cases)} ELSE '{top}' END"


def _ranked(standards: Sequence[Standard]) -> str:
    """The scale that all of ``standards`` give, NULL while it is open."""
    micro, *above = SCALE_ORDER
    cases = [f"WHEN {_below(standards, 0)} THEN '{micro}'"]
    for rank, name in enumerate(above):
        reached = _reached(standards, rank)
        capped = "" if name == above[-1] else f" AND {_below(standards, rank + 1)}"
        cases.append(f"WHEN {reached}{capped} THEN '{name}'")
    return f"CASE {' '.join(cases)} END"


def _reached(standards: Sequence[Standard], rank: int) -> str:
    """Every indicator has the lower limit of a rank, whichever standard rules."""
    limits: dict[str, float] = {}
    for standard in standards:
        for column, steps in _indicators(standard):
            limits[column] = max(limits.get(column, 0), steps[rank])
    return "(" + " AND ".join(f"{column} >= {limit}" for column, limit in limits.items()) + ")"


def _below(standards: Sequence[Standard], rank: int) -> str:
    """By each standard some indicator is under the lower limit of a rank.

    What another standard's limits imply is left out: of the sixteen two or three remain, and a
    database plans the query in a fraction of the time.
    """
    clauses = [{column: steps[rank] for column, steps in _indicators(one)} for one in standards]
    kept: list[dict[str, float]] = []
    for clause in clauses:
        if not any(_implies(other, clause) for other in kept):
            kept = [other for other in kept if not _implies(clause, other)] + [clause]
    under = (" OR ".join(f"{name} < {limit}" for name, limit in one.items()) for one in kept)
    return "(" + " AND ".join(f"({sql})" for sql in under) + ")"


def _implies(one: Mapping[str, float], other: Mapping[str, float]) -> bool:
    """Whether some indicator under its limit in ``one`` means the same in ``other``, whichever."""
    return all(name in other and limit <= other[name] for name, limit in one.items())


def _indicators(standard: Standard) -> list[tuple[str, Limits]]:
    columns = {
        "headcount": standard.headcount,
        "revenue_wan": standard.revenue,
        "assets_wan": standard.assets,
    }
    return [(column, steps) for column, steps in columns.items() if steps is not None]

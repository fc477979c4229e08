"""The derived columns of a profile in SQL: the same as :func:`matcher.profile.complete`."""

from __future__ import annotations

from collections.abc import Sequence

from matcher.industry import DIVISIONS
from matcher.scale import SCALE_ORDER, STANDARDS, Limits, Standard

__all__ = ["industry_sql", "scale_sql"]


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

    It decides as :func:`matcher.scale.classify_scale` does (工信部联企业〔2011〕300号): by the
    weakest indicator, before all are known when that one is at the bottom, and without the
    industry when all sixteen agree.
    """
    by_industry = " ".join(
        f"WHEN '{industry}' THEN {_ranked([standard])}" for industry, standard in STANDARDS.items()
    )
    agreed = _ranked(list(STANDARDS.values()))
    industry = industry_sql()
    found = f"CASE WHEN {industry} IS NULL THEN {agreed} ELSE CASE {industry} {by_industry} END END"
    return f"COALESCE(scale, {found})"


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
    """By each standard some indicator is under the lower limit of a rank."""
    under = (
        " OR ".join(f"{column} < {steps[rank]}" for column, steps in _indicators(standard))
        for standard in standards
    )
    return "(" + " AND ".join(f"({sql})" for sql in dict.fromkeys(under)) + ")"


def _indicators(standard: Standard) -> list[tuple[str, Limits]]:
    columns = {
        "headcount": standard.headcount,
        "revenue_wan": standard.revenue,
        "assets_wan": standard.assets,
    }
    return [(column, steps) for column, steps in columns.items() if steps is not None]

"""What a benefit costs a year, in yuan, as SQL over profiles with derived columns filled in."""

from __future__ import annotations

import re

from sqlglot import exp

from matcher.policy import Policy
from matcher.predicate import Formula

__all__ = ["yuan_a_year", "yuan_sql"]

_UNIT = re.compile(r"(?P<wan>万)?元(?:/(?P<per>[^/]+))?")
_TIMES = {
    "年": 1.0,
    "学年": 1.0,
    "次": 1.0,
    "月": 12.0,
    "季": 4.0,
    "季度": 4.0,
    "日": 365.0,
    "天": 365.0,
}
"""How often a year a sum is paid; one without a period is paid once and counted as a year's."""


def yuan_a_year(unit: str | None, *, person: bool) -> float | None:
    """Return what one of ``unit`` is in yuan a year; None for a unit that is no sum.

    Args:
        unit: of a benefit: ``元``, ``万元``, ``元/月`` …
        person: whether a sum for each person (``元/人``) is one for a profile.
    """
    found = _UNIT.fullmatch((unit or "").strip())
    if found is None:
        return None
    period = found["per"]
    times = 1.0 if period is None or (person and period == "人") else _TIMES.get(period)
    return None if times is None else times * (1e4 if found["wan"] else 1.0)


def yuan_sql(policy: Policy) -> str:
    """Return SQL for the yuan a year that ``policy`` is worth to a profile; NULL is unknown.

    It reads nullable columns. A benefit that is a fixed sum counts as that; one that the
    columns do not tell (a percentage of something, a place in a queue) is unknown.
    """
    benefit = policy.benefit
    factor = yuan_a_year(benefit.unit, person=policy.audience == "resident")
    if factor is None:
        return "CAST(NULL AS DOUBLE)"
    value = _cases(policy)
    if value is None:
        if benefit.amount is None:
            return "CAST(NULL AS DOUBLE)"
        value = repr(float(benefit.amount))
    value = f"CAST({value} AS DOUBLE)"
    floored = f"greatest({value}, 0.0)"  # passes a NULL over: see the CASE
    capped = floored if benefit.cap is None else f"least({floored}, {float(benefit.cap)!r})"
    return f"CASE WHEN {value} IS NOT NULL THEN CAST({capped} AS DOUBLE) * {factor!r} END"


def _cases(policy: Policy) -> str | None:
    """The formula, or the tiers in order; a tier that cannot be decided leaves all unknown."""
    parts = []
    for condition, formula in policy.amounts:
        amount = _in_double(formula)
        if condition is None:
            return amount
        holds = condition.to_sql("duckdb")
        parts.append(f"WHEN {holds} THEN {amount} WHEN ({holds}) IS NULL THEN NULL")
    return f"CASE {' '.join(parts)} END" if parts else None


def _in_double(formula: Formula) -> str:
    def widened(node: exp.Expr) -> exp.Expr:
        return exp.cast(node, "DOUBLE") if isinstance(node, exp.Literal) else node

    return formula.tree().transform(widened).sql("duckdb")

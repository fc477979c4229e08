"""How the answers about each item and policy did: the editors' list, worst first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from math import sqrt

from matcher.package import Package
from matcher.policy import Policy
from matcher.service import ServiceItem
from store.answer_quality import POLICY_SEARCH, Figures, policy_key

__all__ = ["SEARCH_NAME", "Row", "report", "wilson"]

SEARCH_NAME = "政策匹配"
"""What a list of policies is called, to citizens who rate it and editors who read of it."""

_Z = 1.959964
"""Quantile of the normal distribution for an interval of 95 %."""


@dataclass(frozen=True)
class Row:
    """The figures of an item, package, policy or of the lists of policies.

    Shares go from 0 to 1 and are None without a rating; ``low`` and ``high`` bound the useful
    share with 95 % confidence.
    """

    id: str
    name: str
    answers: int
    rated: int
    useful: float | None
    low: float | None
    high: float | None
    hand_overs: int
    reasons: dict[str, int]
    overdue_days: int


def wilson(useful: int, rated: int) -> tuple[float, float]:
    """Return the 95 % score interval of a share (Wilson, JASA 22, 1927); (0, 1) for no ratings.

    Raises:
        ValueError: more useful ones than ratings, or a negative number.
    """
    if not 0 <= useful <= rated:
        raise ValueError("useful must lie between 0 and rated")
    if rated == 0:
        return 0.0, 1.0
    share = useful / rated
    scale = 1 + _Z**2 / rated
    middle = (share + _Z**2 / (2 * rated)) / scale
    half = _Z * sqrt(share * (1 - share) / rated + _Z**2 / (4 * rated**2)) / scale
    return max(0.0, middle - half), min(1.0, middle + half)


def report(
    matters: Sequence[ServiceItem | Package],
    policies: Sequence[Policy],
    figures: Mapping[str, Figures],
    today: date,
) -> list[Row]:
    """Return the rows of what was answered, rated or is overdue, the worst first.

    The worst is what even the upper bound of its interval cannot save: few bad ratings rank
    behind many. Then come the overdue ones, then what is asked most.
    """
    named = {policy_key(policy.id): policy.title for policy in policies}
    named |= {POLICY_SEARCH: SEARCH_NAME}
    rows = [
        _row(matter.id, matter.name, figures, max(0, (today - matter.review_by).days))
        for matter in matters
    ]
    rows += [_row(key, name, figures) for key, name in named.items()]
    told = [row for row in rows if row.answers or row.rated or row.overdue_days]
    return sorted(told, key=lambda r: (_upper(r), -r.overdue_days, -r.answers, r.id))


def _upper(row: Row) -> float:
    return 1.0 if row.high is None else row.high


def _row(key: str, name: str, figures: Mapping[str, Figures], overdue_days: int = 0) -> Row:
    found = figures.get(key, Figures())
    rated = found.useful + found.useless
    low, high = wilson(found.useful, rated)
    return Row(
        id=key,
        name=name,
        answers=found.answers,
        rated=rated,
        useful=found.useful / rated if rated else None,
        low=round(low, 3) if rated else None,
        high=round(high, 3) if rated else None,
        hand_overs=found.hand_overs,
        reasons=dict(sorted(found.reasons.items())),
        overdue_days=overdue_days,
    )

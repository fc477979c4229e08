"""How the answers about each item did: the editors' list, worst first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from math import sqrt

from matcher.package import Package
from matcher.service import ServiceItem
from store.answer_quality import Figures

__all__ = ["Row", "report", "wilson"]

_Z = 1.959964
"""Quantile of the normal distribution for an interval of 95 %."""


@dataclass(frozen=True)
class Row:
    """One item's figures; shares from 0 to 1, None without a rating.

    ``low`` and ``high`` bound the useful share with 95 % confidence.
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
    matters: Sequence[ServiceItem | Package], figures: Mapping[str, Figures], today: date
) -> list[Row]:
    """Return the rows of matters that were answered, rated or are overdue, the worst first.

    The worst is what even the upper bound of its interval cannot save: few bad ratings rank
    behind many. Then come the overdue ones, then what is asked most.
    """
    rows = [_row(matter, figures.get(matter.id, Figures()), today) for matter in matters]
    told = [row for row in rows if row.answers or row.rated or row.overdue_days]
    return sorted(told, key=lambda r: (_upper(r), -r.overdue_days, -r.answers, r.id))


def _upper(row: Row) -> float:
    return 1.0 if row.high is None else row.high


def _row(matter: ServiceItem | Package, found: Figures, today: date) -> Row:
    rated = found.useful + found.useless
    low, high = wilson(found.useful, rated)
    return Row(
        id=matter.id,
        name=matter.name,
        answers=found.answers,
        rated=rated,
        useful=found.useful / rated if rated else None,
        low=round(low, 3) if rated else None,
        high=round(high, 3) if rated else None,
        hand_overs=found.hand_overs,
        reasons=dict(sorted(found.reasons.items())),
        overdue_days=max(0, (today - matter.review_by).days),
    )

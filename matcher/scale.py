"""Enterprise scale: micro, small, medium or large.

The thresholds are those of 《中小企业划型标准规定》 (工信部联企业〔2011〕300号), article 4.
A grade needs the lower limit of every indicator its industry uses; missing one of them
drops the enterprise to the grade of its weakest indicator.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from types import MappingProxyType

SCALE_ORDER = ("micro", "small", "medium", "large")

Limits = tuple[float, float, float]
"""Lower limits of small, medium and large."""


@dataclass(frozen=True, slots=True)
class Standard:
    """The indicators one industry is graded by; an indicator it does not use is None.

    Args:
        headcount: limits in persons.
        revenue: limits in 万元 of yearly revenue.
        assets: limits in 万元 of total assets.
    """

    headcount: Limits | None = None
    revenue: Limits | None = None
    assets: Limits | None = None


STANDARDS = MappingProxyType(
    {
        "agriculture": Standard(revenue=(50, 500, 20_000)),
        "industry": Standard(headcount=(20, 300, 1_000), revenue=(300, 2_000, 40_000)),
        "construction": Standard(revenue=(300, 6_000, 80_000), assets=(300, 5_000, 80_000)),
        "wholesale": Standard(headcount=(5, 20, 200), revenue=(1_000, 5_000, 40_000)),
        "retail": Standard(headcount=(10, 50, 300), revenue=(100, 500, 20_000)),
        "transport": Standard(headcount=(20, 300, 1_000), revenue=(200, 3_000, 30_000)),
        "storage": Standard(headcount=(20, 100, 200), revenue=(100, 1_000, 30_000)),
        "post": Standard(headcount=(20, 300, 1_000), revenue=(100, 2_000, 30_000)),
        "accommodation": Standard(headcount=(10, 100, 300), revenue=(100, 2_000, 10_000)),
        "catering": Standard(headcount=(10, 100, 300), revenue=(100, 2_000, 10_000)),
        "information": Standard(headcount=(10, 100, 2_000), revenue=(100, 1_000, 100_000)),
        "software": Standard(headcount=(10, 100, 300), revenue=(50, 1_000, 10_000)),
        "real_estate": Standard(revenue=(100, 1_000, 200_000), assets=(2_000, 5_000, 10_000)),
        "property_management": Standard(headcount=(100, 300, 1_000), revenue=(500, 1_000, 5_000)),
        "leasing_business": Standard(headcount=(10, 100, 300), assets=(100, 8_000, 120_000)),
        "other": Standard(headcount=(10, 100, 300)),
    }
)
"""The sixteen industries, in the order of the document."""


def classify_scale(
    industry: str | None,
    headcount: float | None,
    revenue_wan: float | None,
    assets_wan: float | None,
) -> str | None:
    """Return the scale, or None when the data known leave more than one possible.

    It decides as soon as it can: twelve persons in a factory make it ``micro`` whatever its
    revenue, because the weakest indicator rules.

    Args:
        industry: a key of :data:`STANDARDS`, None when unknown.
        headcount: persons employed, None when unknown.
        revenue_wan: yearly revenue in 万元, None when unknown.
        assets_wan: total assets in 万元, None when unknown.

    Raises:
        KeyError: ``industry`` is not one of the sixteen.
    """
    possible = _by_data(industry, headcount, revenue_wan, assets_wan)
    return next(iter(possible)) if len(possible) == 1 else None


def greatest_scale(
    industry: str | None,
    headcount: float | None,
    revenue_wan: float | None,
    assets_wan: float | None,
) -> str:
    """Return the greatest scale that the data known leave possible.

    It is known before the scale is: a factory of 210 is at most ``small``, whatever its revenue.
    The arguments and errors are those of :func:`classify_scale`.
    """
    possible = _by_data(industry, headcount, revenue_wan, assets_wan)
    return max(possible, key=SCALE_ORDER.index)


def _by_data(
    industry: str | None,
    headcount: float | None,
    revenue_wan: float | None,
    assets_wan: float | None,
) -> frozenset[str]:
    """Return every scale that the data known leave possible."""
    standards = STANDARDS.values() if industry is None else (STANDARDS[industry],)
    return frozenset().union(
        *(
            _possible(
                (
                    (standard.headcount, headcount),
                    (standard.revenue, revenue_wan),
                    (standard.assets, assets_wan),
                )
            )
            for standard in standards
        )
    )


def _possible(indicators: Iterable[tuple[Limits | None, float | None]]) -> frozenset[str]:
    """Return every scale the known indicators of one industry allow."""
    ceiling, complete = len(SCALE_ORDER) - 1, True
    for limits, value in indicators:
        if limits is None:
            continue
        if value is None:
            complete = False
        else:
            ceiling = min(ceiling, bisect_right(limits, value))
    return frozenset(SCALE_ORDER[ceiling : ceiling + 1] if complete else SCALE_ORDER[: ceiling + 1])

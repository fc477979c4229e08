"""Chooses what to ask next: the one datum that decides the most undecided policies."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from matcher.profile import ATTRIBUTES, Attribute, Profile, complete
from matcher.ranking import Match
from matcher.scale import STANDARDS

__all__ = ["askable", "next_question"]


def next_question(
    matches: Iterable[Match], profile: Profile, asked: Collection[str]
) -> Attribute | None:
    """Return the column to ask for, or None when no question would decide anything.

    Each undecided policy spreads its weight over the columns it still lacks, so a column
    that settles a policy by itself counts in full. The weight is higher the more the policy
    has to do with the question, and the more of its conditions hold already. A tie goes to
    the column that comes first in the profile.

    Args:
        matches: the present matches of ``profile``.
        profile: what is known.
        asked: columns asked already, answered or declined; never asked again.
    """
    columns = ATTRIBUTES[profile.kind]
    filled = complete(profile)
    gains: dict[str, float] = {}
    for found in matches:
        if found.evaluation.verdict != "possible":
            continue
        lacking = askable(found.evaluation.missing, filled)
        open_columns = lacking - set(asked)
        for name in open_columns:
            gains[name] = gains.get(name, 0.0) + _weight(found) / len(lacking)
    if not gains:
        return None
    order = list(columns)
    return columns[max(gains, key=lambda name: (round(gains[name], 9), -order.index(name)))]


def _weight(found: Match) -> float:
    conditions = found.evaluation.conditions
    settled = sum(result.outcome is True for result in conditions) / len(conditions)
    return 0.5 + found.relevance + settled


def askable(missing: Iterable[str], profile: Profile) -> frozenset[str]:
    """Replace derived columns among ``missing`` by the unknown columns they come from.

    Nobody is asked for the scale of an enterprise, which few know: its industry is asked,
    then the indicators that 《中小企业划型标准规定》 uses for that industry. The industry itself is
    asked for by name; fewer still know the two-digit division that it follows from.
    """
    columns = ATTRIBUTES[profile.kind]
    names: set[str] = set()
    for name in missing:
        if columns[name].derived:
            names.update(_inputs(name, profile))
        else:
            names.add(name)
    return frozenset(name for name in names if profile.known(name) is None)


def _inputs(name: str, profile: Profile) -> tuple[str, ...]:
    if name == "industry":
        return ("industry",)
    if name != "scale":
        raise ValueError(f"no inputs are known for the derived column {name!r}")
    industry = profile.known("industry")
    if not isinstance(industry, str):
        return ("industry",)
    standard = STANDARDS[industry]
    indicators = (
        ("headcount", standard.headcount),
        ("revenue_wan", standard.revenue),
        ("assets_wan", standard.assets),
    )
    return tuple(column for column, limits in indicators if limits is not None)

"""Ranks policies for one profile: who is eligible first, then what was asked, then the worth.

The verdict always rules: a policy that applies stands above one that may apply, whatever
the words asked for. A question narrows the list to what it is about; a broad one
(我能领什么) is about no policy in particular and leaves the list whole.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from types import MappingProxyType
from typing import TYPE_CHECKING

from matcher.eligibility import Evaluation, evaluate
from matcher.explain import explain
from matcher.policy import Benefit, Filter, Policy, WindowState
from matcher.profile import Profile, complete

if TYPE_CHECKING:
    from matcher.catalogue import Catalogue

__all__ = ["Match", "Scope", "benefit_worth", "excludes", "match"]

_TIERS: Mapping[str, int] = MappingProxyType({"eligible": 2, "possible": 1, "ineligible": 0})
_RELEVANCE, _SETTLED, _WORTH, _WINDOW = 0.55, 0.15, 0.2, 0.1
"""Weights within a tier; they add up to 1, so no tier reaches into the next."""

_SCALES: tuple[tuple[str, float], ...] = (("亿", 1e8), ("万", 1e4))
_PERIODS: tuple[tuple[str, float], ...] = (("月", 12.0), ("季", 4.0), ("日", 365.0), ("天", 365.0))
_KIND_WORTH: Mapping[str, float] = MappingProxyType(
    {"subsidy": 1.0, "allowance": 1.0, "tax": 1.0, "loan": 0.6, "service": 0.4, "honour": 0.3}
)
_TYPICAL_WORTH = 0.5
_GREATEST_YUAN = 1e7


@dataclass(frozen=True, slots=True)
class Match:
    """One policy as it stands for one profile.

    Args:
        policy: the policy.
        evaluation: its verdict and conditions.
        score: sorts the list, 0 to 3; the whole part is the verdict. Of eligible policies that
            cannot be had together all have the greatest score of theirs and stand together.
        reasons: one Chinese line a condition, then notes on the window and on conflicts.
        relevance: how much the question has to do with it, 0 to 1; 0 without a question.
        window: whether one may apply now.
        conflicts: policies in the list, or already received, that rule this one out.
    """

    policy: Policy
    evaluation: Evaluation
    score: float
    reasons: tuple[str, ...]
    relevance: float
    window: WindowState
    conflicts: tuple[Policy, ...]


@dataclass(frozen=True, slots=True)
class Scope:
    """What a list of matches covers.

    Args:
        received: ids of policies the citizen has already; recommending them again annoys.
        declined: ids of policies he is not interested in; they come last within their verdict.
        include_ineligible: list ineligible policies as well, with the failing sentence.
    """

    received: frozenset[str] = frozenset()
    declined: frozenset[str] = frozenset()
    include_ineligible: bool = False


WHOLE = Scope()


def match(
    catalogue: Catalogue,
    profile: Profile,
    query: str | None = None,
    today: date | None = None,
    scope: Scope = WHOLE,
) -> tuple[Match, ...]:
    """Return the policies for ``profile``, best first.

    Left out are policies already received, those that are ineligible and those whose window
    is closed, unless the question asks for them by name, or is about nothing else. A question
    narrows what is merely possible to what it is about among the policies of the profile's
    district, the city, the province and the state; what the profile is surely entitled to is
    always listed.

    Args:
        catalogue: policies and their index.
        profile: what is known; a missing column is unknown.
        query: the citizen's words, or None for everything.
        today: the day windows are judged by; the present day by default.
        scope: what to leave out besides.
    """
    day = today or date.today()
    filled = complete(profile)
    asked = _asked(catalogue, filled, query, day)
    relevance = asked.relevance
    one = bool(query and catalogue.policy_finder.titled(query))  # called by its title
    found: list[tuple[Policy, Evaluation, float]] = []
    for policy in catalogue.policies:
        named = policy.id in asked.named
        if policy.audience != filled.kind:
            continue
        evaluation = evaluate(policy, filled)
        beside = policy.id not in asked.wanted and (one or evaluation.verdict != "eligible")
        hidden = (
            beside
            or policy.id in scope.received
            or (evaluation.verdict == "ineligible" and not scope.include_ineligible)
            or policy.window.state(day) == "closed"
        )
        if named or not hidden:
            score = _score(policy, evaluation, relevance.get(policy.id, 0.0), day)
            if policy.id in scope.declined and not named:
                score = float(_TIERS[evaluation.verdict])
            found.append((policy, evaluation, score))
    present = scope.received | {
        policy.id for policy, evaluation, _ in found if evaluation.verdict != "ineligible"
    }
    matches = []
    for policy, evaluation, score in found:
        conflicts = _conflicts(catalogue, policy, present)
        reasons = (*explain(policy, evaluation, profile), *_notes(policy, conflicts, day))
        matches.append(
            Match(
                policy=policy,
                evaluation=evaluation,
                score=score,
                reasons=reasons,
                relevance=relevance.get(policy.id, 0.0),
                window=policy.window.state(day),
                conflicts=conflicts,
            )
        )
    ranked = sorted(matches, key=lambda item: (-item.score, item.policy.id))
    return _side_by_side(ranked, scope.declined)


def _side_by_side(ranked: Sequence[Match], declined: Collection[str]) -> tuple[Match, ...]:
    """Put what cannot be had beside an eligible policy, though eligible too, right after it.

    Of two alternatives one is of use, so they are read together, and the weaker one takes the
    stronger one's rank.
    """
    placed: dict[str, Match] = {}
    for one in ranked:
        if one.policy.id in placed:
            continue
        placed[one.policy.id] = one
        others = [
            other
            for other in ranked
            if one.evaluation.verdict == other.evaluation.verdict == "eligible"
            and other.policy.id not in placed
            and not {one.policy.id, other.policy.id} & set(declined)
            and excludes(one.policy, other.policy)
        ]
        for other in others:
            placed[other.policy.id] = replace(other, score=one.score)
    return tuple(placed.values())


def benefit_worth(benefit: Benefit) -> float:
    """Return the worth of a benefit, 0 to 1, for ranking only.

    The scale is logarithmic in yuan a year up to ten million; a percentage or an amount that
    is not stated counts as half. A loan, a service or an honour counts for less than money.
    """
    weight = _KIND_WORTH[benefit.kind]
    amount = benefit.cap if benefit.amount is None else benefit.amount
    unit = benefit.unit or "元"
    if amount is None or "元" not in unit:
        return _TYPICAL_WORTH * weight
    yuan = amount * next((factor for name, factor in _SCALES if name in unit), 1.0)
    yuan *= next((times for name, times in _PERIODS if name in unit), 1.0)
    return weight * min(1.0, math.log1p(yuan) / math.log1p(_GREATEST_YUAN))


@dataclass(frozen=True, slots=True)
class _Asked:
    """What a question is about.

    Args:
        relevance: by id.
        named: ids asked for by name, or of which it has to be said that they are over.
        wanted: ids the list narrows to.
    """

    relevance: Mapping[str, float]
    named: frozenset[str]
    wanted: frozenset[str]


def _asked(catalogue: Catalogue, profile: Profile, query: str | None, day: date) -> _Asked:
    """Read a question among what concerns the profile: its audience, district, and what is open.

    A title counts wherever the policy is from. Words that fit nothing open here and fit a closed
    policy are answered with that one and its last day, words that fit only a policy of another
    district with nothing beside what the profile is entitled to.
    """
    every = frozenset(policy.id for policy in catalogue.policies)
    if query is None or not query.strip():
        return _Asked({}, frozenset(), every)
    finder = catalogue.policy_finder
    own = finder.ids(Filter(audience=profile.kind))
    relevance = finder.relevance(query, own)
    titled = finder.titled(query)
    if titled:
        return _Asked(relevance, titled, titled)
    district = str(profile.known("district") or "") or None
    here = Filter(audience=profile.kind, district=district)
    named = finder.named(query, finder.ids(here))

    def about(ids: Collection[str]) -> frozenset[str]:
        return finder.outstanding({name: of for name, of in relevance.items() if name in ids})

    narrowed = about(finder.ids(replace(here, not_closed_on=day)))
    if narrowed:
        return _Asked(relevance, named, narrowed)
    over = about(finder.ids(here))
    return _Asked(relevance, named | over, over or about(own) or every)


def _score(policy: Policy, evaluation: Evaluation, relevance: float, day: date) -> float:
    settled = sum(result.outcome is True for result in evaluation.conditions)
    within = (
        _RELEVANCE * relevance
        + _SETTLED * settled / len(evaluation.conditions)
        + _WORTH * benefit_worth(policy.benefit)
        + _WINDOW * (policy.window.state(day) == "open")
    )
    return _TIERS[evaluation.verdict] + min(within, 0.999)


def _conflicts(
    catalogue: Catalogue, policy: Policy, present: Collection[str]
) -> tuple[Policy, ...]:
    return tuple(
        other for other in catalogue.policies if other.id in present and excludes(policy, other)
    )


def excludes(one: Policy, other: Policy) -> bool:
    """Tell whether two policies cannot be had together; either may say so."""
    return one.id != other.id and (other.id in one.excludes or one.id in other.excludes)


def _notes(policy: Policy, conflicts: tuple[Policy, ...], day: date) -> list[str]:
    notes = []
    window = policy.window
    if window.state(day) == "closed" and window.closes is not None:
        notes.append(f"! 申报已于{_chinese(window.closes)}截止")
    if window.state(day) == "upcoming" and window.opens is not None:
        notes.append(f"! {_chinese(window.opens)}开始受理，目前还不能申报")
    if conflicts:
        titles = "".join(f"《{other.title}》" for other in conflicts)
        notes.append(f"! 不能与{titles}同时享受，请择一申请")
    return notes


def _chinese(day: date) -> str:
    return f"{day.year}年{day.month}月{day.day}日"

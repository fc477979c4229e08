"""Does a policy apply to a profile? Decided by its conditions alone, never by similarity."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from matcher.policy import Policy
from matcher.predicate import Predicate, parse_predicate
from matcher.profile import Kind, Profile, facts_of

__all__ = ["ConditionResult", "Evaluation", "Outcome", "evaluate", "parse_condition"]

Outcome = Literal["eligible", "possible", "ineligible"]


@dataclass(frozen=True, slots=True)
class ConditionResult:
    """How one condition came out.

    Args:
        text: the document's words.
        when: the predicate.
        outcome: true, false, or ``None`` while something is unknown.
        missing: the unknown columns that can still change the outcome.
    """

    text: str
    when: str
    outcome: bool | None
    missing: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Evaluation:
    """How all conditions of a policy came out for one profile.

    Args:
        verdict: ``eligible`` when all hold, ``ineligible`` when one is false, ``possible``
            when none is false and something is unknown.
        conditions: the results in the document's order.
        missing: the columns still to be asked; empty once the verdict stands.
    """

    verdict: Outcome
    conditions: tuple[ConditionResult, ...]
    missing: tuple[str, ...]


def parse_condition(sql: str, kind: Kind) -> Predicate:
    """Parse and check a ``when`` predicate over the columns of ``kind``.

    Raises:
        ConfigurationError: see :func:`matcher.predicate.parse_predicate`.
    """
    return parse_predicate(sql, kind)


def evaluate(policy: Policy, profile: Profile) -> Evaluation:
    """Judge every condition of ``policy`` for ``profile``, derived columns filled in.

    Raises:
        ValueError: the policy is for the other kind of profile.
    """
    if policy.audience != profile.kind:
        raise ValueError(f"{policy.id} is for {policy.audience}, not for {profile.kind}")
    facts = facts_of(profile)
    results = tuple(
        ConditionResult(
            text=condition.text,
            when=condition.when,
            outcome=predicate.evaluate(facts),
            missing=predicate.missing(facts),
        )
        for condition, predicate in zip(policy.eligibility, policy.predicates, strict=True)
    )
    if any(result.outcome is False for result in results):
        return Evaluation("ineligible", results, ())
    if all(result.outcome for result in results):
        return Evaluation("eligible", results, ())
    missing = tuple(dict.fromkeys(name for result in results for name in result.missing))
    return Evaluation("possible", results, missing)

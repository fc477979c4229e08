"""The match of one profile as plain data, for the command line and for other systems."""

from __future__ import annotations

from datetime import date
from typing import Any

from matcher.catalogue import Catalogue
from matcher.counterfactual import Counterfactual, nearly_eligible
from matcher.eligibility import ConditionResult
from matcher.profile import Attribute, Profile
from matcher.questions import next_question
from matcher.ranking import Match, Scope, match

__all__ = ["match_report"]


def match_report(
    catalogue: Catalogue,
    profile: Profile,
    query: str | None = None,
    today: date | None = None,
    *,
    include_ineligible: bool = True,
) -> dict[str, Any]:
    """Return ranked policies with an explanation of every condition, ready for JSON.

    Args:
        catalogue: policies and their index.
        profile: what is known.
        query: the citizen's words, or None for everything.
        today: the day windows are judged by; the present day by default.
        include_ineligible: list ineligible policies as well.
    """
    matches = match(catalogue, profile, query, today, Scope(include_ineligible=include_ineligible))
    question = next_question(matches, profile, asked=())
    nearly = {found.policy.id: told for found, told in nearly_eligible(matches, profile)}
    return {
        "profile": profile.id,
        "kind": profile.kind,
        "matches": [
            _entry(found) | {"counterfactual": _told(nearly.get(found.policy.id))}
            for found in matches
        ],
        "next_question": None if question is None else _question(question),
    }


def _entry(found: Match) -> dict[str, Any]:
    return {
        "policy": found.policy.id,
        "title": found.policy.title,
        "verdict": found.evaluation.verdict,
        "score": round(found.score, 4),
        "conditions": [_condition(result) for result in found.evaluation.conditions],
        "missing": list(found.evaluation.missing),
        "window_open": found.window == "open",
        "window": found.window,
        "conflicts": [other.id for other in found.conflicts],
        "reasons": list(found.reasons),
    }


def _told(told: Counterfactual | None) -> dict[str, Any] | None:
    """What an ineligible policy fails by, where that is one condition; ``value`` would meet it."""
    if told is None:
        return None
    return {
        "condition": told.condition.text,
        "attribute": told.column,
        "value": told.value,
        "since": told.since.isoformat() if told.since else None,
        "text": told.text,
    }


def _condition(result: ConditionResult) -> dict[str, Any]:
    outcomes = {True: "true", False: "false", None: "unknown"}
    return {
        "text": result.text,
        "when": result.when,
        "outcome": outcomes[result.outcome],
        "missing": list(result.missing),
    }


def _question(attribute: Attribute) -> dict[str, Any]:
    return {
        "attribute": attribute.name,
        "label": attribute.label,
        "question": attribute.question,
        "type": attribute.type,
        "unit": attribute.unit,
        "choices": [{"value": item.value, "label": item.label} for item in attribute.choices],
    }

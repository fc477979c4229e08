"""Says in Chinese why a policy applies, does not, or cannot be judged yet."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from matcher.eligibility import ConditionResult, Evaluation
from matcher.policy import Policy
from matcher.predicate import Predicate
from matcher.profile import ATTRIBUTES, SCALE_AT_MOST, Profile, Value, complete, scale_at_most
from matcher.scale import SCALE_ORDER

__all__ = ["explain"]

_MARKS: Mapping[bool | None, str] = {True: "✓", False: "✗", None: "?"}


def explain(policy: Policy, evaluation: Evaluation, profile: Profile) -> tuple[str, ...]:
    """Return one line a condition, in the document's order.

    A line reads ``✓ 在本市注册满一年（您填写：3年）``, ``✗ …（您填写：…）`` or
    ``? …（还需要知道：从业人数）``; a value worked out from others is marked 推算.

    Args:
        policy: the policy that was judged.
        evaluation: its outcome for ``profile``.
        profile: the profile as the citizen gave it.
    """
    completed = complete(profile)
    return tuple(
        _line(result, predicate, profile, completed)
        for result, predicate in zip(evaluation.conditions, policy.predicates, strict=True)
    )


def _line(
    result: ConditionResult, predicate: Predicate, profile: Profile, completed: Profile
) -> str:
    head = f"{_MARKS[result.outcome]} {result.text}"
    if result.outcome is None:
        labels = [ATTRIBUTES[profile.kind][name].label for name in result.missing]
        return f"{head}（还需要知道：{'、'.join(labels)}）" if labels else f"{head}（无法判断）"
    given = _known(predicate.columns, profile.attributes)
    derived = _known(
        predicate.columns,
        {k: v for k, v in completed.attributes.items() if k not in profile.attributes},
    )
    notes = []
    bound = _scale_bound(predicate, completed)
    if given:
        notes.append(f"您填写：{_describe(given, profile, alone=len(predicate.columns) == 1)}")
    if derived:
        notes.append(f"推算：{_describe(derived, profile, alone=len(predicate.columns) == 1)}")
    if bound:
        notes.append(f"推算：{bound}")
    return f"{head}（{'；'.join(notes)}）" if notes else head


def _scale_bound(predicate: Predicate, completed: Profile) -> str:
    """What is known of a scale that is not decided: ``规模不超过小型企业``; else nothing."""
    if "scale" not in predicate.columns or completed.known("scale") is not None:
        return ""
    greatest = scale_at_most(completed)
    if greatest is None or greatest == SCALE_ORDER[-1]:
        return ""
    return f"规模不超过{SCALE_AT_MOST.describe(greatest)}"


def _known(columns: Iterable[str], attributes: Mapping[str, Value]) -> dict[str, Value]:
    return {name: attributes[name] for name in columns if name in attributes}


def _describe(values: Mapping[str, Value], profile: Profile, *, alone: bool) -> str:
    columns = ATTRIBUTES[profile.kind]
    parts = []
    for name, value in values.items():
        label, shown = columns[name].label, columns[name].describe(value)
        if isinstance(value, bool):
            parts.append(f"“{label}”为{shown}")
        else:
            parts.append(shown if alone else f"{label} {shown}")
    return "、".join(parts)

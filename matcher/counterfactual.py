"""What would have to be otherwise for a policy that fails by one condition alone.

The suggestion is one datum. Every plain comparison in the failed condition gives values on either
side of its limit; each is laid over the profile and the whole policy is judged again, so what is
suggested is never merely plausible. Nobody is told to change what he is (sex, health, household,
the trade of a firm), and time is not asked to run backwards; where time alone meets the condition,
the day is told. A condition that is no plain comparison is told in its own words.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from sqlglot import exp

from base.errors import InputError
from matcher.eligibility import ConditionResult, evaluate
from matcher.notices.ages import day_of_age
from matcher.policy import Policy
from matcher.predicate import Predicate
from matcher.profile import ATTRIBUTES, Attribute, Profile, Value

if TYPE_CHECKING:
    from matcher.ranking import Match

__all__ = ["BY_TIME", "CHANGEABLE", "Counterfactual", "counterfactual", "nearly_eligible"]

BY_TIME = frozenset(
    {
        # enterprise
        "registered_years",
        "market_years",
        "unemployment_paid_months",
        # resident
        "age",
        "residence_months",
        "housing_fund_months",
        "maternity_insurance_months",
        "unemployment_registered_months",
        "unemployment_insurance_months",
        "social_insurance_months",
        "business_years",
        "pension_years",
        "graduation_years",
        "skill_certificate_months",
    }
)
"""Columns that grow while time passes; they are never suggested to be less."""

_NOT_OF_A_FIRM = frozenset(
    {
        "district",
        "industry",
        "industry_division",
        "scale",
        "restricted_industry",
        "tobacco_or_entertainment",
        "has_serious_violation",
        "private_enterprise",
        "registered_as_individual",
        "converted_from_individual",
        "tax_project",
        "project_income_years",
        "profitable_years",
        "advanced_service",
        "venture_capital",
        "farm_market",
        "carried_loss_wan",
        "key_chain_field",
        "consumer_service_field",
        "time_honoured",
        "first_above_scale",
        "layoff_rate",
        "disaster_loss_wan",
    }
)
_OF_A_PERSON = frozenset(
    {
        "medical_insured",
        "unemployment_registered",
        "is_business_owner",
        "is_individual_business",
        "has_other_loans",
        "talent_level",
        "personal_pension_yuan",
        "resident_pension_paid_yuan",
        "skill_certificate",
        "training_certificate",
        "studies_part_time",
        "student_loan",
        "scrapped_old_car",
    }
)
CHANGEABLE = BY_TIME | _OF_A_PERSON | (frozenset(ATTRIBUTES["enterprise"]) - _NOT_OF_A_FIRM)
"""Columns of which a change may be suggested."""

_STAFF = frozenset({"headcount", "insured_staff"})
"""People; a firm is never told to have fewer."""

_SOON = {"岁": 2, "年": 2, "个月": 24}
"""What takes longer than this by time alone is not nearly met."""
_LISTED = 4


@dataclass(frozen=True, slots=True)
class Counterfactual:
    """The one condition that fails, and the datum that would meet it.

    Args:
        condition: the failed condition.
        column: the column to be otherwise; None when only the condition's words can be told.
        value: the value nearest to the present one with which the whole policy applies.
        since: the day from which time alone meets it, where that is known.
        text: one Chinese sentence.
    """

    condition: ConditionResult
    column: str | None
    value: Value | None
    since: date | None
    text: str


def counterfactual(
    policy: Policy, profile: Profile, birth: date | None = None
) -> Counterfactual | None:
    """Return what ``policy`` fails by; None unless exactly one condition fails and the rest hold.

    None, too, where nothing that could change is concerned.

    Args:
        policy: for the kind of ``profile``.
        profile: as the citizen gave it.
        birth: the birth date of a resident, where it is known.
    """
    conditions = evaluate(policy, profile).conditions
    failed = [n for n, result in enumerate(conditions) if result.outcome is False]
    if len(failed) != 1 or any(result.outcome is None for result in conditions):
        return None
    result, predicate = conditions[failed[0]], policy.predicates[failed[0]]
    found = _nearest(policy, predicate, profile)
    if found:
        return _suggested(result, predicate, profile, found, birth)
    if not set(predicate.columns) & (CHANGEABLE - BY_TIME - _STAFF):
        return None
    return Counterfactual(result, None, None, None, f"您只差一个条件：{result.text}。")


@dataclass(frozen=True, slots=True)
class _Change:
    """One datum that meets the condition; ``limit`` is the number it is held against."""

    attribute: Attribute
    value: Value
    limit: float | None = None


def _nearest(policy: Policy, predicate: Predicate, profile: Profile) -> list[_Change]:
    """The changes of one column with which the whole policy applies, the nearest first."""
    order = list(ATTRIBUTES[profile.kind])
    able = [one for one in _changes(predicate, profile) if _allowed(one, predicate, profile)]
    able.sort(key=lambda one: (order.index(one.attribute.name), _distance(one, profile)))
    found = [one for one in able if _applies(policy, one, profile)]
    return [one for one in found if one.attribute == found[0].attribute]


def _applies(policy: Policy, change: _Change, profile: Profile) -> bool:
    try:
        changed = profile.merged({change.attribute.name: change.value})
    except InputError:  # beyond the column's range
        return False
    return evaluate(policy, changed).verdict == "eligible"


def _changes(predicate: Predicate, profile: Profile) -> Iterator[_Change]:
    """Values on either side of every limit that a column of the profile is held against."""
    columns = ATTRIBUTES[profile.kind]
    read = [node for node in predicate.tree().find_all(exp.Column) if node.name in columns]
    names = [node.name for node in read]
    for node in read:
        attribute, present = columns[node.name], profile.known(node.name)
        if present is None:
            continue
        if attribute.type == "boolean":
            yield _Change(attribute, not present)
        elif attribute.type == "choice":
            yield from (_Change(attribute, choice.value) for choice in attribute.choices)
        elif names.count(node.name) == 1:  # a number held against several limits splits cases
            for limit in _limits(node):
                yield from (_Change(attribute, one, limit) for one in _around(attribute, limit))


def _limits(column: exp.Column) -> tuple[float, ...]:
    """The numbers that a column alone is compared with; none within arithmetic."""
    node: Any = column
    while isinstance(node.parent, exp.Paren):
        node = node.parent
    around = node.parent
    if not isinstance(around, _COMPARING):
        return ()
    literals = [part.unnest() for part in around.iter_expressions() if part is not node]
    return tuple(float(one.sql()) for one in literals) if all(map(_is_number, literals)) else ()


_COMPARING = (exp.EQ, exp.NEQ, exp.LT, exp.LTE, exp.GT, exp.GTE, exp.Between, exp.In)


def _is_number(node: Any) -> bool:
    inner = node.this if isinstance(node, exp.Neg) else node
    return isinstance(inner, exp.Literal) and not inner.is_string


def _around(attribute: Attribute, limit: float) -> tuple[Value, ...]:
    """The limit itself and the next values beyond it, in hundredths for a decimal column."""
    if attribute.type == "integer":
        return limit, math.floor(limit) + 1, math.ceil(limit) - 1
    return limit, round(limit + 0.01, 2), round(limit - 0.01, 2)


def _allowed(change: _Change, predicate: Predicate, profile: Profile) -> bool:
    """Whether one may suggest this change of what is known.

    To have less of something is told only where nothing else is asked, and never of the staff.
    """
    name, value, present = change.attribute.name, change.value, profile.known(change.attribute.name)
    if name not in CHANGEABLE or value == present:
        return False
    if isinstance(value, str | bool) or isinstance(present, str | bool | None):
        return True
    if value < present:
        return name not in BY_TIME | _STAFF and len(predicate.columns) == 1
    return name not in BY_TIME or value - present <= _SOON[change.attribute.unit]


def _distance(change: _Change, profile: Profile) -> float:
    present = profile.attributes[change.attribute.name]
    if isinstance(change.value, str) or isinstance(present, str):
        order = [choice.value for choice in change.attribute.choices]
        return abs(order.index(str(change.value)) - order.index(str(present)))
    return abs(change.value - present)


def _suggested(
    result: ConditionResult,
    predicate: Predicate,
    profile: Profile,
    changes: list[_Change],
    birth: date | None,
) -> Counterfactual:
    change = changes[0]
    attribute, value = change.attribute, change.value
    present = profile.attributes[attribute.name]
    since = None
    if attribute.name == "age":
        since = None if birth is None else day_of_age(birth, int(value))
        day = f"满{int(value)}岁那天" if since is None else f"{since:%Y-%m-%d}"
        how = f"{day}起满足"
    elif isinstance(value, bool):
        how = f"“{attribute.label}”现在为{attribute.describe(present)}"
    elif isinstance(value, str):
        wanted = "、".join(attribute.describe(one.value) for one in changes[:_LISTED])
        any_of = "之一" if len(changes) > 1 else ""
        how = f"需要{wanted}{any_of}，现在是{attribute.describe(present)}"
    else:
        subject = attribute.label if len(predicate.columns) > 1 else ""
        how = f"{subject}{_apart(change, float(present))}"
    text = f"您只差一个条件：{result.text}（{how}）。"
    return Counterfactual(result, attribute.name, value, since, text)


def _apart(change: _Change, present: float) -> str:
    """How far a number is from what it should be: ``还差3人，现在7人``."""
    attribute, value = change.attribute, float(change.value)
    now = f"现在{attribute.describe(present)}"
    if attribute.type == "number" and change.limit is not None and value != change.limit:
        word = "要超过" if value > change.limit else "要低于"
        return f"{word}{attribute.describe(change.limit)}，{now}"
    gap = attribute.describe(round(abs(value - present), 2))
    return f"{'还差' if value > present else '多了'}{gap}，{now}"


def nearly_eligible(
    matches: Iterable[Match], profile: Profile, birth: date | None = None
) -> tuple[tuple[Match, Counterfactual], ...]:
    """Return the ineligible among ``matches`` that fail by one condition, with what they fail by.

    Those of which one knows the datum that would be enough come first, each kind in the order
    of ``matches``. The other arguments are those of :func:`counterfactual`.
    """
    found = [
        (one, told)
        for one in matches
        if one.evaluation.verdict == "ineligible" and one.window != "closed"
        if (told := counterfactual(one.policy, profile, birth)) is not None
    ]
    return tuple(sorted(found, key=lambda pair: pair[1].column is None))

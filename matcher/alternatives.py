"""Policies that cannot be had together: what each gives, until when, with how much work."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import combinations

from matcher.batch.worth import yuan_a_year
from matcher.eligibility import evaluate
from matcher.policy import Policy
from matcher.profile import ATTRIBUTES, Profile, facts_of
from matcher.ranking import Match, excludes

__all__ = ["Sum", "alternatives", "choices_beside", "compare", "sum_for"]


COMPARED = 3
"""Policies in one comparison."""


@dataclass(frozen=True, slots=True)
class Sum:
    """What a benefit comes to for one profile.

    Args:
        yuan: a year; None while it is not known, or where the benefit is no sum of money.
        missing: the columns that would tell it; none where no datum would.
    """

    yuan: float | None
    missing: tuple[str, ...] = ()


def alternatives(matches: Sequence[Match]) -> tuple[tuple[Match, ...], ...]:
    """Return the choices among ``matches``: each the best policy and those it rules out.

    A policy is in one group only, with the best ranked of those it cannot be had beside.
    Ineligible ones, and those that are over, are nothing to choose from.
    """
    open_ones = [
        one for one in matches if one.evaluation.verdict != "ineligible" and one.window != "closed"
    ]
    groups: list[tuple[Match, ...]] = []
    taken: set[str] = set()
    for one in open_ones:
        if one.policy.id in taken:
            continue
        others = [
            other
            for other in open_ones
            if other.policy.id not in taken and excludes(one.policy, other.policy)
        ]
        if others:
            groups.append((one, *others[: COMPARED - 1]))
            taken.update(found.policy.id for found in groups[-1])
    return tuple(groups)


def choices_beside(
    policy: Policy, policies: Iterable[Policy], profile: Profile, today: date
) -> tuple[Policy, ...]:
    """Return what ``profile`` might have instead of ``policy``; none when it is not open to it.

    What is sure comes first, and no more than can be compared at a glance.
    """
    if evaluate(policy, profile).verdict == "ineligible":
        return ()
    found = [
        (verdict != "eligible", other)
        for other in policies
        if excludes(policy, other)
        and other.audience == policy.audience == profile.kind
        and other.window.state(today) != "closed"
        and (verdict := evaluate(other, profile).verdict) != "ineligible"
    ]
    return tuple(other for _, other in sorted(found, key=lambda pair: pair[0]))[: COMPARED - 1]


def sum_for(policy: Policy, profile: Profile) -> Sum:
    """Return what ``policy`` is worth to ``profile`` in yuan a year, as far as it is known.

    The same as :func:`matcher.batch.worth.yuan_sql` for one profile: the first tier that holds
    counts, one that cannot be decided leaves the sum unknown, a cap limits it.
    """
    benefit, facts = policy.benefit, facts_of(profile)
    factor = yuan_a_year(benefit.unit, person=policy.audience == "resident")
    if factor is None:
        return Sum(None)
    amount = None if policy.amounts else benefit.amount
    for condition, formula in policy.amounts:
        holds = True if condition is None else condition.evaluate(facts)
        if holds is False:
            continue
        amount = formula.evaluate(facts) if holds else None
        if amount is None:
            read = (*(condition.columns if condition else ()), *formula.columns)
            unknown = dict.fromkeys(name for name in read if facts.get(name) is None)
            return Sum(None, tuple(unknown))
        break
    if amount is None:
        return Sum(None)
    capped = max(amount, 0.0) if benefit.cap is None else min(max(amount, 0.0), benefit.cap)
    return Sum(capped * factor)


def compare(group: Sequence[Policy], profile: Profile, today: date) -> str:
    """Return the choice as text: one block a policy, then what the better one depends on."""
    sums = [sum_for(policy, profile) for policy in group]
    blocks = [_block(policy, one, today) for policy, one in zip(group, sums, strict=True)]
    return "\n".join([_lead(group), *blocks, _advice(group, sums, profile)])


def _lead(group: Sequence[Policy]) -> str:
    """Say which cannot be had together: the first rules out the others, not they each other."""
    first, *others = (f"《{policy.title}》" for policy in group)
    if all(excludes(one, other) for one, other in combinations(group, 2)):
        return f"{'、'.join((first, *others[:-1]))}和{others[-1]}不能同时享受，只能选一项："
    return f"{first}不能和{'、'.join(others)}同时享受："


def _block(policy: Policy, one: Sum, today: date) -> str:
    amount = f"；按您的情况{_often(policy)}约{_yuan(one.yuan)}" if one.yuan else ""
    online = "，可网上办" if policy.apply.online else "，要到窗口办"
    return (
        f"· {policy.title}\n"
        f"  能得到：{policy.benefit.text}{amount}\n"
        f"  时间：{_deadline(policy, today)}\n"
        f"  要做的：{len(policy.materials)}样材料、{len(policy.steps)}步{online}"
    )


def _often(policy: Policy) -> str:
    return "一年" if "/" in (policy.benefit.unit or "") else ""


def _deadline(policy: Policy, today: date) -> str:
    window = policy.window
    if window.opens is not None and today < window.opens:
        return f"{window.opens:%Y-%m-%d}开始申请"
    return "长期可以申请" if window.closes is None else f"{window.closes:%Y-%m-%d}截止"


def _advice(group: Sequence[Policy], sums: Sequence[Sum], profile: Profile) -> str:
    """Say what is better only where every sum is known; otherwise what it depends on."""
    known = [one.yuan for one in sums if one.yuan is not None]
    if len(known) == len(sums):
        if len({_often(policy) for policy in group}) > 1:
            return "有的按年给、有的只给一次，哪个划算要看能领几年；以受理部门核定为准。"
        best = max(range(len(sums)), key=lambda n: known[n])
        if sum(value == known[best] for value in known) > 1:
            return "按您的情况金额一样，可以看哪项截止晚、材料少。"
        return f"按您的情况，{group[best].title}金额更高；以受理部门核定为准。"
    columns = ATTRIBUTES[profile.kind]
    missing = dict.fromkeys(name for one in sums for name in one.missing if name in columns)
    open_ones = [p.title for p in group if evaluate(p, profile).verdict == "possible"]
    depends = [columns[name].label for name in missing]
    comparable = all(one.yuan is not None or one.missing for one in sums)
    if depends and comparable:
        return f"哪个划算，要看{'、'.join(depends)}；您告诉我，我接着算。"
    if open_ones:
        return f"先看是否都符合：{'、'.join(open_ones)}还要确认条件。"
    return "两边给的不是同一种好处，金额不好直接比，可以先问清再选。"


def _yuan(value: float) -> str:
    return f"{value / 10_000:,.6g}万元" if value >= 10_000 else f"{value:,.6g}元"

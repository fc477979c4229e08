"""What a change of a policy would do, held against counting one by one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from matcher.batch.engine import BatchEngine
from matcher.batch.simulate import REST, Cost, Simulation, simulate
from matcher.batch.worth import yuan_a_year
from matcher.eligibility import evaluate
from matcher.groups import SMALLEST
from matcher.policy import Policy
from matcher.predicate import Scalar
from matcher.profile import Profile, complete
from tests.matcher.batch.filling import fill

Make = Callable[..., dict[str, Any]]

TIERS = [
    {"when": "headcount >= 50", "formula": "headcount * 2"},
    {"when": "is_high_tech", "formula": "30"},
    {"when": "headcount >= 0", "formula": "revenue_wan / 10"},
]


def policy(policy_data: Make, when: str, **worth: Any) -> Policy:
    benefit = {"kind": "subsidy", "text": "补贴", **worth}
    return Policy.model_validate(
        policy_data(eligibility=[{"text": "条件", "when": when}], benefit=benefit)
    )


def run(before: Policy | None, after: Policy, facts: list[dict[str, Scalar]]) -> Simulation:
    with BatchEngine("enterprise", threads=1) as engine:
        fill(engine, facts)
        return simulate(engine, before, after)


def worth(policy: Policy, facts: dict[str, Scalar]) -> float | None:
    """The yuan a year by the rules of one profile."""
    if not policy.amounts:
        return policy.benefit.amount
    for condition, formula in policy.amounts:
        holds = True if condition is None else condition.evaluate(facts)
        if holds is None:
            return None
        if holds:
            value = formula.evaluate(facts)
            cap = policy.benefit.cap
            return None if value is None else min(max(value, 0.0), cap or value) * 1e4
    return None


rows = st.lists(
    st.fixed_dictionaries(
        {},
        optional={
            "headcount": st.integers(0, 120),
            "revenue_wan": st.integers(0, 900).map(float),
            "is_high_tech": st.booleans(),
            "district": st.sampled_from(["云东区", "高新区"]),
        },
    ),
    min_size=1,
    max_size=25,
)


@settings(
    max_examples=40,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(facts=rows)
def test_numbers_are_those_of_counting(policy_data: Make, facts: list[dict[str, Scalar]]) -> None:
    old = policy(policy_data, "headcount > 60", unit="万元", formula="headcount * 0.5", cap=45)
    new = policy(policy_data, "headcount > 30 OR is_high_tech", unit="万元", tiers=TIERS, cap=100)
    found = run(old, new, facts)
    assert found.before is not None
    eligible = {}
    for side, version in ((found.before, old), (found.after, new)):
        verdicts = [
            evaluate(version, complete(Profile("enterprise", "x", f))).verdict for f in facts
        ]
        mine = {n for n, verdict in enumerate(verdicts) if verdict == "eligible"}
        sums = [worth(version, facts[n]) for n in mine]
        known = [value for value in sums if value is not None]
        assert (side.eligible, side.possible) == (len(mine), verdicts.count("possible"))
        assert side.priced == len(known)
        assert side.yuan == pytest.approx(sum(known))
        eligible[version] = mine
    sums = {
        version: {n: worth(version, facts[n]) or 0.0 for n in eligible[version]}
        for version in (old, new)
    }
    assert found.cost.gained == pytest.approx(
        sum(sums[new][n] for n in eligible[new] - eligible[old])
    )
    assert found.cost.lost == pytest.approx(
        sum(sums[old][n] for n in eligible[old] - eligible[new])
    )
    assert found.gained == len(eligible[new] - eligible[old])
    assert found.lost == len(eligible[old] - eligible[new])
    assert found.profiles == len(facts)


def test_groups_are_large_enough_to_hide_in(policy_data: Make) -> None:
    facts: list[dict[str, Scalar]] = []
    for district, count in (("云东区", 9), ("云西区", 4), ("高新区", 3), ("江南区", 1)):
        facts += [{"headcount": 80, "district": district}] * count
    facts += [{"headcount": 80}] * SMALLEST
    found = run(None, policy(policy_data, "headcount > 60", unit="元", amount=1000), facts)
    districts = {group.label: group for group in found.groups["区县"]}
    assert {name: group.after for name, group in districts.items()} == {
        "云东区": 9,
        "未知": 5,
        REST: 8,
    }
    assert districts["云东区"].yuan_after == 9000
    assert {group.label for group in found.groups["行业"]} == {"未知"}
    few = run(None, policy(policy_data, "headcount > 60"), facts[:4])
    assert few.groups["区县"] == ()


def test_what_is_put_together_cannot_be_worked_out_from_the_whole(policy_data: Make) -> None:
    facts: list[dict[str, Scalar]] = []
    for district, count in (("云东区", 20), ("云西区", 9), ("江南区", 3)):
        facts += [{"headcount": 80, "district": district}] * count
    found = run(None, policy(policy_data, "headcount > 60"), facts)
    assert {g.label: g.after for g in found.groups["区县"]} == {"云东区": 20, REST: 12}


def test_the_cost_of_a_change_is_told_by_whom_it_goes_to(policy_data: Make) -> None:
    facts: list[dict[str, Scalar]] = [{"headcount": n} for n in range(10)]
    old = policy(policy_data, "headcount BETWEEN 2 AND 6", unit="元", amount=100)
    new = policy(policy_data, "headcount >= 4", unit="元", amount=150)
    found = run(old, new, facts)
    assert found.cost == Cost(gained=3 * 150, lost=2 * 100, kept=3 * 50)
    assert found.before is not None
    assert found.cost.total == found.after.yuan - found.before.yuan
    assert run(None, new, facts).cost == Cost(6 * 150, 0, 0)


def test_a_new_policy_has_no_before(policy_data: Make) -> None:
    facts: list[dict[str, Scalar]] = [{"headcount": n} for n in range(10)]
    found = run(None, policy(policy_data, "headcount >= 2"), facts)
    assert found.before is None
    assert (found.gained, found.lost, found.after.eligible) == (8, 0, 8)
    assert found.after.priced == 0
    assert all(group.before == 0 for rows in found.groups.values() for group in rows)


def test_residents_are_grouped_by_age(policy_data: Make) -> None:
    old = policy_data(
        "allowance", audience="resident", eligibility=[{"text": "高龄", "when": "age >= 80"}]
    )
    with BatchEngine("resident", threads=1) as engine:
        fill(engine, [{"age": age} for age in (79, 80, 81, 82, 83, 84, 90, 91, 92, 93, 94)])
        found = simulate(engine, None, Policy.model_validate(old))
    assert [(g.label, g.after) for g in found.groups["年龄"]] == [("80–89岁", 5), ("90–99岁", 5)]


def test_the_other_kind_is_refused(policy_data: Make) -> None:
    one = policy(policy_data, "headcount > 1")
    with BatchEngine("resident") as engine, pytest.raises(ValueError, match="resident"):
        simulate(engine, None, one)


@pytest.mark.parametrize(
    ("unit", "person", "yuan"),
    [
        ("元", True, 1),
        ("万元", False, 1e4),
        ("元/月", True, 12),
        ("万元/年", False, 1e4),
        ("元/人", True, 1),
        ("元/人", False, None),
        ("%", False, None),
        ("元/平方米", True, None),
        (None, True, None),
    ],
)
def test_units(unit: str | None, person: bool, yuan: float | None) -> None:
    assert yuan_a_year(unit, person=person) == yuan

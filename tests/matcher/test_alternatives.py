"""Policies that cannot be had together: found, compared by the sums that the budget uses."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from base.settings import ROOT, Settings
from matcher.alternatives import alternatives, choices_beside, compare, sum_for
from matcher.batch.engine import BatchEngine
from matcher.batch.query import completed_select
from matcher.batch.worth import yuan_sql
from matcher.catalogue import Catalogue
from matcher.policy import Policy, load_policies
from matcher.profile import ATTRIBUTES, KINDS, Kind, Profile, complete, parse_profile
from matcher.ranking import Scope, match
from tests.matcher.batch.filling import fill
from tests.matcher.batch.test_agreement import random_profiles

Make = Callable[..., dict[str, Any]]
TODAY = date(2026, 11, 22)


def enterprise(**attributes: Any) -> Profile:
    return parse_profile({"kind": "enterprise", "id": "e", "attributes": attributes})


@pytest.fixture
def pair(policy_data: Make) -> tuple[Policy, Policy]:
    """A share of the equipment's cost, and a sum for each of the staff."""
    share = policy_data(
        "share",
        title="设备补助",
        benefit={
            "kind": "subsidy",
            "text": "按设备投资额的8%补助",
            "unit": "万元/年",
            "formula": "equipment_investment_wan * 0.08",
            "cap": 50,
        },
        eligibility=[{"text": "在本市注册", "when": "registered_in_city"}],
        window={"closes": "2026-12-31"},
        excludes=["heads"],
    )
    heads = policy_data(
        "heads",
        title="稳岗奖励",
        benefit={
            "kind": "subsidy",
            "text": "每人每年1000元",
            "unit": "元/年",
            "formula": "headcount * 1000",
        },
        eligibility=[{"text": "有职工", "when": "headcount > 0"}],
        window={},
        materials=["花名册"],
        apply={"place": "市民中心"},
    )
    return Policy.model_validate(share), Policy.model_validate(heads)


def test_a_comparison_names_the_greater_sum(pair: tuple[Policy, Policy]) -> None:
    profile = enterprise(registered_in_city=True, headcount=30, equipment_investment_wan=100)
    text = compare(pair, profile, TODAY)
    assert text.splitlines() == [
        "《设备补助》和《稳岗奖励》不能同时享受，只能选一项：",
        "· 设备补助",
        "  能得到：按设备投资额的8%补助；按您的情况一年约8万元",
        "  时间：2026-12-31截止",
        "  要做的：1样材料、2步，可网上办",
        "· 稳岗奖励",
        "  能得到：每人每年1000元；按您的情况一年约3万元",
        "  时间：长期可以申请",
        "  要做的：1样材料、2步，要到窗口办",
        "按您的情况，设备补助金额更高；以受理部门核定为准。",
    ]
    more = profile.merged({"headcount": 200})
    assert "稳岗奖励金额更高" in compare(pair, more, TODAY)
    assert "金额一样" in compare(pair, profile.merged({"headcount": 80}), TODAY)


def test_what_is_not_known_is_named_and_nothing_is_called_better(
    pair: tuple[Policy, Policy],
) -> None:
    text = compare(pair, enterprise(registered_in_city=True, headcount=30), TODAY)
    assert text.endswith("哪个划算，要看设备投资额；您告诉我，我接着算。")
    assert "更高" not in text


def test_a_sum_paid_once_is_not_held_against_a_yearly_one(
    pair: tuple[Policy, Policy], policy_data: Make
) -> None:
    once = Policy.model_validate(
        policy_data(
            "once",
            benefit={"kind": "subsidy", "text": "一次5万元", "amount": 5, "unit": "万元"},
            eligibility=[{"text": "有职工", "when": "headcount > 0"}],
        )
    )
    assert "要看能领几年" in compare((pair[1], once), enterprise(headcount=3), TODAY)


def test_what_is_no_money_is_not_compared(pair: tuple[Policy, Policy], policy_data: Make) -> None:
    honour = Policy.model_validate(
        policy_data(
            "honour",
            benefit={"kind": "honour", "text": "授予称号"},
            eligibility=[{"text": "有职工", "when": "headcount > 0"}],
        )
    )
    text = compare((pair[1], honour), enterprise(headcount=3), TODAY)
    assert "不好直接比" in text


def test_of_three_the_first_may_rule_out_the_others_alone(
    pair: tuple[Policy, Policy], policy_data: Make
) -> None:
    third = Policy.model_validate(
        policy_data(
            "third",
            title="培训补贴",
            excludes=["share"],
            eligibility=[{"text": "有职工", "when": "headcount > 0"}],
        )
    )
    share, heads = pair
    profile = enterprise(registered_in_city=True, headcount=30)
    lead = compare((share, heads, third), profile, TODAY).splitlines()[0]
    assert lead == "《设备补助》不能和《稳岗奖励》、《培训补贴》同时享受："
    assert choices_beside(share, (*pair, third), profile, TODAY) == (heads, third)


def test_only_what_is_open_to_the_profile_is_a_choice(pair: tuple[Policy, Policy]) -> None:
    share, heads = pair
    good = enterprise(registered_in_city=True, headcount=30)
    assert choices_beside(heads, pair, good, TODAY) == (share,)
    assert choices_beside(heads, pair, good, date(2027, 1, 1)) == ()
    assert choices_beside(heads, pair, enterprise(headcount=0), TODAY) == ()
    assert choices_beside(share, pair, enterprise(headcount=0), TODAY) == ()


def test_alternatives_stand_together_and_are_one_group(city: Settings) -> None:
    catalogue = Catalogue.load(city)
    profile = enterprise(registered_in_city=True, registered_years=3, headcount=80, scale="small")
    matches = match(catalogue, profile, today=TODAY)
    names = [found.policy.id for found in matches]
    assert abs(names.index("sme_grant") - names.index("training_grant")) == 1
    groups = [[found.policy.id for found in group] for group in alternatives(matches)]
    assert [sorted(group) for group in groups] == [["sme_grant", "training_grant"]]
    declined = Scope(declined=frozenset({"training_grant"}))
    rest = [f.policy.id for f in match(catalogue, profile, None, TODAY, declined)]
    verdicts = [f.evaluation.verdict for f in match(catalogue, profile, None, TODAY, declined)]
    assert rest.index("training_grant") == verdicts.count("eligible") - 1


@pytest.mark.parametrize("kind", KINDS)
def test_a_sum_is_the_one_that_the_budget_counts(kind: Kind) -> None:
    policies = [p for p in load_policies(ROOT / "policies") if p.audience == kind]
    facts = random_profiles(kind, 60)
    with BatchEngine(kind, threads=1) as engine:
        fill(engine, facts)
        select = completed_select(kind, "profiles", list(ATTRIBUTES[kind]))
        sums = ", ".join(f"{yuan_sql(policy)} AS {policy.id}" for policy in policies)
        query = f"SELECT {sums} FROM ({select}) AS facts ORDER BY place"
        rows = engine.connection.execute(query).fetchall()
    known = 0
    for row, attributes in zip(rows, facts, strict=True):
        profile = complete(Profile(kind, "x", attributes))
        for policy, expected in zip(policies, row, strict=True):
            found = sum_for(policy, profile)
            assert found.yuan == (None if expected is None else pytest.approx(expected)), policy.id
            known += found.yuan is not None
            if found.missing:
                assert found.yuan is None
                assert not set(found.missing) & set(profile.attributes)
    assert known > 500

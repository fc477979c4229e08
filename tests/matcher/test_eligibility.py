"""Verdicts: one false sentence decides, an unknown one is asked for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from matcher.eligibility import evaluate, parse_condition
from matcher.explain import explain
from matcher.policy import Policy
from matcher.profile import parse_profile

Make = Callable[..., dict[str, Any]]


def enterprise(**attributes: Any) -> Any:
    return parse_profile({"kind": "enterprise", "id": "e1", "attributes": attributes})


@pytest.fixture
def policy(policy_data: Make) -> Policy:
    return Policy.model_validate(policy_data())


def test_all_true_is_eligible(policy: Policy) -> None:
    result = evaluate(policy, enterprise(registered_years=3, headcount=80, scale="small"))
    assert result.verdict == "eligible"
    assert result.missing == ()
    assert [condition.outcome for condition in result.conditions] == [True, True]


def test_nothing_known_is_possible(policy: Policy) -> None:
    result = evaluate(policy, enterprise())
    assert result.verdict == "possible"
    assert result.missing == ("registered_years", "headcount", "scale")


def test_one_false_decides_and_nothing_is_asked(policy: Policy) -> None:
    result = evaluate(policy, enterprise(headcount=500))
    assert result.verdict == "ineligible"
    assert result.missing == ()
    assert [condition.outcome for condition in result.conditions] == [None, False]
    assert result.conditions[1].missing == ()


def test_the_scale_is_worked_out(policy: Policy) -> None:
    profile = enterprise(registered_years=3, headcount=80, industry="industry", revenue_wan=1500)
    result = evaluate(policy, profile)
    assert result.verdict == "eligible"
    assert explain(policy, result, profile) == (
        "✓ 在本市注册满一年（您填写：3年）",
        "✓ 从业人员300人以下的中小微企业（您填写：从业人数 80人；推算：企业规模 小型企业）",
    )


def test_reasons_of_what_fails_and_what_is_unknown(policy: Policy) -> None:
    profile = enterprise(registered_years=0.5)
    lines = explain(policy, evaluate(policy, profile), profile)
    assert lines == (
        "✗ 在本市注册满一年（您填写：0.5年）",
        "? 从业人员300人以下的中小微企业（还需要知道：从业人数、企业规模）",
    )


def test_a_yes_or_no_is_never_shown_without_its_meaning(policy_data: Make) -> None:
    clean = {"text": "无重大违法记录", "when": "NOT has_serious_violation"}
    policy = Policy.model_validate(policy_data(eligibility=[clean]))
    profile = enterprise(has_serious_violation=False)
    (line,) = explain(policy, evaluate(policy, profile), profile)
    assert line == "✓ 无重大违法记录（您填写：“有重大违法或严重失信记录”为否）"


def test_what_can_never_be_judged_is_said(policy_data: Make) -> None:
    ratio = {"text": "研发投入占比达到5%", "when": "rd_expense_wan / revenue_wan >= 0.05"}
    policy = Policy.model_validate(policy_data(eligibility=[ratio]))
    profile = enterprise(rd_expense_wan=10, revenue_wan=0)
    result = evaluate(policy, profile)
    assert (result.verdict, result.missing) == ("possible", ())
    assert explain(policy, result, profile) == ("? 研发投入占比达到5%（无法判断）",)


def test_the_other_kind_of_profile_is_a_mistake(policy: Policy) -> None:
    resident = parse_profile({"kind": "resident", "id": "r1", "attributes": {}})
    with pytest.raises(ValueError, match="resident"):
        evaluate(policy, resident)


def test_conditions_are_parsed_over_their_kind() -> None:
    assert parse_condition("age >= 80", "resident").columns == ("age",)


@pytest.mark.parametrize(
    ("facts", "line"),
    [
        ({"headcount": 210}, "✓ 小微企业（推算：规模不超过小型企业）"),
        ({"headcount": 400}, "? 小微企业（还需要知道：企业规模）"),
        ({"headcount": 12}, "✓ 小微企业（推算：微型企业）"),
        ({"headcount": 400, "revenue_wan": 5000}, "✗ 小微企业（推算：中型企业）"),
    ],
)
def test_a_scale_that_is_only_bounded_is_explained(
    policy_data: Callable[..., dict[str, Any]], facts: dict[str, Any], line: str
) -> None:
    rows = [{"text": "小微企业", "when": "scale IN ('micro', 'small')"}]
    policy = Policy.model_validate(policy_data(eligibility=rows))
    attributes = {"industry": "industry", **facts}
    profile = parse_profile({"kind": "enterprise", "id": "e", "attributes": attributes})
    assert explain(policy, evaluate(policy, profile), profile) == (line,)

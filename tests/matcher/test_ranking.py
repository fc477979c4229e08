"""Order, what is left out, and what is said about windows and conflicts."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest

from base.settings import Settings
from matcher.catalogue import Catalogue
from matcher.policy import Benefit
from matcher.profile import parse_profile
from matcher.ranking import Match, Scope, benefit_worth, match
from matcher.report import match_report

TODAY = date(2026, 10, 15)


@pytest.fixture(scope="module")
def catalogue(city: Settings) -> Catalogue:
    return Catalogue.load(city)


def enterprise(**attributes: Any) -> Any:
    return parse_profile({"kind": "enterprise", "id": "e1", "attributes": attributes})


def ids(matches: tuple[Match, ...]) -> list[str]:
    return [found.policy.id for found in matches]


GOOD = {"registered_in_city": True, "registered_years": 3, "headcount": 80, "scale": "small"}


def test_eligible_stands_above_possible_and_ineligible_is_left_out(catalogue: Catalogue) -> None:
    matches = match(catalogue, enterprise(**GOOD), today=TODAY)
    assert ids(matches)[-1] == "rd_deduction"
    verdicts = [found.evaluation.verdict for found in matches]
    assert verdicts == ["eligible", "eligible", "eligible", "possible"]
    assert [found.score for found in matches] == sorted(
        (found.score for found in matches), reverse=True
    )
    nothing = match(catalogue, enterprise(**(GOOD | {"headcount": 900})), today=TODAY)
    assert "sme_grant" not in ids(nothing)


def test_ineligible_is_listed_last_when_wanted(catalogue: Catalogue) -> None:
    profile = enterprise(**(GOOD | {"headcount": 900}))
    matches = match(catalogue, profile, today=TODAY, scope=Scope(include_ineligible=True))
    assert ids(matches)[-1] == "sme_grant"
    assert matches[-1].reasons[1].startswith("✗ 从业人员300人以下")


def test_the_verdict_rules_over_relevance(catalogue: Catalogue) -> None:
    matches = match(catalogue, enterprise(**GOOD), "企业有什么补贴和税收优惠", TODAY)
    tiers = [found.evaluation.verdict for found in matches]
    assert tiers == sorted(tiers)  # eligible before possible


def test_a_question_by_name_narrows_the_list(catalogue: Catalogue) -> None:
    matches = match(catalogue, enterprise(**GOOD), "研发费用加计扣除怎么享受", TODAY)
    assert ids(matches) == ["rd_deduction"]
    assert matches[0].relevance > 0.5


def test_a_closed_window_hides_unless_asked_by_name(catalogue: Catalogue) -> None:
    assert "old_grant" not in ids(match(catalogue, enterprise(**GOOD), today=TODAY))
    assert "old_grant" in ids(match(catalogue, enterprise(**GOOD), today=date(2026, 6, 30)))
    (asked,) = match(catalogue, enterprise(**GOOD), "老旧设备更新奖励还能报吗", TODAY)
    assert (asked.policy.id, asked.window) == ("old_grant", "closed")
    assert asked.reasons[-1] == "! 申报已于2026年6月30日截止"


def test_an_upcoming_window_is_marked(catalogue: Catalogue) -> None:
    matches = {
        found.policy.id: found for found in match(catalogue, enterprise(**GOOD), None, TODAY)
    }
    coming = matches["coming_grant"]
    assert coming.window == "upcoming"
    assert "! 2027年1月1日开始受理，目前还不能申报" in coming.reasons


def test_an_ineligible_policy_asked_by_name_is_explained(catalogue: Catalogue) -> None:
    young = parse_profile({"kind": "resident", "id": "r1", "attributes": {"age": 60}})
    (found,) = match(catalogue, young, "高龄津贴我能领吗", TODAY)
    assert found.evaluation.verdict == "ineligible"
    assert found.reasons[0] == "✗ 年满80周岁（您填写：60岁）"


def test_conflicts_are_noted_on_both_sides(catalogue: Catalogue) -> None:
    matches = {
        found.policy.id: found for found in match(catalogue, enterprise(**GOOD), None, TODAY)
    }
    assert matches["sme_grant"].reasons[-1] == (
        "! 不能与《企业职工技能培训补贴》同时享受，请择一申请"
    )
    assert [other.id for other in matches["training_grant"].conflicts] == ["sme_grant"]
    assert matches["rd_deduction"].conflicts == ()


def test_what_is_received_is_not_recommended_but_still_conflicts(catalogue: Catalogue) -> None:
    scope = Scope(received=frozenset({"training_grant"}))
    matches = {f.policy.id: f for f in match(catalogue, enterprise(**GOOD), None, TODAY, scope)}
    assert "training_grant" not in matches
    assert [other.id for other in matches["sme_grant"].conflicts] == ["training_grant"]


def test_policies_of_the_other_audience_never_appear(catalogue: Catalogue) -> None:
    scope = Scope(include_ineligible=True)
    assert "elderly_allowance" not in ids(match(catalogue, enterprise(), None, TODAY, scope))
    resident = parse_profile({"kind": "resident", "id": "r1", "attributes": {}})
    assert ids(match(catalogue, resident, None, TODAY, scope)) == ["elderly_allowance"]


def test_worth_grows_with_money_and_period() -> None:
    def worth(**fields: Any) -> float:
        return benefit_worth(Benefit.model_validate({"kind": "subsidy", "text": "x"} | fields))

    assert worth(amount=100, unit="元/月") > worth(amount=100, unit="元")
    assert worth(cap=50, unit="万元") > worth(amount=1000, unit="元")
    assert worth(amount=10, unit="亿元") == 1.0
    assert worth(amount=100, unit="%") == worth()
    assert worth(amount=50, unit="万元", kind="loan") < worth(amount=50, unit="万元")


def test_the_report_is_json_with_every_condition(catalogue: Catalogue) -> None:
    report = match_report(catalogue, enterprise(registered_in_city=True), today=TODAY)
    assert json.loads(json.dumps(report)) == report
    assert report["profile"] == "e1"
    by_id = {entry["policy"]: entry for entry in report["matches"]}
    assert by_id["training_grant"]["verdict"] == "eligible"
    assert by_id["sme_grant"]["conditions"][1] == {
        "text": "从业人员300人以下的中小微企业",
        "when": "headcount < 300 AND scale IN ('micro', 'small', 'medium')",
        "outcome": "unknown",
        "missing": ["headcount", "scale"],
    }
    assert by_id["coming_grant"]["window_open"] is False
    assert report["next_question"]["question"].endswith("？")


def test_the_report_tells_what_is_one_datum_short(catalogue: Catalogue) -> None:
    resident = parse_profile(
        {"kind": "resident", "id": "r1", "attributes": {"age": 79, "hukou": "local"}}
    )
    (entry,) = match_report(catalogue, resident, today=TODAY)["matches"]
    assert entry["counterfactual"] == {
        "condition": "年满80周岁",
        "attribute": "age",
        "value": 80,
        "since": None,
        "text": "您只差一个条件：年满80周岁（满80岁那天起满足）。",
    }
    old = resident.merged({"age": 85})
    (entry,) = match_report(catalogue, old, today=TODAY)["matches"]
    assert entry["counterfactual"] is None

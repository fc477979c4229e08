"""What a policy fails by: always enough, never what nobody can change."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from base.settings import ROOT, Settings
from benchmarks.policies.verdicts import triples
from matcher.catalogue import Catalogue
from matcher.counterfactual import BY_TIME, CHANGEABLE, counterfactual, nearly_eligible
from matcher.eligibility import evaluate
from matcher.policy import Policy, load_policies
from matcher.predicate import Scalar
from matcher.profile import ATTRIBUTES, KINDS, Kind, Profile, parse_profile
from matcher.ranking import Scope, match
from tests.matcher.conditions import full_profiles, predicates

Make = Callable[..., dict[str, Any]]


def policy_of(policy_data: Make, when: str, kind: Kind = "enterprise", *more: str) -> Policy:
    rows = [{"text": "本条件", "when": sql} for sql in (when, *more)]
    return Policy.model_validate(policy_data(audience=kind, eligibility=rows))


def told(policy_data: Make, when: str, kind: Kind, **facts: Any) -> str | None:
    profile = parse_profile({"kind": kind, "id": "x", "attributes": facts})
    found = counterfactual(policy_of(policy_data, when, kind), profile)
    return found and found.text


@settings(
    max_examples=400,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(sql=predicates, facts=full_profiles)
def test_the_datum_suggested_is_enough(
    policy_data: Make, sql: str, facts: dict[str, Scalar]
) -> None:
    policy = policy_of(policy_data, sql)
    profile = Profile("enterprise", "x", facts)
    found = counterfactual(policy, profile)
    if evaluate(policy, profile).verdict != "ineligible":
        assert found is None
    if found is not None and found.column is not None and found.value is not None:
        changed = profile.merged({found.column: found.value})
        assert evaluate(policy, changed).verdict == "eligible"
        assert found.column in CHANGEABLE
        assert changed.attributes != profile.attributes


@pytest.mark.parametrize("kind", KINDS)
def test_it_is_enough_for_the_whole_policy_in_the_corpus(kind: Kind) -> None:
    policies = {policy.id: policy for policy in load_policies(ROOT / "policies")}
    suggested = 0
    for row in triples(kind):
        policy = policies[row["policy"]]
        profile = parse_profile({"kind": kind, "id": "x", "attributes": row["profile"]})
        found = counterfactual(policy, profile)
        if row["verdict"] != "ineligible":
            assert found is None
        if found is None:
            continue
        assert found.text.startswith("您只差一个条件：")
        outcomes = [one.outcome for one in evaluate(policy, profile).conditions]
        assert (outcomes.count(False), outcomes.count(None)) == (1, 0)
        if found.column is not None and found.value is not None:
            suggested += 1
            changed = profile.merged({found.column: found.value})
            assert evaluate(policy, changed).verdict == "eligible", policy.id
            if found.column in BY_TIME:
                assert float(found.value) > float(profile.attributes[found.column])
    assert suggested >= 25


def test_the_lists_name_columns_that_exist() -> None:
    known = set(ATTRIBUTES["enterprise"]) | set(ATTRIBUTES["resident"])
    assert known >= CHANGEABLE
    fixed = {"gender", "hukou", "disability_level", "veteran", "industry", "scale"}
    assert not CHANGEABLE & fixed


@pytest.mark.parametrize(
    ("when", "kind", "facts", "text"),
    [
        ("headcount >= 10", "enterprise", {"headcount": 7}, "还差3人，现在7人"),
        ("10 <= headcount", "enterprise", {"headcount": 7}, "还差3人，现在7人"),
        ("headcount > 10", "enterprise", {"headcount": 7}, "还差4人，现在7人"),
        ("NOT (headcount < 10)", "enterprise", {"headcount": 7}, "还差3人，现在7人"),
        ("ip_count BETWEEN 10 AND 20", "enterprise", {"ip_count": 25}, "多了5项，现在25项"),
        ("taxable_income_wan <= 300", "enterprise", {"taxable_income_wan": 310.5}, "多了10.5万元"),
        ("rd_expense_wan > 0", "enterprise", {"rd_expense_wan": 0}, "要超过0万元，现在0万元"),
        ("is_high_tech", "enterprise", {"is_high_tech": False}, "“高新技术企业”现在为否"),
        (
            "tax_credit_grade IN ('A', 'B')",
            "enterprise",
            {"tax_credit_grade": "C"},
            "需要B级、A级之一，现在是C级",
        ),
        (
            "invention_patents >= 1 OR ip_count >= 5",
            "enterprise",
            {"invention_patents": 0, "ip_count": 4},
            "拥有的知识产权数量还差1项，现在4项",
        ),
        ("residence_months >= 6", "resident", {"residence_months": 5}, "还差1个月，现在5个月"),
        ("age >= 80", "resident", {"age": 79}, "满80岁那天起满足"),
    ],
)
def test_sentences(
    policy_data: Make, when: str, kind: Kind, facts: dict[str, Any], text: str
) -> None:
    found = told(policy_data, when, kind, **facts)
    assert found is not None
    assert found.startswith("您只差一个条件：本条件（")
    assert text in found


@pytest.mark.parametrize(
    ("when", "kind", "facts"),
    [
        ("gender = 'female'", "resident", {"gender": "male"}),
        ("age <= 35", "resident", {"age": 36}),
        ("age >= 80", "resident", {"age": 40}),
        ("graduation_years <= 2", "resident", {"graduation_years": 3}),
        ("disability_level BETWEEN 1 AND 2", "resident", {"disability_level": 0}),
        ("hukou = 'local'", "resident", {"hukou": "other"}),
        ("scale = 'large'", "enterprise", {"scale": "small"}),
        ("NOT has_serious_violation", "enterprise", {"has_serious_violation": True}),
        ("headcount <= 30", "enterprise", {"headcount": 31}),
        ("headcount >= 10", "enterprise", {"headcount": 12}),
        ("headcount >= 10", "enterprise", {}),
    ],
)
def test_nothing_is_suggested_that_nobody_can_change(
    policy_data: Make, when: str, kind: Kind, facts: dict[str, Any]
) -> None:
    assert told(policy_data, when, kind, **facts) is None


@pytest.mark.parametrize(
    ("when", "facts"),
    [
        ("rd_expense_wan / revenue_wan >= 0.05", {"rd_expense_wan": 1, "revenue_wan": 100}),
        ("ip_count <= 5 OR patents_granted <= 5", {"ip_count": 9, "patents_granted": 9}),
    ],
)
def test_other_conditions_are_told_in_their_own_words(
    policy_data: Make, when: str, facts: dict[str, Any]
) -> None:
    assert told(policy_data, when, "enterprise", **facts) == "您只差一个条件：本条件。"


@pytest.mark.parametrize(
    "facts", [{"headcount": 7, "is_high_tech": False}, {"headcount": 7}], ids=["two", "unknown"]
)
def test_only_one_condition_may_fail_and_none_be_open(
    policy_data: Make, facts: dict[str, Any]
) -> None:
    policy = policy_of(policy_data, "headcount >= 10", "enterprise", "is_high_tech")
    assert counterfactual(policy, Profile("enterprise", "x", facts)) is None


@pytest.mark.parametrize(
    ("birth", "since"),
    [
        (date(1947, 3, 1), date(2027, 3, 1)),
        (date(1948, 2, 29), date(2028, 2, 29)),
    ],
)
def test_a_birth_date_tells_the_day(policy_data: Make, birth: date, since: date) -> None:
    policy = policy_of(policy_data, "age >= 80", "resident")
    found = counterfactual(policy, Profile("resident", "x", {"age": 79}), birth)
    assert found is not None
    assert found.since == since
    assert found.text == f"您只差一个条件：本条件（{since:%Y-%m-%d}起满足）。"


def test_the_nearest_come_first(city: Settings) -> None:
    catalogue = Catalogue.load(city)
    profile = Profile("resident", "x", {"age": 79, "hukou": "local"})
    matches = match(catalogue, profile, scope=Scope(include_ineligible=True))
    ((found, told),) = nearly_eligible(matches, profile)
    assert found.policy.id == "elderly_allowance"
    assert told.column == "age"

"""What the enterprise policies of the sample city promise to be."""

from __future__ import annotations

import math
import random
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import date

import pytest

from base.settings import ROOT
from matcher.attributes import Attribute, Value, city_districts
from matcher.eligibility import evaluate
from matcher.policy import Policy, load_policies, one_sided
from matcher.predicate import Predicate
from matcher.profile import ATTRIBUTES, parse_profile

TODAY = date(2026, 11, 22)
COLUMNS = ATTRIBUTES["enterprise"]
POLICIES = {p.id: p for p in load_policies(ROOT / "policies") if p.audience == "enterprise"}
EVERY = pytest.mark.parametrize("policy", POLICIES.values(), ids=POLICIES)
PAID = [policy for policy in POLICIES.values() if policy.amounts]

PHONES = {"12345", "12366", "12333"}
_NUMBER = re.compile(r"\d+(?:\.\d+)?")
_LANDLINE = re.compile(r"\d{3,4}-\d{7,8}|(?<!\d)1[3-9]\d{9}(?!\d)|(?<![\d.])\d{7,8}(?![\d.])")


def test_there_are_enough_of_every_kind() -> None:
    assert len(POLICIES) >= 100
    assert len({policy.theme for policy in POLICIES.values()}) >= 20
    levels = Counter(policy.level for policy in POLICIES.values())
    assert set(levels) == {"national", "province", "city", "district"}
    assert min(levels.values()) >= 7
    origins = Counter(policy.origin for policy in POLICIES.values())
    assert origins["real"] >= 30
    assert origins["sample"] >= 50


def test_windows_are_open_closed_coming_and_endless() -> None:
    states = Counter(policy.window.state(TODAY) for policy in POLICIES.values())
    assert states["open"] > len(POLICIES) / 2
    assert states["closed"] >= 5
    assert states["upcoming"] >= 5
    assert sum(policy.window.closes is None for policy in POLICIES.values()) >= 15


def test_every_district_has_its_own() -> None:
    conditions = [c.when for p in POLICIES.values() for c in p.eligibility]
    for name in city_districts():
        assert f"district = '{name}'" in conditions


def test_every_column_is_asked_for_by_some_policy() -> None:
    used = {
        name
        for policy in POLICIES.values()
        for predicate in (*policy.predicates, *(case for case, _ in policy.amounts if case))
        for name in predicate.columns
    } | {name for policy in PAID for _, amount in policy.amounts for name in amount.columns}
    assert set(COLUMNS) == used


def test_no_two_policies_share_words_of_citizens() -> None:
    queries = [query for policy in POLICIES.values() for query in policy.queries]
    assert len(queries) == len(set(queries))
    assert not {policy.title for policy in POLICIES.values()} & set(queries)
    assert len({policy.title for policy in POLICIES.values()}) == len(POLICIES)


def test_some_replace_an_older_document() -> None:
    replaced = {policy.id: policy.supersedes for policy in POLICIES.values() if policy.supersedes}
    assert len(replaced) >= 2
    for identifier, documents in replaced.items():
        for document in documents:
            assert document in (POLICIES[identifier].body or "")


def test_what_rules_out_does_so_both_ways() -> None:
    pairs = {(policy.id, other) for policy in POLICIES.values() for other in policy.excludes}
    assert len(pairs) >= 16
    assert one_sided(POLICIES.values()) == ()


@EVERY
def test_a_policy_is_complete(policy: Policy) -> None:
    assert policy.body is not None
    assert 150 <= len(policy.body) <= 600
    assert "\n" in policy.body
    assert len(policy.queries) >= 6
    assert len(policy.steps) >= 1
    assert policy.apply.phone in PHONES
    assert policy.benefit.text
    text = "".join((policy.body, policy.summary, policy.apply.place, *policy.steps))
    assert not _LANDLINE.search(text)
    assert len(set(policy.queries)) == len(policy.queries)


@EVERY
def test_a_document_says_where_it_comes_from(policy: Policy) -> None:
    document = policy.document
    if policy.origin == "sample":
        assert document.title.endswith("（样例）")
        assert document.number is None
        assert policy.level != "national"
        assert document.date is not None
        assert document.date <= TODAY
    else:
        assert policy.level == "national"
        assert document.number or re.search("法|条例", document.title)
        assert re.search(r"www\.|\w+\.(?:gov|npc)\.", policy.source or "")


@EVERY
def test_no_condition_holds_always_or_never(policy: Policy) -> None:
    for predicate in policy.predicates:
        seen = {predicate.evaluate(facts) for facts in _guesses(predicate.columns, policy)}
        assert {True, False} <= seen, predicate.sql
        assert predicate.evaluate({}) is None


@EVERY
def test_the_conditions_can_hold_together(policy: Policy) -> None:
    profile = {"kind": "enterprise", "id": "e", "attributes": _eligible(policy, 0)}
    assert evaluate(policy, parse_profile(profile)).verdict == "eligible"


@pytest.mark.parametrize("policy", PAID, ids=lambda policy: policy.id)
def test_what_is_due_is_known_for_whoever_is_eligible(policy: Policy) -> None:
    assert re.match("万?元", policy.benefit.unit or "")
    for seed in range(25):
        facts = _eligible(policy, seed)
        due = _due(policy, facts)
        assert due is not None, facts
        assert math.isfinite(due)
        assert due >= 0, facts
        if policy.benefit.cap is not None:
            assert due <= policy.benefit.cap * (1 + 1e-9), facts


@pytest.mark.parametrize(
    ("policy_id", "facts", "due"),
    [
        ("small_low_profit_tax", {"taxable_income_wan": 300}, 60),
        ("hnte_income_tax", {"taxable_income_wan": 1000}, 100),
        ("hnte_income_tax", {"taxable_income_wan": -20}, 0),
        ("rd_super_deduction", {"rd_expense_wan": 200, "is_high_tech": True}, 30),
        ("ic_machine_tool_deduction", {"rd_expense_wan": 100, "is_high_tech": False}, 30),
        ("individual_income_tax_half", {"taxable_income_wan": 20}, 1.475),
        ("individual_income_tax_half", {"taxable_income_wan": 200}, 31.725),
        ("individual_income_tax_half", {"taxable_income_wan": 500}, 31.725),
        ("tech_transfer_tax", {"tech_transfer_income_wan": 800}, 162.5),
        ("software_income_tax", {"profitable_years": 2, "taxable_income_wan": 400}, 100),
        ("software_income_tax", {"profitable_years": 5, "taxable_income_wan": 400}, 50),
        ("special_equipment_digital",
         {"special_equipment_wan": 100, "special_upgrade_wan": 80}, 5),
        ("disabled_fund_graded", {"disabled_staff_ratio": 1, "payroll_wan": 1000}, 2.5),
        ("disabled_fund_graded", {"disabled_staff_ratio": 0, "payroll_wan": 1000}, 1.5),
        ("disabled_fund_exempt", {"disabled_staff_ratio": 0, "payroll_wan": 200}, 3),
        ("disabled_fund_exempt", {"disabled_staff_ratio": 4, "payroll_wan": 200}, 0),
        ("loan_stamp_tax", {"bank_loan_wan": 500}, 250),
        ("veteran_hiring_tax", {"veterans_hired": 3}, 18_000),
        ("service_loan_interest", {"bank_loan_wan": 300}, 3),
        ("service_loan_interest", {"bank_loan_wan": 5000}, 10),
        ("sme_loan_interest", {"fixed_asset_loan_wan": 2000}, 30),
        ("stable_post_refund", {"scale": "small", "unemployment_premium_wan": 10}, 6),
        ("stable_post_refund", {"scale": "large", "unemployment_premium_wan": 10}, 3),
        ("digital_upgrade", {"digital_investment_wan": 50}, 15),
        ("digital_upgrade", {"digital_investment_wan": 500}, 60),
        ("disabled_hiring_reward", {"headcount": 200, "disabled_staff_ratio": 2.5}, 12_000),
        ("export_insurance_subsidy", {"export_usd_wan": 300, "export_insurance_wan": 10}, 8),
        ("export_insurance_subsidy", {"export_usd_wan": 301, "export_insurance_wan": 10}, 5),
        ("leading_agri_support", {"linked_households": 1000}, 80),
        ("rd_growth_reward", {"rd_expense_wan": 300, "revenue_wan": 3000}, 24),
        ("rd_growth_reward", {"rd_expense_wan": 300, "revenue_wan": 3001}, 15),
        ("green_building", {"green_building": "two", "building_area": 6000}, 120_000),
        ("nursing_home_subsidy", {"nursing_beds": 100}, 800_000),
        ("listing_reward", {"listing_stage": "accepted"}, 150),
    ],
)  # fmt: skip
def test_the_sums_that_one_can_check_by_hand(
    policy_id: str, facts: dict[str, Value], due: float
) -> None:
    assert _due(POLICIES[policy_id], facts) == pytest.approx(due)


@pytest.mark.parametrize(
    ("policy_id", "met", "broken"),
    [
        ("disabled_vat_refund",
         {"disabled_staff_ratio": 25, "disabled_staff": 10, "tax_credit_grade": "B"},
         [{"disabled_staff_ratio": 24.9}, {"disabled_staff": 9}, {"tax_credit_grade": "C"}]),
        ("equipment_one_off_deduction",
         {"equipment_investment_wan": 900, "equipment_unit_wan": 500, "audited_collection": True},
         [{"equipment_unit_wan": 500.1}, {"audited_collection": False}]),
        ("advanced_mfg_vat",
         {"is_high_tech": True, "industry_division": 13, "small_scale_taxpayer": False},
         [{"industry_division": 12}, {"industry_division": 44}, {"small_scale_taxpayer": True}]),
        ("bulk_storage_land_tax", {"industry": "storage", "bulk_storage_area": 6000},
         [{"bulk_storage_area": 5999}, {"industry": "retail"}]),
        ("software_income_tax",
         {"encouraged_ic_software": True, "profitable_years": 5, "audited_collection": True},
         [{"profitable_years": 6}, {"profitable_years": 0}]),
        ("incubator_tax", {"incubator": "province", "incubated_firms": 1},
         [{"incubator": "city"}, {"incubated_firms": 0}]),
        ("payment_protection", {"scale": "medium"}, [{"scale": "large"}]),
        ("six_taxes_halved",
         {"small_scale_taxpayer": False, "registered_as_individual": True},
         [{"registered_as_individual": False, "restricted_industry": True}]),
    ],
)  # fmt: skip
def test_the_limits_of_national_policies(
    policy_id: str, met: dict[str, Value], broken: list[dict[str, Value]]
) -> None:
    def verdict(attributes: dict[str, Value]) -> str:
        profile = {"kind": "enterprise", "id": "e", "attributes": attributes}
        return evaluate(POLICIES[policy_id], parse_profile(profile)).verdict

    assert verdict(met) == "eligible"
    for change in broken:
        assert verdict({**met, **change}) == "ineligible", change


CONGLOMERATE: dict[str, Value] = {
    # a maker of machines with every line of business at once, so that each sum has its columns
    "scale": "medium", "headcount": 320, "insured_staff": 310, "revenue_wan": 26_000,
    "assets_wan": 31_000, "revenue_growth": 18.5, "taxable_income_wan": 1_450,
    "is_high_tech": True, "srdi_giant": False, "payroll_wan": 3_900,
    "unemployment_premium_wan": 46.8, "training_expense_wan": 60, "disabled_staff_ratio": 1.9,
    "disabled_wage_wan": 36, "new_graduates_hired": 6, "unemployed_hired": 2,
    "hardship_hired": 1, "veterans_hired": 3, "interns": 4, "apprentices": 12,
    "doctors_hired": 1, "rd_expense_wan": 1_180, "basic_research_wan": 50,
    "tech_transfer_income_wan": 620, "tech_contract_wan": 900, "tech_service_wan": 14,
    "patents_granted": 7, "carried_loss_wan": 200, "startup_investment_wan": 300,
    "tax_project": "environment", "project_income_years": 4, "profitable_years": 3,
    "special_equipment_wan": 260, "special_upgrade_wan": 70, "equipment_investment_wan": 2_400,
    "digital_investment_wan": 380, "energy_saving_wan": 150, "energy_saving_rate": 12,
    "photovoltaic_wan": 210, "cold_chain_wan": 240, "charging_piles": 16, "rented_area": 420,
    "fixed_asset_loan_wan": 1_800, "bank_loan_wan": 2_500, "guaranteed_loan_wan": 600,
    "ip_pledge_loan_wan": 500, "export_usd_wan": 480, "export_insurance_wan": 9,
    "cross_border_usd_wan": 130, "listing_stage": "tutoring", "incubator": "city",
    "incubated_firms": 24, "rd_center": "province", "first_set": "province",
    "smart_factory": "advanced", "green_factory": "city", "green_building": "two",
    "building_area": 8_000, "standard_led": "national", "quality_award": "city",
    "time_honoured": "city", "first_store": "city", "homestay_grade": "c",
    "logistics_grade": "a3", "safety_grade": "second", "inbound_tourists": 700,
    "linked_households": 450, "farm_area_mu": 60, "disaster_loss_wan": 35, "nursing_beds": 80,
    "childcare_places": 40,
}  # fmt: skip


@pytest.mark.parametrize("policy", PAID, ids=lambda policy: policy.id)
def test_every_sum_can_be_worked_out_for_one_enterprise(policy: Policy) -> None:
    profile = {"kind": "enterprise", "id": "e", "attributes": CONGLOMERATE}
    due = _due(policy, parse_profile(profile).attributes)
    assert due is not None
    assert math.isfinite(due)
    assert due >= 0


def _due(policy: Policy, facts: Mapping[str, Value]) -> float | None:
    """Return what the first case that holds is worth."""
    for case, amount in policy.amounts:
        holds = True if case is None else case.evaluate(facts)
        if holds:
            return amount.evaluate(facts)
        if holds is None and case is not None:
            return None
    return None


def _eligible(policy: Policy, seed: int) -> dict[str, Value]:
    """Search a profile that all conditions accept, every column of the amount known."""
    chance = random.Random(f"{policy.id} {seed}")
    for _ in range(300):
        facts: dict[str, Value] = {}
        if all(_made_true(predicate, facts, policy, chance) for predicate in policy.predicates):
            names = {
                name
                for case, amount in policy.amounts
                for name in (*amount.columns, *(case.columns if case else ()))
            }
            rest = sorted(names - set(facts))
            return facts | {n: chance.choice(_candidates(COLUMNS[n], policy)) for n in rest}
    raise AssertionError(f"{policy.id}: no profile meets all conditions")


def _made_true(
    predicate: Predicate, facts: dict[str, Value], policy: Policy, chance: random.Random
) -> bool:
    """Add to ``facts`` what makes ``predicate`` true, or say that it was not found."""
    free = [name for name in predicate.columns if name not in facts]
    for _ in range(200):
        added = {name: chance.choice(_candidates(COLUMNS[name], policy)) for name in free}
        if predicate.evaluate({**facts, **added}):
            facts.update(added)
            return True
    return False


def _guesses(names: tuple[str, ...], policy: Policy) -> Iterator[dict[str, Value]]:
    chance = random.Random(policy.id)
    for _ in range(600):
        yield {name: chance.choice(_candidates(COLUMNS[name], policy)) for name in names}


def _candidates(column: Attribute, policy: Policy) -> list[Value]:
    """Return values worth trying: the ends of the range and around each number named."""
    if column.type == "boolean":
        return [True, False]
    if column.type == "choice":
        return [choice.value for choice in column.choices]
    named = {float(n) for c in policy.eligibility for n in _NUMBER.findall(c.when)}
    low = -1000.0 if column.minimum is None else column.minimum
    high = 1e6 if column.maximum is None else column.maximum
    around = {n + step for n in named | {low, high} for step in (-1, -0.5, 0, 0.5, 1)} | {1.0, 20.0}
    fitting = sorted(n for n in around if low <= n <= high)
    if column.type == "integer":
        return list(dict.fromkeys(int(n) for n in fitting))
    return list(fitting)

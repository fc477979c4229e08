"""What the residents' policies promise: complete, decidable, worth what their text says."""

from __future__ import annotations

import math
import random
import re
from collections import Counter
from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest

from base.settings import ROOT
from matcher.attributes import city_districts
from matcher.eligibility import evaluate
from matcher.policy import Policy, load_policies
from matcher.predicate import Predicate
from matcher.profile import ATTRIBUTES, Attribute, Value, parse_profile

ALL = load_policies(ROOT / "policies")
POLICIES = {policy.id: policy for policy in ALL if policy.audience == "resident"}
COLUMNS = ATTRIBUTES["resident"]
TODAY = date(2026, 11, 22)
HOTLINES = {"12345", "12333", "12393", "12366", "12348", "12329", "12316"}
"""One number for the whole country each; a local office's is never printed."""
_NUMBER = re.compile(r"(?<![\w.])\d+(?:\.\d+)?")

each_policy = pytest.mark.parametrize("policy", POLICIES.values(), ids=POLICIES)


def test_the_corpus_is_broad() -> None:
    assert len(POLICIES) >= 100
    assert len({policy.theme for policy in POLICIES.values()}) >= 15
    levels = Counter(policy.level for policy in POLICIES.values())
    assert min(levels[level] for level in ("national", "province", "city", "district")) >= 4
    assert sum(policy.origin == "real" for policy in POLICIES.values()) >= 35
    states = Counter(policy.window.state(TODAY) for policy in POLICIES.values())
    assert min(states[state] for state in ("open", "upcoming", "closed")) >= 4
    assert sum(bool(policy.supersedes) for policy in POLICIES.values()) >= 2


def test_every_district_has_policies_of_its_own() -> None:
    conditions = "".join(c.when for p in POLICIES.values() for c in p.eligibility)
    for name in city_districts():
        assert f"district = '{name}'" in conditions, name


@each_policy
def test_a_policy_is_complete(policy: Policy) -> None:
    assert policy.body is not None
    assert 150 <= len(policy.body.replace("\n", "")) <= 600
    assert policy.body.count("\n\n") >= 1  # in paragraphs
    assert policy.apply.phone in HOTLINES
    assert policy.apply.online
    assert policy.window.note
    if policy.origin == "real":
        assert policy.source
        assert policy.document.number or policy.document.date
        assert "样例" not in policy.document.title
    else:
        assert "样例" in policy.document.title
    if policy.level == "district":
        assert any("district" in predicate.columns for predicate in policy.predicates)
        assert any(name in policy.title or name in policy.issuer for name in city_districts())


@each_policy
def test_no_personal_or_office_number_is_printed(policy: Policy) -> None:
    for text in _texts(policy.model_dump()):
        assert not re.search(r"1[3-9]\d{9}|0\d{2,3}[-—]\d{7,8}|\d{17}[\dXx]", text), text


def test_citizens_ask_for_each_policy_in_words_of_its_own() -> None:
    asked = [query for policy in ALL for query in policy.queries]
    assert len(asked) == len(set(asked))
    titles = {policy.title for policy in ALL}
    assert not titles & set(asked)
    assert len({policy.title for policy in ALL}) == len(ALL)
    for policy in POLICIES.values():
        assert len(policy.queries) >= 6, policy.id


def test_every_column_serves_a_policy() -> None:
    used = {name for policy in POLICIES.values() for name in _columns(policy)}
    assert used == set(COLUMNS)


def test_every_condition_can_be_met_and_missed() -> None:
    """No condition contradicts itself and none is always true."""
    for policy in POLICIES.values():
        for condition, predicate in zip(policy.eligibility, policy.predicates, strict=True):
            random_ = random.Random(predicate.sql)
            seen = set[bool | None]()
            for _ in range(400):
                seen.add(predicate.evaluate(_facts(random_, [predicate])))
                if seen >= {True, False}:
                    break
            assert {True, False} <= seen, f"{policy.id}: {condition.when}"


@each_policy
def test_somebody_is_eligible_and_somebody_is_not(policy: Policy) -> None:
    """All conditions hold together for one profile; everything unknown decides nothing."""
    verdict = evaluate(policy, parse_profile(_profile(_eligible(policy)))).verdict
    assert verdict == "eligible"
    assert evaluate(policy, parse_profile(_profile({}))).verdict == "possible"
    for predicate in policy.predicates:
        facts = _search(random.Random(predicate.sql), [predicate], wanted=False)
        assert evaluate(policy, parse_profile(_profile(facts))).verdict == "ineligible"


@each_policy
def test_an_amount_never_exceeds_the_cap_nor_turns_on_what_is_unknown(policy: Policy) -> None:
    """Forgetting a column makes an amount unknown or leaves it, but never makes it another."""
    if not policy.amounts:
        return
    random_ = random.Random(policy.id)
    conditions = [condition for condition, _ in policy.amounts if condition]
    for _ in range(60):
        facts = _facts(random_, [*policy.predicates, *conditions], _columns(policy))
        whole = _amount(policy, facts)
        for name in facts:
            part = _amount(policy, {key: v for key, v in facts.items() if key != name})
            assert part is None or part == whole, (policy.id, name, facts)
    worth = _amount(policy, _eligible(policy))
    if worth is not None and policy.benefit.cap is not None:
        assert worth <= policy.benefit.cap


def test_money_is_counted_in_yuan() -> None:
    for policy in POLICIES.values():
        if policy.amounts:
            assert policy.benefit.unit in {"元", "万元", "元/月", "元/年", "元/季"}, policy.id


_TAX = {"pays_income_tax": True, "income_tax_rate": 10}
_LOCAL = {"hukou": "local"}
_GRADUATE = {"education": "bachelor", "graduation_years": 1}
_CERTIFIED = {"skill_certificate": "intermediate", "skill_certificate_months": 3}
_SCHOLAR = {"employment": "student", "education": "bachelor", "excellent_grades": True}
_WORTH: tuple[tuple[str, dict[str, Value], float], ...] = (
    ("appliance_trade_in", {**_LOCAL, "appliance_price_yuan": 4000}, 600),
    ("appliance_trade_in", {**_LOCAL, "appliance_price_yuan": 20000}, 1500),
    ("brave_deed_reward", {**_LOCAL, "brave_deed": True}, 10000),
    ("car_scrap_2025", {"scrapped_old_car": True, "car_purchase": "fuel"}, 15000),
    ("car_trade_in_2026", {**_LOCAL, "scrapped_old_car": True, "car_purchase": "new_energy",
                           "car_price_yuan": 120000}, 14400),
    ("car_trade_in_2026", {**_LOCAL, "scrapped_old_car": True, "car_purchase": "fuel",
                           "car_price_yuan": 200000}, 15000),
    ("child_education_deduction", {**_TAX, "children_in_school": 2}, 400),
    ("childcare_subsidy", {"youngest_child_age": 1, "children_under3_count": 2}, 7200),
    ("continuing_education_deduction",
     {**_TAX, "skill_certificate_months": 5, "studies_part_time": False}, 360),
    ("culture_voucher", {**_LOCAL, "age": 66}, 200),
    ("deed_tax_first_home",
     {"home_purchase": "only", "home_area": 120, "home_price_wan": 200}, 4),
    ("deed_tax_first_home",
     {"home_purchase": "second", "home_area": 160, "home_price_wan": 300}, 3),
    ("disabled_self_employment", {**_LOCAL, "disability_level": 2, "is_business_owner": True,
                                  "business_years": 2, "age": 40}, 15000),
    ("disabled_student_aid", {**_LOCAL, "disability_level": 3, "employment": "student",
                              "education": "vocational"}, 3000),
    ("elderly_accident_insurance", {**_LOCAL, "age": 70, "is_low_income": True}, 60),
    ("elderly_allowance", {**_LOCAL, "age": 82}, 100),
    ("elderly_allowance", {**_LOCAL, "age": 100}, 600),
    ("elderly_flu_vaccine", {**_LOCAL, "age": 65}, 50),
    ("elderly_service_voucher",
     {**_LOCAL, "age": 75, "is_low_income": True, "care_level": "moderate"}, 400),
    ("elderly_support_deduction", {**_TAX, "parent_over60": True, "only_child": True}, 300),
    ("elderly_support_deduction", {**_TAX, "parent_over60": True, "only_child": False}, 150),
    ("enlisted_student_tuition",
     {"education": "bachelor", "enlisted_student": True, "tuition_yuan": 6800}, 6800),
    ("enlisted_student_tuition",
     {"education": "master", "enlisted_student": True, "tuition_yuan": 40000}, 25000),
    ("family_planning_reward",
     {**_LOCAL, "rural_hukou": True, "age": 61, "family_planning_family": True}, 1200),
    ("farm_machine_subsidy", {"is_farmer": True, "farm_machine_price_yuan": 60000}, 18000),
    ("farmland_protection", {"is_farmer": True, "farm_land_mu": 8, "rural_hukou": True}, 920),
    ("flexible_hard_social",
     {"hard_to_employ": True, "employment": "flexible", "social_fee_yuan": 900}, 600),
    ("flexible_maternity",
     {"gender": "female", "employment": "flexible", "insurance_type": "employee",
      "months_since_birth": 2, "maternity_insurance_months": 0, "children_count": 2}, 4000),
    ("funeral_benefit", {**_LOCAL, "relative_died": True}, 1500),
    ("graduate_flexible_social",
     {**_GRADUATE, "employment": "flexible", "social_insurance_months": 6,
      "social_fee_yuan": 1200}, 800),
    ("graduate_job_seeking",
     {"employment": "student", "final_year_student": True, "student_loan": True}, 1500),
    ("infant_care_deduction",
     {**_TAX, "youngest_child_age": 2, "children_under3_count": 1}, 200),
    ("jiangnan_third_child",
     {**_LOCAL, "district": "江南区", "children_count": 3, "months_since_birth": 4}, 20000),
    ("linshan_grain_grower", {"district": "临山县", "is_farmer": True, "farm_land_mu": 100}, 6000),
    ("linshan_multi_child_home",
     {"district": "临山县", "home_purchase": "only", "children_count": 3,
      "youngest_child_age": 4, "home_area": 100}, 30000),
    ("linshan_return_startup",
     {"rural_hukou": True, "district": "临山县", "is_business_owner": True,
      "business_years": 1, "is_farmer": False}, 8000),
    ("long_term_care", {"medical_insured": True, "needs_care": True, "disabled_months": 8,
                        "care_level": "severe"}, 1200),
    ("low_income_utilities", {**_LOCAL, "is_low_income": True}, 30),
    ("maternity_allowance",
     {"gender": "female", "employment": "employed", "maternity_insurance_months": 14,
      "months_since_birth": 3, "employer_average_wage_yuan": 6000}, 19600),
    ("medical_insurance_aid", {**_LOCAL, "is_low_income": True}, 400),
    ("mental_guardian_subsidy", {**_LOCAL, "mental_guardian": True, "age": 50}, 2400),
    ("minimum_living",
     {**_LOCAL, "household_income_monthly": 700, "household_assets_within_limit": True,
      "household_size": 3}, 1200),
    ("mortgage_deduction", {**_TAX, "mortgage_first_home": True}, 100),
    ("national_inspiration_scholarship", {**_SCHOLAR, "hardship_student": True}, 6000),
    ("national_scholarship", _SCHOLAR, 10000),
    ("nev_purchase_tax", {"car_purchase": "new_energy", "car_price_yuan": 200000}, 10000),
    ("nev_purchase_tax", {"car_purchase": "new_energy", "car_price_yuan": 400000}, 15000),
    ("nursery_subsidy",
     {**_LOCAL, "youngest_child_age": 2, "child_stage": "nursery", "children_count": 1}, 300),
    ("old_house_lift",
     {"district": "云东区", "lives_without_lift": True, "owns_home": True, "age": 75}, 2000),
    ("personal_pension_tax", {**_TAX, "personal_pension_yuan": 12000}, 1200),
    ("prenatal_screening", {**_LOCAL, "pregnant": True, "gender": "female", "age": 36}, 900),
    ("public_rental_subsidy",
     {**_LOCAL, "household_income_monthly": 2000, "owns_home": False, "household_size": 2}, 600),
    ("public_welfare_post",
     {**_LOCAL, "hard_to_employ": True, "employment": "unemployed",
      "unemployment_registered": True}, 2260),
    ("resident_pension_contribution",
     {**_LOCAL, "age": 45, "employment": "flexible", "resident_pension_paid_yuan": 500}, 60),
    ("serious_illness_deduction", {**_TAX, "annual_medical_cost_yuan": 35000}, 2000),
    ("serious_illness_deduction", {**_TAX, "annual_medical_cost_yuan": 200000}, 8000),
    ("skill_upgrade_subsidy", {**_CERTIFIED, "unemployment_insurance_months": 20}, 1500),
    ("special_family_support",
     {**_LOCAL, "age": 55, "only_child_condition": "died", "children_count": 0}, 780),
    ("startup_subsidy",
     {"is_business_owner": True, "business_years": 1, "unemployment_registered": True}, 10000),
    ("talent_rent_subsidy",
     {"education": "master", "graduation_years": 2, "social_insurance_months": 8,
      "employment": "employed", "owns_home": False}, 800),
    ("talent_settlement",
     {"talent_level": "city", "social_insurance_months": 14, "employment": "employed",
      "home_purchase": "only"}, 30),
    ("training_subsidy",
     {**_CERTIFIED, "employment": "unemployed", "age": 40, "training_certificate": True}, 1800),
    ("unemployment_subsidy_2025",
     {"unemployment_insurance_months": 8, "employment": "unemployed",
      "unemployment_registered": True}, 400),
    ("veteran_lump_sum", {**_LOCAL, "veteran": True, "service_years": 5}, 30000),
    ("work_injury_lump", {"work_injury_level": 1, "monthly_wage_yuan": 5000}, 135000),
    ("work_injury_lump", {"work_injury_level": 6, "monthly_wage_yuan": 5000}, 80000),
    ("work_injury_lump", {"work_injury_level": 10, "monthly_wage_yuan": 5000}, 35000),
    ("youth_trainee_allowance", {**_GRADUATE, "employment": "unemployed"}, 2400),
    ("yundong_young_home",
     {"district": "云东区", "age": 30, "education": "master", "social_insurance_months": 12,
      "home_purchase": "only"}, 5),
)  # fmt: skip
"""Policy, a profile that is entitled to it, and what its text makes that worth in its unit."""


@pytest.mark.parametrize(("policy_id", "attributes", "expected"), _WORTH)
def test_what_a_policy_is_worth(
    policy_id: str, attributes: dict[str, Value], expected: float
) -> None:
    policy = POLICIES[policy_id]
    profile = parse_profile(_profile(attributes))
    assert evaluate(policy, profile).verdict == "eligible"
    worth = _amount(policy, dict(profile.attributes))
    assert worth is not None
    assert math.isfinite(worth)
    assert worth == pytest.approx(expected)


def test_every_amount_is_worked_out_by_hand_once() -> None:
    assert {name for name, _, _ in _WORTH} == {p.id for p in POLICIES.values() if p.amounts}


def _profile(attributes: dict[str, Value]) -> dict[str, object]:
    return {"kind": "resident", "id": "somebody", "attributes": attributes}


def _columns(policy: Policy) -> set[str]:
    parts: list[Any] = [*policy.predicates]
    for condition, formula in policy.amounts:
        parts += [formula] if condition is None else [condition, formula]
    return {name for part in parts for name in part.columns}


def _amount(policy: Policy, facts: dict[str, Value]) -> float | None:
    """Return the amount of the first case that holds."""
    for condition, formula in policy.amounts:
        if condition is None or condition.evaluate(facts):
            return formula.evaluate(facts)
    return None


def _eligible(policy: Policy) -> dict[str, Value]:
    return _search(random.Random(policy.id), list(policy.predicates), wanted=True)


def _search(
    random_: random.Random, predicates: list[Predicate], *, wanted: bool
) -> dict[str, Value]:
    """Draw anew the columns of a condition that is not as wanted, until all are."""
    facts = _facts(random_, predicates)
    for _ in range(4000):
        wrong = [p for p in predicates if p.evaluate(facts) is not wanted]
        if not wrong:
            return facts
        facts |= _facts(random_, predicates, set(random_.choice(wrong).columns))
    raise AssertionError(f"nobody found for {[p.sql for p in predicates]}")


def _facts(
    random_: random.Random, predicates: list[Predicate], columns: set[str] | None = None
) -> dict[str, Value]:
    """Draw a value for each column, near the numbers that the conditions name or anywhere."""
    named = [float(n) for p in predicates for n in _NUMBER.findall(p.sql)]
    names = columns or {name for p in predicates for name in p.columns}
    return {name: _value(random_, COLUMNS[name], named) for name in sorted(names)}


def _value(random_: random.Random, column: Attribute, named: list[float]) -> Value:
    if column.type == "boolean":
        return random_.random() < 0.5
    if column.type == "choice":
        return random_.choice(column.choices).value
    low, high = column.minimum or 0, column.maximum or 1e6
    value = random_.uniform(low, high)
    if named and random_.random() < 0.8:
        value = random_.choice(named) + random_.choice((-1, -0.5, 0, 0.5, 1))
    value = min(max(value, low), high)
    return round(value) if column.type == "integer" else value


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for part in value.values():
            yield from _texts(part)
    elif isinstance(value, list | tuple):
        for part in value:
            yield from _texts(part)

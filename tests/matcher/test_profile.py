"""Profiles: what is accepted, what is refused and how the refusal names the column."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from base.errors import ConfigurationError, InputError
from matcher import attributes as attributes_module
from matcher.eligibility import evaluate
from matcher.policy import Policy, load_policies
from matcher.profile import ATTRIBUTES, Profile, complete, load_profile, parse_profile
from matcher.profile_docs import PATH, render

ROOT = Path(__file__).resolve().parents[2]
PROFILES = Path(__file__).parent / "profiles"
TODAY = date(2026, 11, 21)


def enterprise(**attributes: object) -> Profile:
    return parse_profile({"kind": "enterprise", "id": "e-1", "attributes": attributes})


@pytest.fixture(scope="module")
def policies() -> dict[str, Policy]:
    return {policy.id: policy for policy in load_policies(ROOT / "policies")}


def test_the_page_of_columns_is_in_step() -> None:
    assert PATH.read_text(encoding="utf-8") == render()


@pytest.mark.parametrize("kind", ["enterprise", "resident"])
def test_every_column_can_be_asked_for(kind: str) -> None:
    for name, column in ATTRIBUTES[kind].items():
        assert column.name == name
        assert column.kind == kind
        assert column.label
        assert column.question.endswith(("？", "。")), column
        assert bool(column.choices) == (column.type == "choice"), column
        assert bool(column.unit) == (column.type in ("integer", "number")), column


def test_null_is_unknown() -> None:
    profile = enterprise(headcount=None, revenue_wan=10)
    assert dict(profile.attributes) == {"revenue_wan": 10}
    assert profile.known("headcount") is None


def test_false_is_known() -> None:
    assert enterprise(is_high_tech=False).known("is_high_tech") is False


@pytest.mark.parametrize(
    ("content", "named"),
    [
        ([], "JSON"),
        ({"kind": "shop", "id": "x"}, "kind"),
        ({"kind": "resident"}, "id"),
        ({"kind": "resident", "id": " "}, "id"),
        ({"kind": "resident", "id": "x", "attributes": []}, "attributes"),
        ({"kind": "resident", "id": "x", "extra": 1}, "extra"),
        ({"kind": "resident", "id": "x", "attributes": {"headcount": 3}}, "headcount"),
        ({"kind": "resident", "id": "x", "attributes": {"age": "82"}}, "age"),
        ({"kind": "resident", "id": "x", "attributes": {"age": True}}, "age"),
        ({"kind": "resident", "id": "x", "attributes": {"age": 82.5}}, "age"),
        ({"kind": "resident", "id": "x", "attributes": {"age": -1}}, "age"),
        ({"kind": "resident", "id": "x", "attributes": {"age": 121}}, "age"),
        ({"kind": "resident", "id": "x", "attributes": {"age": float("nan")}}, "age"),
        ({"kind": "resident", "id": "x", "attributes": {"age": 10**400}}, "age"),
        ({"kind": "resident", "id": "x", "attributes": {"owns_home": 1}}, "owns_home"),
        ({"kind": "resident", "id": "x", "attributes": {"gender": "woman"}}, "gender"),
        ({"kind": "resident", "id": "x", "attributes": {"district": "别处"}}, "district"),
    ],
)
def test_a_bad_profile_is_refused_by_name(content: object, named: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_profile(content)
    assert caught.value.code == "profile_invalid"
    assert named in caught.value.message


def test_a_loss_may_be_negative() -> None:
    assert enterprise(taxable_income_wan=-30).known("taxable_income_wan") == -30


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
        max_leaves=8,
    )
)
def test_any_json_is_a_profile_or_refused(content: object) -> None:
    for document in (content, {"kind": "resident", "id": "x", "attributes": content}):
        try:
            parse_profile(document)
        except InputError as error:
            assert error.code == "profile_invalid"


@pytest.mark.parametrize("content", [b"{", b"\xff\xfe", b"[" * 100_000])
def test_a_file_that_is_not_json_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "profile.json"
    path.write_bytes(content)
    with pytest.raises(InputError, match="profile_invalid"):
        load_profile(path)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="profile_invalid"):
        load_profile(tmp_path / "none.json")


def test_new_facts_replace_old_ones_and_leave_the_profile_alone() -> None:
    before = enterprise(headcount=80)
    after = before.merged({"headcount": 90, "revenue_wan": 5})
    assert dict(before.attributes) == {"headcount": 80}
    assert dict(after.attributes) == {"headcount": 90, "revenue_wan": 5}
    with pytest.raises(InputError, match="profile_invalid"):
        before.merged({"headcount": -1})


def test_scale_is_derived_only_when_decided_and_not_given() -> None:
    assert complete(enterprise(industry="industry", headcount=12)).known("scale") == "micro"
    assert complete(enterprise(industry="industry", headcount=120)).known("scale") is None
    given_scale = enterprise(industry="industry", headcount=12, scale="large")
    assert complete(given_scale).known("scale") == "large"
    resident = parse_profile({"kind": "resident", "id": "r", "attributes": {"age": 3}})
    assert complete(resident) is resident


def test_districts_come_from_the_city_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class City:
        policies_dir = tmp_path

    monkeypatch.setattr(attributes_module, "get_settings", City)
    read = attributes_module.city_districts.__wrapped__
    assert read() == ()
    (tmp_path / "districts.yml").write_text("districts: [甲区, 乙县]\n", encoding="utf-8")
    assert read() == ("甲区", "乙县")
    for bad in ("districts: 3\n", "[]\n", "districts: [\n"):
        (tmp_path / "districts.yml").write_text(bad, encoding="utf-8")
        with pytest.raises(ConfigurationError, match="districts"):
            read()


@pytest.mark.parametrize(
    ("file", "verdicts"),
    [
        (
            "enterprise_factory.json",
            {
                "small_low_profit_tax": "eligible",
                "rd_super_deduction": "eligible",
                "stable_post_refund": "eligible",
                "hnte_recognition": "possible",
                "disabled_fund_exempt": "ineligible",
                "rent_subsidy": "ineligible",
                "srdi_sme": "possible",
            },
        ),
        (
            "resident_elderly.json",
            {
                "elderly_allowance": "eligible",
                "living_alone_care": "eligible",
                "elderly_accident_insurance": "eligible",
                "disabled_care_subsidy": "ineligible",
                "long_term_care": "ineligible",
                "minimum_living": "possible",
            },
        ),
        (
            "resident_graduate.json",
            {
                "graduate_flexible_social": "eligible",
                "elderly_allowance": "ineligible",
                "public_rental_subsidy": "ineligible",
                "startup_subsidy": "ineligible",
                "unemployment_benefit": "possible",
                "talent_rent_subsidy": "ineligible",
            },
        ),
    ],
)
def test_example_profiles(policies: dict[str, Policy], file: str, verdicts: dict[str, str]) -> None:
    profile = complete(load_profile(PROFILES / file))
    found = {name: evaluate(policies[name], profile).verdict for name in verdicts}
    assert found == verdicts


def test_the_one_unknown_is_named(policies: dict[str, Policy]) -> None:
    profile = complete(load_profile(PROFILES / "enterprise_factory.json"))
    assert evaluate(policies["hnte_recognition"], profile).missing == ("hightech_revenue_ratio",)


@pytest.mark.parametrize(
    ("policy_id", "met", "broken"),
    [
        ("small_low_profit_tax",
         {"restricted_industry": False, "taxable_income_wan": 300, "headcount": 300,
          "assets_wan": 5000},
         [{"taxable_income_wan": 300.01}, {"headcount": 301}, {"assets_wan": 5001},
          {"restricted_industry": True}]),
        ("hnte_recognition",
         {"registered_years": 1, "ip_count": 1, "hightech_field": True, "rd_staff_ratio": 10,
          "rd_ratio": 4, "revenue_wan": 5001, "rd_domestic_ratio": 60,
          "hightech_revenue_ratio": 60, "has_serious_violation": False},
         [{"registered_years": 0.9}, {"ip_count": 0}, {"rd_staff_ratio": 9.9},
          {"revenue_wan": 5000}, {"rd_ratio": 3.9}, {"rd_domestic_ratio": 59},
          {"hightech_revenue_ratio": 59}, {"has_serious_violation": True}]),
        ("rd_super_deduction",
         {"rd_expense_wan": 1, "audited_collection": True, "industry": "software",
          "tobacco_or_entertainment": False},
         [{"industry": name} for name in ("catering", "accommodation", "wholesale", "retail",
          "real_estate", "property_management", "leasing_business")]
         + [{"tobacco_or_entertainment": True}, {"audited_collection": False}]),
        ("startup_loan_sme",
         {"scale": "small", "headcount": 101, "key_groups_hired": 6,
          "has_serious_violation": False},
         [{"headcount": 100}, {"key_groups_hired": 5}, {"scale": "medium"}]),
        ("disabled_fund_exempt", {"headcount": 30}, [{"headcount": 31}]),
        ("stable_post_refund",
         {"unemployment_paid_months": 12, "layoff_rate": 20, "insured_staff": 30,
          "has_serious_violation": False, "registered_in_city": True},
         [{"insured_staff": 31}, {"layoff_rate": 20.1}, {"unemployment_paid_months": 11}]),
        ("unemployment_benefit",
         {"unemployment_insurance_months": 12, "unemployed_involuntary": True,
          "unemployment_registered": True},
         [{"unemployment_insurance_months": 11}, {"unemployed_involuntary": False}]),
        ("elderly_allowance", {"hukou": "local", "age": 80}, [{"age": 79}, {"hukou": "other"}]),
        ("childcare_subsidy", {"youngest_child_age": 2.9}, [{"youngest_child_age": 3}]),
        ("disabled_care_subsidy", {"disability_level": 2, "needs_care": True},
         [{"disability_level": 3}, {"disability_level": 0}, {"needs_care": False}]),
    ],
)  # fmt: skip
def test_the_limits_of_a_policy(
    policies: dict[str, Policy],
    policy_id: str,
    met: dict[str, object],
    broken: list[dict[str, object]],
) -> None:
    policy = policies[policy_id]

    def verdict(attributes: dict[str, object]) -> str:
        content = {"kind": policy.audience, "id": "x", "attributes": attributes}
        return evaluate(policy, parse_profile(content)).verdict

    assert verdict(met) == "eligible"
    for change in broken:
        assert verdict({**met, **change}) == "ineligible", change
    assert verdict({}) == "possible"


def test_the_catalogue_of_the_sample_city(policies: dict[str, Policy]) -> None:
    audiences = [policy.audience for policy in policies.values()]
    assert audiences.count("enterprise") >= 14
    assert audiences.count("resident") >= 14
    states = [policy.window.state(TODAY) for policy in policies.values()]
    assert states.count("open") > len(states) / 2
    assert {"closed", "upcoming"} <= set(states)
    queries = [query for policy in policies.values() for query in policy.queries]
    assert len(queries) == len(set(queries))
    for policy in policies.values():
        assert 6 <= len(policy.queries) <= 10, policy.id
        is_sample = "样例" in policy.document.title
        assert is_sample == (policy.origin == "sample"), policy.id
        for other in policy.excludes:
            assert policy.id in policies[other].excludes, policy.id


def test_profile_files_are_plain_json() -> None:
    for path in PROFILES.glob("*.json"):
        content = json.loads(path.read_text(encoding="utf-8"))
        assert load_profile(path).id == content["id"]

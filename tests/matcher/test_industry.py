"""The division of GB/T 4754 names the industry where it decides, and stays silent otherwise."""

from __future__ import annotations

from typing import Any

import pytest

from matcher.answers import parse_answer, read_facts
from matcher.industry import DIVISIONS, industry_of
from matcher.profile import ATTRIBUTES, Profile, complete, parse_profile
from matcher.profile_enterprise import INDUSTRIES
from matcher.questions import askable

COLUMNS = ATTRIBUTES["enterprise"]


def enterprise(**attributes: Any) -> Profile:
    return parse_profile({"kind": "enterprise", "id": "e", "attributes": attributes})


@pytest.mark.parametrize(
    ("division", "industry"),
    [
        (1, "agriculture"),
        (5, "agriculture"),
        (6, "industry"),
        (39, "industry"),
        (46, "industry"),
        (47, "construction"),
        (51, "wholesale"),
        (52, "retail"),
        (53, None),
        (54, "transport"),
        (59, None),
        (60, "post"),
        (61, "accommodation"),
        (62, "catering"),
        (64, "information"),
        (65, "software"),
        (66, None),
        (70, None),
        (72, "leasing_business"),
        (75, "other"),
        (83, None),
        (84, None),
        (85, "other"),
        (91, None),
        (97, None),
    ],
)
def test_a_division_lies_in_one_industry_or_stays_open(division: int, industry: str | None) -> None:
    assert industry_of(division) == industry
    assert complete(enterprise(industry_division=division)).known("industry") == industry


def test_every_industry_but_the_shared_ones_has_a_division() -> None:
    assert set(INDUSTRIES) - set(DIVISIONS.values()) == {
        "storage",
        "real_estate",
        "property_management",
    }


def test_what_was_said_of_the_industry_stands() -> None:
    profile = enterprise(industry="storage", industry_division=51)
    assert complete(profile).known("industry") == "storage"


def test_the_scale_follows_from_the_division() -> None:
    small = complete(enterprise(industry_division=39, headcount=50, revenue_wan=2000))
    assert small.known("scale") == "small"
    assert complete(enterprise(industry_division=66, headcount=50)).known("scale") is None


def test_the_industry_itself_is_asked_for() -> None:
    assert askable(["industry"], enterprise()) == {"industry"}
    assert askable(["industry_division"], enterprise()) == {"industry_division"}
    known = complete(enterprise(industry_division=39))
    assert askable(["industry", "scale"], known) == {"headcount", "revenue_wan"}


@pytest.mark.parametrize(
    ("column", "said", "value"),
    [
        ("industry_division", "39", 39),
        ("industry_division", "C39", 39),
        ("nursing_beds", "一百二十张床", 120),
        ("farm_area_mu", "三百亩", 300),
        ("incubated_firms", "50家", 50),
        ("linked_households", "一千多户", 1001),
        ("inbound_tourists", "3000人次", 3000),
        ("charging_piles", "12个", 12),
        ("revenue_growth", "15%", 15),
        ("profitable_years", "三年", 3),
        ("tax_project", "我们是养猪的", "agriculture"),
        ("tax_project", "茶园", "flowers_aquaculture"),
        ("listing_stage", "在做辅导", "tutoring"),
        ("logistics_grade", "4A", "a4"),
        ("green_building", "三星", "three"),
        ("safety_grade", "二级", "second"),
        ("rd_center", "省级", "province"),
        ("time_honoured", "中华老字号", "china"),
        ("standard_led", "主导过国家标准", "national"),
        ("incubator", "没有", "none"),
        ("registered_as_individual", "是的", True),
    ],
)
def test_the_newer_columns_are_answered_in_plain_words(
    column: str, said: str, value: object
) -> None:
    assert parse_answer(COLUMNS[column], said) == value


@pytest.mark.parametrize(
    ("text", "facts"),
    [
        ("我们有5项发明专利", {"invention_patents": 5, "ip_count": 5}),
        ("公司有3名残疾职工", {"disabled_staff": 3}),
        ("养老院一共有120张床位", {"nursing_beds": 120}),
        ("我是个体工商户", {"registered_as_individual": True}),
        ("我不是个体工商户", {}),
        ("打算申请5项发明专利", {}),
    ],
)
def test_the_newer_columns_are_read_from_free_words(text: str, facts: dict[str, object]) -> None:
    assert read_facts("enterprise", text) == facts


def test_a_fall_in_revenue_is_negative() -> None:
    assert parse_profile(
        {"kind": "enterprise", "id": "e", "attributes": {"revenue_growth": -12.5}}
    ).known("revenue_growth") == pytest.approx(-12.5)

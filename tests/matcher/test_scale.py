"""工信部联企业〔2011〕300号, article 4, number by number."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matcher.predicate import parse_predicate
from matcher.profile import ATTRIBUTES, Profile, facts_of
from matcher.scale import SCALE_ORDER, STANDARDS, classify_scale, greatest_scale

H, R, A = "headcount", "revenue_wan", "assets_wan"
# Each row as the document has it: industry, first indicator and its limits for small,
# medium and large, then the second indicator and its limits.
DOCUMENT = [
    ("agriculture", R, (50, 500, 20000), None, None),
    ("industry", H, (20, 300, 1000), R, (300, 2000, 40000)),
    ("construction", R, (300, 6000, 80000), A, (300, 5000, 80000)),
    ("wholesale", H, (5, 20, 200), R, (1000, 5000, 40000)),
    ("retail", H, (10, 50, 300), R, (100, 500, 20000)),
    ("transport", H, (20, 300, 1000), R, (200, 3000, 30000)),
    ("storage", H, (20, 100, 200), R, (100, 1000, 30000)),
    ("post", H, (20, 300, 1000), R, (100, 2000, 30000)),
    ("accommodation", H, (10, 100, 300), R, (100, 2000, 10000)),
    ("catering", H, (10, 100, 300), R, (100, 2000, 10000)),
    ("information", H, (10, 100, 2000), R, (100, 1000, 100000)),
    ("software", H, (10, 100, 300), R, (50, 1000, 10000)),
    ("real_estate", R, (100, 1000, 200000), A, (2000, 5000, 10000)),
    ("property_management", H, (100, 300, 1000), R, (500, 1000, 5000)),
    ("leasing_business", H, (10, 100, 300), A, (100, 8000, 120000)),
    ("other", H, (10, 100, 300), None, None),
]  # fmt: skip


def classify(industry: str | None, **data: float) -> str | None:
    return classify_scale(industry, data.get(H), data.get(R), data.get(A))


def test_all_sixteen_industries_are_choices() -> None:
    choices = [choice.value for choice in ATTRIBUTES["enterprise"]["industry"].choices]
    assert choices == [row[0] for row in DOCUMENT] == list(STANDARDS)


@pytest.mark.parametrize(("industry", "first", "limits", "second", "others"), DOCUMENT)
def test_both_lower_limits_are_needed(
    industry: str,
    first: str,
    limits: tuple[int, ...],
    second: str | None,
    others: tuple[int, ...] | None,
) -> None:
    for grade, limit in enumerate(limits):
        met = {first: limit} | ({second: others[grade]} if second and others else {})
        assert classify(industry, **met) == SCALE_ORDER[grade + 1]
        for name in met:
            below = {**met, name: met[name] - 0.01}
            assert classify(industry, **below) == SCALE_ORDER[grade]


def test_one_weak_indicator_drops_to_its_own_grade() -> None:
    assert classify("industry", headcount=1200, revenue_wan=100) == "micro"


def test_it_decides_from_part_of_the_data_when_it_can() -> None:
    assert classify("industry", headcount=19) == "micro"
    assert classify("industry", headcount=20) is None
    assert classify("other", headcount=100) == "medium"
    assert classify("agriculture", headcount=5) is None
    assert classify(None, headcount=1, revenue_wan=1, assets_wan=1) == "micro"
    assert classify(None, headcount=5000) is None


def test_an_unknown_industry_name_is_refused() -> None:
    with pytest.raises(KeyError):
        classify("mining", headcount=5)


amounts = st.one_of(st.none(), st.integers(0, 300_000))


@given(st.sampled_from([None, *STANDARDS]), amounts, amounts, amounts, st.data())
def test_more_data_never_changes_a_decision(
    industry: str | None,
    headcount: int | None,
    revenue: int | None,
    assets: int | None,
    data: st.DataObject,
) -> None:
    decided = classify_scale(industry, headcount, revenue, assets)
    filled = [
        data.draw(st.integers(0, 300_000)) if value is None else value
        for value in (headcount, revenue, assets)
    ]
    full_industry = industry or data.draw(st.sampled_from(list(STANDARDS)))
    complete = classify_scale(full_industry, *filled)
    assert complete in SCALE_ORDER
    assert decided in (None, complete)


@given(st.sampled_from([None, *STANDARDS]), amounts, amounts, amounts)
def test_the_greatest_scale_is_the_one_that_unbounded_data_give(
    industry: str | None, headcount: int | None, revenue: int | None, assets: int | None
) -> None:
    filled = [10**9 if value is None else value for value in (headcount, revenue, assets)]
    industries = STANDARDS if industry is None else [industry]
    reached = [SCALE_ORDER.index(str(classify_scale(name, *filled))) for name in industries]
    assert greatest_scale(industry, headcount, revenue, assets) == SCALE_ORDER[max(reached)]


@given(
    st.sampled_from(list(STANDARDS)),
    amounts,
    amounts,
    amounts,
    st.sets(st.sampled_from(SCALE_ORDER), min_size=1),
    st.booleans(),
)
def test_a_condition_is_decided_exactly_when_all_possible_scales_agree(
    industry: str,
    headcount: int | None,
    revenue: int | None,
    assets: int | None,
    listed: set[str],
    negated: bool,
) -> None:
    data = {"industry": industry, H: headcount, R: revenue, A: assets}
    known = {name: value for name, value in data.items() if value is not None}
    choices = [
        _steps(industry) if value is None else [value] for value in (headcount, revenue, assets)
    ]
    possible = {classify_scale(industry, *filled) for filled in itertools.product(*choices)}
    agreed = {(scale in listed) != negated for scale in possible}
    sql = f"scale {'NOT ' if negated else ''}IN ({', '.join(map(repr, sorted(listed)))})"
    predicate = parse_predicate(sql, "enterprise")
    outcome = predicate.evaluate(facts_of(Profile("enterprise", "x", known)))
    assert outcome is (agreed.pop() if len(agreed) == 1 else None)
    assert predicate.columns == ("scale",)


def _steps(industry: str) -> list[float]:
    """Values of which some lie in every grade of every indicator."""
    standard = STANDARDS[industry]
    limits = (standard.headcount, standard.revenue, standard.assets)
    return [0, *(step for steps in limits if steps for step in steps)]

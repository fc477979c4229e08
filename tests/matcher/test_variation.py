"""Policies with other numbers."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from base.errors import InputError
from base.settings import Settings
from matcher.policy import Policy, load_policies
from matcher.variation import GREATEST, numbers, varied

CORPUS = load_policies(Settings().policies_dir)
Make = Callable[..., dict[str, Any]]


def policy(policy_data: Make, **changes: Any) -> Policy:
    return Policy.model_validate(policy_data(**changes))


def test_a_policy_with_its_own_numbers_is_the_same_policy() -> None:
    for one in CORPUS:
        same = varied(one, {number.key: number.value for number in numbers(one)})
        assert [number.value for number in numbers(same)] == [n.value for n in numbers(one)]
        assert [p.tree() for p in same.predicates] == [p.tree() for p in one.predicates]
        assert [f.tree() for _, f in same.amounts] == [f.tree() for _, f in one.amounts]


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.data())
def test_every_number_can_be_changed_and_no_other_one_is(data: st.DataObject) -> None:
    one = data.draw(st.sampled_from([policy for policy in CORPUS if numbers(policy)]))
    chosen = data.draw(st.sampled_from(numbers(one)))
    value = round(data.draw(st.floats(0, 1e9)), 3)
    try:
        changed = varied(one, {chosen.key: value})
    except InputError as error:  # a window of a formula may make no sense any more
        assert error.code == "variation_invalid"
        return
    found = {number.key: number.value for number in numbers(changed)}
    assert found == {n.key: value if n.key == chosen.key else n.value for n in numbers(one)}


def test_numbers_are_told_in_the_words_of_the_columns(policy_data: Make) -> None:
    one = policy(
        policy_data,
        eligibility=[
            {
                "text": "小微",
                "when": "headcount BETWEEN 10 AND 300 AND scale IN ('micro', 'small')",
            },
            {"text": "行业", "when": "industry_division IN (13, 14)"},
        ],
        benefit={"kind": "subsidy", "text": "补贴", "amount": 5, "unit": "万元", "cap": 8},
    )
    found = numbers(one)
    assert [number.value for number in found] == [10, 300, 5, 8]
    assert "10 且 300" in found[0].words and found[0].group == "小微"
    assert [number.words for number in found[2:]] == ["金额（万元）", "上限（万元）"]
    changed = varied(one, {found[1].key: 50, "cap": 9})
    assert changed.eligibility[0].when == (
        "headcount BETWEEN 10 AND 50 AND scale IN ('micro', 'small')"
    )
    assert (changed.benefit.amount, changed.benefit.cap) == (5, 9)


@pytest.mark.parametrize("value", [-1, GREATEST * 10, math.nan, math.inf])
def test_numbers_out_of_range_are_refused(value: float) -> None:
    one = next(policy for policy in CORPUS if numbers(policy))
    with pytest.raises(InputError, match="number_out_of_range"):
        varied(one, {numbers(one)[0].key: value})
    with pytest.raises(InputError, match="number_unknown"):
        varied(one, {"if99.0": 1})

from __future__ import annotations

from collections import Counter
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from base.settings import get_settings
from enquiries.answer_report import report, wilson
from matcher.policy import load_policies
from matcher.service import load_services
from store.answer_quality import POLICY_SEARCH, Figures, policy_key

ITEMS = load_services(get_settings().policies_dir / "services")[:4]
POLICIES = load_policies(get_settings().policies_dir)[:2]
BEFORE = min(item.review_by for item in ITEMS) - timedelta(days=1)


@given(st.integers(1, 500), st.data())
def test_the_interval_holds_the_share_and_narrows(rated: int, data: st.DataObject) -> None:
    useful = data.draw(st.integers(0, rated))
    low, high = wilson(useful, rated)
    assert 0 <= low <= useful / rated + 1e-9
    assert useful / rated - 1e-9 <= high <= 1
    wider = wilson(useful * 10, rated * 10)
    assert wider[1] - wider[0] < high - low


def test_the_interval_is_the_published_one() -> None:
    # 81 of 263: 0.255 to 0.366 (Newcombe, Statistics in Medicine 17, 1998, method 3)
    low, high = wilson(81, 263)
    assert (round(low, 4), round(high, 4)) == (0.2553, 0.3662)
    assert wilson(0, 0) == (0.0, 1.0)
    with pytest.raises(ValueError, match="useful"):
        wilson(2, 1)


def test_the_worst_comes_first_and_many_bad_ratings_before_few() -> None:
    few, many, good, silent = (item.id for item in ITEMS)
    rows = report(
        ITEMS,
        (),
        {
            few: Figures(answers=9, useless=1),
            many: Figures(answers=90, useful=2, useless=38, reasons=Counter(wrong=38)),
            good: Figures(answers=50, useful=30),
        },
        BEFORE,
    )
    assert rows[0].id == many
    assert {row.id for row in rows} == {few, many, good}
    assert silent not in {row.id for row in rows}
    assert rows[0].useful == pytest.approx(0.05)
    assert rows[0].reasons == {"wrong": 38}


def test_a_policy_and_the_lists_of_policies_have_their_own_rows() -> None:
    first, silent = POLICIES
    found = {
        policy_key(first.id): Figures(answers=4, useful=1, useless=3),
        POLICY_SEARCH: Figures(answers=9, useful=2),
        silent.id: Figures(answers=1),  # an item of the same id is something else
    }
    rows = {row.id: row for row in report(ITEMS, POLICIES, found, BEFORE)}
    assert set(rows) == {policy_key(first.id), POLICY_SEARCH}
    assert rows[policy_key(first.id)].name == first.title
    assert (rows[POLICY_SEARCH].answers, rows[POLICY_SEARCH].useful) == (9, 1.0)


def test_an_overdue_item_is_listed_without_a_single_answer() -> None:
    late = max(item.review_by for item in ITEMS) + timedelta(days=10)
    rows = report(ITEMS, POLICIES, {}, late)
    assert len(rows) == len(ITEMS)
    assert min(row.overdue_days for row in rows) == 10
    assert all(row.useful is None for row in rows)

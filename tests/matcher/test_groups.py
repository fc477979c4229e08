"""What is shown of small groups."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from matcher.groups import SMALLEST, WITHHELD, Axis, shown


@given(st.lists(st.integers(0, 40), max_size=8))
def test_no_small_count_is_shown_nor_what_is_left_of_the_whole(counts: list[int]) -> None:
    found = shown(counts)
    small = [figure for count, figure in zip(counts, found, strict=True) if count < SMALLEST]
    assert set(small) <= {f"<{SMALLEST}"}
    told = [count for count, figure in zip(counts, found, strict=True) if figure == str(count)]
    left = [count for count, figure in zip(counts, found, strict=True) if figure != str(count)]
    assert not left or not told or (len(left) > 1 and sum(counts) - sum(told) >= SMALLEST)


@given(st.lists(st.integers(SMALLEST, 40), max_size=8))
def test_nothing_is_hidden_without_need(counts: list[int]) -> None:
    assert shown(counts) == [str(count) for count in counts]


def test_the_least_of_the_others_covers_a_single_small_one() -> None:
    assert shown([30, 4, 9]) == ["30", "<5", WITHHELD]
    assert shown([30, 4, 4, 9]) == ["30", "<5", "<5", "9"]


def test_ages_come_in_steps() -> None:
    ages = Axis("age", "年龄", 10)
    assert [ages.key(age) for age in (79, 80, 89)] == [70, 80, 80]
    assert ages.name("resident", 80) == "80–89岁"
    assert ages.name("resident", ages.key(None)) == "未知"

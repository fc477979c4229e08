from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatch.reporting.emergency import HOTLINES, hotlines_for


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("楼道着火了", ["119"]),
        ("家里煤气漏了，我妈晕倒了", ["119", "120"]),
        ("有人持刀砍人，有人流血了", ["120", "110"]),
        ("化工厂储罐泄漏，味道刺鼻", ["119", "12369"]),
        ("老人倒地不省人事", ["120"]),
        ("隔壁在打架", ["110"]),
        ("快来人啊", ["119", "120", "110"]),
    ],
)
def test_the_numbers_fit_the_danger(text: str, numbers: list[str]) -> None:
    assert [line.number for line in hotlines_for(text)] == numbers


@given(st.text(max_size=300))
def test_there_is_always_a_number_to_call(text: str) -> None:
    lines = hotlines_for(text)
    assert lines
    assert len({line.number for line in lines}) == len(lines)
    assert set(lines) <= set(HOTLINES)

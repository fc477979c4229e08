from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatch.emergency import HOTLINES, hotlines_for, people_in_danger


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


@pytest.mark.parametrize(
    ("text", "danger"),
    [
        ("路边倒了个骑车的，怎么叫都叫不醒", True),
        ("脚手架塌了，两个工人被压住", True),
        ("井里下去三个人，昏过去了", True),
        ("化粪池冒臭气，还好没有人昏迷", False),
        ("路灯坏了一个月", False),
        ("上次没有人被困，这次有人困在里面了", True),
        ("楼道里煤气味好大，不敢开灯", True),
        ("仓库里化学品漏了一地，呛得站不住", True),
        ("小区楼下的垃圾桶着火了", True),
        ("现在没有燃气味了，就是管子锈了", False),
    ],
)
def test_people_in_danger_are_noticed(text: str, danger: bool) -> None:
    assert people_in_danger(text) is danger


@given(st.text(max_size=300))
def test_there_is_always_a_number_to_call(text: str) -> None:
    lines = hotlines_for(text)
    assert lines
    assert len({line.number for line in lines}) == len(lines)
    assert set(lines) <= set(HOTLINES)

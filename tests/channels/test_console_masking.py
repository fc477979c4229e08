"""What is shown of personal data before somebody opens it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.console.masking import HIDDEN, OPENS, Kind, citizen_mark, masked, may_open
from store.agents import ROLES


@pytest.mark.parametrize(
    ("kind", "value", "seen"),
    [
        (Kind.NAME, "欧阳娜娜", "欧＊＊＊"),
        (Kind.NAME, "张", "张＊"),
        (Kind.PHONE, "13812345678", "138****5678"),
        (Kind.PHONE, "02423456", HIDDEN),
        (Kind.ADDRESS, "世纪路12号3单元502", HIDDEN),
        (Kind.WORDS, "楼下漏水，找我13812345678", "楼下漏水，找我<手机号>"),
        (Kind.NAME, "", ""),
    ],
)
def test_masked(kind: Kind, value: str, seen: str) -> None:
    assert masked(kind, value) == seen


@given(kind=st.sampled_from([Kind.NAME, Kind.PHONE, Kind.ADDRESS]), value=st.text(min_size=2))
def test_less_is_seen_than_there_is(kind: Kind, value: str) -> None:
    seen = masked(kind, value)
    assert seen
    if kind is not Kind.ADDRESS and value.strip("＊*") == value:
        assert seen != value


def test_every_role_has_its_line_and_auditors_open_nothing() -> None:
    assert set(OPENS) == set(ROLES)
    assert not any(may_open(role, kind) for role in ("auditor", "editor") for kind in Kind)
    assert may_open("dispatcher", Kind.ADDRESS)


def test_a_mark_tells_people_apart_and_says_nothing_of_them() -> None:
    mark = citizen_mark("key", "wechat:o6bmjrPTlm6")
    assert mark == citizen_mark("key", "wechat:o6bmjrPTlm6")
    assert mark.startswith("wechat#") and "o6bm" not in mark
    assert mark != citizen_mark("key", "wechat:o6bmjrPTlm7")
    assert mark != citizen_mark("other", "wechat:o6bmjrPTlm6")

"""Markup that copying brings along is not read; everything else is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.markup import without_markup


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("<b>社保卡</b>在哪里办？<img src=x>", "社保卡在哪里办？"),
        ("<p>社保卡丢了</p><p>怎么办</p>", "社保卡丢了  怎么办"),
        ("身份证<br/>丢了", "身份证 丢了"),
        ('<a href="https://a.cn/?x=1&y=2">护照</a>怎么办', "护照怎么办"),
        ("<span class='x'>公积金", "公积金"),
        ("噪音<60分贝，夜里>55分贝", "噪音<60分贝，夜里>55分贝"),
        ("电话是<手机号>", "电话是<手机号>"),
        ("3 < 5 and 5 > 3", "3 < 5 and 5 > 3"),
        ("<b></b>", "<b></b>"),
        ("", ""),
    ],
)
def test_only_tags_go(text: str, plain: str) -> None:
    assert without_markup(text) == plain


@given(st.text(alphabet=st.characters(exclude_characters="<"), max_size=80))
def test_a_text_without_a_tag_stays(text: str) -> None:
    assert without_markup(text) in (text, text.strip())


@given(st.text(max_size=30), st.sampled_from(["b", "em", "div", "h2", "x-y"]))
def test_the_words_between_tags_stay(words: str, tag: str) -> None:
    inner = without_markup(words).strip()
    assert inner in without_markup(f"<{tag}>{words}</{tag}>") or not inner or "<" in words

"""What is read aloud."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from speech.reading import read_aloud, short_turn


@pytest.mark.parametrize(
    ("text", "spoken"),
    [
        ("您好", "您好。"),
        ("您好。", "您好。"),
        ("要带：\n1. 户口簿\n2. 照片", "要带：第一，户口簿。第二，照片。"),
        ("· 身份证\n\n  • 户口簿", "身份证。户口簿。"),
        ("【居民身份证补领】收40元。", "居民身份证补领，收四十元。"),
        ("我是“市民”！", "我是市民！"),
        ("", ""),
        (" \n·\n", ""),
        ("高龄津贴（符合）：80元", "高龄津贴，符合：八十元。"),
        ("工单号 SM20261121000013。", "工单号，S M，二零二六，幺幺二幺，零零零零幺三。"),
        ("急事请拨打12345，火警119。", "急事请拨打幺二三四五，火警幺幺九。"),
        ("打13800001234", "打幺三八零零零零幺二三四。"),
        ("电话0571-88886666", "电话零五七幺，八八八八六六六六。"),
        ("补助12000元", "补助一万二千元。"),
        ("补助1,200.50元", "补助一千二百点五元。"),
        ("2000000元", "二百万元。"),
        ("110元", "一百一十元。"),
        ("10天内，12个月，2个人，22个，第2项", "十天内，十二个月，两个人，二十二个，第二项。"),
        ("2026-11-21 14:05", "二零二六年十一月二十一日十四点零五分。"),
        ("11-21 14:30 受理", "十一月二十一日十四点三十分受理。"),
        ("2026年11月2日", "二零二六年十一月二日。"),
        ("09:00-17:30", "九点至十七点三十分。"),
        ("80至89周岁，90-99周岁", "八十至八十九周岁，九十至九十九周岁。"),
        ("超50%", "超百分之五十。"),
        ("看 https://a.example/b?c=1。", "看屏幕上的链接。"),
        ("文昌路23号", "文昌路二十三号。"),
        ("20.0", "二十。"),
    ],
)
def test_what_is_said(text: str, spoken: str) -> None:
    assert read_aloud(text) == spoken


@settings(deadline=None)
@given(st.text(alphabet=st.sampled_from("0123456789.,:-%年月日元个 \nSM号*/（）。")))
def test_no_digit_is_left_to_the_voice(text: str) -> None:
    assert not any(char.isascii() and char.isdigit() for char in read_aloud(text))


@settings(deadline=None)
@given(st.text())
def test_speech_is_one_line_that_keeps_its_words(text: str) -> None:
    spoken = read_aloud(text)
    assert len(spoken.splitlines()) <= 1
    assert not set("【】“”") & set(spoken)
    if not any(char.isascii() for char in text):
        assert [c for c in text if c.isalpha()] == [c for c in spoken if c.isalpha()]


@settings(deadline=None)
@given(st.lists(st.text(alphabet="甲乙丙，。？", max_size=60), max_size=4), st.integers(1, 3))
def test_a_turn_is_short_and_loses_nothing(said: list[str], sentences: int) -> None:
    turn = short_turn(said, sentences)
    marks = sum(turn.now.count(mark) for mark in "。？")
    assert marks <= sum(text.count(mark) for text in said for mark in "。？") + sentences
    words = sorted(char for text in said for char in text if char.isalnum())
    assert sorted(char for char in turn.now + turn.rest if char.isalnum()) == words


def test_the_question_at_the_end_is_asked_at_once() -> None:
    turn = short_turn(["请核对。问题是油烟。地点是文昌路。确认提交吗？"])
    assert turn.now == "请核对。确认提交吗？"
    assert turn.rest == "问题是油烟。地点是文昌路。"


def test_a_sentence_nobody_can_keep_in_mind_is_cut_at_its_commas() -> None:
    turn = short_turn(["，".join(["要带身份证原件和复印件"] * 12) + "。"])
    assert len(turn.now) <= 130
    assert turn.rest

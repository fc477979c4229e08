"""Quantities and days as official documents write them."""

from __future__ import annotations

from datetime import date

import cn2an
import pytest
from hypothesis import given
from hypothesis import strategies as st

from matcher.importing.numbers import convert, find_days, quantities


@pytest.mark.parametrize(
    ("text", "operator", "value", "unit"),
    [
        ("不低于100万元", ">=", 1_000_000, "元"),
        ("不得超过500人", "<=", 500, "人"),
        ("三年以上", ">=", 3, "年"),
        ("二十万元以下", "<=", 200_000, "元"),
        ("50%（不含）以上", ">", 50, "%"),
        ("小于5000万元（含）", "<=", 50_000_000, "元"),
        ("300万元以上（含300万元）", ">=", 3_000_000, "元"),
        ("百分之六十以上", ">=", 60, "%"),
        ("未满5年", "<", 5, "年"),
        ("年满六十周岁", ">=", 60, "周岁"),
        ("低于5.5%", "<", 5.5, "%"),
        ("超过2亿元", ">", 200_000_000, "元"),
        ("12个月（含）以上", ">=", 12, "个月"),
        ("半年以上", ">=", 6, "个月"),
        ("1,500元以内", "<=", 1500, "元"),
        ("一次", None, 1, "次"),
    ],
)
def test_comparisons(text: str, operator: str, value: float, unit: str) -> None:
    (found,) = quantities(text)
    assert (found.operator, found.value, found.unit) == (operator, value, unit)


def test_both_ends_of_a_range() -> None:
    low, high = quantities("年龄在16至60周岁之间")
    assert (low.operator, low.value, low.unit) == (">=", 16, "周岁")
    assert (high.operator, high.value) == ("<=", 60)


@pytest.mark.parametrize("text", ["近三年内", "签订1年以上期限劳动合同", "前两年", "最近1年"])
def test_a_period_of_time_is_marked(text: str) -> None:
    assert [quantity.period for quantity in quantities(text)] == [True]


@pytest.mark.parametrize(
    "text",
    [
        "云人社〔2026〕41号",
        "第三条第一款",
        "《2026年100项措施》",
        "2026年9月1日",
        "电话0571-87065020",
    ],
)
def test_what_is_no_quantity(text: str) -> None:
    assert [q for q in quantities(text) if q.unit] == []


@given(st.integers(1, 99_999))
def test_chinese_and_arabic_numerals_are_one(number: int) -> None:
    written = [f"不超过{number}人", f"不超过{cn2an.an2cn(number)}人"]
    assert [[q.value for q in quantities(text)] for text in written] == [[number], [number]]


@given(st.integers(1, 99_999), st.sampled_from(["万元", "亿元"]))
def test_money_in_its_column(number: int, unit: str) -> None:
    (found,) = quantities(f"不低于{number}{unit}")
    assert convert(found, "万元") == number * (1 if unit == "万元" else 10_000)


def test_units_that_do_not_fit_a_column() -> None:
    (found,) = quantities("不低于3年")
    assert convert(found, "万元") is None
    assert convert(found, "个月") == 36
    assert convert(found, "年") == 3


@given(st.dates(date(2000, 1, 1), date(2099, 12, 31)), st.sampled_from(["年月日", "-", ".", "/"]))
def test_days_in_every_form(day: date, form: str) -> None:
    text = (
        f"{day.year}年{day.month}月{day.day}日"
        if form == "年月日"
        else f"{day.year}{form}{day.month:02}{form}{day.day:02}"
    )
    assert [found for _, found in find_days(f"自{text}起")] == [day]


def test_days_written_in_chinese_and_without_a_year() -> None:
    assert [d for _, d in find_days("二〇二六年九月二十一日")] == [date(2026, 9, 21)]
    days = [d for _, d in find_days("2026年9月1日至10月31日")]
    assert days == [date(2026, 9, 1), date(2026, 10, 31)]
    assert find_days("9月1日") == []
    assert [d for _, d in find_days("9月1日", 2027)] == [date(2027, 9, 1)]
    assert find_days("2026年2月31日") == []


@given(
    st.text(
        alphabet="0123456789一二三十百千万亿半元%年个月周岁人不超过低于以上下内（含）、，至近前.,第",
        max_size=60,
    )
)
def test_any_text_is_read(text: str) -> None:
    for quantity in quantities(text):
        assert 0 <= quantity.start <= quantity.at < quantity.end <= len(text)
    find_days(text, 2026)

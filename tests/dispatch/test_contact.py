"""A citizen's own phone number, and numbers that are evidence."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatch.reporting.contact import masked, offers, refuses, take_contact
from dispatch.reporting.draft import Contact

PHONE = "13812345678"


@pytest.mark.parametrize(
    ("text", "name", "rest"),
    [
        (f"楼下餐馆油烟太大了，我电话{PHONE}，姓王", "王", "楼下餐馆油烟太大了"),
        (f"我电话{PHONE}，姓王", "王", ""),
        (f"楼下油烟大，电话{PHONE}", None, "楼下油烟大"),
        (f"楼下油烟大，{PHONE}", None, "楼下油烟大"),
        (f"有结果打我电话{PHONE}，谢谢", None, ""),
        (f"处理完了给我回个电话{PHONE}", None, ""),
        (
            "对面烧烤店老板半夜还营业，我的手机号是138 1234 5678，我叫王小明",
            "王小明",
            "对面烧烤店老板半夜还营业",
        ),
        (f"我住3栋二单元电话{PHONE}", None, "我住3栋二单元"),
        ("这是我的电话，一三八一二三四五六七八", None, ""),
        ("电话幺三八一二三四五六七八姓张", "张", ""),
        (f"请联系王女士{PHONE}", "王女士", ""),
        (f"联系人：李女士，联系电话：+86 {PHONE}。工地半夜施工", "李女士", "工地半夜施工"),
        ("路灯坏了。联系方式：１３８１２３４５６７８ 王先生", "王先生", "路灯坏了。"),
    ],
)
def test_his_own_number_is_taken_out(text: str, name: str | None, rest: str) -> None:
    assert take_contact(text) == (Contact(phone=PHONE, name=name), rest)


@pytest.mark.parametrize(
    "text",
    [
        f"墙上贴小广告，电话{PHONE}",
        f"小广告{PHONE}到处都是",
        f"拨打{PHONE}没人接",
        f"那家店的老板说有事找他，电话{PHONE}",
        "打12345没人管",
        "工单SM20261121000042",
        "身份证丢了怎么办",
        "",
    ],
)
def test_other_numbers_stay_where_they_are(text: str) -> None:
    assert take_contact(text) == (None, text)


def test_asked_for_it_any_number_is_his() -> None:
    assert take_contact(f"对方是{PHONE}", expected=True).contact == Contact(phone=PHONE)


def test_a_landline() -> None:
    told = take_contact("我姓李，电话是0571-87654321，楼道堆垃圾")
    assert told == (Contact(phone="057187654321", name="李"), "楼道堆垃圾")


@given(st.text(max_size=60), st.sampled_from(["，我电话", "，我的手机号是", "。联系我"]))
def test_what_is_taken_is_gone(text: str, cue: str) -> None:
    told = take_contact(f"{text}{cue}{PHONE}")
    if told.contact is not None and told.contact.phone == PHONE:
        assert PHONE not in told.text or PHONE in text
    else:  # the text itself holds an earlier number
        assert any(char.isdigit() for char in text) or told.contact is None


@given(st.text(max_size=200))
def test_any_text_can_be_read(text: str) -> None:
    told = take_contact(text)
    assert told.contact is not None or told.text == text


@pytest.mark.parametrize(
    "text", ["不留了", "匿名", "匿名吧", "不用留", "电话删掉", "不想留联系方式"]
)
def test_no_number_please(text: str) -> None:
    assert refuses(text)
    assert not offers(text)


@pytest.mark.parametrize("text", ["留个电话", "我想留个电话", "加一下手机号"])
def test_a_number_is_offered(text: str) -> None:
    assert offers(text)
    assert not refuses(text)


@pytest.mark.parametrize("text", ["楼道垃圾没人收还留了一地污水", "确认提交", "对", ""])
def test_neither(text: str) -> None:
    assert not refuses(text)
    assert not offers(text)


def test_shown_masked() -> None:
    assert masked(Contact(phone=PHONE)) == "138****5678"
    assert masked(Contact(phone=PHONE, name="王")) == "138****5678（王）"

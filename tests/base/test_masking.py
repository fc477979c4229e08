from __future__ import annotations

import re
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from base.masking import mask

ID_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
"""GB 11643-1999, weights of the first 17 digits."""


@st.composite
def id_numbers(draw: st.DrawFn) -> str:
    region = draw(st.sampled_from(["330102", "110101", "440305", "659004"]))
    born = draw(st.dates(min_value=date(1920, 1, 1)))
    body = f"{region}{born:%Y%m%d}{draw(st.integers(0, 999)):03d}"
    check = sum(int(digit) * weight for digit, weight in zip(body, ID_WEIGHTS, strict=True)) % 11
    return body + draw(st.sampled_from(["10X98765432"[check], "10x98765432"[check]]))


MOBILES = st.from_regex(r"1[3-9][0-9]{9}", fullmatch=True)
LANDLINES = st.from_regex(r"0[1-9][0-9]{1,2}-?[0-9]{7,8}", fullmatch=True)
CARDS = st.from_regex(r"62[0-9]{14,17}", fullmatch=True)
# What a citizen may write around it; a ticket number is the one long number that stays.
AROUND = st.text(max_size=40).filter(lambda text: not re.search(r"[A-Z]{2}\d*$", text))


@given(before=AROUND, phone=MOBILES, after=AROUND)
def test_a_mobile_number_never_survives(before: str, phone: str, after: str) -> None:
    assert phone not in mask(before + phone + after)


@given(before=AROUND, number=id_numbers(), after=AROUND)
def test_an_id_number_never_survives(before: str, number: str, after: str) -> None:
    masked = mask(before + number + after)
    assert number not in masked
    assert number[6:14] + number[14:17] not in masked


@given(before=AROUND, number=st.one_of(LANDLINES, CARDS), after=AROUND)
def test_telephone_and_card_numbers_do_not_survive_between_words(
    before: str, number: str, after: str
) -> None:
    assert number not in mask(f"{before}，{number}。{after}")


@given(st.text(max_size=200))
def test_masking_twice_changes_nothing_more(text: str) -> None:
    once = mask(text)
    assert mask(once) == once


@given(st.text(alphabet=st.characters(exclude_categories=["Nd", "Cs"], exclude_characters="@")))
def test_text_without_numbers_or_addresses_is_left_alone(text: str) -> None:
    assert mask(text) == text


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("我叫张伟，电话13800138000，住春风里", "我叫张伟，电话<手机号>，住春风里"),
        ("打+8613800138000", "打<手机号>"),
        ("打86 138 0013 8000", "打<手机号>"),
        ("138-0013-8000找我", "<手机号>找我"),
        ("身份证33010219900307123X", "身份证<身份证号>"),
        ("身份证330102199003071231，电话0599-81230001", "身份证<身份证号>，电话<电话>"),
        ("卡号6222020200112233445", "卡号<卡号>"),
        ("旧证330102900307123", "旧证<号码>"),
        ("手机１３８００１３８０００", "手机<手机号>"),
        ("写信到 zhang.wei@example.com", "写信到 <邮箱>"),
    ],
)
def test_each_kind_is_named(text: str, masked: str) -> None:
    assert mask(text) == masked


@pytest.mark.parametrize(
    "text",
    [
        "工单SM20261121000042已受理",
        "desk YZ20261121000001",
        "key=shimin-SM20261121000042-withdrawn",
        "2026年11月21日 08:15:56，12345热线",
        "坐标30.2741,120.1551，3000000元",
        "port=8311 pid=4194304",
    ],
)
def test_what_an_operator_needs_stays_readable(text: str) -> None:
    assert mask(text) == text


MOBILES = st.from_regex(r"(\+86[ -]?|86)?1[3-9][0-9][ -]?[0-9]{4}[ -]?[0-9]{4}", fullmatch=True)
IDENTITIES = st.from_regex(r"[1-9][0-9]{5}[ -]?[0-9]{8}[ -]?[0-9]{3}[0-9Xx]", fullmatch=True)
CARDS = st.from_regex(r"[1-9][0-9]{15,18}|[1-9][0-9]{3}([ -][0-9]{4}){3}", fullmatch=True)
ADDRESSES = st.from_regex(r"[a-z0-9.+-]{1,12}@[a-z0-9-]{1,10}\.(com|cn|gov\.cn)", fullmatch=True)
AROUND = st.text(st.characters(categories=("Lo", "Po"), exclude_characters="+-.@_"), max_size=12)
WIDE = str.maketrans("0123456789", "０１２３４５６７８９")


@given(st.one_of(MOBILES, IDENTITIES, CARDS, ADDRESSES), AROUND, AROUND, st.booleans())
def test_no_number_or_address_is_left_whatever_stands_around_it(
    secret: str, before: str, after: str, wide: bool
) -> None:
    written = secret.translate(WIDE) if wide and "@" not in secret else secret
    hidden = mask(f"{before} {written} {after}")
    assert secret not in hidden
    assert not re.search(r"[0-9]{5}", hidden)

"""How citizens answer what the residents' policies ask."""

from __future__ import annotations

import pytest

from base.errors import InputError
from matcher.attributes import Value
from matcher.profile import ATTRIBUTES, UNKNOWN, parse_answer, read_facts

COLUMNS = ATTRIBUTES["resident"]


@pytest.mark.parametrize(
    ("column", "said", "value"),
    [
        ("child_stage", "在上幼儿园大班", "preschool_final"),
        ("child_stage", "读小学", "primary"),
        ("child_stage", "还没上学", "none"),
        ("child_stage", "念职高", "vocational"),
        ("insurance_type", "单位给交的职工医保", "employee"),
        ("insurance_type", "新农合", "resident"),
        ("insurance_type", "没有医保", "none"),
        ("care_level", "评的是重度", "severe"),
        ("care_level", "没做过评估", "none"),
        ("disability_kind", "眼睛看不见", "visual"),
        ("disability_kind", "精神残疾", "mental"),
        ("home_purchase", "没买房", "none"),
        ("home_purchase", "首套", "only"),
        ("home_purchase", "二套房", "second"),
        ("car_purchase", "买的电车", "new_energy"),
        ("car_purchase", "燃油车", "fuel"),
        ("talent_level", "没有认定过", "none"),
        ("only_child_condition", "孩子去世了", "died"),
        ("child_guardianship", "父母都没了", "orphan"),
        ("farm_land_mu", "八亩多地", 9),
        ("farm_land_mu", "十二亩", 12),
        ("tuition_yuan", "六千八", 6800),
        ("appliance_price_yuan", "没买", 0),
        ("income_tax_rate", "百分之十", 10),
        ("months_since_birth", "三个月", 3),
        ("months_since_birth", "一年半", 18),
        ("housing_fund_months", "两年", 24),
        ("work_injury_level", "十级", 10),
        ("work_injury_level", "没有", 0),
        ("children_in_school", "两个", 2),
        ("household_size", "三口人", 3),
        ("service_years", "五年", 5),
        ("ex_serviceman", "当过兵，是的", True),
        ("pays_income_tax", "不用交", False),
        ("ex_serviceman", "没当过兵", False),
        ("ex_serviceman", "退伍军人", True),
        ("rents_home", "租的", True),
        ("rents_home", "住自己的房子", False),
        ("only_child", "不是", False),
        ("brave_deed", "不清楚", UNKNOWN),
    ],
)
def test_an_answer_is_read(column: str, said: str, value: Value) -> None:
    assert parse_answer(COLUMNS[column], said) == value


@pytest.mark.parametrize(
    ("column", "said"),
    [
        ("child_stage", "老大小学老二初中"),
        ("home_purchase", "哪种算首套？"),
        ("farm_land_mu", "三到五亩"),
        ("work_injury_level", "十一级"),
    ],
)
def test_what_is_not_one_answer_is_asked_again(column: str, said: str) -> None:
    with pytest.raises(InputError, match="answer_not_understood"):
        parse_answer(COLUMNS[column], said)


@pytest.mark.parametrize(
    ("text", "facts"),
    [
        ("我是退伍军人，有什么补贴", {"ex_serviceman": True}),
        ("我爸当过兵，我爸今年68岁", {"ex_serviceman": True, "age": 68}),
        ("我怀孕了，有哪些免费检查", {"pregnant": True}),
        ("我现在租房住，能领什么", {"rents_home": True}),
        ("邻居是退伍军人", {}),
        ("我打算怀孕", {}),
        ("我没有租房子住", {}),
        ("我不是退伍军人", {}),
        ("我老婆怀孕了", {}),
    ],
)
def test_a_sentence_states_only_what_is_certain(text: str, facts: dict[str, Value]) -> None:
    assert read_facts("resident", text) == facts

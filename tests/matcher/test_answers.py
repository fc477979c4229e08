"""What citizens say: an answer becomes a value; a sentence yields only what is certain."""

from __future__ import annotations

import time
from datetime import date

import cn2an
import pytest
from hypothesis import given
from hypothesis import strategies as st

from base.errors import InputError
from matcher.answers import UNKNOWN, Unknown, parse_answer, read_facts
from matcher.attributes import Kind
from matcher.profile import ATTRIBUTES, Value, check_value
from matcher.profile_numbers import parse_number

TODAY = date(2026, 11, 21)


def column(name: str) -> tuple[Kind, str]:
    return ("enterprise", name) if name in ATTRIBUTES["enterprise"] else ("resident", name)


def answer(name: str, text: str) -> Value | Unknown:
    kind, name = column(name)
    return parse_answer(ATTRIBUTES[kind][name], text, TODAY)


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("registered_years", "三年多", 3),
        ("registered_years", "2019年成立的", 7),
        ("registered_years", "19年成立的", 7),
        ("registered_years", "二零一九年", 7),
        ("registered_years", "2019", 7),
        ("registered_years", "去年注册的", 1),
        ("registered_years", "今年三月刚成立", 0),
        ("registered_years", "半年", 0.5),
        ("registered_years", "三年零三个月", 3.25),
        ("registered_years", "快三年了", 2.9),
        ("registered_years", "10年", 10),
        ("graduation_years", "应届", 0),
        ("graduation_years", "2024届的", 2),
        ("graduation_years", "两年多", 2.1),
        ("headcount", "一百二十人", 120),
        ("headcount", "一共八十个员工", 80),
        ("headcount", "大概有80来号人", 80),
        ("headcount", "1,200", 1200),
        ("headcount", "两百五", 250),
        ("headcount", "三百多人", 301),
        ("headcount", "不到300人", 299),
        ("headcount", "８０人", 80),
        ("revenue_wan", "三千万", 3000),
        ("revenue_wan", "3000万元", 3000),
        ("revenue_wan", "1.2亿", 12000),
        ("revenue_wan", "两个亿", 20000),
        ("revenue_wan", "三千多万", 3001),
        ("revenue_wan", "八十多万", 81),
        ("revenue_wan", "五百", 500),
        ("revenue_wan", "5000000元", 500),
        ("revenue_wan", "还没有收入", 0),
        ("taxable_income_wan", "亏损五十万", -50),
        ("export_usd_wan", "一百万美金", 100),
        ("rd_ratio", "百分之十五", 15),
        ("rd_ratio", "3.5%", 3.5),
        ("rd_ratio", "三成", 30),
        ("ip_count", "一项也没有", 0),
        ("ip_count", "三项专利", 3),
        ("household_income_monthly", "一千二", 1200),
        ("household_income_monthly", "2500块", 2500),
        ("age", "82", 82),
        ("age", "我妈八十二岁了", 82),
        ("age", "1946年出生的", 80),
        ("age", "快八十了", 79),
        ("youngest_child_age", "一岁半", 1.5),
        ("youngest_child_age", "9个月", 0.75),
        ("youngest_child_age", "刚出生", 0),
        ("youngest_child_age", "未满3岁", 2.9),
        ("unemployment_insurance_months", "三年", 36),
        ("unemployment_insurance_months", "一年多", 13),
        ("unemployment_insurance_months", "没交过", 0),
        ("children_count", "俩", 2),
        ("disability_level", "二级", 2),
        ("disability_level", "没有", 0),
        ("is_high_tech", "是的", True),
        ("is_high_tech", "对，没错", True),
        ("is_high_tech", "还没有", False),
        ("is_high_tech", "不是", False),
        ("has_serious_violation", "从来没有过", False),
        ("has_serious_violation", "有过一次", True),
        ("household_assets_within_limit", "没超", True),
        ("household_assets_within_limit", "超了", False),
        ("unemployed_involuntary", "被裁了", True),
        ("unemployed_involuntary", "自己辞职的", False),
        ("needs_care", "生活不能自理", True),
        ("needs_care", "能自理", False),
        ("living_alone", "和儿子住", False),
        ("industry", "开饭店的", "catering"),
        ("industry", "不是批发，是零售", "retail"),
        ("industry", "工业（含制造业、采矿业、电热水气供应）", "industry"),
        ("district", "云东", "云东区"),
        ("tax_credit_grade", "A级", "A"),
        ("employment", "我没有工作", "unemployed"),
        ("employment", "送外卖", "flexible"),
        ("skill_certificate", "高级技师", "technician"),
        ("skill_certificate", "高级工", "senior"),
        ("hukou", "不是本地的", "other"),
        ("education", "大学本科", "bachelor"),
    ],
)
def test_an_answer_is_understood(name: str, text: str, expected: Value) -> None:
    value = answer(name, text)
    assert value == expected
    assert isinstance(value, bool) == isinstance(expected, bool)


@pytest.mark.parametrize("name", ["headcount", "is_high_tech", "industry", "age", "revenue_wan"])
@pytest.mark.parametrize("text", ["不清楚", "我不知道啊", "说不准", "没算过", "不太清楚"])
def test_not_knowing_is_an_answer(name: str, text: str) -> None:
    assert answer(name, text) is UNKNOWN


def test_a_hedged_yes_is_not_a_yes() -> None:
    assert answer("is_high_tech", "应该是吧") is UNKNOWN


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("headcount", ""),
        ("headcount", "。"),
        ("headcount", "三四十人"),
        ("headcount", "十几个人"),
        ("headcount", "几十人"),
        ("headcount", "80到100人"),
        ("headcount", "没有80人"),
        ("headcount", "没有"),
        ("headcount", "80.5人"),
        ("headcount", "三千万"),
        ("headcount", "80" * 200),
        ("revenue_wan", "50万美元"),
        ("revenue_wan", "5000000"),
        ("rd_ratio", "0.05"),
        ("age", "150"),
        ("registered_years", "十几年"),
        ("registered_years", "2035年成立的"),
        ("unemployment_insurance_months", "18"),
        ("is_high_tech", "是不是要证书"),
        ("is_high_tech", "是的，但是证书没下来"),
        ("is_high_tech", "今天天气"),
        ("industry", "批发零售"),
        ("industry", "什么行业算工业？"),
        ("scale", "中小微"),
    ],
)
def test_a_doubtful_answer_is_asked_again(name: str, text: str) -> None:
    with pytest.raises(InputError) as caught:
        answer(name, text)
    assert caught.value.code == "answer_not_understood"
    kind, name = column(name)
    assert ATTRIBUTES[kind][name].label in caught.value.message
    assert "不清楚" in caught.value.message


@given(st.integers(min_value=0, max_value=10**12))
def test_every_written_integer_is_read_back(number: int) -> None:
    assert parse_number(cn2an.an2cn(number)) == number
    assert parse_number(str(number)) == number


@given(st.integers(min_value=1, max_value=2_000_000), st.sampled_from(["人", "个人", "名员工", ""]))
def test_a_headcount_in_chinese_numerals(number: int, unit: str) -> None:
    assert answer("headcount", f"大概{cn2an.an2cn(number)}{unit}") == number


@given(st.integers(min_value=1, max_value=9_999))
def test_an_amount_reads_the_same_in_yuan_and_in_wan(wan: int) -> None:
    for text in (f"{wan}万", f"{cn2an.an2cn(wan)}万元", f"{wan * 10_000}元", f"{wan}"):
        assert answer("revenue_wan", text) == wan


@given(
    st.sampled_from([c for columns in ATTRIBUTES.values() for c in columns.values()]),
    st.text(max_size=30)
    | st.text(alphabet="一二三十百千万亿点半几多不没有是年月岁个人元块%0123456789.到", max_size=15),
)
def test_any_answer_is_a_valid_value_or_asked_again(attribute: object, text: str) -> None:
    column_ = next(c for columns in ATTRIBUTES.values() for c in columns.values() if c is attribute)
    try:
        value = parse_answer(column_, text, TODAY)
    except InputError as error:
        assert error.code == "answer_not_understood"
    else:
        assert value is UNKNOWN or check_value(column_, value) == value


@pytest.mark.parametrize("kind", ["enterprise", "resident"])
def test_every_choice_is_understood_by_its_own_label(kind: str) -> None:
    for attribute in ATTRIBUTES[kind].values():
        for choice in attribute.choices:
            assert parse_answer(attribute, choice.label) == choice.value


@pytest.mark.parametrize(
    ("text", "facts"),
    [
        ("我们厂80个人去年营收两千万", {"headcount": 80, "revenue_wan": 2000}),
        ("我们厂80个人能拿什么补贴", {"headcount": 80}),
        (
            "我们公司成立三年多了，员工一百二十人，是高新技术企业，有什么补贴",
            {"registered_years": 3, "headcount": 120, "is_high_tech": True},
        ),
        (
            "公司2019年成立，总资产3000万，研发投入占营收5%",
            {"registered_years": 7, "assets_wan": 3000, "rd_ratio": 5},
        ),
        ("我们是做批发的，12个人", {"industry": "wholesale", "headcount": 12}),
        ("我们公司在高新区，有3项专利", {"district": "高新区", "ip_count": 3}),
        ("员工1,200人", {"headcount": 1200}),
        ("员工一百二，营收一千五百万", {"headcount": 120, "revenue_wan": 1500}),
        ("去年出口50万美元", {"export_usd_wan": 50}),
        ("我们公司是专精特新小巨人企业", {"srdi_giant": True}),
    ],
)
def test_facts_of_an_enterprise(text: str, facts: dict[str, Value]) -> None:
    assert read_facts("enterprise", text, TODAY) == facts


@pytest.mark.parametrize(
    ("text", "facts"),
    [
        ("我妈82了", {"age": 82}),
        ("我妈82岁能领高龄津贴吗", {"age": 82}),
        ("老人家八十三了", {"age": 83}),
        ("我爷爷90岁了还没领到高龄津贴", {"age": 90}),
        ("孩子8个月了有补贴吗", {"youngest_child_age": 0.67}),
        ("我有两个孩子，小的1岁", {"children_count": 2, "youngest_child_age": 1}),
        ("我爸是二级残疾，生活不能自理", {"disability_level": 2, "needs_care": True}),
        (
            "我被公司裁了，失业保险交了三年",
            {
                "employment": "unemployed",
                "unemployed_involuntary": True,
                "unemployment_insurance_months": 36,
            },
        ),
        ("我是外地户口，在云州交了两年社保", {"hukou": "other", "social_insurance_months": 24}),
        ("我家是低保户", {"is_low_income": True}),
        ("我奶奶一个人住", {"living_alone": True}),
        ("我去年毕业的", {"graduation_years": 1}),
        ("我住在云东区", {"district": "云东区"}),
    ],
)
def test_facts_of_a_resident(text: str, facts: dict[str, Value]) -> None:
    assert read_facts("resident", text, TODAY) == facts


@pytest.mark.parametrize(
    "text",
    [
        "没有80人",
        "我们没有80人",
        "我们不是高企",
        "如果我们有80个人，营收两千万",
        "假如公司成立三年的话",
        "我们是不是高新技术企业",
        "我们是高新技术企业吗",
        "我们想申请高新技术企业",
        "我们招了5个人",
        "80人以上才有补贴吗",
        "需要满足80人吗",
        "隔壁厂有80个人",
        "几十人的小厂",
        "有100个人在排队",
        "我们厂里有三个残疾人",
        "80到100人",
        "我们明年营收两千万",
        "营收300",
        "营收增长了300万",
        "以前我们公司有80个人",
        "打算再招到80人",
    ],
)
def test_nothing_is_read_from_what_is_not_stated_of_an_enterprise(text: str) -> None:
    assert read_facts("enterprise", text, TODAY) == {}


@pytest.mark.parametrize(
    "text",
    [
        "我没满80岁",
        "如果我80岁了",
        "等我80岁了",
        "我妈快80了",
        "要满80岁吗",
        "80岁老人有什么补贴",
        "邻居奶奶90岁",
        "我今年35，我妈82了",
        "我想申请低保",
        "我没失业",
        "我妈1944年生的",
        "他妈妈82岁",
        "我打了82次电话了",
    ],
)
def test_nothing_is_read_from_what_is_not_stated_of_a_resident(text: str) -> None:
    assert read_facts("resident", text, TODAY) == {}


@given(st.integers(min_value=2, max_value=9_999))
def test_a_denied_or_supposed_headcount_is_never_read(number: int) -> None:
    for numeral in (str(number), cn2an.an2cn(number)):
        assert read_facts("enterprise", f"我们厂{numeral}个人", TODAY) == {"headcount": number}
        for frame in ("我们厂没有{}个人", "如果我们厂{}个人", "我们厂不到{}个人", "打算招{}个人"):
            assert read_facts("enterprise", frame.format(numeral), TODAY) == {}


@given(
    st.sampled_from(["enterprise", "resident"]),
    st.text(max_size=60)
    | st.text(
        alphabet="我们妈厂公司营收去年岁人个了，。82一二十百万亿是有没不成立孩子", max_size=40
    ),
)
def test_whatever_is_read_is_a_valid_value(kind: Kind, text: str) -> None:
    for name, value in read_facts(kind, text, TODAY).items():
        assert check_value(ATTRIBUTES[kind][name], value) == value


@pytest.mark.parametrize("text", ["8" * 5000, "我今年" * 2000, "一百" * 2500, "营收大概约是" * 800])
def test_a_hostile_text_takes_no_time(text: str) -> None:
    began = time.perf_counter()
    read_facts("enterprise", text, TODAY)
    read_facts("resident", text, TODAY)
    assert time.perf_counter() - began < 2

"""What official sentences require, as predicates over the profile's columns."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matcher.importing.atoms import Places
from matcher.importing.conditions import Found, find_conditions
from matcher.importing.lexicon import get_lexicon, get_phrases
from matcher.importing.outline import outline
from matcher.predicate import parse_predicate
from matcher.profile import ATTRIBUTES, KINDS, Kind

HEAD = "一、申报条件"
PLACES = Places("云州市", "清河区")


def _found(kind: Kind, *lines: str) -> list[Found]:
    return find_conditions(outline([HEAD, *lines]), kind, PLACES)


def _whens(kind: Kind, *lines: str) -> list[str | None]:
    return [condition.when for condition in _found(kind, *lines)]


@pytest.mark.parametrize(
    ("sentence", "when"),
    [
        ("在云州市注册的企业。", "registered_in_city"),
        ("注册地在清河区的企业。", "district = '清河区'"),
        ("在本区登记的企业。", "district = '清河区'"),
        ("从业人员不超过300人。", "headcount <= 300"),
        ("上年度营业收入2亿元以下。", "revenue_wan <= 20000"),
        ("研发费用占营业收入的比例不低于5%。", "rd_ratio >= 5"),
        ("拥有5项以上知识产权。", "ip_count >= 5"),
        ("注册成立三年以内。", "registered_years <= 3"),
        ("小型、微型企业。", "scale IN ('small', 'micro')"),
        ("属于批发业、零售业或者餐饮业的企业。", "industry IN ('wholesale', 'retail', 'catering')"),
        ("不属于住宿业、餐饮业。", "industry <> 'accommodation' AND industry <> 'catering'"),
        ("有效期内的高新技术企业或科技型中小企业。", "is_high_tech OR is_tech_sme"),
        ("上年度纳税信用等级B级以上。", "tax_credit_grade IN ('B', 'A')"),
        ("未被列入严重失信主体名单。", "NOT has_serious_violation"),
        ("上年度裁员率低于5.5%。", "layoff_rate < 5.5"),
    ],
)
def test_enterprise_sentences(sentence: str, when: str) -> None:
    assert _whens("enterprise", sentence) == [when]


@pytest.mark.parametrize(
    ("sentence", "when"),
    [
        ("具有本市户籍。", "hukou = 'local'"),
        ("年满八十周岁的老年人。", "age >= 80"),
        ("年龄在16周岁以上、60周岁以下。", "age >= 16 AND age <= 60"),
        ("3周岁以下婴幼儿。", "youngest_child_age < 3"),
        ("本科及以上学历。", "education IN ('bachelor', 'master', 'doctor')"),
        ("毕业5年以内。", "graduation_years <= 5"),
        ("在本市缴纳社会保险满一年。", "social_insurance_months >= 12"),
        ("在本市无自有住房。", "NOT owns_home"),
        ("家庭人均月收入不高于3600元。", "household_income_monthly <= 3600"),
        (
            "登记失业人员、残疾人或退役士兵。",
            "unemployment_registered OR disability_level >= 1 OR veteran",
        ),
        (
            "具有本市户籍，或者在本市居住满一年且缴纳社会保险满12个月。",
            "hukou = 'local' OR (residence_months >= 12 AND social_insurance_months >= 12)",
        ),
        ("取得高级工以上职业技能等级证书。", "skill_certificate IN ('senior', 'technician')"),
    ],
)  # fmt: skip
def test_resident_sentences(sentence: str, when: str) -> None:
    assert _whens("resident", sentence) == [when]


def test_three_limits_named_respectively() -> None:
    (found,) = _whens(
        "enterprise", "应纳税所得额、从业人数、资产总额分别不超过300万元、300人、5000万元。"
    )
    assert found == "taxable_income_wan <= 300 AND headcount <= 300 AND assets_wan <= 5000"


def test_both_conditions_of_a_sentence_stand_alone() -> None:
    assert _whens("enterprise", "上年度研发费用不低于100万元，且占营业收入的比例不低于3%。") == [
        "rd_expense_wan >= 100",
        "rd_ratio >= 3",
    ]


def test_a_list_of_which_all_must_hold() -> None:
    lines = ("应当同时符合下列条件：", "（一）在本市注册；", "（二）从业人员10人以上。")
    assert _whens("enterprise", *lines) == ["registered_in_city", "headcount >= 10"]


def test_a_list_of_which_one_is_enough() -> None:
    lines = ("具有本市户籍，且符合下列情形之一：", "（一）低保对象；", "（二）重度残疾人。")
    assert _whens("resident", *lines) == [
        "hukou = 'local'",
        "is_low_income OR disability_level IN (1, 2)",
    ]


def test_an_alternative_that_no_column_knows_leaves_the_whole_list_open() -> None:
    (found,) = _found(
        "resident", "符合下列条件之一：", "（一）低保对象；", "（二）参加过国际维和行动。"
    )
    assert found.when is None
    assert "参加过国际维和行动" in (found.check or "")


@pytest.mark.parametrize(
    "sentence",
    [
        "从业人员10人以上，或者拥有驰名商标的企业。",
        "高新技术企业或拥有驰名商标的企业。",
        "拥有驰名商标，或者从业人员10人以上。",
    ],
)
def test_half_an_alternative_is_never_written(sentence: str) -> None:
    (found,) = _found("enterprise", sentence)
    assert found.when is None
    assert found.check


def test_what_no_column_knows_is_kept_with_its_words() -> None:
    (found,) = _found("enterprise", "（一）拥有省级以上出口品牌；")
    assert (found.text, found.when) == ("拥有省级以上出口品牌", None)
    assert found.check


def test_the_unread_part_of_an_item_is_kept() -> None:
    read, unread = _found("enterprise", "（一）从业人员10人以上，厂房通过消防验收；")
    assert read.when == "headcount >= 10"
    assert (unread.when, unread.text) == (None, "厂房通过消防验收")


@pytest.mark.parametrize(
    ("kind", "sentence", "when"),
    [
        ("enterprise", "大型企业不予补贴。", "scale <> 'large'"),
        ("enterprise", "有重大违法行为的企业不得申报。", "NOT has_serious_violation"),
        ("resident", "60周岁以上的不能申请。", "age < 60"),
        ("resident", "退休人员不再享受。", "employment <> 'retired'"),
    ],
)
def test_who_is_kept_out(kind: Kind, sentence: str, when: str) -> None:
    assert _whens(kind, sentence) == [when]


def test_a_list_of_those_kept_out() -> None:
    lines = ("有下列情形之一的，不予补贴：", "（一）有严重失信记录；", "（二）大型企业。")
    assert _whens("enterprise", *lines) == ["NOT has_serious_violation", "scale <> 'large'"]


def test_the_name_of_a_document_is_no_condition() -> None:
    assert _whens("enterprise", "依照《中小企业划型标准规定》执行。") == []


def test_amounts_of_the_benefit_are_no_conditions() -> None:
    lines = ["二、补贴标准", "本科每月600元，年满35周岁的每月800元。"]
    assert find_conditions(outline(lines), "resident", PLACES) == []


@given(st.integers(1, 10_000), st.sampled_from(["不超过", "不低于", "超过", "少于"]))
def test_any_threshold(number: int, word: str) -> None:
    sign = {"不超过": "<=", "不低于": ">=", "超过": ">", "少于": "<"}[word]
    assert _whens("enterprise", f"从业人员{word}{number}人。") == [f"headcount {sign} {number}"]


_WORDS = sorted(
    {word for kind in KINDS for phrases in get_phrases().of(kind).says.values() for p in phrases
     for word in p.replace(" ", "|").split("|")}
    | set("，、且；。")
    | {"或者", "不得", "下列之一：", "满3年", "不超过50%", "10人以上", "本市", "（一）"}
)  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "sentence", "when"),
    [
        ("resident", "家庭人均月收入没超过4500元。", "household_income_monthly <= 4500"),
        ("resident", "年龄不得低于18周岁。", "age >= 18"),
        (
            "resident",
            "男年满60周岁、女年满55周岁的老年人。",
            "((gender = 'male' AND age >= 60) OR (gender = 'female' AND age >= 55))",
        ),
        ("resident", "办理失业登记满三个月。", "unemployment_registered_months >= 3"),
        (
            "resident",
            "毕业两年以内尚未就业的高校毕业生。",
            "graduation_years <= 2 AND education IN ('vocational', 'bachelor', 'master', 'doctor')",
        ),
        ("enterprise", "经营满两年的企业。", "registered_years >= 2"),
        (
            "resident",
            "离校两年内高校毕业生、登记失业人员或残疾人。",
            "(graduation_years <= 2 AND education IN ('vocational', 'bachelor', 'master', "
            "'doctor')) OR unemployment_registered OR disability_level >= 1",
        ),
        (
            "resident",
            "家庭成员人均收入低于最低生活保障标准（每人每月1100元）。",
            "household_income_monthly < 1100",
        ),
    ],
)
def test_turns_of_phrase(kind: Kind, sentence: str, when: str) -> None:
    assert _whens(kind, sentence) == [when]


def test_an_exception_in_the_sentence_is_no_condition() -> None:
    text = "除脱贫人口小额信贷外，没有其他贷款。"
    assert _whens("resident", text)[-1] == "NOT has_other_loans"
    assert "startup_key_group" not in " ".join(map(str, _whens("resident", text)))


def test_what_does_not_matter_is_no_condition() -> None:
    assert _whens("resident", "不限本市户籍，年满60周岁。") == ["age >= 60"]


def test_a_condition_out_of_running_text_is_to_be_looked_at() -> None:
    text = "凡年满60周岁的老年人，均可以申请。"
    (found,) = find_conditions(outline(["关于补助的通知", text]), "resident", PLACES)
    assert found.when == "age >= 60"
    assert "请核对" in (found.check or "")


@given(st.lists(st.sampled_from(_WORDS), max_size=14), st.sampled_from(KINDS))
def test_whatever_stands_there_every_predicate_is_valid(words: list[str], kind: Kind) -> None:
    text = "".join(words)
    for condition in _found(kind, text):
        assert condition.text
        assert condition.when is not None or condition.check
        if condition.when is not None:
            parse_predicate(condition.when, kind)


def test_a_phrase_is_not_found_inside_another_word() -> None:
    assert get_lexicon("enterprise").mentions("研发项目") == []


@pytest.mark.parametrize("kind", KINDS)
def test_every_phrase_of_the_table_is_found(kind: Kind) -> None:
    lexicon = get_lexicon(kind)
    missing = []
    for predicate, phrases in get_phrases().of(kind).says.items():
        for phrase in phrases:
            text = "".join(part.split("|")[0] for part in phrase.split(" "))
            if not any(mention.key == predicate for mention in lexicon.mentions(text)):
                missing.append(text)
    assert missing == []


@pytest.mark.parametrize("kind", KINDS)
def test_numbers_of_the_table_are_numbers(kind: Kind) -> None:
    for name in get_phrases().of(kind).numbers:
        assert ATTRIBUTES[kind][name].type in ("integer", "number")

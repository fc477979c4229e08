"""Title, number, issuer, days, money and materials of a document."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matcher.importing.draft import FIELDS, Draft, make_draft

TODAY = date(2026, 11, 22)
FILLER = "各有关单位要高度重视，精心组织，确保政策落到实处，让符合条件的申请人应享尽享。"


def _draft(*lines: str) -> Draft:
    return make_draft("\n".join([*lines, FILLER]).encode(), "x.txt", TODAY)


def _value(path: str, *lines: str) -> Any:
    return _draft(*lines).fields[path].value


def test_a_notice_gives_every_field(notice: str) -> None:
    draft = make_draft(notice.encode(), "notice.txt", TODAY)
    values = {path: entry.value for path, entry in draft.fields.items() if entry.value is not None}
    assert values == {
        "title": "云州市商务局关于申报2026年出口信用保险补贴的通知",
        "audience": "enterprise",
        "level": "city",
        "issuer": "云州市商务局",
        "document.title": "云州市商务局关于申报2026年出口信用保险补贴的通知",
        "document.number": "云商务〔2026〕33号",
        "document.date": date(2026, 10, 20),
        "theme": "外贸商务",
        "benefit.kind": "subsidy",
        "benefit.text": "按实际缴纳保费的40%给予补贴，单个企业最高不超过60万元",
        "benefit.amount": 40,
        "benefit.unit": "%",
        "benefit.cap": 60,
        "window.opens": date(2026, 11, 1),
        "window.closes": date(2026, 12, 15),
        "apply.place": "云州市政务服务中心二楼窗口",
        "apply.phone": "0571-87060011",
    }
    assert [entry.value for entry in draft.lists["materials"]] == ["补贴申请表", "保险单"]


@pytest.mark.parametrize("kind", ["txt", "html", "docx", "pdf"])
def test_every_sentence_stands_in_the_document(
    kind: str, make_file: Callable[[str, str], bytes], notice: str
) -> None:
    draft = make_draft(make_file(notice, kind), "x", TODAY)
    entries = [*draft.fields.values(), *(e for listed in draft.lists.values() for e in listed)]
    sentences = [entry.sentence for entry in entries] + [c.sentence for c in draft.conditions]
    assert draft.body is not None
    assert len([s for s in sentences if s]) > 15
    for sentence in sentences:
        for line in (sentence or "").split("\n"):
            assert line in draft.body
    for entry in entries:
        assert (entry.value is None) == (entry.sentence is None)


@pytest.mark.parametrize(
    "number",
    ["云人社规〔2026〕5号", "国发[2015]52号", "财政部 税务总局公告2023年第12号", "2026年第4号"],
)
def test_numbers_of_documents(number: str) -> None:
    assert _value("document.number", "关于补贴的通知", number) == number


def test_a_number_that_the_text_only_refers_to_is_not_its_own() -> None:
    text = "根据《关于就业的意见》（云政发〔2025〕3号）的要求，现就补贴有关事项通知如下。"
    assert _value("document.number", "关于补贴的通知", text) is None


def test_the_title_inside_a_covering_notice() -> None:
    title = "关于印发《云州市稳岗补贴办法》的通知"
    draft = _draft(title)
    assert draft.fields["title"].value == "云州市稳岗补贴办法"
    assert draft.fields["document.title"].value == title


@pytest.mark.parametrize(
    ("issuer", "level"),
    [
        ("国务院", "national"),
        ("财政部 税务总局", "national"),
        ("华东省财政厅", "province"),
        ("云州市民政局", "city"),
        ("国家税务总局云州市税务局", "city"),
        ("清河区人民政府办公室", "district"),
        ("临山县民政局", "district"),
    ],
)
def test_issuer_and_level(issuer: str, level: str) -> None:
    draft = make_draft(
        "\n".join(["关于补贴的通知", FILLER, issuer, "2026年1月5日"]).encode(), "x", TODAY
    )
    assert draft.fields["issuer"].value == issuer.replace(" ", "、")
    assert draft.fields["level"].value == level
    assert draft.fields["document.date"].value == date(2026, 1, 5)


@pytest.mark.parametrize(
    ("sentence", "amount", "unit", "cap"),
    [
        ("一次性奖励20万元。", 20, "万元", None),
        ("每人每月200元。", 200, "元/人·月", None),
        ("每招用1人补助1500元，每家企业最高5万元。", 1500, "元/人", 50000),
        ("按投入的百分之三十给予补助，最高一百万元。", 30, "%", 100),
        ("最高30万元。", None, "万元", 30),
        ("本科每月500元、硕士每月800元、博士每月1500元。", 500, "元/月", 1500),
        ("个人缴费部分给予全额资助。", 100, "%", None),
    ],
)
def test_benefits(sentence: str, amount: float | None, unit: str, cap: float | None) -> None:
    draft = _draft("关于补贴的通知", "一、补贴标准", sentence)
    got = [draft.fields[f"benefit.{name}"].value for name in ("amount", "unit", "cap")]
    assert got == [amount, unit, cap]


@pytest.mark.parametrize(
    ("sentence", "opens", "closes"),
    [
        ("2026年9月1日至10月31日。", date(2026, 9, 1), date(2026, 10, 31)),
        ("2026-03-01 至 2026-11-30", date(2026, 3, 1), date(2026, 11, 30)),
        ("请于2026年12月31日前提交申请。", None, date(2026, 12, 31)),
        ("自2026年5月1日起受理。", date(2026, 5, 1), None),
        ("常年受理。", None, None),
    ],
)
def test_windows(sentence: str, opens: date | None, closes: date | None) -> None:
    draft = _draft("关于补贴的通知", "一、申报时间", sentence)
    assert draft.fields["window.opens"].value == opens
    assert draft.fields["window.closes"].value == closes


def test_coming_into_force_is_no_window() -> None:
    assert _value("window.opens", "补贴办法", "第九条 本办法自2026年5月1日起施行。") is None


def test_where_complaints_go_is_not_where_one_asks() -> None:
    text = "举报电话：0571-87050111；咨询电话：0571-87050112。"
    assert _value("apply.phone", "关于补贴的通知", text) == "0571-87050112"


@pytest.mark.parametrize(
    "lines",
    [
        ("一、申请材料", "1.身份证；", "2.户口簿。"),
        ("一、申请材料：身份证、户口簿。",),
        ("申请人应当提交身份证、户口簿。",),
        ("问：要带什么材料？", "答：带上身份证、户口簿就够。"),
    ],
)
def test_materials(lines: tuple[str, ...]) -> None:
    draft = _draft("关于补贴的通知", *lines)
    assert [entry.value for entry in draft.lists["materials"]] == ["身份证", "户口簿"]


def test_the_steps_of_a_procedure() -> None:
    draft = _draft("办事指南", "办理流程：网上提交，窗口初审，部门复核，公示拨付。")
    steps = [entry.value for entry in draft.lists["steps"]]
    assert steps == ["网上提交", "窗口初审", "部门复核", "公示拨付"]


_PIECES = st.sampled_from(
    [
        *(
            "一、",
            "（一）",
            "1.",
            "第二条 ",
            "申报条件",
            "：",
            "。",
            "；",
            "\n",
            "2026年9月1日",
            "至",
        ),
        *(
            "不超过",
            "100万元",
            "给予补贴",
            "材料",
            "身份证",
            "、",
            "或者",
            "《",
            "》",
            "〔2026〕3号",
        ),
        *("问：", "？", "电话0571-87050111", "云州市民政局", "下列条件之一", "不予", "每人每月"),
        *("年满60周岁", "！", "\t", "①"),
    ]
)


@given(st.lists(_PIECES, min_size=30, max_size=60))
def test_any_document_gives_a_draft(pieces: list[str]) -> None:
    draft = make_draft(("政策" * 20 + "\n" + "".join(pieces)).encode(), "x", TODAY)
    assert set(draft.fields) == set(FIELDS)

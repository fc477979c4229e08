"""Tickets as 12345 work-order records: the mapping, and the command that writes them."""

from __future__ import annotations

import csv
import getpass
import io
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from base.settings import Settings
from cli.main import app
from dispatch.case.hotline_record import (
    TITLES,
    Attachment,
    HotlineRecord,
    TicketView,
    hotline_record,
)
from dispatch.case.lifecycle import STATUS_NAMES
from dispatch.classification.categories import Categories, load_categories
from store.database import unit_of_work
from store.media import attach_media, save_media
from store.models import AuditEntry, Ticket, plain
from store.tickets import add_event
from tests.cli.conftest import logs_as_before  # noqa: F401 - a command configures the logs
from tests.store.city import CityStore

File = Callable[..., str]
FILED = datetime(2026, 11, 21, 1, 30, tzinfo=UTC)
CATEGORIES = load_categories(Settings().categories_file)
VIEW = TicketView(
    id="SM20261121000042",
    external_id="YZ20261121000007",
    citizen_id="telegram:42",
    kind="complaint",
    created_at=FILED,
    occurred_at=FILED - timedelta(hours=12),
    category="air.cooking_fume",
    known_category=CATEGORIES["air.cooking_fume"],
    description="楼下餐馆油烟很大，打13800001234找我",
    address="云东区文昌路18号",
    district="云东区",
    street="文昌街道",
    latitude=30.2741,
    longitude=120.1551,
    severity="normal",
    has_contact=True,
    contact=None,
    department="云东区综合行政执法局",
    respond_by=FILED + timedelta(hours=24),
    resolve_by=FILED + timedelta(hours=168),
    status="closed",
    finished_at=FILED + timedelta(hours=48),
    result="已清洗烟道，经办人电话13900005678",
    reopened=1,
    rating=5,
    media=(
        Attachment(number="a1", kind="照片", stage="上报", size=10, sha256="0" * 64),
        Attachment(number="b2", kind="视频", stage="处置后", size=20, sha256="1" * 64),
    ),
)


def test_a_record_under_its_titles() -> None:
    assert hotline_record(VIEW).as_json() == {
        "工单编号": "SM20261121000042",
        "承办系统编号": "YZ20261121000007",
        "受理时间": "2026-11-21T09:30:00+08:00",
        "发生时间": "2026-11-20T21:30:00+08:00",
        "来源渠道": "Telegram",
        "诉求类型": "举报",
        "诉求归口": "大气污染",
        "诉求分类": "餐饮油烟",
        "诉求分类代码": "air.cooking_fume",
        "诉求标题": "文昌街道餐饮油烟问题",
        "诉求内容": "楼下餐馆油烟很大，打<手机号>找我",
        "事发地点": "云东区文昌路18号",
        "行政区划": "云东区",
        "街道乡镇": "文昌街道",
        "经度": 120.1551,
        "纬度": 30.2741,
        "紧急程度": "一般",
        "是否匿名": "否",
        "联系人": None,
        "联系电话": None,
        "承办单位": "云东区综合行政执法局",
        "受理时限": "2026-11-22T09:30:00+08:00",
        "办理时限": "2026-11-28T09:30:00+08:00",
        "办理状态": "已结案",
        "办结时间": "2026-11-23T09:30:00+08:00",
        "办理结果": "已清洗烟道，经办人电话<手机号>",
        "重办次数": 1,
        "满意度": "满意",
        "附件清单": [
            {"编号": "a1", "类型": "照片", "阶段": "上报", "字节数": 10, "SHA256": "0" * 64},
            {"编号": "b2", "类型": "视频", "阶段": "处置后", "字节数": 20, "SHA256": "1" * 64},
        ],
    }


def test_an_opened_contact_opens_the_words() -> None:
    opened = replace(VIEW, contact={"name": "张伟", "phone": "13800001234"})
    record = hotline_record(opened)
    assert (record.contact_name, record.contact_phone) == ("张伟", "13800001234")
    assert "13800001234" in record.content
    assert "张伟" not in repr(opened)
    assert "楼下餐馆" not in repr(opened)


def test_a_row_of_a_table() -> None:
    row = hotline_record(replace(VIEW, occurred_at=None, latitude=-1.5)).as_row()
    assert tuple(row) == TITLES
    assert row["受理时间"] == "2026-11-21 09:30:00"
    assert row["发生时间"] == ""
    assert row["纬度"] == "-1.5"
    assert row["附件清单"] == "上报照片 a1；处置后视频 b2"


@given(st.text(max_size=30), st.text(max_size=30))
def test_no_cell_is_a_formula_and_every_word_survives(words: str, address: str) -> None:
    view = replace(VIEW, contact={}, description=words, address=address)
    row = hotline_record(view).as_row()
    assert row["诉求内容"].removeprefix("'") == words.removeprefix("'")
    assert not any(cell.startswith(("=", "+", "-", "@", "\t", "\r")) for cell in row.values())


@pytest.mark.parametrize(
    ("changes", "title", "said"),
    [
        ({"citizen_id": "voice:1"}, "来源渠道", "电话"),
        ({"citizen_id": "fax:1"}, "来源渠道", "其他"),
        ({"kind": "hot_spot"}, "来源渠道", "系统预警"),
        (
            {"category": "city.other", "known_category": CATEGORIES["city.other"]},
            "诉求类型",
            "求助",
        ),
        ({"severity": "urgent"}, "紧急程度", "紧急"),
        ({"has_contact": False}, "是否匿名", "是"),
        ({"rating": 3}, "满意度", "基本满意"),
        ({"rating": 2}, "满意度", "不满意"),
        ({"rating": None}, "满意度", None),
        ({"category": "old.kind", "known_category": None}, "诉求分类", "old.kind"),
        ({"category": "old.kind", "known_category": None}, "诉求归口", "其他"),
        (
            {"category": "old.kind", "known_category": None, "description": "长" * 40},
            "诉求标题",
            "长" * 29 + "…",
        ),
    ],
)
def test_single_mappings(changes: dict[str, Any], title: str, said: object) -> None:
    assert hotline_record(replace(VIEW, **changes)).as_json()[title] == said


@pytest.mark.parametrize("status", STATUS_NAMES)
def test_every_status_has_its_name(status: str) -> None:
    assert hotline_record(replace(VIEW, status=status)).status == STATUS_NAMES[status]


def test_every_field_is_documented() -> None:
    text = (Path(__file__).parents[2] / "docs" / "12345.md").read_text(encoding="utf-8")
    for title in TITLES:
        assert f"| {title} |" in text, title
    listed = [line.split("|")[1].strip() for line in text.splitlines() if line.startswith("| ")]
    assert [title for title in listed if title in TITLES] == list(TITLES)
    assert set(TITLES) == {info.serialization_alias for info in HotlineRecord.model_fields.values()}


@pytest.fixture
def case(city_store: CityStore, filed: File) -> str:
    """A reopened and settled ticket with a contact, a photo and a rating."""
    ticket_id = filed("web:1")
    with unit_of_work() as session:
        ticket = session.get_one(Ticket, ticket_id)
        ticket.contact = plain({"name": "张伟", "phone": "13800001234"})
        ticket.created_at = FILED
        ticket.rating = 1
        media = save_media(session, "web:1", b"photo", "image/jpeg", None)
        session.flush()
        attach_media(session, "web:1", (media.id,), ticket_id)
        for status, note in (
            ("forwarded", None),
            ("accepted", None),
            ("resolved", "第一次处理"),
            ("reopened", "还有油烟"),
            ("resolved", "第二次处理，已加装净化器"),
            ("verified", None),
            ("closed", "核查通过"),
        ):
            add_event(session, ticket, status, actor="dispatch", unit="市城管局", note=note)
            session.flush()
    return ticket_id


def exported(*arguments: str) -> str:
    done = CliRunner().invoke(app, ["tickets", "export", *arguments])
    assert done.exit_code == 0, done.output
    return done.stdout


def test_the_command_writes_json(city_store: CityStore, case: str) -> None:
    (record,) = json.loads(exported("--format", "hotline-json"))
    assert record["工单编号"] == case
    assert record["诉求内容"] == "楼下餐馆油烟太大了"
    assert (record["联系人"], record["联系电话"], record["是否匿名"]) == (None, None, "否")
    assert (record["办理状态"], record["办理结果"]) == ("已结案", "核查通过")
    assert (record["重办次数"], record["满意度"]) == (1, "不满意")
    assert [item["类型"] for item in record["附件清单"]] == ["照片"]
    assert datetime.fromisoformat(record["办结时间"]) > datetime.fromisoformat(record["受理时间"])
    actor = f"official:{getpass.getuser()}"
    audit = [row for row in city_store.rows(AuditEntry) if row.purpose == "export_12345"]
    assert {row.actor for row in audit} == {actor}
    assert {row.field for row in audit} == {"description", "address", "note"}


def test_the_contact_is_written_only_when_asked_for(city_store: CityStore, case: str) -> None:
    (record,) = json.loads(exported("--format", "hotline-json", "--with-contact"))
    assert (record["联系人"], record["联系电话"]) == ("张伟", "13800001234")
    audit = [row for row in city_store.rows(AuditEntry) if row.field == "contact"]
    assert [(row.record, row.purpose) for row in audit] == [(f"tickets:{case}", "export_12345")]


def test_the_command_writes_csv(city_store: CityStore, case: str, filed: File) -> None:
    other = filed("voice:7", words=("=HYPERLINK(1)",), category="city.other")
    text = exported("--format", "hotline-csv")
    assert text.startswith("\ufeff")
    rows = list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"))))
    assert [row["工单编号"] for row in rows] == sorted([case, other])
    assert tuple(rows[0]) == TITLES
    found = {row["工单编号"]: row for row in rows}
    assert found[other]["诉求内容"] == "'=HYPERLINK(1)"
    assert found[other]["来源渠道"] == "电话"
    assert found[other]["是否匿名"] == "是"
    assert found[case]["受理时间"] == "2026-11-21 09:30:00"


def test_since_counts_in_beijing_time(city_store: CityStore, case: str) -> None:
    with unit_of_work() as session:
        session.get_one(Ticket, case).created_at = datetime(2026, 11, 20, 16, 0, tzinfo=UTC)
    day = ("--format", "hotline-json", "--since")
    assert len(json.loads(exported(*day, "2026-11-21"))) == 1
    assert json.loads(exported(*day, "2026-11-22")) == []


def test_many_tickets_are_written_page_by_page(
    city_store: CityStore, filed: File, monkeypatch: pytest.MonkeyPatch
) -> None:
    from cli import tickets

    ids = [filed(f"web:{number}") for number in range(7)]
    monkeypatch.setattr(tickets, "_PAGE", 3)
    records = json.loads(exported("--format", "hotline-json"))
    assert [record["工单编号"] for record in records] == ids


def test_a_wrong_format_is_refused(city_store: CityStore, categories: Categories) -> None:
    done = CliRunner().invoke(app, ["tickets", "export", "--format", "xlsx"])
    assert done.exit_code == 2

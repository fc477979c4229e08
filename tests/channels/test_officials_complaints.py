"""The complaints and hot spots of the console over HTTP."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from sqlalchemy import delete, select

from store.database import reading, unit_of_work
from store.models import (
    AuditEntry,
    Base,
    HotSpot,
    HotSpotReport,
    OutboxEntry,
    Ticket,
    TicketEvent,
    TicketFollower,
    utc_now,
)
from store.people import citizen
from store.tickets import add_event
from tests.channels.agents import Staff
from tests.channels.conftest import Gateway
from tests.channels.officials import (
    FORMULA,
    GARBAGE,
    KITCHEN,
    PHONE,
    SCRIPT,
    city_gateway,
    enter,
    gateway,
    refuse,
    report,
)

__all__ = ["city_gateway", "enter", "gateway"]
HOME = "/console/complaints"


@pytest.fixture
def clerk(enter: Callable[[str], Staff]) -> Iterator[Staff]:
    """A dispatcher in front of an empty list."""
    tables: tuple[type[Base], ...] = (
        HotSpotReport,
        HotSpot,
        OutboxEntry,
        TicketFollower,
        TicketEvent,
        Ticket,
    )
    with unit_of_work() as session:
        for table in tables:
            session.execute(delete(table))
    yield enter("dispatcher")


def listed(clerk: Staff, query: str = "") -> list[str]:
    return re.findall(rf'href="{HOME}/(SM\d+)"', clerk.page(f"{HOME}?{query}"))


def audited(purpose: str) -> set[tuple[str, str]]:
    with reading() as session:
        rows = session.scalars(select(AuditEntry).where(AuditEntry.purpose == purpose))
        return {(row.record, row.field) for row in rows if row.actor == "agent:dispatcher"}


def post(clerk: Staff, path: str, **data: str) -> str:
    answer = clerk.http.post(f"{HOME}/{path}", data={"csrf": clerk.csrf(clerk.page(HOME)), **data})
    return answer.text


def test_the_list_is_narrowed_by_every_choice(clerk: Staff) -> None:
    fresh = report(status="submitted", category=GARBAGE, district="江南区")
    urgent = report(severity="urgent", ago=timedelta(hours=1))
    late = report(ago=timedelta(days=50))
    done = report(status="closed", ago=timedelta(days=3))
    stopped = report(status="rejected", ago=timedelta(days=4))
    assert listed(clerk) == [urgent, fresh, done, stopped, late]
    assert listed(clerk, "order=oldest")[0] == late
    assert listed(clerk, "stage=发现") == [fresh]
    assert listed(clerk, "stage=处置") == [urgent, late]
    assert listed(clerk, "stage=评价") == [done]
    assert listed(clerk, "stage=终止") == [stopped]
    assert listed(clerk, f"category={GARBAGE}") == [fresh]
    assert listed(clerk, "district=江南区") == [fresh]
    assert listed(clerk, "urgent=1") == [urgent]
    assert listed(clerk, "late=1") == [late]
    assert listed(clerk, f"number={late[2:]}") == [late]
    assert listed(clerk, f"number=d-{urgent.lower()}") == [urgent]  # the desk's number
    day = (utc_now() - timedelta(days=40)).date().isoformat()
    assert listed(clerk, f"until={day}") == [late]
    assert late not in listed(clerk, f"since={day}")
    assert listed(clerk, "stage=处置&late=1&district=江南区") == []
    # what is not understood narrows nothing
    assert (
        len(listed(clerk, "stage=%00&category=x&since=gestern&hotspot=x&number=%25&page=-3")) == 5
    )


def test_a_reopened_case_begins_anew_and_is_not_late(clerk: Staff) -> None:
    number = report(ago=timedelta(days=50))
    own = report(ago=timedelta(hours=30), resolve_hours=24)
    assert set(listed(clerk, "late=1")) == {number, own}
    with unit_of_work() as session:
        ticket = session.get_one(Ticket, number)
        for step in ("resolved", "reopened"):
            add_event(session, ticket, step, actor="dispatch")
    assert listed(clerk, "late=1") == [own]


def test_long_lists_come_in_pages(clerk: Staff) -> None:
    numbers = [report(ago=timedelta(minutes=n)) for n in range(53)]
    first = clerk.page(HOME)
    assert "第1页，共2页" in first and 'rel="next"' in first
    assert listed(clerk) + listed(clerk, "page=2") == numbers
    assert listed(clerk, "page=99") == numbers[50:]
    assert f"{HOME}?urgent=1&amp;page=2" not in first


def test_words_of_a_citizen_are_text_and_numbers_masked(clerk: Staff) -> None:
    number = report(words=f"{SCRIPT}我的电话{PHONE}", department=SCRIPT)
    page = clerk.page(f"{HOME}/{number}")
    assert "<script>alert" not in page and "&lt;script&gt;alert" in page
    assert PHONE not in page and "王建国" not in page and "春风里3栋502" not in page
    assert "王＊＊" in page and "138****5678" in page
    assert "<script>alert" not in clerk.page(HOME)
    assert "web#" in page and "web:1" not in page


@pytest.mark.parametrize(
    ("field", "column", "value"),
    [
        ("phone", "contact", PHONE),
        ("name", "contact", "王建国"),
        ("address", "address", "春风里3栋502"),
        ("description", "description", f"打{PHONE}找我"),
    ],
)
def test_opening_a_field_shows_it_alone_and_is_audited(
    clerk: Staff, field: str, column: str, value: str
) -> None:
    number = report(words=f"打{PHONE}找我")
    clerk.page(f"{HOME}/{number}")
    before = audited("console_opened")
    page = post(clerk, f"{number}/open", field=field)
    assert value in page
    assert audited("console_opened") - before == {(f"tickets:{number}", column)}
    assert (f"tickets:{number}", "description") in audited("console_masked")


def test_the_course_of_a_case_and_what_is_on_its_way(clerk: Staff) -> None:
    number = report(status="forwarded")
    with unit_of_work() as session:
        ticket = session.get_one(Ticket, number)
        note = f"已联系{PHONE}的住户"
        add_event(session, ticket, "accepted", actor="dispatch", unit="江南分局", note=note)
    refuse(number)
    page = clerk.page(f"{HOME}/{number}")
    for words in (
        "已提交",
        "已派单",
        "已受理",
        "江南分局",
        "已联系&lt;手机号&gt;的住户",
        "办结期限",
    ):
        assert words in page
    assert "发送失败" in page and "http_400" in page and "已送达" in page
    with unit_of_work() as session:
        entry = session.scalars(select(OutboxEntry).where(OutboxEntry.state == "dead")).one()
    assert "等待发送" in post(clerk, f"{number}/resend")
    with reading() as session:
        revived = session.get_one(OutboxEntry, entry.id)
        assert (revived.state, revived.attempts) == ("pending", 0)
    assert "没有发送失败的内容" in post(clerk, f"{number}/resend")


def test_a_unit_is_reminded_once_a_day(clerk: Staff) -> None:
    number = report(ago=timedelta(days=50))
    page = post(clerk, f"{number}/remind")
    assert "【催办】已超过办结时限" in page and "工作人员 dispatcher" in page
    assert "今天已经催办过" in post(clerk, f"{number}/remind")
    with reading() as session:
        queued = session.scalars(select(OutboxEntry).where(OutboxEntry.kind == "update")).all()
        assert [entry.ticket_id for entry in queued] == [number]
        assert session.get_one(Ticket, number).status == "in_progress"
    closed = report(status="closed")
    assert "催办</button>" not in clerk.page(f"{HOME}/{closed}")
    assert "不能催办" in post(clerk, f"{closed}/remind")


def test_the_export_holds_the_filtered_cases_and_no_formula(clerk: Staff) -> None:
    kept = report(words=FORMULA, department="=cmd|' /C calc'!A0")
    report(category=GARBAGE)
    answer = clerk.http.post(
        f"{HOME}/export",
        data={"csrf": clerk.csrf(clerk.page(HOME)), "category": KITCHEN},
    )
    assert answer.headers["Content-Type"].startswith("text/csv")
    rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert [row["工单编号"] for row in rows] == [kept]
    assert rows[0]["诉求内容"] == f"'{FORMULA}" and rows[0]["承办单位"].startswith("'=")
    assert PHONE not in answer.text and "王建国" not in answer.text
    assert (f"tickets:{kept}", "description") in audited("export_12345")


def test_the_map_shows_homes_roughly_and_what_lies_together_once(clerk: Staff) -> None:
    homes = [report(category=KITCHEN, longitude=120.15511 + n / 20000) for n in range(2)]
    bin_ = report(category=GARBAGE, words=SCRIPT, ago=timedelta(days=50))
    report(latitude=None, longitude=None)
    marks = clerk.http.get(f"{HOME}/points").json()
    rough, fine = sorted(marks, key=lambda mark: not mark["rough"])
    assert rough["point"] == [30.274, 120.155]
    assert {item["href"] for item in rough["items"]} == {f"{HOME}/{home}" for home in homes}
    assert fine["point"] == [30.2741, 120.1551]
    assert fine["late"] and fine["items"][0]["href"] == f"{HOME}/{bin_}"
    page = clerk.page(f"{HOME}/map?late=1")
    assert f'data-points="{HOME}/points?late=1"' in page and "<noscript>" in page


def test_hot_spots_tell_their_people_and_lead_to_their_cases(clerk: Staff) -> None:
    hours = range(3)
    numbers = [report(category=GARBAGE, who=f"web:{n}", ago=timedelta(hours=n + 1)) for n in hours]
    numbers.append(report(category=GARBAGE, who="web:9", status="withdrawn"))
    other = report()
    now = utc_now()
    with unit_of_work() as session:
        for who in ("web:0", "web:20"):  # one of them has reported it himself as well
            citizen(session, who)
            session.add(TicketFollower(ticket_id=numbers[1], citizen_id=who))
        for last in (now, now - timedelta(days=40)):
            spot = HotSpot(
                category=GARBAGE, latitude=30.27, longitude=120.15, district="云东区",
                street="文昌街道", opened_at=last, last_report_at=last,
            )  # fmt: skip
            session.add(spot)
            session.flush()
            for number in numbers:
                session.add(HotSpotReport(hot_spot_id=spot.id, ticket_id=number))
    with reading() as session:
        new, old = session.scalars(select(HotSpot.id).order_by(HotSpot.last_report_at.desc()))
    page = clerk.page("/console/hotspots")
    assert f"{HOME}?hotspot={new}" in page and f"hotspot={old}" not in page
    assert "4人" in page and "3件" in page and "持续中" in page and "在办3件" in page
    assert f"hotspot={old}" in clerk.page("/console/hotspots?days=90")
    assert set(listed(clerk, f"hotspot={new}")) == set(numbers)
    assert other not in listed(clerk, f"hotspot={new}")
    (mark,) = clerk.http.get("/console/hotspots/points").json()
    assert mark["count"] == 4 and mark["items"][0]["href"].endswith(f"hotspot={new}")


def test_nothing_changes_without_our_token_or_for_another_role(
    gateway: Gateway, clerk: Staff, enter: Callable[[str], Staff]
) -> None:
    number = report()
    refuse(number)
    for path in (f"{number}/remind", f"{number}/resend", f"{number}/open", "export"):
        assert clerk.http.post(f"{HOME}/{path}", data={"csrf": "0" * 64}).status_code == 403
        editor = enter("editor")
        token = editor.csrf(editor.page("/console/policies"))
        assert editor.http.post(f"{HOME}/{path}", data={"csrf": token}).status_code == 403
    with reading() as session:
        assert (
            session.scalars(select(OutboxEntry).where(OutboxEntry.state == "pending")).all() == []
        )
    for path in ("SM20260101000001", "x", "%2e%2e", "' OR 1=1"):
        assert clerk.http.get(f"{HOME}/{path}").status_code == 404
    with gateway.client() as http:
        assert http.get(f"{HOME}/points", headers={"X-Background": "1"}).status_code == 401

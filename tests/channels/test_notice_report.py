"""The report of notices: what is counted, what is not shown, who read."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path

import sqlalchemy as sa

from channels.notices.report import COLUMNS, Row, report
from channels.notices.report_page import write_csv, write_report_page
from store.database import reading, unit_of_work
from store.feedback import note_opened, save_feedback
from store.models import AuditEntry
from store.notices import note_known
from store.people import acknowledge, inbox, save_profile, subscribe, unsubscribe_all
from tests.channels.policy_city import DAY, NOON, City, resident

WHO = "official:zhang"
Figures = dict[tuple[str, str, str], dict[str, str]]


def figures(rows: list[Row]) -> Figures:
    return {(r.policy, r.group.axis, r.group.label): dict(r.figures) for r in rows}


def counts(eligible: str, aware: str, notified: str, opened: str, applied: str) -> dict[str, str]:
    return dict(zip(COLUMNS, (eligible, aware, notified, opened, applied), strict=True))


def arrive(people: Iterator[str] | list[str]) -> None:
    """The chat of each has shown everything."""
    for citizen_id in people:
        with unit_of_work() as session:
            last = max(number for number, _ in inbox(session, citizen_id, 0))
            acknowledge(session, citizen_id, last)


def told_city(city: City) -> list[str]:
    """Twenty-two residents of three districts are told of a new policy; all received it."""
    places = [("云东区", 12), ("云西区", 7), ("江南区", 3)]
    people = []
    for district, count in places:
        for number in range(count):
            people.append(f"web:{district}{number}")
            resident(citizen_id=people[-1], district=district, age=85 + number % 2 * 6)
    city.look(NOON)
    city.policy("new")
    city.look(NOON + DAY)
    arrive(people)
    return people


def test_what_became_of_a_policy_by_group(city: City) -> None:
    people = told_city(city)
    with unit_of_work() as session:
        for citizen_id in people[:9] + people[12:18]:
            note_opened(session, citizen_id, "new", NOON + DAY)
        for citizen_id in people[:6] + people[12:17]:
            save_feedback(session, citizen_id, "new", "applied", NOON + DAY)
    resident(citizen_id="web:late", district="云东区")  # qualifies and knows of nothing yet
    found = figures(report(city.shelf.policies(), NOON + DAY, WHO))
    assert found["new", "", "全部"] == counts("23", "22", "22", "15", "11")
    assert found["new", "区县", "云东区"] == counts("13", "12", "12", "9", "6")
    assert found["new", "年龄", "80–89岁"]["eligible"] == "13"
    assert found["new", "户籍", "未知"] == counts("23", "22", "22", "15", "11")
    assert found["", "", "全部"]["notified"] == "22"


def test_a_small_figure_cannot_be_worked_out_from_the_others(city: City) -> None:
    told_city(city)
    found = figures(report(city.shelf.policies(), NOON + DAY, WHO))
    assert found["new", "区县", "江南区"]["eligible"] == "<5"  # 22 - 12 - 7 would tell it
    assert found["new", "区县", "云西区"]["eligible"] == "*"
    assert found["new", "区县", "云东区"]["eligible"] == "12"


def test_who_was_shown_it_in_the_chat_knows_and_was_not_notified(city: City) -> None:
    for number in range(6):
        resident(citizen_id=f"web:{number}")
        with unit_of_work() as session:
            note_known(session, f"web:{number}", [("old", 1)], NOON)
    found = figures(report(city.shelf.policies(), NOON, WHO))
    assert found["old", "", "全部"] == counts("6", "6", "<5", "<5", "<5")


def test_who_left_is_not_read_and_still_was_notified(city: City) -> None:
    people = told_city(city)
    with unit_of_work() as session:
        for citizen_id in people[:6]:
            unsubscribe_all(session, citizen_id, NOON + DAY)
    found = figures(report(city.shelf.policies(), NOON + DAY, WHO))
    assert found["new", "", "全部"] == counts("16", "16", "22", "<5", "<5")
    assert found["new", "区县", "未知"]["notified"] == "6"
    with reading() as session:
        read = session.scalars(sa.select(AuditEntry).where(AuditEntry.actor == WHO)).all()
    records = {entry.record for entry in read}
    assert not any(record.endswith(one) for record in records for one in people[:6])
    assert all(any(record.endswith(one) for record in records) for one in people[6:])
    assert {entry.purpose for entry in read} == {"policy_coverage"}


def test_enterprises_are_divided_by_industry_and_scale(city: City) -> None:
    city.policy("jobs", "headcount >= 1", audience="enterprise")
    for number in range(14):
        name = f"enterprise:{number}"
        facts = {"industry": "industry", "headcount": 10 if number % 2 else 100}
        with unit_of_work() as session:
            save_profile(session, name, "enterprise", facts, now=NOON - 20 * DAY)
            subscribe(session, name, now=NOON - 20 * DAY)
    found = figures(report(city.shelf.policies(), NOON, WHO))
    groups = {key[1:]: row["eligible"] for key, row in found.items() if key[0] == "jobs"}
    assert groups["", "全部"] == "14"
    assert [label for axis, label in groups if axis == "企业规模"]
    assert sum(int(n) for (axis, _), n in groups.items() if axis == "行业") == 14


def test_files_for_officials(city: City, tmp_path: Path) -> None:
    told_city(city)
    rows = report(city.shelf.policies(), NOON + DAY, WHO)
    titles = {"new": "<b>新</b>补贴", "old": "旧补贴"}
    table, page = tmp_path / "report.csv", tmp_path / "report.html"
    write_csv(rows, titles, table)
    write_report_page(rows, titles, page)
    with table.open(encoding="utf-8-sig", newline="") as stream:
        read = list(csv.DictReader(stream))
    assert len(read) == len(rows)
    whole = next(r for r in read if r["政策编号"] == "new" and r["分组"] == "全部")
    assert (whole["政策"], whole["符合条件"], whole["看过详情"]) == ("<b>新</b>补贴", "22", "<5")
    html = page.read_text("utf-8")
    assert "&lt;b&gt;新" in html
    assert "<b>新" not in html
    assert json.dumps("个人：按区县")[1:-1] in html or "个人：按区县" in html
    assert "web:" not in html + table.read_text("utf-8")

"""The list of a hall's staff: masked, audited, safe in a spreadsheet."""

from __future__ import annotations

import csv
import io
import json
from datetime import date, datetime

from base.calendar import CITY_TIME
from base.settings import get_settings
from enquiries.appointments import slots_on, stay_for
from enquiries.hall_files import hall_now
from store.appointments import book, cancel, close, close_past
from store.database import unit_of_work
from store.models import AuditEntry, plain
from store.people import citizen
from tests.cli.conftest import Command

NOW = datetime(2026, 11, 23, 8, tzinfo=CITY_TIME)
DAY = date(2026, 11, 24)
HALL = "yuncheng_city"


def fill() -> None:
    """Three visits on Tuesday, one of them cancelled, and one on Wednesday."""
    hall = hall_now(get_settings().policies_dir, HALL)
    assert hall is not None
    with unit_of_work() as session:
        rows = [
            book(
                session,
                f"web:{n}",
                ("x", name),
                stay_for(hall, "identity", slots_on(hall, day)[n], NOW),
                NOW,
            )
            for n, (name, day) in enumerate(
                [
                    ("身份证补领", DAY),
                    ('=HYPERLINK("http://evil")', DAY),
                    ("取消的事", DAY),
                    ("别的一天", date(2026, 11, 25)),
                ]
            )
        ]
        cancel(session, "web:2", rows[2].id, NOW)
        person = citizen(session, "web:0")
        person.name, person.phone = plain("张小明"), plain("13800001234")
        citizen(session, "web:1").name = plain("=1+1")
        close_past(session, rows[0].ends_at)
        close(session, "web:0", rows[0].id, "done")


def test_the_export_is_masked_audited_and_no_formula(command: Command) -> None:
    fill()
    done = command("appointments", "export", "--hall", HALL, "--day", str(DAY))
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("\ufeff")
    first, second = csv.DictReader(io.StringIO(done.stdout.removeprefix("\ufeff")))
    assert first["预约号"].startswith("YY20261123")
    assert (first["开始"], first["结束"]) == ("2026-11-24 09:00", "09:30")
    assert (first["姓名"], first["电话"]) == ("张**", "*******1234")
    assert (first["状态"], first["结果"]) == ("已到场", "办成了")
    assert second["事项"] == '\'=HYPERLINK("http://evil")'
    assert second["姓名"] == "'=***"
    assert "张小明" not in done.stdout
    assert "web:" not in done.stdout
    with unit_of_work() as session:
        read = session.query(AuditEntry).filter_by(purpose="appointment_list").all()
    assert sorted(row.field for row in read) == ["name", "name", "phone", "visit", "visit"]
    assert all(row.actor.startswith("official:") for row in read)


def test_the_list_in_words_and_for_machines(command: Command) -> None:
    fill()
    words = command("appointments", "list", "--hall", HALL, "--day", str(DAY))
    assert "共 2 个预约。" in words.stdout
    machine = command("appointments", "list", "--hall", HALL, "--day", "2026-11-25", "--json")
    assert [row["事项"] for row in json.loads(machine.stdout)] == ["别的一天"]


def test_a_hall_that_is_not_there_ends_with_code_2(command: Command) -> None:
    done = command("appointments", "list", "--hall", "nowhere")
    assert done.returncode == 2
    assert "yuncheng_city" in done.stderr

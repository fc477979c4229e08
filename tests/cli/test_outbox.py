from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from base.settings import Settings
from cli.outbox import app
from dispatch.case.filing import file_complaint, supplement
from dispatch.classification.categories import load_categories
from dispatch.reporting.intake import Spot, new_draft
from store.database import unit_of_work
from store.models import OutboxEntry, Ticket, plain, utc_now
from tests.isolated import isolated

SECRET = "楼下餐馆油烟太大了"
Run = Callable[..., Result]


@pytest.fixture
def tickets(tmp_path: Path) -> Iterator[list[str]]:
    """Three tickets; the first has a supplement and a contact."""
    categories = load_categories(Settings().categories_file)
    place = Spot(
        address="文昌路88号", district="云东区", latitude=30.27, longitude=120.15, source="text"
    )
    draft = {"words": (SECRET,), "place": place, "category": "air.cooking_fume", "confirmed": True}
    with isolated(tmp_path):
        found = []
        with unit_of_work() as session:
            for n in range(3):
                mine = new_draft().model_copy(update=draft)
                found.append(file_complaint(session, mine, f"web:{n}", categories).ticket)
                session.flush()
                if n == 0:
                    found[0].contact = plain({"name": "王小云", "phone": "13800001234"})
                    supplement(session, "web:0", found[0].id, "今天更严重了", (), "m1")
                    session.flush()
        yield [ticket.id for ticket in found]


@pytest.fixture
def run(tickets: list[str]) -> Run:
    def run(*arguments: str) -> Result:
        done = CliRunner().invoke(app, list(arguments))
        for words in (SECRET, "今天更严重了", "王小云", "13800001234", "文昌路"):
            assert words not in done.output
        return done

    return run


def rows() -> list[OutboxEntry]:
    with unit_of_work() as session:
        return list(session.query(OutboxEntry).order_by(OutboxEntry.id))


def change(entry_id: int, **values: object) -> None:
    with unit_of_work() as session:
        entry = session.get_one(OutboxEntry, entry_id)
        for name, value in values.items():
            setattr(entry, name, value)


def listed(output: str) -> list[int]:
    """Numbers of the listed entries."""
    return [int(line.split()[1]) for line in output.splitlines() if " ticket=" in line]


def test_the_list_says_what_waits_and_why(run: Run, tickets: list[str]) -> None:
    now = utc_now()
    change(1, created_at=now - timedelta(hours=3, minutes=5), attempts=7, last_error="HTTP 503")
    change(3, state="dead", last_error="HTTP 400", attempts=1)
    change(4, state="sent")
    done = run("list")
    assert done.exit_code == 0
    assert done.output.splitlines() == [
        "dead: 1",
        "pending: 2",
        "sent: 1",
        "oldest pending: 3 h 5 min, 1 tried in vain: HTTP 503",
        f"dead 3 request ticket={tickets[1]} HTTP 400",
    ]


def test_the_list_is_narrowed(run: Run, tickets: list[str]) -> None:
    change(1, state="sent")
    change(2, state="dead")
    change(3, state="dead")
    assert listed(run("list").output) == [2, 3]
    assert listed(run("list", "--ticket", tickets[0]).output) == [1, 2]
    assert listed(run("list", "--state", "pending").output) == [4]
    assert listed(run("list", "--ticket", tickets[0], "--state", "dead").output) == [2]
    assert listed(run("list", "--state", "dead", "--limit", "1").output) == [2]
    assert listed(run("list", "--ticket", "SM20200101000001").output) == []
    assert run("list", "--state", "lost").exit_code == 2


def test_one_entry_is_shown(run: Run, tickets: list[str]) -> None:
    change(1, state="dead", last_error="HTTP 422", attempts=1)
    shown = run("show", "1").output
    for words in ("state: dead", f"key: shimin-{tickets[0]}", "last error: HTTP 422", tickets[0]):
        assert words in shown
    missing = run("show", "99")
    assert missing.exit_code == 2
    assert "no entry 99" in missing.output


def test_a_replay_is_spread_and_keeps_its_keys(run: Run) -> None:
    before = {row.id: row.idempotency_key for row in rows()}
    for entry_id in before:
        change(entry_id, state="dead", attempts=9)
    now = utc_now()
    done = run("retry", "--all", "--over", "300")
    assert done.output == "4 entries will be sent again\n"
    after = rows()
    assert {row.id: row.idempotency_key for row in after} == before
    assert {(row.state, row.attempts) for row in after} == {("pending", 0)}
    waits = [(row.due_at - now).total_seconds() for row in after]
    assert all(0 <= wait <= 310 for wait in waits)
    assert len({round(wait, 3) for wait in waits}) == 4


def test_a_tickets_entries_are_sent_again(run: Run, tickets: list[str]) -> None:
    for entry_id in (1, 2, 3):
        change(entry_id, state="dead")
    assert run("retry", "--ticket", tickets[0]).output == "2 entries will be sent again\n"
    assert [row.state for row in rows()] == ["pending", "pending", "dead", "pending"]
    assert run("retry", "3").output == "entry 3 will be sent again\n"
    assert run("retry", "3").exit_code == 2
    assert run("retry", "--ticket", tickets[0]).output == "0 entries will be sent again\n"


@pytest.mark.parametrize("wrong", [[], ["1", "--all"], ["--all", "--ticket", "SM1"]])
def test_what_to_send_again_is_said_once(run: Run, wrong: list[str]) -> None:
    assert run("retry", *wrong).exit_code == 2


def test_the_tickets_are_untouched(run: Run, tickets: list[str]) -> None:
    change(1, state="dead")
    run("retry", "--all")
    with unit_of_work() as session:
        assert {session.get_one(Ticket, ticket).status for ticket in tickets} == {"submitted"}

from __future__ import annotations

import io
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from store.database import reading, unit_of_work
from store.models import utc_now
from store.notice_contacts import contact, find_contacts
from store.notice_models import NoticeDigest
from store.people import channels_of, save_profile, subscribe
from tests.cli.conftest import Command

ME = "enterprise:A123-secret"
URL = "https://oapi.dingtalk.com/robot/send?access_token=0123456789abcdef"
OPTIONS = ("--subject", ME, "--channel", "dingtalk")


@pytest.fixture
def profile(tmp_path: Path) -> Path:
    path = tmp_path / "profile.json"
    content: dict[str, Any] = {"kind": "enterprise", "id": "x", "attributes": {"headcount": 80}}
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


def test_a_contact_is_registered_listed_and_removed(
    command: Command, profile: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{URL}\nSEC123\n"))
    done = command(
        "notices", "contact", "add", *OPTIONS, "--address", "-", "--secret", "-",
        "--consent", "纸质同意书 2026-11-20", "--profile", str(profile),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    with unit_of_work() as session:
        assert contact(session, ME, "dingtalk") is not None
        assert channels_of(session, ME) == ("dingtalk",)
    listed = command("notices", "contact", "list")
    assert " dingtalk since " in listed.stdout
    assert listed.stdout.strip().endswith(": subscribed")
    for output in (done.stdout, listed.stdout):
        assert "A123" not in output
        assert "0123456789abcdef" not in output
    assert command("notices", "contact", "remove", *OPTIONS).returncode == 0
    assert command("notices", "contact", "remove", *OPTIONS).returncode == 2
    with reading() as session:
        assert find_contacts(session) == []
        assert channels_of(session, ME) == ()


@pytest.mark.parametrize(
    "wrong",
    [
        (*OPTIONS, "--address", "https://evil.example/robot/send?access_token=0123456789"),
        ("--subject", "nobody", "--channel", "dingtalk", "--address", URL),
        ("--subject", ME, "--channel", "sms", "--address", "13800138000"),
        ("--subject", ME, "--channel", "email", "--address", "a@b"),
    ],
)
def test_a_wrong_contact_is_refused(command: Command, wrong: tuple[str, ...]) -> None:
    assert command("notices", "contact", "add", *wrong, "--consent", "form").returncode == 2
    with reading() as session:
        assert find_contacts(session) == []


def test_a_run_says_counts_and_nothing_of_a_person(command: Command, profile: Path) -> None:
    email = ("--subject", ME, "--channel", "email", "--address", "boss@example.com")
    command("notices", "contact", "add", *email, "--consent", "form")
    with unit_of_work() as session:
        facts = {"headcount": 80, "has_serious_violation": False, "registered_in_city": True}
        save_profile(session, ME, "enterprise", facts, now=utc_now() - timedelta(days=2))
        subscribe(session, "web:nothing-known")
    dry = command("notices", "run", "--dry-run", "--json")
    assert dry.returncode == 0, dry.stderr
    result = json.loads(dry.stdout)
    assert (result["dry_run"], result["looked_at"], result["sent"]) == (True, 1, 0)
    for output in (dry.stdout, command("notices", "run", "--dry-run").stdout):
        assert "A123" not in output
        assert "boss" not in output
    with reading() as session:
        assert session.query(NoticeDigest).count() == 0
    assert command("notices", "report").stdout.startswith("policy\taudience")
    assert json.loads(command("notices", "report", "--json").stdout) is not None
    table, page = profile.with_name("report.csv"), profile.with_name("report.html")
    done = command("notices", "report", "--csv", str(table), "--html", str(page))
    assert (done.returncode, done.stdout) == (0, "")
    assert table.read_text("utf-8-sig").startswith("政策编号,政策,对象")
    assert "政策找人：覆盖情况" in page.read_text("utf-8")
    assert command("notices", "deliveries").returncode == 0
    assert command("notices", "retry").stdout == "0 messages will be sent again\n"

from __future__ import annotations

import io

import pytest
from sqlalchemy import select

from store.accounts import Accounts
from store.agents import agent_of, by_name, open_session, password_fits
from store.database import reading, unit_of_work
from store.models import AuditEntry, utc_now
from store.second_factor import begin, codes_left, confirm, is_enrolled, pending_secret
from tests.channels.authenticator import Authenticator
from tests.cli.conftest import Command

PASSWORD = "korrekt-horse-1"


def typed(monkeypatch: pytest.MonkeyPatch, *lines: str) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("".join(f"{line}\n" for line in lines)))


def test_an_account_is_made_listed_locked_and_opened(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    typed(monkeypatch, PASSWORD)
    done = command("agents", "add", "小李", "--role", "admin")
    assert done.returncode == 0, done.stderr
    assert PASSWORD not in done.stdout + done.stderr
    with unit_of_work() as session:
        agent = by_name(session, "小李")
        assert agent is not None and password_fits(agent.password_hash, PASSWORD)
        assert not password_fits(agent.password_hash, PASSWORD + "x")
        open_session(session, agent, "token", utc_now())
    assert command("agents", "list").stdout == "小李\tadmin\topen\n"
    assert command("agents", "lock", "小李").returncode == 0
    assert command("agents", "list").stdout == "小李\tadmin\tlocked\n"
    assert command("agents", "unlock", "小李").returncode == 0
    assert command("agents", "list").stdout == "小李\tadmin\topen\n"


def test_a_temporary_password_that_is_over_is_listed(command: Command) -> None:
    with unit_of_work() as session:
        agent = Accounts(session).create("小李", PASSWORD, "agent", temporary=True)
        agent.password_expires_at = utc_now()
    assert command("agents", "list").stdout == "小李\tagent\tpassword expired\n"


def test_another_password(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    typed(monkeypatch, PASSWORD)
    command("agents", "add", "小李")
    typed(monkeypatch, "another-horse-2")
    assert command("agents", "password", "小李").returncode == 0
    with unit_of_work() as session:
        agent = by_name(session, "小李")
        assert agent is not None and password_fits(agent.password_hash, "another-horse-2")


def test_a_lost_phone_is_forgotten_and_the_audit_says_so(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    typed(monkeypatch, PASSWORD)
    command("agents", "add", "小李")
    with unit_of_work() as session:
        agent = by_name(session, "小李")
        assert agent is not None
        begin(session, agent)
        secret = pending_secret(session, agent)
        assert secret is not None
        confirm(session, agent, Authenticator(secret).next(), utc_now())
        open_session(session, agent, "token", utc_now())
    assert command("agents", "reset-totp", "小李").returncode == 0
    with reading() as session:
        agent = by_name(session, "小李")
        assert agent is not None and not is_enrolled(agent) and codes_left(session, agent) == 0
        assert agent_of(session, "token", utc_now()) is None
        last = session.scalars(select(AuditEntry).order_by(AuditEntry.id.desc())).first()
        assert last is not None
        assert (last.actor, last.purpose) == ("operator", "second_factor_reset")


@pytest.mark.parametrize(
    "arguments",
    [
        ("add", "小李"),
        ("add", "小 王"),
        ("lock", "谁"),
        ("unlock", "谁"),
        ("password", "谁"),
        ("reset-totp", "谁"),
    ],
)
def test_what_cannot_be_done_ends_with_code_2(
    command: Command, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...]
) -> None:
    typed(monkeypatch, PASSWORD)
    command("agents", "add", "小李")
    typed(monkeypatch, PASSWORD)
    assert command("agents", *arguments).returncode == 2


def test_a_weak_password_makes_no_account(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    typed(monkeypatch, "short")
    assert command("agents", "add", "小李").returncode == 2
    assert command("agents", "list").stdout == ""

from __future__ import annotations

import json
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from time import time
from typing import Any

import pytest

from base.settings import Settings
from cli.doctor import local, remote
from cli.doctor.command import Language, examined, table
from cli.doctor.finding import Finding, State, Words
from store.database import downgrade
from tests.cli.conftest import Command
from tests.isolated import isolated
from tests.serving import http_server
from tests.stack import free_port


def server(status: int = 200, hours_late: float = 0) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response_only(status)
            self.send_header("Date", formatdate(time() - hours_late * 3600, usegmt=True))
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *args: Any) -> None:
            pass

    return Handler


def test_an_installation_that_does_not_run(command: Command) -> None:
    done = command("doctor", "--json")
    found = {row["part"]: row for row in json.loads(done.stdout)}
    assert done.returncode == 1
    assert found["database"]["state"] == found["media"]["state"] == "ok"
    assert found["rasa"]["state"] == found["gateway"]["state"] == "failed"
    assert found["dispatch"]["state"] == "warning"
    assert {found[part]["state"] for part in ("mail", "robots", "lock_store")} == {"unused"}
    assert found["secrets"]["state"] == "warning"  # those of the tests are short
    assert "SHIMIN_API_KEY" in found["secrets"]["todo"]["en"]
    assert all(row["todo"]["zh"] and row["todo"]["en"] for row in found.values() if bad(row))
    assert "test-api-key" not in done.stdout


def bad(row: dict[str, Any]) -> bool:
    return row["state"] in ("warning", "failed")


def test_the_table_speaks_both_languages(command: Command) -> None:
    chinese, english = command("doctor").stdout, command("doctor", "--lang", "en").stdout
    assert "数据库" in chinese
    assert "→ 没有应答" in chinese
    assert "→ does not answer" in english
    assert not any("一" <= char <= "鿿" for char in english)


def test_columns_stand_under_each_other_in_chinese() -> None:
    findings = [
        Finding("a", Words("数据库", "database"), State.OK, "seen"),
        Finding("b", Words("会话锁（Redis）", "locks"), State.UNUSED),
    ]
    first, second, last = table(findings, Language.ZH).splitlines()
    assert first == "数据库           正常    seen"
    assert second == "会话锁（Redis）  未启用"
    assert last == "一切正常。"


def test_servers_that_answer_and_servers_that_do_not(tmp_path: Path) -> None:
    with http_server(server()) as well, http_server(server(503)) as ill:
        port = {url: int(url.rsplit(":", 1)[1]) for url in (well, ill)}
        with isolated(tmp_path, rasa_port=port[well], actions_port=port[ill]) as settings:
            assert remote.rasa(settings).state is State.OK
            found = remote.actions(settings)
    assert (found.state, found.seen) == (State.FAILED, "HTTP 503")


@pytest.mark.parametrize(("hours", "state"), [(0, State.OK), (1, State.WARNING)])
def test_a_clock_that_differs(tmp_path: Path, hours: float, state: State) -> None:
    with http_server(server(hours_late=hours)) as url, isolated(tmp_path, dispatch_url=url) as own:
        assert remote.clock(own).state is state


def test_a_database_behind_the_code(tmp_path: Path) -> None:
    with isolated(tmp_path) as settings:
        assert remote.database(settings).state is State.OK
        downgrade("0001")
        found = remote.database(settings)
    assert found.state is State.FAILED
    assert "shimin db upgrade" in found.todo.zh


def test_what_is_configured_and_away(tmp_path: Path) -> None:
    away = free_port()
    changes = {
        "lock_url": f"redis://127.0.0.1:{away}/0",
        "smtp_host": "127.0.0.1",
        "smtp_port": away,
        "smtp_security": "none",
        "smtp_sender": "notice@city.example",
    }
    with isolated(tmp_path, **changes) as settings:
        assert remote.lock_store(settings).state is State.FAILED
        assert remote.mail(settings).state is State.WARNING


def test_malformed_keys_a_missing_model_and_a_missing_runtime(tmp_path: Path) -> None:
    changes = {"data_key": "no-key", "model_dir": tmp_path, "rasa_venv": tmp_path / "none"}
    settings = Settings(_env_file=None, **changes)
    assert "SHIMIN_DATA_KEY" in local.secrets(settings).todo.en
    assert "no-key" not in str(local.secrets(settings))
    assert local.model(settings).state is State.FAILED
    assert local.interpreters(settings).state is State.FAILED


def test_an_examination_that_breaks_is_a_finding() -> None:
    def broken(_settings: Settings) -> Finding:
        raise ZeroDivisionError

    found = examined(broken, Settings(_env_file=None))
    assert (found.part, found.state, found.seen) == ("broken", State.FAILED, "ZeroDivisionError")

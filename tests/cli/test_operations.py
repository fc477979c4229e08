from __future__ import annotations

import csv
import io
import os
import stat
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli import keys as keys_command
from cli.main import app
from store.database import unit_of_work
from store.media import read_media, save_media
from tests.cli.conftest import Run
from tests.isolated import isolated

NAMES = {
    "SHIMIN_DATA_KEY",
    "SHIMIN_TRACKER_KEY",
    "SHIMIN_API_KEY",
    "SHIMIN_SESSION_KEY",
    "SHIMIN_WEBHOOK_SECRET",
    "SHIMIN_DISPATCH_API_KEY",
    "SHIMIN_DESK_PASSWORD",
    "SHIMIN_RASA_TOKEN",
    "SHIMIN_AUDIT_KEY",
}


def test_the_database_is_upgraded_twice(shimin: Run, tmp_path: Path) -> None:
    for _ in range(2):
        done = shimin("db", "upgrade")
        assert (done.returncode, done.stdout) == (0, "database is up to date\n"), done.stderr
    assert (tmp_path / "shimin.db").is_file()


def test_the_audit_is_exported(tmp_path: Path) -> None:
    with isolated(tmp_path):
        with unit_of_work() as session:
            media = save_media(session, "api:c-1", b"photo", "image/jpeg", None)
        with unit_of_work() as session:
            read_media(session, media.id, actor="official:王,“科长”", purpose="核查")
        done = CliRunner().invoke(app, ["export-audit"])
    assert done.exit_code == 0, done.output
    (row,) = csv.DictReader(io.StringIO(done.stdout))
    assert row["actor"] == "official:王,“科长”"
    assert (row["purpose"], row["record"], row["field"]) == (
        "核查",
        f"media:{media.id}",
        "content",
    )
    assert row["at"].endswith("+00:00")


def test_outbox_of_a_new_installation(shimin: Run) -> None:
    assert shimin("db", "upgrade").returncode == 0
    listed = shimin("outbox", "list")
    assert (listed.returncode, listed.stdout) == (0, "")
    retried = shimin("outbox", "retry", "1")
    assert retried.returncode == 2
    assert "not a dead letter" in retried.stderr


# --- keys ---------------------------------------------------------------------------------


@pytest.fixture
def env_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(keys_command, "ROOT", tmp_path)
    for name in list(os.environ):
        if name.startswith("SHIMIN_"):
            monkeypatch.delenv(name)
    return tmp_path / ".env"


def values(path: Path) -> dict[str, str]:
    lines = path.read_text("utf-8").splitlines()
    return dict(line.split("=", 1) for line in lines if line)


def make_keys() -> None:
    done = CliRunner().invoke(app, ["keys"])
    assert done.exit_code == 0, done.output


def test_keys_are_made_once_and_for_the_owner_only(env_file: Path) -> None:
    make_keys()
    first = values(env_file)
    assert set(first) == NAMES
    assert len(set(first.values())) == len(NAMES)
    assert all(len(value) >= 32 for value in first.values())
    assert stat.S_IMODE(env_file.stat().st_mode) == 0o600
    make_keys()
    assert values(env_file) == first


@pytest.mark.parametrize("end", ["\n", ""])
def test_what_is_there_is_kept(env_file: Path, end: str) -> None:
    env_file.write_text(f"OTHER=x\nSHIMIN_DATA_KEY=mine{end}", "utf-8")
    env_file.chmod(0o644)
    make_keys()
    found = values(env_file)
    assert found["SHIMIN_DATA_KEY"] == "mine"
    assert found["OTHER"] == "x"
    assert set(found) == NAMES | {"OTHER"}
    assert stat.S_IMODE(env_file.stat().st_mode) == 0o600


def test_a_secret_of_the_environment_is_not_made(
    env_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHIMIN_API_KEY", "from-the-operator")
    make_keys()
    assert set(values(env_file)) == NAMES - {"SHIMIN_API_KEY"}


def test_keys_are_not_printed(env_file: Path) -> None:
    output = CliRunner().invoke(app, ["keys"]).output
    assert str(env_file) in output
    assert not any(value in output for value in values(env_file).values())


def test_an_unknown_command_is_refused(shimin: Run) -> None:
    assert shimin("nothing").returncode == 2

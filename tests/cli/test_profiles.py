"""Files of profiles on the command line: check, match, simulate."""

from __future__ import annotations

import json
from pathlib import Path

import psycopg
import pytest

from base.settings import get_settings
from tests.cli.conftest import Command
from tests.stack import ROOT
from tests.store import postgres


@pytest.fixture
def people(tmp_path: Path) -> Path:
    path = tmp_path / "people.csv"
    lines = ["id,age,hukou,district"]
    lines += [f"R{n},{60 + n},本市户籍,云东区" for n in range(40)]
    path.write_text("\n".join(lines) + "\n", "utf-8")
    return path


def test_a_good_file_is_called_good(command: Command, people: Path) -> None:
    done = command("profiles", "check", str(people), "--kind", "resident")
    assert done.returncode == 0, done.stderr
    assert "共40行，采用40行，拒收0行" in done.stdout


def test_a_fault_is_told_by_row_without_its_value(command: Command, people: Path) -> None:
    people.write_text(people.read_text("utf-8") + "R99,三百岁,local,云东区\n", "utf-8")
    done = command("profiles", "check", str(people), "--kind", "resident")
    assert done.returncode == 1
    assert "第41行 age：应为数字" in done.stderr
    assert "三百岁" not in done.stdout + done.stderr


def test_a_file_is_matched(command: Command, people: Path, tmp_path: Path) -> None:
    listed = tmp_path / "eligible.csv"
    done = command(
        "profiles", "match", str(people), "--kind", "resident", "--json", "--output", str(listed)
    )
    assert done.returncode == 0, done.stderr
    counts = json.loads(done.stdout)["policies"]["elderly_allowance"]
    assert counts == {"eligible": 20, "possible": 0, "ineligible": 20}
    pairs = listed.read_text("utf-8").splitlines()
    assert pairs[0] == "policy,profile"
    found = {line.split(",")[1] for line in pairs if line.startswith("elderly_allowance,")}
    assert found == {f"R{n}" for n in range(20, 40)}


def test_a_lower_age_is_simulated(command: Command, people: Path, tmp_path: Path) -> None:
    text = (ROOT / "policies" / "resident" / "elderly_allowance.yml").read_text("utf-8")
    changed, page = tmp_path / "changed.yml", tmp_path / "page.html"
    changed.write_text(text.replace("age >= 80", "age >= 70"), "utf-8")
    arguments = ("simulate", str(changed), "--profiles", str(people))
    done = command(*arguments, "--html", str(page), "--json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert (found["before"]["eligible"], found["after"]["eligible"]) == (20, 30)
    assert (found["gained"], found["lost"]) == (10, 0)
    assert found["groups"]["年龄"][0]["label"] == "70–79岁"
    html = page.read_text("utf-8")
    assert "政策测算" in html
    assert "<script src" not in html
    assert "新增10，不再符合0" in command(*arguments).stdout


@pytest.mark.parametrize("content", ["id: [", "id: elderly_allowance\n"])
def test_a_broken_policy_is_named(command: Command, people: Path, content: str) -> None:
    broken = people.with_name("broken.yml")
    broken.write_text(content, "utf-8")
    done = command("simulate", str(broken), "--profiles", str(people))
    assert done.returncode == 2
    assert "broken.yml" in done.stderr


def test_a_table_of_a_database_is_matched_where_it_is(
    command: Command, postgres_server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = postgres.new_database(postgres_server, "command").replace("+psycopg", "")
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE TABLE people (id text, age bigint, hukou text)")
        connection.execute(
            "INSERT INTO people SELECT 'R' || n, 60 + n, 'local' FROM generate_series(0, 39) n"
        )
    monkeypatch.setenv("SHIMIN_BATCH_URL", url)
    get_settings.cache_clear()
    done = command(
        "profiles", "match", "people", "--kind", "resident", "--engine", "postgresql",
        "--output", "eligible", "--json",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    counts = json.loads(done.stdout)["policies"]["elderly_allowance"]
    assert counts == {"eligible": 20, "possible": 0, "ineligible": 20}
    with psycopg.connect(url) as connection:
        query = "SELECT count(*) FROM eligible WHERE policy = 'elderly_allowance'"
        assert connection.execute(query).fetchone() == (20,)

"""The dependency audit, with the real pip-audit and a database of the OSV form on loopback."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest

from tests.serving import http_server
from tests.stack import free_port
from tools import audit

HOLES: dict[tuple[str, str], str] = {
    ("jinja2", "2.10"): "PYSEC-2019-217",
    ("leaky", "1.0"): "PYSEC-2026-7",
}
FAR = "2999-01-01"


@contextmanager
def database(holes: dict[tuple[str, str], str]) -> Iterator[tuple[str, list[str]]]:
    """Serve OSV's query interface; yield its URL and the packages that were asked for."""
    asked: list[str] = []

    class Osv(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            query = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            name, version = query["package"]["name"], query["version"]
            asked.append(name)
            found = holes.get((name, version))
            body = json.dumps({"vulns": [advisory(found, name)]} if found else {}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_arguments: Any) -> None:
            """Write nothing."""

    with http_server(Osv) as url:
        yield f"{url}/v1/query", asked


def advisory(name: str, package: str) -> dict[str, Any]:
    fixed = {"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "1.1"}]}
    affected = {"package": {"name": package, "ecosystem": "PyPI"}, "ranges": [fixed]}
    return {"id": name, "aliases": [f"CVE-{name[6:]}"], "summary": "A hole", "affected": [affected]}


def run(folder: Path, lock: str, url: str, accepted: str = "", *, required: bool = False) -> int:
    locked, list_of = folder / "requirements.lock", folder / "accepted.toml"
    locked.write_text(lock)
    list_of.write_text(accepted)
    more = ["--required"] if required else []
    return audit.main(["--osv-url", url, "--accepted", str(list_of), *more, str(locked)])


def accepting(until: str, name: str = "PYSEC-2026-7", package: str = "leaky") -> str:
    return (
        f'[[hole]]\nid = "{name}"\npackage = "{package}"\n'
        f'reason = "its parser is not used"\nuntil = {until}\n'
    )


def test_releases_without_holes_pass(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with database(HOLES) as (url, asked):
        assert run(tmp_path, "sound==1.0\nleaky==1.1\n", url, required=True) == audit.CLEAN
    assert sorted(asked) == ["jinja2", "leaky", "sound"]
    assert "2 releases checked, 0 open holes" in capsys.readouterr().out


def test_a_hole_fails_and_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with database(HOLES) as (url, _):
        assert run(tmp_path, "leaky==1.0\n", url) == audit.FOUND
    said = capsys.readouterr().out
    assert "leaky 1.0: PYSEC-2026-7 / CVE-2026-7; fixed in 1.1" in said


def test_an_accepted_hole_passes(tmp_path: Path) -> None:
    with database(HOLES) as (url, _):
        assert run(tmp_path, "leaky==1.0\n", url, accepting(FAR)) == audit.CLEAN


@pytest.mark.parametrize(
    ("accepted", "passes"),
    [
        (accepting(FAR), True),
        (accepting(FAR, name="CVE-2026-7"), True),
        (accepting("2026-11-22"), True),
        (accepting("2026-11-21"), False),
        (accepting(FAR, name="CVE-2026-8"), False),
        (accepting(FAR, package="sound"), False),
    ],
)
def test_an_acceptance_is_for_one_hole_and_ends(
    tmp_path: Path, accepted: str, passes: bool
) -> None:
    path = tmp_path / "accepted.toml"
    path.write_text(accepted)
    hole = audit.Hole("leaky", "1.0", ("PYSEC-2026-7", "CVE-2026-7"), ("1.1",))
    rows = audit.read_accepted(path)
    assert audit.is_accepted(hole, rows, date(2026, 11, 22)) is passes


def test_what_is_accepted_for_nothing_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with database(HOLES) as (url, _):
        assert run(tmp_path, "leaky==1.1\n", url, accepting(FAR)) == audit.CLEAN
    assert "no longer found, take it out: leaky PYSEC-2026-7" in capsys.readouterr().out


def test_a_database_that_knows_nothing_is_no_check(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with database({}) as (url, asked):
        assert run(tmp_path, "leaky==1.0\n", url) == audit.CLEAN
    assert capsys.readouterr().out.startswith("NOT CHECKED")
    assert asked == ["jinja2"]  # nothing more is asked of it


def test_nobody_there_is_no_check(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    url = f"http://127.0.0.1:{free_port()}/v1/query"
    assert run(tmp_path, "leaky==1.0\n", url, required=True) == audit.UNCHECKED
    assert "NOT CHECKED" in capsys.readouterr().out


@pytest.mark.parametrize("missing", ["reason", "until", "id", "package"])
def test_an_acceptance_says_everything(tmp_path: Path, missing: str) -> None:
    path = tmp_path / "accepted.toml"
    lines = accepting(FAR).splitlines()
    path.write_text("\n".join(line for line in lines if not line.startswith(missing)))
    with pytest.raises(SystemExit, match=missing):
        audit.read_accepted(path)


def test_what_we_accept_is_said_in_full() -> None:
    assert all(row.until >= date.today() for row in audit.read_accepted(audit.ACCEPTED))

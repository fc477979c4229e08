"""Asks an advisory database for known holes in what both runtimes install (pip-audit, PyPA).

    python tools/audit.py [--required] [--osv-url URL]

First a release with a hole known since 2019 is asked for. Where it is not named, no advisory
database answers here (a mirror of the index may have none, and pip-audit then finds nothing):
that is said, and nothing passes for checked. The code is then 0, so that who is cut off from the
network can still build, or 3 with ``--required``.

A finding ends with code 1 unless ``tools/audit_accepted.toml`` accepts it: with the reason, and a
day until which that holds. ``--osv-url`` asks a copy of the OSV database instead of the index.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOCKS = (ROOT / "requirements.lock", ROOT / "bot" / "requirements.lock")
ACCEPTED = ROOT / "tools" / "audit_accepted.toml"
CANARY = "jinja2==2.10"
"""CVE-2019-10906."""
SECONDS = 900
CLEAN, FOUND, UNCHECKED = 0, 1, 3


@dataclass(frozen=True)
class Hole:
    """A known hole: its ids (the first is the database's own) and the versions without it."""

    package: str
    version: str
    ids: tuple[str, ...]
    fixed_in: tuple[str, ...]

    def __str__(self) -> str:
        remedy = ", ".join(self.fixed_in) or "no release"
        return f"{self.package} {self.version}: {' / '.join(self.ids)}; fixed in {remedy}"


@dataclass(frozen=True)
class Accepted:
    """A hole somebody looked at: one of its ids, the package, why it does no harm, until when."""

    id: str
    package: str
    reason: str
    until: date


@dataclass(frozen=True)
class Found:
    """What an audit of some requirements found; ``skipped`` could not be looked up."""

    holes: tuple[Hole, ...]
    skipped: tuple[str, ...]
    checked: int


class UnreachableError(Exception):
    """No advisory database answers."""


def main(arguments: Sequence[str]) -> int:
    """Audit; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--required", action="store_true", help="not to be checked is a failure")
    parser.add_argument("--osv-url", help="of a copy of the OSV database's query interface")
    parser.add_argument("--accepted", type=Path, default=ACCEPTED)
    parser.add_argument("locks", nargs="*", type=Path, default=LOCKS)
    options = parser.parse_args(arguments)
    accepted = read_accepted(options.accepted)
    try:
        ensure_answers(options.osv_url)
        found = [audit(lock.read_text("utf-8"), options.osv_url) for lock in options.locks]
    except UnreachableError as error:
        print(f"NOT CHECKED: no advisory database is reachable ({error})")
        return UNCHECKED if options.required else CLEAN
    holes = {hole for one in found for hole in one.holes}
    for name in sorted({name for one in found for name in one.skipped}):
        print(f"not in the database, not checked: {name}")
    open_holes = [hole for hole in holes if not is_accepted(hole, accepted, date.today())]
    for hole in sorted(open_holes, key=str):
        print(hole)
    for row in accepted:
        if not any(row.package == hole.package and row.id in hole.ids for hole in holes):
            print(f"accepted but no longer found, take it out: {row.package} {row.id}")
    checked = sum(one.checked for one in found)
    print(f"{checked} releases checked, {len(open_holes)} open holes, {len(holes)} in all")
    return FOUND if open_holes else CLEAN


def ensure_answers(osv_url: str | None) -> None:
    """Ask for a hole everybody knows.

    Raises:
        UnreachableError: it is not found, so what is asked knows of none.
    """
    if not audit(CANARY, osv_url).holes:
        raise UnreachableError(f"the known hole in {CANARY} is not found")


def audit(requirements: str, osv_url: str | None) -> Found:
    """Ask for every release of pinned ``requirements``.

    Raises:
        UnreachableError: pip-audit could not ask.
    """
    service = ["--vulnerability-service", "osv", "--osv-url", osv_url] if osv_url else []
    done = subprocess.run(
        [
            sys.executable, "-m", "pip_audit", "--requirement", "/dev/stdin", "--no-deps",
            "--disable-pip", "--progress-spinner", "off", "--format", "json", *service,
        ],
        input=requirements, capture_output=True, text=True, timeout=SECONDS,
    )  # fmt: skip
    try:
        rows = json.loads(done.stdout)["dependencies"]
    except (ValueError, KeyError) as error:
        last = (done.stderr.strip().splitlines() or ["pip-audit said nothing"])[-1]
        raise UnreachableError(last[:300]) from error
    holes = tuple(
        Hole(
            row["name"], row["version"], (hole["id"], *hole["aliases"]), tuple(hole["fix_versions"])
        )
        for row in rows
        for hole in row.get("vulns", ())
    )
    skipped = tuple(row["name"] for row in rows if "skip_reason" in row)
    return Found(holes, skipped, len(rows) - len(skipped))


def is_accepted(hole: Hole, accepted: Sequence[Accepted], today: date) -> bool:
    """Tell whether somebody accepted a hole and the day he named has not passed."""
    return any(
        row.package == hole.package and row.id in hole.ids and today <= row.until
        for row in accepted
    )


def read_accepted(path: Path) -> list[Accepted]:
    """Read the accepted holes.

    Raises:
        SystemExit: a row lacks its id, package, reason or day, or has more.
    """
    rows = tomllib.loads(path.read_text("utf-8")).get("hole", [])
    try:
        read = [Accepted(**row) for row in rows]
    except TypeError as error:
        raise SystemExit(f"{path}: {error}") from error
    for row in read:
        if not (row.reason.strip() and isinstance(row.until, date)):
            raise SystemExit(f"{path}: {row.id} needs a reason and a day")
    return read


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

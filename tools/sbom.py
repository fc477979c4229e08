"""Writes the bill of materials of each runtime as CycloneDX: ``python tools/sbom.py [FOLDER]``.

``var/sbom/modern.cdx.json`` and ``var/sbom/rasa.cdx.json`` (or below FOLDER) name every release of
``requirements.lock`` and ``bot/requirements.lock`` with its package URL, what it depends on and the
licence its metadata declare. They are read from the environments, since a lock file knows no
licences; what is installed there besides (test tools) is left out, and a release that is missing
or of another version ends the program with code 1. Each file is checked against CycloneDX's schema.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cyclonedx.schema import OutputFormat, SchemaVersion
from cyclonedx.validation import make_schemabased_validator

ROOT = Path(__file__).resolve().parent.parent
VERSION = SchemaVersion.V1_6
RUNTIMES = {
    "modern": (ROOT / ".venv", ROOT / "requirements.lock"),
    "rasa": (ROOT / ".venv-rasa", ROOT / "bot" / "requirements.lock"),
}
LINKS = "externalReferences"
"""Left out: addresses of projects, which the index knows by the package URL, were most of the file
and nearly all of the time that checking it took."""
_PIN = re.compile(r"([A-Za-z0-9._-]+)==([^\s;]+)")


class SbomError(Exception):
    """The bill cannot be written as the lock file has it."""


def main(folder: Path) -> int:
    """Write both files; return the exit code."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, (environment, lock) in RUNTIMES.items():
        try:
            bill = bill_of(environment, lock.read_text("utf-8"), name)
        except SbomError as error:
            print(f"{name}: {error}")
            return 1
        path = folder / f"{name}.cdx.json"
        path.write_text(json.dumps(bill, ensure_ascii=False, indent=2) + "\n", "utf-8")
        unlicensed = [part["name"] for part in bill["components"] if not part.get("licenses")]
        print(f"{path}: {len(bill['components'])} components; without a declared licence: ", end="")
        print(", ".join(unlicensed) or "none")
    return 0


def bill_of(environment: Path, lock: str, name: str) -> dict[str, Any]:
    """Return the bill of materials of what ``lock`` pins, as installed in ``environment``.

    Raises:
        SbomError: a release is not installed as pinned, or the result is not valid CycloneDX.
    """
    wanted, whole = pinned(lock), installed(environment)
    kept = {
        component["bom-ref"]: {k: v for k, v in component.items() if k != LINKS}
        for component in whole["components"]
        if wanted.get(canonical(component["name"])) == component["version"]
    }
    found = {canonical(component["name"]) for component in kept.values()}
    if missing := sorted(wanted.keys() - found):
        raise SbomError(f"not installed as locked: {', '.join(missing)}")
    bill = {
        **whole,
        "metadata": {
            **whole["metadata"],
            "component": {"type": "application", "name": f"shimin-{name}", "bom-ref": "shimin"},
        },
        "components": list(kept.values()),
        "dependencies": [
            *dependencies_among(kept, whole.get("dependencies", [])),
            {"ref": "shimin", "dependsOn": sorted(kept)},
        ],
    }
    ensure_valid(json.dumps(bill))
    return bill


def installed(environment: Path) -> dict[str, Any]:
    """Return what cyclonedx-py finds in a virtual environment, always in the same order."""
    done = subprocess.run(
        [
            sys.executable, "-m", "cyclonedx_py", "environment", "--output-reproducible",
            "--no-validate", "--spec-version", VERSION.to_version(),
            str(environment / "bin" / "python"),
        ],
        capture_output=True, text=True,
    )  # fmt: skip
    if done.returncode:
        raise SbomError(done.stderr.strip()[-500:])
    return dict(json.loads(done.stdout))


def dependencies_among(kept: Mapping[str, Any], rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the dependencies between components that stay."""
    among = []
    for row in rows:
        if row["ref"] in kept:
            needed = [name for name in row.get("dependsOn", ()) if name in kept]
            among.append({"ref": row["ref"], **({"dependsOn": needed} if needed else {})})
    return among


def ensure_valid(text: str) -> None:
    """Check a bill against CycloneDX's JSON schema.

    Raises:
        SbomError: it breaks the schema.
    """
    validator = make_schemabased_validator(OutputFormat.JSON, VERSION)
    if (fault := validator.validate_str(text)) is not None:
        raise SbomError(f"not CycloneDX {VERSION.to_version()}: {fault}")


def pinned(lock: str) -> dict[str, str]:
    """Return the versions a lock file pins, by canonical name."""
    pins = (_PIN.match(line) for line in lock.splitlines())
    return {canonical(pin[1]): pin[2] for pin in pins if pin}


def canonical(name: str) -> str:
    """Return the name by which the index compares it (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "var" / "sbom"))

"""Pins every dependency of both runtimes with uv: ``python tools/lock.py``."""

from __future__ import annotations

import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
UV = [str(ROOT / ".venv" / "bin" / "uv"), "pip", "compile", "--no-header", "--no-annotate", "-q"]


def main() -> None:
    """Rewrite the three lock files."""
    modern = ["--python-version", "3.11"]
    run(["pyproject.toml", "-o", "requirements.lock", *modern])
    test = ["--extra", "hub", "--extra", "dev", "-c", "requirements.lock", *modern]
    run(["pyproject.toml", "-o", "requirements-test.lock", *test])
    run(["bot/requirements.in", "-o", "bot/requirements.lock", "--python-version", "3.10"])


def run(arguments: list[str]) -> None:
    """Run uv; a failure ends the program."""
    subprocess.run([*UV, *arguments], cwd=ROOT, check=True)


if __name__ == "__main__":
    main()

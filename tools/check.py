"""Everything CI checks, in order, each step named and timed: ``check.py [lint]``."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BIN = ROOT / ".venv" / "bin"

WHOLE = ("e2e", "browser")
"""Folders whose tests need the running product: each of two workers starts one, of some 3 GB."""

ONCE_MORE = ("--reruns", "1", "--durations=40")
"""A test that fails is run once more and listed as RERUN: hundreds start real servers, and a busy
machine may hold one up. Whoever sees one listed mends what it waits for."""

LINT = {
    "format": [BIN / "ruff", "format", "--check", "."],
    "lint": [BIN / "ruff", "check", "."],
    "types": [BIN / "mypy"],
    "imports": [BIN / "lint-imports"],
}
TESTS = {
    "known holes in dependencies": [BIN / "python", "tools/audit.py"],
    "policy and service files": [BIN / "shimin", "policies", "check"],
    "train": [BIN / "shimin", "train"],
    "understanding tests (Rasa runtime)": [
        ROOT / ".venv-rasa" / "bin" / "python", "-W", "ignore", "-m", "unittest",
        "discover", "-s", "bot/tests", "-t", ".",
    ],
    "tests of the rooms": [
        BIN / "python", "-m", "pytest", "-n", "auto", "--dist", "loadfile", *ONCE_MORE,
        *(f"--ignore=tests/{folder}" for folder in WHOLE),
    ],
    "tests of the whole product": [
        BIN / "python", "-m", "pytest", "-n", "2", "--dist", "loadfile", *ONCE_MORE,
        *(f"tests/{folder}" for folder in WHOLE),
    ],
}  # fmt: skip


def main() -> int:
    """Run the steps; the first failure ends with its code."""
    steps = LINT if sys.argv[1:] == ["lint"] else {**LINT, **TESTS}
    environment = {**os.environ, "PYTHONUNBUFFERED": "1", "RASA_TELEMETRY_ENABLED": "false"}
    for number, (name, command) in enumerate(steps.items(), start=1):
        print(f"[{number}/{len(steps)}] {name} ...", flush=True)
        started = time.monotonic()
        code = subprocess.run([str(c) for c in command], cwd=ROOT, env=environment).returncode
        print(f"[{number}/{len(steps)}] {name}: {time.monotonic() - started:.0f} s", flush=True)
        if code:
            print(f"{name} failed", flush=True)
            return code
    print("all checks passed")
    return 0


if __name__ == "__main__":
    sys.exit(main())

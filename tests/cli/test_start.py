"""Every process starts through the command line: it must not load what only some commands need."""

from __future__ import annotations

import subprocess
import sys

from tests.stack import ROOT

HEAVY = ("numpy", "scipy", "sklearn", "pandas", "faiss", "duckdb", "cv2", "PIL", "av", "matplotlib")
"""Half a second to two seconds each, and up to a hundred MB in each of five processes."""


def test_the_command_line_alone_is_light() -> None:
    code = f"import sys, cli.main; print([m for m in {HEAVY} if m in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    assert done.stdout.strip() == "[]"

"""The page's shell: what a browser may keep, so that the page opens without a network."""

from __future__ import annotations

import hashlib
import json
from functools import cache
from pathlib import Path

STATIC = Path(__file__).parent / "static"
_WORKER = STATIC / "js" / "worker.js"
_NO_PAGE = frozenset({".md", ""})
"""Licences and notes lie beside the code they belong to; no page loads them."""
_ROOT = frozenset({"index.html", "worker.js", "embed.js"})
"""Served under addresses of their own (channels/web/pages.py)."""


@cache
def shell_files() -> tuple[str, ...]:
    """Return the addresses of the shell: the page, its scripts, styles, words and pictures.

    Nothing a citizen said or got is among them, and no answer of ``/web/``.
    """
    files = sorted(
        path
        for path in STATIC.rglob("*")
        if path.is_file() and path.suffix not in _NO_PAGE and path.name not in _ROOT
    )
    return ("/", *(f"/static/{path.relative_to(STATIC).as_posix()}" for path in files))


@cache
def worker_script() -> str:
    """Return the service worker with the shell's files and a version that changes with them."""
    digest = hashlib.sha256()
    for path in sorted(path for path in STATIC.rglob("*") if path.is_file()):
        digest.update(path.relative_to(STATIC).as_posix().encode())
        digest.update(path.read_bytes())
    head = (
        f"const VERSION = {json.dumps(digest.hexdigest()[:16])};\n"
        f"const SHELL = {json.dumps(shell_files())};\n"
    )
    return head + _WORKER.read_text(encoding="utf-8")

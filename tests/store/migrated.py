"""Migrated databases for tests: every migration runs once a process, each test gets a copy."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from functools import lru_cache
from pathlib import Path

from store.database import upgrade


def copy_migrated(target: Path) -> None:
    """Put an empty SQLite database at the newest migration to ``target``."""
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(_original(), target)


@lru_cache
def _original() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="shimin-migrated-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    upgrade(f"sqlite:///{folder / 'shimin.db'}")
    return folder / "shimin.db"

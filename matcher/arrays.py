"""Arrays kept on disk between starts: a damaged file reads as none, a new one replaces it whole."""

from __future__ import annotations

import os
import tempfile
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

__all__ = ["read_arrays", "write_arrays"]


def read_arrays(path: Path) -> dict[str, Any] | None:
    """Return the arrays of an ``.npz`` file by name, or None when it is missing or damaged."""
    try:
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as stored:
            return dict(stored)
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return None


def write_arrays(path: Path, **arrays: Any) -> None:
    """Write arrays in one step, so that processes that start together do no harm."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=path.parent, suffix=".npz")
    temporary = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            np.savez(stream, **arrays)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)

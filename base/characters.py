"""Traditional characters as simplified ones: what is compared with names is written in one way."""

from __future__ import annotations

from functools import lru_cache
from typing import Any


def simplified(text: str) -> str:
    """Return a text in simplified characters (OpenCC's ``t2s``); the rest of it stays."""
    return str(_converter().convert(text))


@lru_cache(maxsize=1)
def _converter() -> Any:
    from opencc import OpenCC  # noqa: PLC0415 - loads dictionaries

    return OpenCC("t2s")

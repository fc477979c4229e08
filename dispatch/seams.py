"""What the reading of places and times gives the intake.

The modules behind are looked up by name, so that either side can be there first.
"""

from __future__ import annotations

import re
from datetime import datetime
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from dispatch.draft import Occurred

# 不是昨晚是前天晚上, 是前天晚上不是昨晚: what is denied must not be read as the time.
_DENIED_FIRST = re.compile(r"不是[^，,。；;]{1,12}?[，,]?(?:而|应该)?是(?=.)")
_DENIED_LAST = re.compile(r"[，,]?(?:而)?不是[^，,。；;]*$")


def read_time(text: str, now: datetime) -> Occurred | None:
    """Return when ``text`` says it happened.

    Args:
        text: the citizen's words; what he denies (不是昨晚) is left out.
        now: when he said it, timezone-aware.
    """
    read = _function("dispatch.occurrence", "occurrence")
    said = _DENIED_LAST.sub("", _DENIED_FIRST.sub("是", text))
    found = read(said, now) if read else None
    if found is None:
        return None
    shown = _function("dispatch.occurrence", "display")(found)
    return Occurred(start=found.start, end=found.end, shown=shown)


def unknown_address(text: str) -> str | None:
    """Return the exact address a text names (平安里12号) although no map knows it."""
    read = _function("dispatch.address", "unknown_address")
    return read(text) if read else None


def map_link(latitude: float, longitude: float, label: str) -> str | None:
    """Return a link that shows the point on a map (WGS 84 degrees)."""
    link = _function("dispatch.map_links", "map_link")
    return link(latitude, longitude, label) if link else None


def _function(module: str, name: str) -> Any:
    return getattr(import_module(module), name, None) if find_spec(module) else None

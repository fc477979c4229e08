"""When a citizen says it happened, for the draft; what he denies (不是昨晚) is left out."""

from __future__ import annotations

import re
from datetime import datetime

from dispatch.draft import Occurred
from dispatch.occurrence import display, occurrence

# 不是昨晚是前天晚上, 是前天晚上不是昨晚: what is denied must not be read as the time.
_DENIED_FIRST = re.compile(r"不是[^，,。；;]{1,12}?[，,]?(?:而|应该)?是(?=.)")
_DENIED_LAST = re.compile(r"[，,]?(?:而)?不是[^，,。；;]*$")


def read_time(text: str, now: datetime) -> Occurred | None:
    """Return when ``text`` says it happened; ``now`` (aware) is when it was said."""
    found = occurrence(_DENIED_LAST.sub("", _DENIED_FIRST.sub("是", text)), now)
    if found is None:
        return None
    return Occurred(start=found.start, end=found.end, shown=display(found))

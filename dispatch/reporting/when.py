"""When it happened: from the words, else from a photo taken lately.

What a citizen denies (不是昨晚) is left out.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from base.calendar import CITY_TIME
from dispatch.reporting.draft import Draft, Occurred
from dispatch.times.occurrence import display, occurrence

RECENT = timedelta(days=3)
"""A photo not older than this tells when it happened, unless the words do."""
_CLOCK_ERROR = timedelta(minutes=10)
# 不是昨晚是前天晚上, 是前天晚上不是昨晚: what is denied must not be read as the time.
_DENIED_FIRST = re.compile(r"不是[^，,。；;]{1,12}?[，,]?(?:而|应该)?是(?=.)")
_DENIED_LAST = re.compile(r"[，,]?(?:而)?不是[^，,。；;]*$")


def add_said_time(draft: Draft, text: str, now: datetime) -> Draft:
    """Return the draft with the time ``text`` tells: the latest statement counts.

    What he denies (不是昨晚) is left out; ``now`` is when he said it, timezone-aware.
    """
    found = occurrence(_DENIED_LAST.sub("", _DENIED_FIRST.sub("是", text)), now)
    if found is None:
        return draft
    occurred = Occurred(start=found.start, end=found.end, shown=display(found))
    return draft.model_copy(update={"occurred": occurred, "confirmed": False})


def add_photo_time(draft: Draft, taken_at: tuple[datetime, ...], now: datetime) -> Draft:
    """Return the draft with the moment of the first recent photo, if nothing else tells it."""
    recent = [moment for moment in taken_at if now - RECENT <= moment <= now + _CLOCK_ERROR]
    if draft.occurred is not None or not recent:
        return draft
    first = min(recent)
    local = first.astimezone(CITY_TIME)
    shown = f"{local.month}月{local.day}日 {local:%H:%M}"
    occurred = Occurred(start=first, end=first, shown=shown, source="photo")
    return draft.model_copy(update={"occurred": occurred})

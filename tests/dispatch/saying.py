"""What a citizen says, sends and presses, for the tests of the intake."""

from __future__ import annotations

import itertools
from collections.abc import Iterable

from dispatch.reporting.draft import Draft, Heard, Location, new_draft
from dispatch.reporting.intake import Intake

WORDS = "楼下餐馆油烟太大了"
INSIDE = Location(latitude=30.2741, longitude=120.1551)
ELSEWHERE = Location(latitude=30.2700, longitude=120.2000)
OUTSIDE = Location(latitude=39.9, longitude=116.4)
_ids = itertools.count(1)


def said(text: str = "", intent: str = "inform", **more: object) -> Heard:
    return Heard(message_id=f"m{next(_ids)}", intent=intent, text=text, **more)  # type: ignore[arg-type]


def complained(text: str = WORDS, **more: object) -> Heard:
    return said(text, "report_pollution", **more)


def pressed(intent: str, **choices: str) -> Heard:
    return said("", intent, choices=choices)


def exif(point: Location) -> Location:
    return point.model_copy(update={"source": "photo"})


def listen(intake: Intake, messages: Iterable[Heard], draft: Draft | None = None) -> Draft:
    draft = draft or new_draft()
    for message in messages:
        draft = intake.absorb(draft, message)
    return draft

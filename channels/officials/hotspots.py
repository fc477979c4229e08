"""The hot spots of the city: where many people report one kind of problem."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from fastapi import Request, Response
from fastapi.responses import JSONResponse

from channels.console.areas import staff_of, visitor_of
from channels.console.pages import HEADERS, console_of, console_router
from dispatch.case.lifecycle import FINISHED
from dispatch.classification.categories import Categories
from dispatch.similar.hotspots import PEOPLE, WINDOW
from store.database import reading
from store.hot_spots import HotSpotTally, hot_spot_tallies
from store.models import utc_now

HOME = "/console/hotspots"
SPANS = (7, 30, 90)
"""Days an official may look back."""
MOST = 200
_DONE = (*FINISHED, "rejected")

router = console_router(HOME, staff_of("hotspots"))


@dataclass(frozen=True)
class Spot:
    """A hot spot in words; ``active``: somebody reported it within the last seven days."""

    tally: HotSpotTally
    category: str
    active: bool

    @property
    def area(self) -> str:
        """District and street."""
        return f"{self.tally.district}{self.tally.street}" or "未定位"


@router.get("")
def list_page(request: Request, days: str = "") -> Response:
    """Show the hot spots of a period as a table and on the map."""
    chosen = _span(days)
    return console_of(request).page(
        visitor_of(request),
        "hotspots.html",
        spots=_spots(request, chosen, utc_now()),
        days=chosen,
        spans=SPANS,
        least=PEOPLE,
        window=WINDOW.days,
    )


@router.get("/points")
def points(request: Request, days: str = "") -> Response:
    """Return the marks of the map."""
    marks = [_mark(spot) for spot in _spots(request, _span(days), utc_now())]
    return JSONResponse(marks, headers=HEADERS)


def _spots(request: Request, days: int, now: datetime) -> list[Spot]:
    categories: Categories = request.app.state.categories
    with reading() as session:
        tallies = hot_spot_tallies(session, now - timedelta(days=days), _DONE, MOST)
    found = []
    for tally in tallies:
        category = categories.get(tally.category)
        name = category.name if category else tally.category
        found.append(Spot(tally, name, active=now - tally.last <= WINDOW))
    return found


def _mark(spot: Spot) -> dict[str, object]:
    tally = spot.tally
    return {
        "point": [round(tally.latitude, 4), round(tally.longitude, 4)],
        "rough": False,
        "tone": "new" if spot.active else "done",
        "late": False,
        "count": tally.people,
        "items": [
            {
                "title": f"{spot.category}　{tally.people}人",
                "about": f"{spot.area}　工单{tally.complaints}件",
                "late": False,
                "href": f"/console/complaints?hotspot={tally.id}",
            }
        ],
    }


def _span(days: str) -> int:
    """Read a span; anything but an offered one is the second."""
    return next((span for span in SPANS if str(span) == days), SPANS[1])

"""What the pages draw: the way of a ticket, and the city with its reports."""

from __future__ import annotations

import math
from dataclasses import dataclass

from dispatch.case.progress import Progress
from dispatch.case.statistics import Dot, Figures
from dispatch.places.city_map import CityMap

_WAY = ("已提交", "已派单", "处置中", "已办结", "已结案")
_REACHED = {
    "submitted": 0,
    "forwarded": 1,
    "transferred": 1,
    "reopened": 1,
    "accepted": 2,
    "in_progress": 2,
    "resolved": 3,
    "verified": 3,
    "closed": 4,
}
_SHADES = 4
_LARGEST_DOT = 14.0


@dataclass(frozen=True)
class StatusBar:
    """The stages of a ticket as ``(name, done|current|todo)``, and the colour of its state."""

    stages: tuple[tuple[str, str], ...]
    tone: str


@dataclass(frozen=True)
class Shade:
    """A district's figures and its class of colour (0: nothing reported)."""

    name: str
    path: str
    label_x: float
    label_y: float
    reported: int
    handled: int
    shade: int


@dataclass(frozen=True)
class Circle:
    """A dot in map units with the words it shows."""

    x: float
    y: float
    radius: float
    words: str


@dataclass(frozen=True)
class MapPicture:
    """Everything on the map."""

    districts: tuple[Shade, ...]
    dots: tuple[Circle, ...]


def status_bar(ticket: Progress) -> StatusBar:
    """Return the stages of a ticket; none for one that ended another way."""
    reached = _REACHED.get(ticket.status)
    if reached is None:
        return StatusBar((), "stopped")
    states = ["done" if index < reached else "todo" for index in range(len(_WAY))]
    states[reached] = "current"
    return StatusBar(tuple(zip(_WAY, states, strict=True)), "yes" if reached >= 3 else "active")


def map_picture(city: CityMap, figures: Figures) -> MapPicture:
    """Return the city shaded by how much was reported, with a dot for every cell shown."""
    counts = {tally.name: tally for tally in figures.districts}
    most = max(
        (counts[shape.name].reported for shape in city.districts if shape.name in counts), default=0
    )
    districts = []
    for shape in city.districts:
        tally = counts.get(shape.name)
        reported = tally.reported if tally else 0
        shade = math.ceil(reported / most * _SHADES) if most else 0
        handled = tally.handled if tally else 0
        districts.append(
            Shade(shape.name, shape.path, shape.label_x, shape.label_y, reported, handled, shade)
        )
    shown = [dot for dot in figures.dots if city.shows(dot.latitude, dot.longitude)]
    return MapPicture(tuple(districts), tuple(_circle(city, dot) for dot in shown))


def _circle(city: CityMap, dot: Dot) -> Circle:
    x, y = city.place(dot.latitude, dot.longitude)
    radius = round(min(_LARGEST_DOT, 3.5 + 2 * math.sqrt(dot.reports)), 1)
    words = "，".join(f"{name}{reports}件" for name, reports in dot.categories)
    return Circle(x, y, radius, words)

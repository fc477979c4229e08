"""The dispatcher's map: requests as dots on the city drawn by :mod:`dispatch.places.city_map`."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from dispatch.desk import views
from dispatch.desk.tables import RequestRow
from dispatch.places.city_map import CityMap, DistrictShape

_CELL = 17.0
"""Room one dot takes, in map units at scale 1."""
_PADDING = 14.0
_CLOSE_UP = 130.0
_GOLDEN_ANGLE = math.pi * (3 - math.sqrt(5))

LEGEND: tuple[tuple[str, str], ...] = (
    ("new", "待受理、已转办、已重开"),
    ("busy", "办理中"),
    ("check", "已办结待核查"),
    ("done", "已结案或已终止"),
    ("late", "红圈：已超期"),
)
"""Class of a dot and what it means."""


@dataclass(frozen=True)
class Dot:
    """One request on the map (map units); ``label`` is read out and shown on hovering."""

    x: float
    y: float
    request_id: str
    tone: str
    overdue: bool
    label: str


@dataclass(frozen=True)
class MapView:
    """What the template draws.

    ``box`` is the part of the city shown (left, top, width, height); ``scale`` shrinks dots and
    words with it, so that they look the same in every part.
    """

    city: CityMap
    box: tuple[float, float, float, float]
    dots: Sequence[Dot]
    off_map: int = 0

    @property
    def view_box(self) -> str:
        """The ``viewBox`` attribute."""
        return " ".join(f"{part:g}" for part in self.box)

    @property
    def shown(self) -> int:
        """How many dots lie in the part shown."""
        left, top, width, height = self.box
        return sum(
            left <= dot.x <= left + width and top <= dot.y <= top + height for dot in self.dots
        )

    @property
    def scale(self) -> float:
        """Size of dots and words, 1 for the whole city."""
        return round(self.box[2] / self.city.width, 3)


def overview(city: CityMap, rows: Iterable[RequestRow], district: DistrictShape | None) -> MapView:
    """Show the whole city, or one district of it."""
    if district is None:
        box = (0.0, 0.0, city.width, city.height)
    else:
        left, top, width, height = district.box
        box = (
            left - _PADDING,
            top - _PADDING,
            width + 2 * _PADDING,
            height + 2 * _PADDING,
        )
    rows = list(rows)
    dots = _dots(city, rows, box[2] / city.width)
    return MapView(city, box, dots, len(rows) - len(dots))


def close_up(city: CityMap, row: RequestRow) -> MapView | None:
    """Show one request and its surroundings (about 8 km), ``None`` when it has no place here."""
    dots = _dots(city, [row], _CLOSE_UP / city.width)
    if not dots:
        return None
    dot = dots[0]
    height = _CLOSE_UP * 0.6
    box = (round(dot.x - _CLOSE_UP / 2, 1), round(dot.y - height / 2, 1), _CLOSE_UP, height)
    return MapView(city, box, dots)


def district_named(city: CityMap, name: str) -> DistrictShape | None:
    """Return the district, ``None`` for an unknown one."""
    return next((shape for shape in city.districts if shape.name == name), None)


def _dots(city: CityMap, rows: Iterable[RequestRow], scale: float) -> list[Dot]:
    """Place the requests; those at one spot are spread around it so that each can be touched."""
    taken: Counter[tuple[int, int]] = Counter()
    dots = []
    for row in rows:
        if row.latitude is None or row.longitude is None:
            continue
        if not city.shows(row.latitude, row.longitude):
            continue
        x, y = city.place(row.latitude, row.longitude)
        cell = round(x / (_CELL * scale)), round(y / (_CELL * scale))
        number = taken[cell]
        taken[cell] += 1
        away = _CELL * scale * math.sqrt(number)
        card = views.card_of(row)
        dots.append(
            Dot(
                x=round(x + away * math.cos(number * _GOLDEN_ANGLE), 1),
                y=round(y + away * math.sin(number * _GOLDEN_ANGLE), 1),
                request_id=row.request_id,
                tone=card.tone,
                overdue=card.overdue,
                label="，".join(
                    (card.title, card.status, *(["已超期"] if card.overdue else []), card.place)
                ),
            )
        )
    return dots

"""The city drawn as lines: its outline, districts, rivers and roads as SVG path data.

One pure projection for every page that shows a map. No tiles and no network: what is drawn comes
from the city's own files.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from dispatch.places.atlas import Atlas, LatLon

_MARGIN = 12.0
"""Free space around the city, in the map's own units."""


@dataclass(frozen=True)
class DistrictShape:
    """A district ready to draw: SVG path data, and where its name goes (map units).

    ``box`` is its extent: left, top, width and height.
    """

    name: str
    path: str
    label_x: float
    label_y: float
    box: tuple[float, float, float, float]


@dataclass(frozen=True)
class LineShape:
    """A road or river ready to draw."""

    name: str
    path: str


class CityMap:
    """Projects latitude and longitude (WGS 84 degrees) into the box of one SVG image.

    Equirectangular around the city's middle latitude: straight lines stay straight and a city is
    small enough that lengths are right to well under one per cent. North is up, ``x`` grows to the
    east and ``y`` to the south, as in SVG.

    Args:
        atlas: the city's map.
        width: width of the image in its own units; the height follows from the city's shape.

    Attributes:
        name: the city's name.
        width, height: size of the image.
        outline: path of the city's boundary.
        districts, rivers, roads: what to draw, in the files' order.
    """

    def __init__(self, atlas: Atlas, width: float = 800.0) -> None:
        corners = [*atlas.boundary, *(point for area in atlas.districts for point in area.polygon)]
        south, north = min(point[0] for point in corners), max(point[0] for point in corners)
        west, east = min(point[1] for point in corners), max(point[1] for point in corners)
        self._north, self._west = north, west
        self._squeeze = math.cos(math.radians((south + north) / 2))
        self._scale = (width - 2 * _MARGIN) / ((east - west) * self._squeeze)
        self.name = atlas.name
        self.width = round(width, 1)
        self.height = round((north - south) * self._scale + 2 * _MARGIN, 1)
        self.outline = self._path(atlas.boundary) + "Z"
        self.districts = tuple(
            DistrictShape(
                name=area.name,
                path=self._path(area.polygon) + "Z",
                label_x=label[0],
                label_y=label[1],
                box=self._box(area.polygon),
            )
            for area in atlas.districts
            for label in [self._label(atlas, area.name)]
        )
        self.rivers = tuple(LineShape(line.name, self._path(line.line)) for line in atlas.rivers)
        self.roads = tuple(LineShape(line.name, self._path(line.line)) for line in atlas.roads)

    @property
    def view_box(self) -> str:
        """The ``viewBox`` attribute: ``0 0 width height``."""
        return f"0 0 {self.width:g} {self.height:g}"

    def place(self, lat: float, lon: float) -> tuple[float, float]:
        """Return the point's ``(x, y)``, rounded to a tenth; a point elsewhere lies off the map."""
        return (
            round((lon - self._west) * self._squeeze * self._scale + _MARGIN, 1),
            round((self._north - lat) * self._scale + _MARGIN, 1),
        )

    def shows(self, lat: float, lon: float) -> bool:
        """Tell whether the point lies inside the image."""
        x, y = self.place(lat, lon)
        return 0 <= x <= self.width and 0 <= y <= self.height

    def _path(self, points: Sequence[LatLon]) -> str:
        places = (self.place(*point) for point in points)
        return "M" + "L".join(f"{x:g} {y:g}" for x, y in places)

    def _box(self, points: Sequence[LatLon]) -> tuple[float, float, float, float]:
        xs, ys = zip(*(self.place(*point) for point in points), strict=True)
        return min(xs), min(ys), round(max(xs) - min(xs), 1), round(max(ys) - min(ys), 1)

    def _label(self, atlas: Atlas, district: str) -> tuple[float, float]:
        # A point inside even when the district is bent around a neighbour.
        inside = atlas.outlines[district].representative_point()
        return self.place(*atlas.degrees(inside))

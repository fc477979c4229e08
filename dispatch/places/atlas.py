"""The map of one city: its boundary, districts, streets, roads, rivers and places.

Loaded from ``city.yml``, ``districts.yml`` and ``places.yml`` of a city directory and checked
as a whole, so that a place can never lie outside the district it claims.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field
from shapely import LineString, Point, Polygon

from base.errors import ConfigurationError, InputError
from dispatch.files import read_mapping, validate

METRES_PER_DEGREE = 111_195.0
"""Mean length of one degree of a great circle, metres."""

Name = Annotated[str, Field(min_length=2)]
LatLon = tuple[
    Annotated[float, Field(ge=-90, le=90)],
    Annotated[float, Field(ge=-180, le=180)],
]


class _Row(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Hotline(_Row):
    """A public telephone number of the city."""

    number: Annotated[str, Field(pattern=r"^[0-9-]{3,}$")]
    name: Name


class Street(_Row):
    """A street office (街道) or town (镇); owns the ground nearest to its centre."""

    name: Name
    center: LatLon


class District(_Row):
    """A district or county with its outline, ``[latitude, longitude]`` corners."""

    name: Name
    aliases: tuple[Name, ...] = ()
    streets: Annotated[tuple[Street, ...], Field(min_length=1)]
    polygon: Annotated[tuple[LatLon, ...], Field(min_length=3)]


class Line(_Row):
    """A road (then ``numbers`` is its highest house number) or a river (``numbers`` 0)."""

    name: Name
    aliases: tuple[Name, ...] = ()
    numbers: Annotated[int, Field(ge=0)] = 0
    line: Annotated[tuple[LatLon, ...], Field(min_length=2)]


class Place(_Row):
    """A named point: an estate, a market, a school, a bridge …

    Two districts may each have a place of the same name; one district may not.
    """

    name: Name
    kind: Name
    aliases: tuple[Name, ...] = ()
    district: Name
    street: Name
    road: Name | None = None
    number: Annotated[int, Field(gt=0)] | None = None
    latitude: Annotated[float, Field(ge=-90, le=90)]
    longitude: Annotated[float, Field(ge=-180, le=180)]


class _CityFile(_Row):
    name: Name
    hotlines: tuple[Hotline, ...]
    boundary: Annotated[tuple[LatLon, ...], Field(min_length=3)]


class _DistrictsFile(_Row):
    districts: Annotated[tuple[District, ...], Field(min_length=1)]


class _PlacesFile(_Row):
    roads: tuple[Line, ...]
    rivers: tuple[Line, ...]
    places: Annotated[tuple[Place, ...], Field(min_length=1)]


@dataclass(frozen=True)
class Atlas:
    """Everything the gazetteer knows about the ground of a city."""

    name: str
    hotlines: tuple[Hotline, ...]
    boundary: tuple[LatLon, ...]
    districts: tuple[District, ...]
    roads: tuple[Line, ...]
    rivers: tuple[Line, ...]
    places: tuple[Place, ...]

    @classmethod
    def load(cls, directory: Path) -> Atlas:
        """Read and cross-check the three files of a city directory.

        Raises:
            ConfigurationError: naming the file, the item and the field at fault.
        """
        paths = {stem: directory / f"{stem}.yml" for stem in ("city", "districts", "places")}
        city = validate(_CityFile, read_mapping(paths["city"]), str(paths["city"]))
        districts = validate(
            _DistrictsFile, read_mapping(paths["districts"]), str(paths["districts"])
        )
        places = validate(_PlacesFile, read_mapping(paths["places"]), str(paths["places"]))
        atlas = cls(
            name=city.name,
            hotlines=city.hotlines,
            boundary=city.boundary,
            districts=districts.districts,
            roads=places.roads,
            rivers=places.rivers,
            places=places.places,
        )
        atlas._check(paths["places"])
        return atlas

    def _check(self, path: Path) -> None:
        areas = {district.name: district for district in self.districts}
        roads = {road.name for road in self.roads}
        names: set[str] = set()
        for name in (item.name for items in (self.roads, self.rivers) for item in items):
            _unique(path, name, names)
        namesakes: set[str] = set()
        for place in self.places:
            if place.name in names:
                raise ConfigurationError(f"{path}: {place.name}: name: occurs twice")
            _unique(path, f"{place.name} ({place.district})", namesakes)
            where = f"{path}: {place.name}"
            if place.district not in areas:
                raise ConfigurationError(f"{where}: district: {place.district} is unknown")
            if place.street not in {street.name for street in areas[place.district].streets}:
                raise ConfigurationError(f"{where}: street: {place.street} is unknown")
            if place.road is not None and place.road not in roads:
                raise ConfigurationError(f"{where}: road: {place.road} is unknown")
            if not self.outlines[place.district].covers(
                self.point(place.latitude, place.longitude)
            ):
                raise ConfigurationError(f"{where}: latitude: lies outside {place.district}")

    def point(self, latitude: float, longitude: float) -> Point:
        """Project degrees to local metres (equirectangular around the city's first corner).

        Good to well under one per cent within a city; used for distances, never for display.
        """
        origin = self.boundary[0]
        return Point(
            (longitude - origin[1]) * METRES_PER_DEGREE * math.cos(math.radians(origin[0])),
            (latitude - origin[0]) * METRES_PER_DEGREE,
        )

    def degrees(self, point: Point) -> LatLon:
        """Undo :meth:`point`: ``(latitude, longitude)``, rounded to about a metre."""
        origin = self.boundary[0]
        scale = METRES_PER_DEGREE * math.cos(math.radians(origin[0]))
        return (
            round(point.y / METRES_PER_DEGREE + origin[0], 5),
            round(point.x / scale + origin[1], 5),
        )

    def course(self, line: Line) -> LineString:
        """Return the course of a road or river in local metres."""
        return self.courses[line.name]

    @cached_property
    def courses(self) -> dict[str, LineString]:
        """Roads and rivers by name, in local metres."""
        return {
            line.name: LineString([self.point(*corner) for corner in line.line])
            for line in (*self.roads, *self.rivers)
        }

    @cached_property
    def outline(self) -> Polygon:
        """The city's boundary in local metres."""
        return Polygon([self.point(*corner) for corner in self.boundary])

    @cached_property
    def outlines(self) -> dict[str, Polygon]:
        """District outlines in local metres."""
        return {
            district.name: Polygon([self.point(*corner) for corner in district.polygon])
            for district in self.districts
        }

    def contains(self, latitude: float, longitude: float) -> bool:
        """Tell whether a point lies in the city or on its boundary.

        Raises:
            InputError: ``location_out_of_range`` when the pair is not a point on Earth.
        """
        check_coordinates(latitude, longitude)
        return bool(self.outline.covers(self.point(latitude, longitude)))

    def area_of(self, point: Point) -> tuple[District, Street]:
        """Return the district and street of a local point; the nearest ones if it is outside."""
        district = min(self.districts, key=lambda d: self.outlines[d.name].distance(point))
        street = min(district.streets, key=lambda s: self.point(*s.center).distance(point))
        return district, street


def _unique(path: Path, name: str, names: set[str]) -> None:
    if name in names:
        raise ConfigurationError(f"{path}: {name}: name: occurs twice")
    names.add(name)


def check_coordinates(latitude: float, longitude: float) -> None:
    """Refuse a pair that is not a point on Earth.

    Raises:
        InputError: ``location_out_of_range``.
    """
    if not (-90 <= latitude <= 90 and -180 <= longitude <= 180):  # also refuses NaN
        raise InputError(
            "location_out_of_range",
            "这个位置的经纬度不正确，请重新发送位置，或直接告诉我地址。",
            "latitude or longitude out of range",
        )

"""What every written name of a city stands for."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from shapely import Point
from shapely.geometry.base import BaseGeometry
from shapely.ops import nearest_points

from dispatch.places.address import normalise
from dispatch.places.atlas import Atlas, Line, Place
from dispatch.places.candidates import AREAS


@dataclass(frozen=True)
class Entry:
    """What a name stands for; ``line`` is set for roads and rivers, ``road`` for places."""

    name: str
    kind: str
    district: str
    street: str
    latitude: float
    longitude: float
    is_alias: bool
    line: Line | None = None
    road: str = ""

    @property
    def is_area(self) -> bool:
        """Whether it is a district or a street office, where no crew can be sent."""
        return self.kind in AREAS


class Entries:
    """All names and aliases of a city, normalised, each with one or more entries."""

    def __init__(self, atlas: Atlas) -> None:
        self._atlas = atlas
        self._entries: dict[str, list[Entry]] = {}
        self._add_areas()
        for kind, lines in (("road", atlas.roads), ("river", atlas.rivers)):
            for line in lines:
                self._add(self.line_entry(line, kind, within=None), line.aliases)
        for place in atlas.places:
            self._add(_place_entry(place), place.aliases)

    def __getitem__(self, surface: str) -> list[Entry]:
        return self._entries[surface]

    @property
    def surfaces(self) -> Iterable[str]:
        """Every written form."""
        return self._entries

    def is_area(self, surface: str) -> bool:
        """Tell whether this is the full name of a district or street office."""
        return any(entry.is_area and not entry.is_alias for entry in self._entries[surface])

    def road(self, surface: str) -> Line | None:
        """Return the road of this name, if it is one."""
        entry = self._entries[surface][0]
        return entry.line if entry.kind == "road" else None

    def shape(self, surface: str) -> BaseGeometry:
        """Return the course or point of the first entry, in local metres."""
        entry = self._entries[surface][0]
        if entry.line is not None:
            return self._atlas.course(entry.line)
        return self._atlas.point(entry.latitude, entry.longitude)

    def line_entry(self, line: Line, kind: str, within: str | None) -> Entry:
        """Place a road or river at the middle of its course, or of its part in a district."""
        course: BaseGeometry = self._atlas.course(line)
        if within is not None:
            course = course.intersection(self._atlas.outlines[within])
        middle = nearest_points(course, course.centroid)[0]
        district, street = self._atlas.area_of(middle)
        latitude, longitude = self._atlas.degrees(middle)
        streets = {self._atlas.area_of(Point(corner))[1].name for corner in _corners(course)}
        return Entry(
            name=line.name,
            kind=kind,
            district=within or district.name,
            street=street.name if len(streets) == 1 else "",
            latitude=latitude,
            longitude=longitude,
            is_alias=False,
            line=line,
        )

    def _add(self, entry: Entry, aliases: Iterable[str]) -> None:
        self._entries.setdefault(normalise(entry.name), []).append(entry)
        for alias in aliases:
            aliased = replace(entry, is_alias=True)
            self._entries.setdefault(normalise(alias), []).append(aliased)

    def _add_areas(self) -> None:
        for district in self._atlas.districts:
            centre = self._atlas.degrees(self._atlas.outlines[district.name].representative_point())
            self._add(
                Entry(district.name, "district", district.name, "", *centre, is_alias=False),
                district.aliases,
            )
            for street in district.streets:
                entry = Entry(
                    street.name, "street", district.name, street.name, *street.center, False
                )
                self._add(entry, ())


def _place_entry(place: Place) -> Entry:
    return Entry(
        name=place.name,
        kind=place.kind,
        district=place.district,
        street=place.street,
        latitude=place.latitude,
        longitude=place.longitude,
        is_alias=False,
        road=place.road or "",
    )


def _corners(course: BaseGeometry) -> list[tuple[float, ...]]:
    """All corners of a course, also when a district cuts it into several parts."""
    parts = getattr(course, "geoms", [course])
    return [corner for part in parts for corner in part.coords]

"""Finding a place of the city in what a citizen says, and naming a point on the map.

A score of 0.85 or more means: this is the place meant, no need to ask. Below it the caller
should show the candidates. Areas (a district, a street office) never reach it, because no
crew can be sent to an area; a road without a house number does, with ``kind == "road"``.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise
from pathlib import Path

from shapely import Point
from shapely.geometry.base import BaseGeometry
from shapely.ops import nearest_points

from base.errors import InputError
from dispatch.address import Tail, is_crossing, is_negated, is_prefixed, normalise, read_tail
from dispatch.atlas import Atlas, Line, Place, check_coordinates
from dispatch.names import Mention, NameFinder

SURE = 0.85
CROSSING_METRES = 80.0
"""Two roads whose courses come this near are said to cross."""
NEAR_METRES = 350.0
"""Within this distance a point is 附近 of a place."""
FAR_METRES = 4000.0
"""Within this distance a point is described by direction and distance."""
APART_METRES = 1500.0
"""Two places farther apart than this cannot both be where it happens."""

_AREAS = frozenset({"district", "street"})


@dataclass(frozen=True)
class PlaceMatch:
    """A place found; ``address`` is human text, ``score`` 0–1, coordinates WGS 84 degrees."""

    name: str
    kind: str
    address: str
    district: str
    street: str
    latitude: float
    longitude: float
    score: float


@dataclass(frozen=True)
class _Entry:
    """What a surface form stands for; ``line`` is set for roads and rivers."""

    name: str
    kind: str
    district: str
    street: str
    latitude: float
    longitude: float
    is_alias: bool
    line: Line | None = None


class Gazetteer:
    """The places of one city."""

    def __init__(self, atlas: Atlas) -> None:
        self.atlas = atlas
        self._entries: dict[str, list[_Entry]] = {}
        self._numbered = {(place.road, place.number): place for place in atlas.places if place.road}
        self._index_areas()
        for kind, lines in (("road", atlas.roads), ("river", atlas.rivers)):
            for line in lines:
                self._index(self._line_entry(line, kind, within=None), line.aliases)
        for place in atlas.places:
            self._index(_place_entry(place), place.aliases)
        self._finder = NameFinder(self._entries)

    @classmethod
    def load(cls, directory: Path) -> Gazetteer:
        """Load a city directory.

        Raises:
            ConfigurationError: naming the file, the item and the field at fault.
        """
        return cls(Atlas.load(directory))

    def contains(self, latitude: float, longitude: float) -> bool:
        """Tell whether a point lies inside the city.

        Raises:
            InputError: ``location_out_of_range`` when the pair is not a point on Earth.
        """
        return self.atlas.contains(latitude, longitude)

    def find(self, text: str, limit: int = 5) -> tuple[PlaceMatch, ...]:
        """Find the places named in free text, best first, one per place, at most ``limit``."""
        clean = normalise(text)
        mentions = self._finder.exact(clean)
        areas = [m for m in mentions if self._is_area(m)]
        districts = {
            entry.name
            for mention in areas
            for entry in self._entries[mention.surface]
            if entry.kind == "district"
        }
        found = list(self._read(clean, mentions, districts))
        if not any(match.score >= SURE for match in found):
            heard = self._finder.by_sound(clean)
            found += self._read(clean, _beside(heard, areas), districts)
        if not any(match.score >= SURE for match in found):
            guesses = self._finder.by_likeness(clean, limit * 3)
            found += self._read(clean, _beside(guesses, areas), districts)
        return _rank(self._settle(found, districts))[:limit]

    def locate(self, latitude: float, longitude: float) -> PlaceMatch:
        """Describe a point of the city by the nearest known place or road.

        Raises:
            InputError: ``location_out_of_range`` when the pair is not a point on Earth,
                ``location_outside_city`` when it lies elsewhere.
        """
        check_coordinates(latitude, longitude)
        if not self.contains(latitude, longitude):
            raise InputError(
                "location_outside_city",
                f"这个位置不在{self.atlas.name}范围内，请确认位置，或直接告诉我地址。",
                "point outside the city boundary",
            )
        here = self.atlas.point(latitude, longitude)
        district, street = self.atlas.area_of(here)
        name, kind, words = self._surroundings(here)
        return PlaceMatch(
            name=name or street.name,
            kind=kind,
            address=_join(district.name, street.name, words),
            district=district.name,
            street=street.name,
            latitude=latitude,
            longitude=longitude,
            score=1.0,
        )

    def is_vague(self, latitude: float, longitude: float) -> bool:
        """Tell whether a point stands for a whole road or river: the middle of its course.

        A complaint "on that road" is put there, however long the road is.
        """
        return (round(latitude, 5), round(longitude, 5)) in self._middles

    @cached_property
    def _middles(self) -> frozenset[tuple[float, float]]:
        lines = [("road", line) for line in self.atlas.roads]
        lines += [("river", line) for line in self.atlas.rivers]
        entries = [
            self._line_entry(line, kind, within)
            for kind, line in lines
            for within in (None, *self.atlas.outlines)
            if within is None or self.atlas.course(line).intersects(self.atlas.outlines[within])
        ]
        return frozenset((entry.latitude, entry.longitude) for entry in entries)

    def _surroundings(self, here: Point) -> tuple[str, str, str]:
        """Name, kind and wording of the nearest landmark; empty when nothing is near."""
        place = min(self.atlas.places, key=lambda p: self._distance(here, p))
        metres = self._distance(here, place)
        if metres <= NEAR_METRES:
            return place.name, place.kind, f"{place.name}附近"
        road = min(self.atlas.roads, key=lambda r: self.atlas.course(r).distance(here))
        if self.atlas.course(road).distance(here) <= NEAR_METRES:
            return road.name, "road", f"{road.name}附近"
        if metres <= FAR_METRES:
            there = self.atlas.point(place.latitude, place.longitude)
            return (
                place.name,
                place.kind,
                f"{place.name}{_bearing(there, here)}方向{_round(metres)}处",
            )
        return "", "street", ""

    def _distance(self, here: Point, place: Place) -> float:
        return float(here.distance(self.atlas.point(place.latitude, place.longitude)))

    def _is_area(self, mention: Mention) -> bool:
        """Tell whether a mention is the full name of a district or street office."""
        return any(
            entry.kind in _AREAS and not entry.is_alias for entry in self._entries[mention.surface]
        )

    def _index(self, entry: _Entry, aliases: Iterable[str]) -> None:
        self._entries.setdefault(normalise(entry.name), []).append(entry)
        for alias in aliases:
            aliased = replace(entry, is_alias=True)
            self._entries.setdefault(normalise(alias), []).append(aliased)

    def _index_areas(self) -> None:
        for district in self.atlas.districts:
            centre = self.atlas.degrees(self.atlas.outlines[district.name].representative_point())
            self._index(
                _Entry(district.name, "district", district.name, "", *centre, is_alias=False),
                district.aliases,
            )
            for street in district.streets:
                entry = _Entry(
                    street.name, "street", district.name, street.name, *street.center, False
                )
                self._index(entry, ())

    def _line_entry(self, line: Line, kind: str, within: str | None) -> _Entry:
        """Place a road or river at the middle of its course, or of its part in a district."""
        course: BaseGeometry = self.atlas.course(line)
        if within is not None:
            course = course.intersection(self.atlas.outlines[within])
        middle = nearest_points(course, course.centroid)[0]
        district, street = self.atlas.area_of(middle)
        latitude, longitude = self.atlas.degrees(middle)
        streets = {self.atlas.area_of(Point(corner))[1].name for corner in _corners(course)}
        return _Entry(
            name=line.name,
            kind=kind,
            district=within or district.name,
            street=street.name if len(streets) == 1 else "",
            latitude=latitude,
            longitude=longitude,
            is_alias=False,
            line=line,
        )

    def _read(
        self, text: str, mentions: tuple[Mention, ...], districts: set[str]
    ) -> list[PlaceMatch]:
        """Turn mentions into matches: first crossings, then every name with its surroundings."""
        found: list[PlaceMatch] = []
        crossed: set[str] = set()
        for first, second in pairwise(mentions):
            crossing = self._crossing(text, first, second)
            if crossing:
                found.append(crossing)
                crossed |= {first.surface, second.surface}
        for mention in mentions:
            if mention.surface not in crossed and not is_negated(text[: mention.start]):
                found.extend(self._matches(text, mention, districts))
        return found

    def _crossing(self, text: str, first: Mention, second: Mention) -> PlaceMatch | None:
        roads = [self._road(first), self._road(second)]
        if roads[0] is None or roads[1] is None or roads[0] == roads[1]:
            return None
        if not is_crossing(text[first.end : second.start], text[second.end :]):
            return None
        courses = self.atlas.course(roads[0]), self.atlas.course(roads[1])
        if courses[0].distance(courses[1]) > CROSSING_METRES:
            return None
        point = nearest_points(*courses)[0]
        name = f"{roads[0].name}与{roads[1].name}交叉口"
        score = round(min(0.97, first.score, second.score), 2)
        return self._match_at(point, name, "crossing", "", score)

    def _road(self, mention: Mention) -> Line | None:
        entry = self._entries[mention.surface][0]
        return entry.line if entry.kind == "road" else None

    def _match_at(self, point: Point, name: str, kind: str, tail: str, score: float) -> PlaceMatch:
        district, street = self.atlas.area_of(point)
        latitude, longitude = self.atlas.degrees(point)
        address = _join(district.name, street.name, name + tail)
        return PlaceMatch(
            name, kind, address, district.name, street.name, latitude, longitude, score
        )

    def _matches(self, text: str, mention: Mention, districts: set[str]) -> list[PlaceMatch]:
        entries = self._entries[mention.surface]
        ambiguous = sum(entry.kind not in _AREAS for entry in entries) > 1
        found: list[PlaceMatch] = []
        for entry in entries:
            tail = read_tail(text[mention.end :], numbered=entry.kind == "road")
            if mention.score < SURE:  # a guess: what follows may belong to another name
                tail = replace(tail, compound="")
            score = mention.score * _certainty(mention.surface, entry)
            if tail.compound or is_prefixed(text[: mention.start]):
                score *= 0.75
            if entry.kind not in _AREAS and ambiguous:
                score *= 0.7
            found.append(self._one_match(entry, tail, round(min(score, 0.99), 2), districts))
        return found

    def _one_match(
        self, entry: _Entry, tail: Tail, score: float, districts: set[str]
    ) -> PlaceMatch:
        if entry.line is not None and tail.house_number is not None:
            return self._house(entry.line, tail, score)
        if entry.line is not None:
            course = self.atlas.course(entry.line)
            here = [d for d in sorted(districts) if course.intersects(self.atlas.outlines[d])]
            if here:
                entry = self._line_entry(entry.line, entry.kind, within=here[0])
        name = "" if entry.kind in _AREAS else entry.name
        return PlaceMatch(
            name=entry.name,
            kind=entry.kind,
            address=_join(entry.district, entry.street, name + tail.text),
            district=entry.district,
            street=entry.street,
            latitude=entry.latitude,
            longitude=entry.longitude,
            score=score,
        )

    def _house(self, road: Line, tail: Tail, score: float) -> PlaceMatch:
        """Put a house number on its road: at the place that bears it, else by proportion."""
        number = tail.house_number or 0
        name = f"{road.name}{number}号"
        known = self._numbered.get((road.name, number))
        if known is not None:
            point = self.atlas.point(known.latitude, known.longitude)
        else:
            share = min(number / road.numbers, 1.0) if road.numbers else 0.5
            point = self.atlas.course(road).interpolate(share, normalized=True)
        if number > road.numbers or number == 0:
            score *= 0.75
        return self._match_at(point, name, "address", tail.text, round(score, 2))

    def _settle(self, found: list[PlaceMatch], districts: set[str]) -> list[PlaceMatch]:
        """Weigh the candidates against the district stated and against one another."""
        settled = [
            replace(match, score=round(match.score * 0.6, 2))
            if districts and match.kind not in _AREAS and match.district not in districts
            else match
            for match in found
        ]
        points = [m for m in settled if m.kind not in _AREAS | {"road", "river"}]
        best = max((m.score for m in points), default=0.0)
        if best >= 0.7:  # the road or river only says where the place lies
            settled = [
                replace(m, score=round(m.score * 0.75, 2)) if m.kind in ("road", "river") else m
                for m in settled
            ]
        sure = [m for m in settled if m.score >= SURE]
        if self._spread(sure) > APART_METRES:
            settled = [replace(m, score=min(m.score, 0.84)) for m in settled]
        return settled

    def _spread(self, matches: list[PlaceMatch]) -> float:
        points = [self.atlas.point(m.latitude, m.longitude) for m in matches]
        return max((float(a.distance(b)) for a in points for b in points), default=0.0)


def _place_entry(place: Place) -> _Entry:
    return _Entry(
        place.name, place.kind, place.district, place.street, place.latitude, place.longitude, False
    )


def _beside(mentions: Iterable[Mention], areas: list[Mention]) -> tuple[Mention, ...]:
    """Drop guesses that would reread the name of an area: 江南区 is not 江南大道."""
    return tuple(
        mention
        for mention in mentions
        if all(mention.end <= area.start or mention.start >= area.end for area in areas)
    )


def _certainty(surface: str, entry: _Entry) -> float:
    """How surely a written form means its place: short forms and aliases mean it less."""
    if entry.kind == "district":
        return 0.3 if entry.is_alias else 0.4
    if entry.kind == "street":
        return 0.6
    if len(surface) == 2:
        return 0.7 if entry.is_alias else 0.86
    return (0.95 if entry.is_alias else 0.98) - (0.02 if len(surface) == 3 else 0.0)


def _rank(matches: list[PlaceMatch]) -> tuple[PlaceMatch, ...]:
    best: dict[str, PlaceMatch] = {}
    for match in sorted(matches, key=lambda m: -m.score):
        best.setdefault(match.name, match)
    return tuple(best.values())


def _join(district: str, street: str, words: str) -> str:
    """Chain the parts of an address without repeating one: 新安镇 + 新安镇东塘村."""
    if street and words.startswith(street):
        return district + words
    return district + street + words


def _corners(course: BaseGeometry) -> list[tuple[float, ...]]:
    """All corners of a course, also when a district cuts it into several parts."""
    parts = getattr(course, "geoms", [course])
    return [corner for part in parts for corner in part.coords]


def _bearing(origin: Point, target: Point) -> str:
    angle = math.degrees(math.atan2(target.x - origin.x, target.y - origin.y)) % 360
    return ("北", "东北", "东", "东南", "南", "西南", "西", "西北")[round(angle / 45) % 8]


def _round(metres: float) -> str:
    return f"约{round(metres, -2):.0f}米" if metres < 1000 else f"约{metres / 1000:.1f}公里"

"""Finding a place of the city in what a citizen says, and naming a point on the map.

A score of 0.85 or more means: this is the place meant, no need to ask. Below it the caller
should show the candidates. Areas (a district, a street office) never reach it, because no
crew can be sent to an area; a road without a house number does, with ``kind == "road"``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from functools import cached_property
from itertools import pairwise
from pathlib import Path

from shapely import Point

from base.errors import InputError
from dispatch.places.address import Tail, is_negated, is_prefixed, normalise, read_tail
from dispatch.places.atlas import Atlas, Line, Place, check_coordinates
from dispatch.places.bearings import bearing, moved, part_of, rounded
from dispatch.places.candidates import SURE, PlaceMatch, rank, settle, the_one
from dispatch.places.entries import Entries, Entry
from dispatch.places.names import Mention, NameFinder
from dispatch.places.namesakes import Hints, meant
from dispatch.places.road_phrases import Named, is_unknown_stretch, read_road_phrases

__all__ = ["SURE", "Gazetteer", "PlaceMatch", "the_one"]

NEAR_METRES = 350.0
"""Within this distance a point is 附近 of a place."""
FAR_METRES = 4000.0
"""Within this distance a point is described by direction and distance."""

HEARD_OUT = 0.9
"""A name heard this surely outweighs the shorter names written inside it."""

# 双塔天街 + 商场, 水口村 + 村: a word for the kind of place, and no other place's name.
_OWN_WORDS = {
    "mall": ("广场", "商场", "商城", "中心"),
    "estate": ("小区",),
    "market": ("市场", "菜市场", "菜场", "农贸市场"),
    "hospital": ("医院",),
    "school": ("学校",),
    "park": ("公园",),
    "village": ("村",),
    "bridge": ("桥", "大桥"),
    "industrial": ("工业园", "产业园", "工业区"),
}
_THING = re.compile(r"^的?(?:[那这]?一?|有一?)[家个条座间]?$")


class Gazetteer:
    """The places of one city."""

    def __init__(self, atlas: Atlas) -> None:
        self.atlas = atlas
        self._entries = Entries(atlas)
        self._numbered = {(place.road, place.number): place for place in atlas.places if place.road}
        self._finder = NameFinder(self._entries.surfaces)

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

    def find(
        self, text: str, limit: int = 5, near: tuple[float, float] | None = None
    ) -> tuple[PlaceMatch, ...]:
        """Find the places named in free text, best first, one per place, at most ``limit``.

        ``near`` is a point known otherwise (shared, or from a photo), latitude and longitude
        in degrees: of several places with the same name it chooses the one close to it.

        Raises:
            InputError: ``location_out_of_range`` when ``near`` is not a point on Earth.
        """
        known = self._known(near)
        clean = normalise(text)
        mentions = self._finder.exact(clean)
        areas = [
            mention
            for mention in mentions
            if self._entries.is_area(mention.surface) and not is_negated(clean[: mention.start])
        ]
        districts = {
            entry.name
            for mention in areas
            for entry in self._entries[mention.surface]
            if entry.kind == "district"
        }
        heard = _beside(self._finder.by_sound(clean), areas)
        mentions = _heard_out(mentions, heard)
        hints = Hints.read(clean, mentions, self._entries, self.atlas, known)
        found, used = self._on_roads(clean, mentions, heard)
        found += self._read(clean, mentions, used, hints, districts)
        if not any(match.score >= SURE for match in found):
            found += self._read(clean, heard, used, hints, districts)
        if not any(match.score >= SURE for match in found):
            guesses = self._finder.by_likeness(clean, limit * 3)
            found += self._read(clean, _beside(guesses, areas), used, hints, districts)
        return rank(settle(found, districts, self.atlas))[:limit]

    def _known(self, near: tuple[float, float] | None) -> Point | None:
        if near is None:
            return None
        check_coordinates(*near)
        return self.atlas.point(*near)

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
            self._entries.line_entry(line, kind, within)
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
                f"{place.name}{bearing(there, here)}方向{rounded(metres)}处",
            )
        return "", "street", ""

    def _distance(self, here: Point, place: Place) -> float:
        return float(here.distance(self.atlas.point(place.latitude, place.longitude)))

    def _on_roads(
        self, text: str, mentions: tuple[Mention, ...], heard: tuple[Mention, ...]
    ) -> tuple[list[PlaceMatch], set[str]]:
        """Read crossings, stretches and ends of roads; also return the names they use up."""
        also = [m for m in _beside(heard, mentions) if self._entries.road(m.surface) is not None]
        names = [
            Named(
                mention, self._entries.road(mention.surface), self._entries.shape(mention.surface)
            )
            for mention in sorted((*mentions, *also), key=lambda m: m.start)
            if not self._entries.is_area(mention.surface)
        ]
        found: list[PlaceMatch] = []
        used: set[str] = set()
        for spot in read_road_phrases(text, names, self.atlas):
            tail = replace(read_tail(text[spot.end :], numbered=False), compound="")
            words = f"（{spot.words}）" if spot.words else ""
            point = self._moved(spot.point, tail)
            found.append(self._match_at(point, spot.name, spot.kind, words + tail.text, spot.score))
            used |= spot.used
        if is_unknown_stretch(text, names) and not found:
            used = {named.mention.surface for named in names}
        return found, used

    def _moved(self, point: Point, tail: Tail) -> Point:
        """Walk the way that is said (往南100米), unless it leads out of the city."""
        if tail.shift is None:
            return point
        there = moved(point, tail.shift.bearing, tail.shift.metres)
        return there if self.atlas.outline.covers(there) else point

    def _read(
        self,
        text: str,
        mentions: tuple[Mention, ...],
        used: set[str],
        hints: Hints,
        districts: set[str],
    ) -> list[PlaceMatch]:
        """Turn the mentions not ``used`` yet into matches, each with the words around it."""
        landmarks = {
            first.surface
            for first, second in pairwise(mentions)
            if self._only_leads_to(text, first, second)
        }
        found: list[PlaceMatch] = []
        for mention in mentions:
            if mention.surface in used or is_negated(text[: mention.start]):
                continue
            weight = 0.75 if mention.surface in landmarks else 1.0
            found.extend(self._matches(text, mention, weight, hints, districts))
        return found

    def _only_leads_to(self, text: str, first: Mention, second: Mention) -> bool:
        """Tell whether the first name says where the second is: 春风里小区对面的(金沙夜市)."""
        if any(entry.is_area or entry.line for entry in self._entries[second.surface]):
            return False
        tail = read_tail(text[first.end :], numbered=self._entries.road(first.surface) is not None)
        between = text[first.end + tail.length : second.start]
        return bool(tail.relation) and _THING.match(between) is not None

    def _match_at(self, point: Point, name: str, kind: str, tail: str, score: float) -> PlaceMatch:
        district, street = self.atlas.area_of(point)
        latitude, longitude = self.atlas.degrees(point)
        address = _join(district.name, street.name, name + tail)
        return PlaceMatch(
            name, kind, address, district.name, street.name, latitude, longitude, round(score, 2)
        )

    def _matches(
        self, text: str, mention: Mention, weight: float, hints: Hints, districts: set[str]
    ) -> list[PlaceMatch]:
        entries = self._entries[mention.surface]
        areas = [entry for entry in entries if entry.is_area]
        places = [entry for entry in entries if not entry.is_area]
        places = meant(mention.surface, places, hints, self.atlas)
        found: list[PlaceMatch] = []
        for entry in (*areas, *places):
            own = _OWN_WORDS.get(entry.kind, ())
            tail = read_tail(text[mention.end :], numbered=entry.kind == "road", own=own)
            if mention.score < SURE:  # a guess: what follows may be part of another name
                tail = replace(tail, compound="")
            score = weight * mention.score * _certainty(mention.surface, entry)
            if tail.compound or is_prefixed(text[: mention.start]):
                score *= 0.75
            if not entry.is_area and len(places) > 1:
                score *= 0.7
            found.append(self._one_match(entry, tail, round(min(score, 0.99), 2), districts))
        return found

    def _one_match(self, entry: Entry, tail: Tail, score: float, districts: set[str]) -> PlaceMatch:
        if entry.line is not None and tail.house_number is not None:
            return self._house(entry.line, tail, score)
        if entry.line is not None and tail.part:
            point = part_of(self.atlas.course(entry.line), tail.part)
            return self._match_at(point, entry.name, entry.kind, tail.text, score)
        if entry.line is not None:
            course = self.atlas.course(entry.line)
            here = [d for d in sorted(districts) if course.intersects(self.atlas.outlines[d])]
            if here:
                entry = self._entries.line_entry(entry.line, entry.kind, within=here[0])
        latitude, longitude = entry.latitude, entry.longitude
        if tail.shift is not None and entry.line is None and not entry.is_area:
            there = self._moved(self.atlas.point(latitude, longitude), tail)
            latitude, longitude = self.atlas.degrees(there)
        name = "" if entry.is_area else entry.name
        return PlaceMatch(
            name=entry.name,
            kind=entry.kind,
            address=_join(entry.district, entry.street, name + tail.text),
            district=entry.district,
            street=entry.street,
            latitude=latitude,
            longitude=longitude,
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
        return self._match_at(self._moved(point, tail), name, "address", tail.text, score)


def _beside(mentions: Iterable[Mention], areas: Iterable[Mention]) -> tuple[Mention, ...]:
    """Drop guesses that would reread a name already read: 江南区 is not 江南大道."""
    areas = tuple(areas)
    return tuple(
        mention
        for mention in mentions
        if all(mention.end <= area.start or mention.start >= area.end for area in areas)
    )


def _heard_out(written: tuple[Mention, ...], heard: tuple[Mention, ...]) -> tuple[Mention, ...]:
    """Put a longer name that is heard in place of the shorter ones written inside it.

    文昌路采市场 sounds like 文昌路菜市场; only 文昌路 is written right.
    """
    longer = [
        sound
        for sound in heard
        if sound.score >= HEARD_OUT
        and any(
            sound.start <= name.start
            and name.end <= sound.end
            and name.end - name.start < sound.end - sound.start
            for name in written
        )
    ]
    kept = (*longer, *_beside(written, longer))
    return tuple(sorted(kept, key=lambda mention: mention.start))


def _certainty(surface: str, entry: Entry) -> float:
    """How surely a written form means its place: short forms and aliases mean it less."""
    if entry.kind == "district":
        return 0.3 if entry.is_alias else 0.4
    if entry.kind == "street":
        return 0.6
    if len(surface) == 2:
        return 0.7 if entry.is_alias else 0.86
    return (0.95 if entry.is_alias else 0.98) - (0.02 if len(surface) == 3 else 0.0)


def _join(district: str, street: str, words: str) -> str:
    """Chain the parts of an address without repeating one: 新安镇 + 新安镇东塘村."""
    if street and words.startswith(street):
        return district + words
    return district + street + words

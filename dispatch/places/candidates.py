"""Weighing the places found in one message against one another."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from dispatch.places.atlas import Atlas

SURE = 0.85
LEAD = 0.05
"""The best candidate must be this far ahead of the next to be taken without asking."""
APART_METRES = 1500.0
"""A road and a place farther apart than this cannot both be where it happens."""
TWO_PLACES_METRES = 100.0
"""Two places farther apart than this, both surely named, cannot both be meant."""
SAME_SPOT_METRES = 500.0
"""A house number this near to a place named beside it only says where that place is."""
AREAS = frozenset({"district", "street"})


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


def the_one(found: tuple[PlaceMatch, ...]) -> PlaceMatch | None:
    """Return the place to take without asking: sure, and well ahead of any other point.

    ``found`` is what ``Gazetteer.find`` returned. None means: ask, with ``found`` as the
    candidates.
    """
    if not found or found[0].score < SURE:
        return None
    best = found[0]
    for other in found[1:]:
        apart = (round(best.latitude, 4), round(best.longitude, 4)) != (
            round(other.latitude, 4),
            round(other.longitude, 4),
        )
        if apart and best.score - other.score < LEAD:
            return None
    return best


def settle(found: Iterable[PlaceMatch], districts: set[str], atlas: Atlas) -> list[PlaceMatch]:
    """Weigh the candidates against the districts stated and against one another."""
    settled = [
        replace(match, score=round(match.score * 0.6, 2))
        if districts and match.kind not in AREAS and match.district not in districts
        else match
        for match in found
    ]
    points = [m for m in settled if m.kind not in AREAS | {"road", "river"}]
    best = max((m.score for m in points), default=0.0)
    if best >= 0.7:  # the road or river only says where the place lies
        settled = [
            replace(m, score=round(m.score * 0.75, 2)) if m.kind in ("road", "river") else m
            for m in settled
        ]
        settled = [_behind_its_place(match, points, atlas) for match in settled]
    sure = [m for m in settled if m.score >= SURE]
    places = [m for m in sure if m.kind not in ("road", "river")]
    if _spread(sure, atlas) > APART_METRES or _spread(places, atlas) > TWO_PLACES_METRES:
        settled = [replace(m, score=min(m.score, 0.84)) for m in settled]
    return settled


def rank(matches: Iterable[PlaceMatch]) -> tuple[PlaceMatch, ...]:
    """Return the matches best first, one for each place (namesakes differ by district)."""
    best: dict[tuple[str, str], PlaceMatch] = {}
    for match in sorted(matches, key=lambda m: -m.score):
        best.setdefault((match.name, match.district), match)
    return tuple(best.values())


def _behind_its_place(match: PlaceMatch, points: list[PlaceMatch], atlas: Atlas) -> PlaceMatch:
    """Weaken a house number right at a place that is named as well."""
    if match.kind != "address" or not any(
        place.kind != "address"
        and place.score >= SURE
        and _spread([match, place], atlas) <= SAME_SPOT_METRES
        for place in points
    ):
        return match
    return replace(match, score=round(match.score * 0.75, 2))


def _spread(matches: list[PlaceMatch], atlas: Atlas) -> float:
    points = [atlas.point(m.latitude, m.longitude) for m in matches]
    return max((float(a.distance(b)) for a in points for b in points), default=0.0)

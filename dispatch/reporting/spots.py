"""From words and points to the spot a complaint is about."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from dispatch.places.gazetteer import Gazetteer
from dispatch.reporting.draft import Draft, Location, Source, Spot

SURE_PLACE = 0.85
CLEAR_LEAD = 0.05
Candidate = tuple[Spot, float]
"""A spot and how sure it is that it is meant, 0-1."""


def candidates(
    gazetteer: Gazetteer, phrases: Iterable[str], near: tuple[float, float] | None
) -> list[Candidate]:
    """Return the spots that phrases may mean, best first, one for each point (some 10 m).

    ``near`` is a point known otherwise, in degrees: it chooses between namesakes.
    """
    best: dict[tuple[float, float], Candidate] = {}
    for phrase in phrases:
        for match in gazetteer.find(phrase, near=near):
            point = (round(match.latitude, 4), round(match.longitude, 4))
            if point in best and best[point][1] >= match.score:
                continue
            spot = Spot(
                address=match.address,
                district=match.district,
                street=match.street or None,
                latitude=match.latitude,
                longitude=match.longitude,
                source="text",
                kind=match.kind,
            )
            best[point] = (spot, match.score)
    return sorted(best.values(), key=lambda pair: -pair[1])


def known_point(draft: Draft) -> tuple[float, float] | None:
    """Return a point shared or read from a photo, in degrees."""
    shared = [draft.place] if draft.place and draft.place.source == "shared" else []
    for spot in (*shared, *draft.photo_spots):
        if spot.latitude is not None and spot.longitude is not None:
            return spot.latitude, spot.longitude
    return None


def clear(spots: list[Candidate]) -> Spot | None:
    """Return the best candidate when it is sure and well ahead of the next."""
    if not spots or spots[0][1] < SURE_PLACE:
        return None
    if len(spots) > 1 and spots[0][1] - spots[1][1] < CLEAR_LEAD:
        return None
    return spots[0][0]


def at_point(gazetteer: Gazetteer, point: Location) -> Spot:
    """Return the spot of a point inside the city, named by what is near.

    Raises:
        InputError: the point lies elsewhere.
    """
    found = gazetteer.locate(point.latitude, point.longitude)
    return Spot(
        address=found.address,
        district=found.district,
        street=found.street or None,
        latitude=point.latitude,
        longitude=point.longitude,
        source=point.source,
    )


def as_typed(address: str) -> Spot:
    """Return an address as the citizen wrote it, unknown to the gazetteer."""
    source: Source = "typed"
    return Spot(address=address, district=None, latitude=None, longitude=None, source=source)


def placed(draft: Draft, spot: Spot | None) -> Draft:
    """Return the draft with this place, or with none so that it is asked for again.

    Whatever was open about the place, also what a photo says of it, is settled with that.
    """
    update: dict[str, Any] = {
        "place": spot,
        "place_options": (),
        "place_tries": 0,
        "photo_place": "settled" if draft.photo_place else "",
        "confirmed": False,
    }
    return draft.model_copy(update=update)


def chosen(draft: Draft, number: str) -> Draft:
    """Return the draft with the place option of this number, from "0"; unchanged if none."""
    if number.isdecimal() and int(number) < len(draft.place_options):
        return placed(draft, draft.place_options[int(number)])
    return draft

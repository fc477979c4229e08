"""What photos and videos add to a draft: where they were taken is evidence.

A photo's point fills an open place. Against a place the citizen named it proves nothing: he may
photograph from afar or send an old picture, so he is asked which holds.
"""

from __future__ import annotations

from datetime import timedelta

from dispatch.places.gazetteer import Gazetteer
from dispatch.reporting.draft import MAX_PHOTOS, MAX_VIDEOS, Draft, Heard, Spot
from dispatch.reporting.spots import at_point

DOUBTFUL_METRES = 1000.0
"""A photo taken farther from the named place than this makes the citizen be asked.

Within a kilometre both can be true: a phone's position is often a hundred metres off or some
minutes old, smoke is photographed from across the river, and an estate or a market is several
hundred metres wide.
"""
STALE = timedelta(days=7)
"""An older photo is only evidence: it tells no place and raises no question."""


def add_media(draft: Draft, heard: Heard) -> Draft:
    """Return the draft with the message's photos and videos, as many as it can hold."""
    photos = _new(heard.photos, draft.photos)
    videos = _new(heard.videos, draft.videos)
    notes = []
    if len(draft.photos) + len(photos) > MAX_PHOTOS:
        notes.append("too_many_photos")
    elif photos:
        notes.append("photos_received")
    if len(draft.videos) + len(videos) > MAX_VIDEOS:
        notes.append("too_many_videos")
    elif videos:
        notes.append("videos_received")
    kept = {
        "photos": (draft.photos + photos)[:MAX_PHOTOS],
        "videos": (draft.videos + videos)[:MAX_VIDEOS],
    }
    return draft.model_copy(update=kept).noting(*notes)


def add_points(draft: Draft, heard: Heard, gazetteer: Gazetteer) -> Draft:
    """Return the draft with the spots where the message's photos were taken."""
    points = [point for point in heard.locations if point.source == "photo"]
    if not points:
        return draft
    if heard.taken_at and max(heard.taken_at) < heard.at - STALE:
        return draft.noting("photo_old")
    inside = [p for p in points if gazetteer.contains(p.latitude, p.longitude)]
    if len(inside) < len(points):
        draft = draft.noting("photo_elsewhere")
    spots = [at_point(gazetteer, point) for point in inside]
    kept = tuple(dict.fromkeys((*draft.photo_spots, *spots)))[:MAX_PHOTOS]
    return draft.model_copy(update={"photo_spots": kept})


def contradicting(draft: Draft, gazetteer: Gazetteer) -> Spot | None:
    """Return where a photo was taken when no photo was taken near the place he named."""
    place = draft.place
    if place is None or place.source == "photo" or place.latitude is None:
        return None
    if any(metres_apart(place, spot, gazetteer) <= DOUBTFUL_METRES for spot in draft.photo_spots):
        return None
    return draft.photo_spots[0] if draft.photo_spots else None


def metres_apart(place: Spot, spot: Spot, gazetteer: Gazetteer) -> float:
    """Return the distance in metres from a named place to a point.

    A road or river is near along all of its course, a district or street office all over.
    """
    if place.kind in ("district", "street") and spot.address.startswith(place.address):
        return 0.0
    atlas = gazetteer.atlas
    there = atlas.point(spot.latitude or 0.0, spot.longitude or 0.0)
    if place.kind in ("road", "river"):
        named = [line for line in (*atlas.roads, *atlas.rivers) if line.name in place.address]
        return min(float(atlas.course(line).distance(there)) for line in named)
    return float(atlas.point(place.latitude or 0.0, place.longitude or 0.0).distance(there))


def _new(given: tuple[str, ...], kept: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(media for media in dict.fromkeys(given) if media not in kept)

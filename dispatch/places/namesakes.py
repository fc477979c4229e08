"""Choosing between places of one name: branches of a chain, estates of two districts."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from shapely import Point

from dispatch.places.address import is_negated, normalise
from dispatch.places.atlas import Atlas
from dispatch.places.entries import Entries, Entry
from dispatch.places.names import Mention

NEAR_METRES = 1500.0
"""Of several places with one name, one this near to a known point is the one meant."""


@dataclass(frozen=True)
class Hints:
    """What else is said, or known, of where it is; ``points`` in local metres."""

    text: str
    districts: frozenset[str]
    streets: frozenset[str]
    roads: frozenset[str]
    points: tuple[Point, ...]

    @classmethod
    def read(
        cls,
        text: str,
        mentions: Iterable[Mention],
        entries: Entries,
        atlas: Atlas,
        known: Point | None,
    ) -> Hints:
        """Gather the names said beside, and the point ``known`` from elsewhere."""
        points = [] if known is None else [known]
        said: dict[str, set[str]] = {"district": set(), "street": set(), "road": set()}
        for mention in mentions:
            meanings = entries[mention.surface]
            if is_negated(text[: mention.start]):
                continue
            for entry in meanings:
                if entry.kind in said:
                    said[entry.kind].add(entry.name)
                elif len(meanings) == 1 and entry.kind != "river":
                    points.append(atlas.point(entry.latitude, entry.longitude))
        return cls(
            text,
            frozenset(said["district"]),
            frozenset(said["street"]),
            frozenset(said["road"]),
            tuple(points),
        )


def meant(surface: str, namesakes: list[Entry], hints: Hints, atlas: Atlas) -> list[Entry]:
    """Leave of several ``namesakes`` those that fit what else is said or known."""
    left = namesakes
    for fitting in (
        [entry for entry in namesakes if entry.district in hints.districts],
        [entry for entry in namesakes if entry.street in hints.streets],
        [entry for entry in namesakes if entry.road in hints.roads],
        [entry for entry in namesakes if _branch_is_said(surface, entry, hints.text)],
        [entry for entry in namesakes if _is_near(entry, hints.points, atlas)],
    ):
        left = [entry for entry in left if entry in fitting] or left
    return left


def _branch_is_said(surface: str, entry: Entry, text: str) -> bool:
    """Tell whether the branch of a chain is said apart: 东湖那家(乐家超市)."""
    name = normalise(entry.name)
    if not name.startswith(surface) or name == surface:
        return False
    branch = name.removeprefix(surface).removesuffix("店")
    return len(branch) >= 2 and branch in text


def _is_near(entry: Entry, points: tuple[Point, ...], atlas: Atlas) -> bool:
    here = atlas.point(entry.latitude, entry.longitude)
    return any(here.distance(point) <= NEAR_METRES for point in points)

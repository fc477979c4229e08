"""Points on roads that take two or three names to say.

文昌路与人民路交叉口 (a crossing), 解放路从人民路到钟楼街之间 (a stretch), 人民路靠近桃园路那一头
(an end). Roads are found by name elsewhere; here their order and the words between them
are read, and the point is worked out from their courses.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise

from shapely import Point
from shapely.geometry.base import BaseGeometry
from shapely.ops import nearest_points

from dispatch.places.address import crossing_tail
from dispatch.places.atlas import Atlas, Line
from dispatch.places.names import Mention

CROSSING_METRES = 80.0
"""Two roads whose courses come this near are said to cross."""

_FROM = re.compile(r"^[(（]?(?:从|在|由)?$")
_TO = re.compile(r"^(?:路口)?(?:到|至|和|与|跟|-|—|~)$")
_STRETCH = re.compile(r"^(?:路口)?(?:之间|中间|的?[这那]?一?段|段)")
_TOWARDS = re.compile(r"^(?:上|的)?(?:靠近|靠到|靠着|挨着|挨近|近|靠)$")
_END = re.compile(r"^的?(?:[那这]?一?(?:头|端|侧|边|段)|这里|那里)")


@dataclass(frozen=True)
class Named:
    """A name in the text with what it stands for; ``road`` is None unless it is a road."""

    mention: Mention
    road: Line | None
    shape: BaseGeometry


@dataclass(frozen=True)
class RoadSpot:
    """A point in local metres, said in words.

    ``end`` is where the phrase ends in the text, ``used`` are the surfaces it is made of.
    """

    point: Point
    name: str
    kind: str
    words: str
    end: int
    score: float
    used: frozenset[str]


def read_road_phrases(text: str, names: list[Named], atlas: Atlas) -> list[RoadSpot]:
    """Return the crossings, stretches and ends said in ``text``; ``names`` in text order."""
    spots: list[RoadSpot] = []
    for index, (first, second) in enumerate(pairwise(names)):
        if first.road is None:
            continue
        third = names[index + 2] if index + 2 < len(names) else None
        spot = (
            _stretch(text, first, second, third, atlas)
            or _end(text, first, second, atlas)
            or _crossing(text, first, second, atlas)
        )
        if spot and not any(spot.used & other.used for other in spots):
            spots.append(spot)
    return spots


def is_unknown_stretch(text: str, names: list[Named]) -> bool:
    """Tell whether a stretch of a road is said whose ends do not lie on it."""
    return any(
        first.road is not None
        and _FROM.match(text[first.mention.end : second.mention.start]) is not None
        and _TO.match(text[second.mention.end : third.mention.start]) is not None
        and _STRETCH.match(text[third.mention.end :]) is not None
        for first, second, third in zip(names, names[1:], names[2:], strict=False)
    )


def _crossing(text: str, first: Named, second: Named, atlas: Atlas) -> RoadSpot | None:
    if first.road is None or second.road is None or first.road == second.road:
        return None
    after = crossing_tail(
        text[first.mention.end : second.mention.start], text[second.mention.end :]
    )
    courses = atlas.course(first.road), atlas.course(second.road)
    if after is None or courses[0].distance(courses[1]) > CROSSING_METRES:
        return None
    return RoadSpot(
        point=nearest_points(*courses)[0],
        name=f"{first.road.name}与{second.road.name}交叉口",
        kind="crossing",
        words="",
        end=second.mention.end + after,
        score=min(0.97, first.mention.score, second.mention.score),
        used=frozenset({first.mention.surface, second.mention.surface}),
    )


def _stretch(
    text: str, first: Named, second: Named, third: Named | None, atlas: Atlas
) -> RoadSpot | None:
    if first.road is None or third is None or second.road is None or third.road is None:
        return None
    after = _STRETCH.match(text[third.mention.end :])
    if (
        not after
        or not _FROM.match(text[first.mention.end : second.mention.start])
        or not _TO.match(text[second.mention.end : third.mention.start])
    ):
        return None
    course = atlas.course(first.road)
    sides = atlas.course(second.road), atlas.course(third.road)
    if any(course.distance(side) > CROSSING_METRES for side in sides):
        return None
    places = [course.project(nearest_points(course, side)[0]) for side in sides]
    end = third.mention.end + after.end()
    return RoadSpot(
        point=course.interpolate(sum(places) / 2),
        name=first.road.name,
        kind="road",
        words=f"{second.road.name}到{third.road.name}之间",
        end=end,
        score=min(0.95, *(named.mention.score for named in (first, second, third))),
        used=frozenset(named.mention.surface for named in (first, second, third)),
    )


def _end(text: str, first: Named, second: Named, atlas: Atlas) -> RoadSpot | None:
    after = _END.match(text[second.mention.end :])
    if (
        first.road is None
        or not after
        or not _TOWARDS.match(text[first.mention.end : second.mention.start])
    ):
        return None
    return RoadSpot(
        point=nearest_points(atlas.course(first.road), second.shape)[0],
        name=first.road.name,
        kind="road",
        words=f"靠近{second.mention.surface}那一头",
        end=second.mention.end + after.end(),
        score=min(0.95, first.mention.score, second.mention.score),
        used=frozenset({first.mention.surface, second.mention.surface}),
    )

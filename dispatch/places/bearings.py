"""Compass words and points: 往南100米, 东段, 东北方向约300米处. All points in local metres."""

from __future__ import annotations

import math

from shapely import LineString, Point

_WINDS = ("北", "东北", "东", "东南", "南", "西南", "西", "西北")


def moved(point: Point, bearing: str, metres: float) -> Point:
    """Return the point ``metres`` away; ``bearing`` is one of 北 东北 东 东南 南 西南 西 西北."""
    angle = math.radians(45 * _WINDS.index(bearing))
    return Point(point.x + metres * math.sin(angle), point.y + metres * math.cos(angle))


def part_of(course: LineString, side: str) -> Point:
    """Return the middle of a third of a road: ``side`` is 东, 南, 西, 北 or 中.

    A road that runs north to south has no 东段; then its middle is returned.
    """
    middle: Point = course.interpolate(0.5, normalized=True)
    if side == "中":
        return middle
    ends: list[Point] = [course.interpolate(share, normalized=True) for share in (1 / 6, 5 / 6)]
    wide = abs(ends[0].x - ends[1].x) >= abs(ends[0].y - ends[1].y)
    if wide != (side in "东西"):
        return middle
    return (max if side in "东北" else min)(ends, key=lambda end: end.x if wide else end.y)


def bearing(origin: Point, target: Point) -> str:
    """Name the direction from one point to another."""
    angle = math.degrees(math.atan2(target.x - origin.x, target.y - origin.y)) % 360
    return _WINDS[round(angle / 45) % 8]


def rounded(metres: float) -> str:
    """Word a distance: 约300米, 约1.2公里."""
    return f"约{round(metres, -2):.0f}米" if metres < 1000 else f"约{metres / 1000:.1f}公里"

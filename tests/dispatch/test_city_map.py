from __future__ import annotations

import math
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from base.settings import Settings
from dispatch.places.atlas import Atlas
from dispatch.places.city_map import CityMap

ATLAS = Atlas.load(Settings().city_dir)
MAP = CityMap(ATLAS, width=800)
LATITUDES = st.floats(30.06, 30.49)
LONGITUDES = st.floats(119.92, 120.44)


def points_of(path: str) -> list[tuple[float, float]]:
    return [(float(x), float(y)) for x, y in re.findall(r"[ML](-?[\d.]+) (-?[\d.]+)", path)]


def test_every_district_is_drawn_inside_the_box_with_its_name_on_its_own_ground() -> None:
    assert [shape.name for shape in MAP.districts] == [area.name for area in ATLAS.districts]
    for shape, area in zip(MAP.districts, ATLAS.districts, strict=True):
        corners = points_of(shape.path)
        assert len(corners) == len(area.polygon)
        assert shape.path.endswith("Z")
        assert all(0 <= x <= MAP.width and 0 <= y <= MAP.height for x, y in corners)
        xs, ys = zip(*corners, strict=True)
        assert min(xs) < shape.label_x < max(xs)
        assert min(ys) < shape.label_y < max(ys)
        left, top, width, height = shape.box
        assert (left, top) == (min(xs), min(ys))
        assert (left + width, top + height) == pytest.approx((max(xs), max(ys)))


def test_rivers_roads_and_the_outline_are_there() -> None:
    assert len(points_of(MAP.outline)) == len(ATLAS.boundary)
    assert [shape.name for shape in MAP.rivers] == [line.name for line in ATLAS.rivers]
    assert [shape.name for shape in MAP.roads] == [line.name for line in ATLAS.roads]


def test_the_box_keeps_the_citys_proportions() -> None:
    assert MAP.view_box == f"0 0 800 {MAP.height:g}"
    wide = CityMap(ATLAS, width=1600)
    assert wide.height / wide.width == pytest.approx(MAP.height / MAP.width, rel=0.02)


@given(LATITUDES, LONGITUDES, LATITUDES, LONGITUDES)
def test_distances_on_the_map_are_distances_on_the_ground(
    lat: float, lon: float, other_lat: float, other_lon: float
) -> None:
    metres = ATLAS.point(lat, lon).distance(ATLAS.point(other_lat, other_lon))
    drawn = math.dist(MAP.place(lat, lon), MAP.place(other_lat, other_lon))
    scale = (MAP.width - 24) / (ATLAS.outline.bounds[2] - ATLAS.outline.bounds[0])
    assert drawn == pytest.approx(metres * scale, rel=0.01, abs=0.3)


def test_north_is_up_and_east_is_right() -> None:
    x, y = MAP.place(30.25, 120.15)
    assert MAP.place(30.30, 120.15)[1] < y
    assert MAP.place(30.25, 120.20)[0] > x


def test_a_point_in_another_city_is_not_on_the_map() -> None:
    assert MAP.shows(30.2741, 120.1551)
    assert not MAP.shows(39.9042, 116.4074)

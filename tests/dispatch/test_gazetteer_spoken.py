from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml

from base.errors import InputError
from base.settings import get_settings
from benchmarks.places.evaluate import place_verdict
from dispatch.places.bearings import bearing, moved, part_of
from dispatch.places.gazetteer import Gazetteer, PlaceMatch, the_one

GAZETTEER = Gazetteer.load(get_settings().city_dir)
ATLAS = GAZETTEER.atlas
PHRASES: dict[str, list[dict[str, Any]]] = yaml.safe_load(
    (Path(__file__).parent / "data" / "place_phrases.yml").read_text(encoding="utf-8")
)


def sure(text: str, near: tuple[float, float] | None = None) -> PlaceMatch:
    match = the_one(GAZETTEER.find(text, near=near))
    assert match is not None, GAZETTEER.find(text, near=near)
    return match


def here(match: PlaceMatch) -> Any:
    return ATLAS.point(match.latitude, match.longitude)


@pytest.mark.parametrize(("half", "right"), [("dev", 0.93), ("test", 0.9)])
def test_phrases_of_residents(half: str, right: float) -> None:
    rows = PHRASES[half]
    count = Counter(place_verdict(GAZETTEER, row)[0] for row in rows)
    assert len(PHRASES["dev"]) + len(PHRASES["test"]) >= 150
    assert count["wrong"] / len(rows) <= 0.02, count
    assert count["right"] / len(rows) >= right, count


@pytest.mark.parametrize(
    ("text", "direction", "metres"),
    [
        ("春风里小区往南100米", "南", 100),
        ("春风里小区向东北走两百米", "东北", 200),
        ("春风里小区西侧50米", "西", 50),
        ("春风里小区北门往西300米", "西", 300),
        ("文昌路271号往东一百五十米", "东", 150),
    ],
)
def test_a_way_from_a_place_moves_the_point(text: str, direction: str, metres: int) -> None:
    base, there = here(sure("春风里小区")), here(sure(text))
    assert base.distance(there) == pytest.approx(metres, abs=2)
    assert bearing(base, there) == direction
    assert sure(text).address.endswith(f"{metres}米")


def test_a_way_from_a_crossing_moves_the_point_and_stays_in_the_address() -> None:
    base, there = sure("文昌路和人民路路口"), sure("文昌路和人民路路口往北200米")
    assert here(there).y - here(base).y == pytest.approx(200, abs=2)
    assert there.address.endswith("文昌路与人民路交叉口往北200米")


def test_a_way_never_leads_out_of_the_city_nor_too_far() -> None:
    edge = sure("临山汽车站")
    assert here(sure("临山汽车站往西9000米")).distance(here(edge)) < 1
    for place in ATLAS.places:
        match = GAZETTEER.find(f"{place.district}{place.name}往北1900米")[0]
        assert GAZETTEER.contains(match.latitude, match.longitude)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("春风里小区对面", "对面"),
        ("春风里小区斜对过", "斜对过"),
        ("春风里小区，三号楼，楼下", "3号楼楼下"),
        ("春风里小区后门旁边", "后门旁边"),
        ("文昌路地铁站A口", "A口"),
        ("文昌路十二弄三号", "12号3号"),
        ("清河桥下游50米", "下游50米"),
        ("文昌桥桥头", "桥头"),
        ("水口村村口", "村口"),
    ],
)
def test_words_the_crew_needs_stay(text: str, words: str) -> None:
    assert sure(text).address.endswith(words)


def test_a_stretch_lies_between_its_ends() -> None:
    match = sure("解放路从人民路到钟楼街之间")
    ends = [here(sure(text)) for text in ("解放路人民路口", "解放路钟楼街口")]
    assert match.kind == "road"
    assert here(match).distance(ends[0]) == pytest.approx(here(match).distance(ends[1]), rel=0.1)
    assert match.address.endswith("解放路（人民路到钟楼街之间）")


def test_an_end_of_a_road_lies_there() -> None:
    match = sure("人民路靠近桃园路那一头")
    assert here(match).distance(here(sure("人民路和桃园路路口"))) < 5
    assert "靠近桃园路那一头" in match.address


def test_parts_of_a_road_lie_in_order() -> None:
    west, middle, east = (sure(f"文昌路{side}段").longitude for side in "西中东")
    assert west < middle < east
    north, south = (sure(f"人民路{side}段").latitude for side in "北南")
    assert south < north
    course = ATLAS.courses["文昌路"]
    assert part_of(course, "北") == part_of(course, "中")


def test_a_chain_is_asked_for_and_offered() -> None:
    found = GAZETTEER.find("云邻便利店门口")
    assert the_one(found) is None
    assert len([match for match in found if match.name.startswith("云邻便利店")]) == 3


@pytest.mark.parametrize(
    ("text", "name", "district"),
    [
        ("云西区的云邻便利店", "云邻便利店学府路店", "云西区"),
        ("文昌路上的云邻便利店", "云邻便利店文昌路店", "云东区"),
        ("江南街道云邻便利店", "云邻便利店江南大道店", "江南区"),
        ("学府名城旁边的云邻便利店", "云邻便利店学府路店", "云西区"),
        ("乐家超市望湖那家", "乐家超市望湖店", "云西区"),
        ("清河区建设新村", "建设新村", "清河区"),
        ("建设新村，古井街道那个，不是清河的", "建设新村", "云西区"),
    ],
)
def test_what_else_is_said_chooses_between_namesakes(text: str, name: str, district: str) -> None:
    match = sure(text)
    assert (match.name, match.district) == (name, district)


def test_a_known_point_chooses_between_namesakes() -> None:
    for shop in (place for place in ATLAS.places if place.name.startswith("康和大药房")):
        near = (shop.latitude + 0.005, shop.longitude)
        assert sure("康和大药房", near=near).name == shop.name
    assert the_one(GAZETTEER.find("康和大药房", near=(30.13, 120.01))) is None
    assert sure("清河区建设新村", near=(30.2548, 120.1186)).district == "清河区"
    with pytest.raises(InputError):
        GAZETTEER.find("康和大药房", near=(95.0, 120.0))


def test_two_places_are_asked_about() -> None:
    assert the_one(GAZETTEER.find("清水湾小区和河畔人家小区")) is None


def test_a_longer_name_that_is_heard_outweighs_a_shorter_one_that_is_written() -> None:
    assert sure("文昌路采市场").name == "文昌路菜市场"


@pytest.mark.parametrize("text", ["四门大街", "这是一种怪味", "我现一中午没睡"])
def test_a_likeness_in_sound_is_not_enough(text: str) -> None:
    assert the_one(GAZETTEER.find(text)) is None


def test_moving_keeps_the_distance() -> None:
    origin = here(sure("清河桥"))
    for wind in ("北", "东北", "东", "东南", "南", "西南", "西", "西北"):
        there = moved(origin, wind, 250)
        assert origin.distance(there) == pytest.approx(250)
        assert bearing(origin, there) == wind

from __future__ import annotations

import math
import random
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from pypinyin import lazy_pinyin
from shapely import unary_union

from base.errors import ConfigurationError, InputError
from base.settings import get_settings
from dispatch.places.address import chinese_number, normalise, read_tail
from dispatch.places.gazetteer import SURE, Gazetteer, PlaceMatch

CITY = get_settings().city_dir
GAZETTEER = Gazetteer.load(CITY)
ATLAS = GAZETTEER.atlas


def best(text: str) -> PlaceMatch:
    found = GAZETTEER.find(text)
    assert found, text
    return found[0]


def metres(a: PlaceMatch, b: PlaceMatch) -> float:
    return float(
        ATLAS.point(a.latitude, a.longitude).distance(ATLAS.point(b.latitude, b.longitude))
    )


def test_the_districts_tile_the_city() -> None:
    union = unary_union(list(ATLAS.outlines.values()))
    assert union.symmetric_difference(ATLAS.outline).area < 1.0
    total = sum(outline.area for outline in ATLAS.outlines.values())
    assert total == pytest.approx(union.area, rel=1e-9)
    assert len(ATLAS.districts) == 6


def test_the_city_is_well_stocked() -> None:
    assert len(ATLAS.places) >= 150
    assert GAZETTEER.contains(30.2741, 120.1551)
    assert not GAZETTEER.contains(30.06, 119.91)
    assert not GAZETTEER.contains(39.9, 116.4)


NAMES = Counter(place.name for place in ATLAS.places)


@pytest.mark.parametrize("place", ATLAS.places, ids=lambda p: p.name)
def test_every_place_is_found_inside_a_sentence_and_lies_in_its_street(place: Any) -> None:
    said = place.name if NAMES[place.name] == 1 else place.district + place.name
    for text in (said, f"我要反映{said}附近，晚上一直有怪味"):
        match = best(text)
        assert match.name == place.name
        assert match.score >= SURE
        assert match.address.startswith(place.district)
    assert match.address.endswith("附近")
    here = ATLAS.point(place.latitude, place.longitude)
    assert [area.name for area in ATLAS.area_of(here)] == [place.district, place.street]


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("春风里小区", "云东区文昌街道春风里小区"),
        ("春风里", "云东区文昌街道春风里小区"),
        ("我家住春风里小区3幢2单元对面，油烟很大", "云东区文昌街道春风里小区3幢2单元对面"),
        ("文昌路18号", "云东区文昌街道文昌路18号"),
        ("文昌路18號對面", "云东区文昌街道文昌路18号对面"),
        ("春風裏小區", "云东区文昌街道春风里小区"),
        ("文昌路十八号门口有人烧垃圾", "云东区文昌街道文昌路18号门口"),
        ("文昌路一百二十号旁边", "云东区文昌街道文昌路120号旁边"),
        ("文昌路与人民路交叉口", "云东区文昌街道文昌路与人民路交叉口"),
        ("文昌路人民路口的灯坏了", "云东区文昌街道文昌路与人民路交叉口"),
        ("人民路和文昌路的十字路口", "云东区文昌街道人民路与文昌路交叉口"),
        ("工业1路沙坪大街路口", "高新区沙坪镇工业一路与沙坪大街交叉口"),
        ("清河区清河桥附近", "清河区清河街道清河桥附近"),
        ("不是春风里小区，是清河桥", "清河区清河街道清河桥"),
        ("沿江壹号", "江南区金沙街道沿江一号小区"),
        ("东塘村", "清河区新安镇东塘村"),
        ("化工园半夜排黑烟", "临山县石门镇临山化工园"),
        ("清河这段水黑了", "清河"),
    ],
)
def test_written_places(text: str, address: str) -> None:
    match = best(text)
    assert match.score >= SURE
    assert match.address.endswith(address)


@pytest.mark.parametrize(
    ("heard", "name"),
    [
        ("春风李小区", "春风里小区"),
        ("村风里小区", "春风里小区"),
        ("北乔花苑", "北桥花苑"),
        ("临山华工园", "临山化工园"),
        ("银太里商场后面", "云州银泰里购物中心"),
        ("秋风里小区", "春风里小区"),
    ],
)
def test_misheard_places_are_offered(heard: str, name: str) -> None:
    assert name in [match.name for match in GAZETTEER.find(heard)]


@pytest.mark.parametrize(
    "text",
    [
        "和平路18号",
        "幸福小区",
        "秋风里小区",
        "文昌路小学门口",
        "新人民路",
        "人民路9999号",
        "江南区",
        "文昌街道",
        "云西区春风里小区",
        "春风里小区和临山化工园",
        "我要投诉",
        "吵了一中午",
        "文昌东路",
    ],
)
def test_it_is_not_sure_of_what_it_cannot_know(text: str) -> None:
    assert all(match.score < SURE for match in GAZETTEER.find(text))


@pytest.mark.parametrize("text", ["", "   ", "你好", "3号楼", "！？。", "123456"])
def test_nothing_is_found_in_nothing(text: str) -> None:
    assert GAZETTEER.find(text) == ()


def test_a_house_number_lies_on_its_road_in_order() -> None:
    low, high = best("文昌路10号"), best("文昌路380号")
    assert low.kind == high.kind == "address"
    assert low.longitude < high.longitude
    course = ATLAS.courses["文昌路"]
    for match in (best("文昌路21号"), best("文昌路199号")):
        assert course.distance(ATLAS.point(match.latitude, match.longitude)) < 150


def test_a_number_borne_by_a_known_place_is_that_place() -> None:
    place = next(p for p in ATLAS.places if p.road)
    match = best(f"{place.road}{place.number}号")
    assert (match.latitude, match.longitude) == pytest.approx((place.latitude, place.longitude))


def test_a_day_of_the_month_is_not_a_house_number() -> None:
    match = best("文昌路18号晚上一直施工")
    assert (match.kind, match.name) == ("road", "文昌路")


def test_a_crossing_lies_on_both_roads() -> None:
    match = best("文昌路与人民路交叉口")
    here = ATLAS.point(match.latitude, match.longitude)
    assert match.kind == "crossing"
    assert all(ATLAS.courses[name].distance(here) < 5 for name in ("文昌路", "人民路"))


def test_roads_that_never_meet_have_no_crossing() -> None:
    found = GAZETTEER.find("文昌路与白云大街交叉口")
    assert {match.kind for match in found} == {"road"}
    assert all(match.score < SURE for match in found)


def test_a_district_says_which_part_of_a_long_road() -> None:
    plain, there = best("云州大道"), best("高新区云州大道")
    assert there.district == "高新区"
    assert metres(plain, there) > 5000


def test_limit_and_order() -> None:
    text = "清河桥、春风里小区、东湖公园、临山化工园、文昌公园、金沙夜市"
    scores = [match.score for match in GAZETTEER.find(text, limit=4)]
    assert len(scores) == 4
    assert scores == sorted(scores, reverse=True)


def test_calibration_on_misheard_names() -> None:
    """One character of each name becomes a homophone: sure answers are right ones."""
    rng = random.Random(5)
    homophones: dict[str, list[str]] = {}
    for code in range(0x4E00, 0x9FA6):
        homophones.setdefault(lazy_pinyin(chr(code))[0], []).append(chr(code))
    sure = right = offered = total = 0
    for place in ATLAS.places:
        if len(place.name) < 4:
            continue
        at = rng.randrange(len(place.name))
        other = rng.choice(homophones[lazy_pinyin(place.name)[at]])
        found = GAZETTEER.find(f"就在{place.name[:at]}{other}{place.name[at + 1 :]}那边很臭")
        total += 1
        offered += any(match.name == place.name for match in found)
        sure += bool(found) and found[0].score >= SURE
        right += bool(found) and found[0].score >= SURE and found[0].name == place.name
    figures = f"misheard: {total}, offered {offered}, sure {sure}, right {right}"
    assert right / sure >= 0.95, figures
    assert sure / total >= 0.8, figures
    assert offered / total >= 0.9, figures


@pytest.mark.parametrize(
    ("latitude", "longitude"),
    [(91, 120), (-91, 120), (30, 181), (30, -181), (math.nan, 120), (30, math.inf)],
)
def test_impossible_coordinates_are_refused(latitude: float, longitude: float) -> None:
    for ask in (GAZETTEER.contains, GAZETTEER.locate):
        with pytest.raises(InputError) as caught:
            ask(latitude, longitude)
        assert caught.value.code == "location_out_of_range"


def test_a_point_elsewhere_has_no_address_here() -> None:
    with pytest.raises(InputError) as caught:
        GAZETTEER.locate(39.9, 116.4)
    assert caught.value.code == "location_outside_city"


def test_locate_names_what_is_near() -> None:
    estate = best("春风里小区")
    match = GAZETTEER.locate(estate.latitude + 0.0002, estate.longitude)
    assert match.address == "云东区文昌街道春风里小区附近"
    far = GAZETTEER.locate(30.40, 120.03)
    assert far.address.startswith("临山县白云镇")
    assert "公里处" in far.address


@given(
    st.floats(30.05, 30.5, allow_nan=False),
    st.floats(119.9, 120.45, allow_nan=False),
)
@settings(deadline=None)
def test_every_point_of_the_city_has_an_address(latitude: float, longitude: float) -> None:
    if not GAZETTEER.contains(latitude, longitude):
        return
    match = GAZETTEER.locate(latitude, longitude)
    assert match.address.startswith(match.district)
    assert (match.latitude, match.longitude) == (latitude, longitude)


SCRAPS = st.sampled_from(
    [
        "文昌路",
        "人民路",
        "与",
        "口",
        "18号",
        "春风里",
        "附近",
        "的",
        "不是",
        "云东区",
        "十",
        "百",
        "号",
    ]
)


@given(st.one_of(st.text(max_size=2000), st.lists(SCRAPS, max_size=30).map("".join)))
@settings(deadline=None, max_examples=150)
def test_find_never_raises_and_scores_stay_in_range(text: str) -> None:
    found = GAZETTEER.find(text)
    assert len(found) <= 5
    assert len({(match.name, match.district) for match in found}) == len(found)
    for match in found:
        assert 0 < match.score < 1
        assert match.address
        assert GAZETTEER.contains(match.latitude, match.longitude)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("十八", 18),
        ("一百二十", 120),
        ("一百零五", 105),
        ("一二〇", 120),
        ("二十", 20),
        ("两千", 2000),
    ],
)
def test_chinese_numbers(text: str, value: int) -> None:
    assert chinese_number(text) == value


def test_normalise_folds_width_and_numerals() -> None:
    assert normalise("文昌路 １８号 三单元") == "文昌路18号3单元"
    tail = read_tail("18号3幢2单元的对面那家", numbered=True)
    assert (tail.house_number, tail.detail, tail.relation) == (18, "3幢2单元", "对面")


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"district": "云北区"}, "district"),
        ({"street": "无名街道"}, "street"),
        ({"road": "无名路"}, "road"),
        ({"latitude": 30.06}, "latitude"),
        ({"longitude": 999}, "longitude"),
        ({"colour": "red"}, "colour"),
        ({"name": "文昌路"}, "name: occurs twice"),
    ],
)
def test_a_wrong_place_is_named(tmp_path: Path, change: dict[str, Any], named: str) -> None:
    shutil.copytree(CITY, tmp_path / "city")
    path = tmp_path / "city" / "places.yml"
    document = yaml.safe_load(path.read_text(encoding="utf-8"))
    document["places"][0] |= change
    path.write_text(yaml.safe_dump(document, allow_unicode=True), encoding="utf-8")
    with pytest.raises(ConfigurationError) as caught:
        Gazetteer.load(tmp_path / "city")
    assert "places.yml" in caught.value.detail
    assert named in caught.value.detail


def test_a_missing_city_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"city\.yml"):
        Gazetteer.load(tmp_path)

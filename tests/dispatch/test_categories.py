from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from base.errors import ConfigurationError
from base.settings import get_settings
from dispatch.classification.categories import (
    RESOLVE_LIMIT_HOURS,
    RESPOND_LIMIT_HOURS,
    Categories,
    load_categories,
    severity,
)

CODES = [
    "air.industrial",
    "air.cooking_fume",
    "air.dust",
    "air.open_burning",
    "air.vehicle",
    "air.odor",
    "water.sewage",
    "water.black_odor",
    "water.drinking_source",
    "waste.garbage",
    "waste.construction",
    "waste.hazardous",
    "noise.construction",
    "noise.commercial",
    "noise.social",
    "noise.traffic",
    "noise.industrial",
    "soil.pollution",
    "light.pollution",
    "radiation",
    "city.other",
]

CATEGORIES = load_categories(get_settings().categories_file)

ROW: dict[str, Any] = {
    "code": "air.dust",
    "name": "扬尘",
    "group": "大气污染",
    "description": "工地扬尘。",
    "department": "市住建局",
    "respond_hours": 24,
    "resolve_hours": 120,
    "urgent_respond_hours": 2,
    "urgent_resolve_hours": 24,
    "keywords": ["扬尘"],
    "severity": [],
    "advice": "请远离。",
}


def load(tmp_path: Path, *rows: object, **top: object) -> Categories:
    path = tmp_path / "mine.yml"
    path.write_text(yaml.safe_dump({"categories": list(rows), **top}), encoding="utf-8")
    return load_categories(path)


def test_the_bundled_file_has_exactly_the_contract_codes() -> None:
    assert list(CATEGORIES.codes) == CODES
    assert len(CATEGORIES) == 21
    assert "air.dust" in CATEGORIES
    assert "air.unknown" not in CATEGORIES
    assert CATEGORIES.get("air.unknown") is None
    with pytest.raises(KeyError):
        CATEGORIES["air.unknown"]


@pytest.mark.parametrize("category", CATEGORIES, ids=lambda c: c.code)
def test_urgent_matters_are_quicker_and_all_limits_are_lawful(category: Any) -> None:
    respond, resolve = category.limits("normal")
    urgent_respond, urgent_resolve = category.limits("urgent")
    assert urgent_respond < respond <= RESPOND_LIMIT_HOURS
    assert urgent_resolve < resolve <= RESOLVE_LIMIT_HOURS


@pytest.mark.parametrize(
    ("code", "text", "level"),
    [
        ("air.odor", "味道很臭，有人晕倒了", "urgent"),
        ("air.odor", "味道很臭，没有人晕倒", "normal"),
        ("air.odor", "早上没有人晕倒，刚才有人晕倒了", "urgent"),
        ("air.odor", "味道很臭", "normal"),
        ("city.other", "路口没有井盖，晚上看不见", "urgent"),
        ("city.other", "路灯不亮", "normal"),
        ("water.black_odor", "河里好多死鱼", "urgent"),
        ("noise.construction", "明天高考，工地还在打桩", "urgent"),
        ("waste.hazardous", "桶里的东西泄漏了", "urgent"),
        ("waste.hazardous", "桶没有泄漏", "normal"),
    ],
)
def test_severity(code: str, text: str, level: str) -> None:
    assert severity(CATEGORIES[code], text) == level


def test_the_first_matching_rule_wins_and_unless_blocks_it(tmp_path: Path) -> None:
    row = {
        **ROW,
        "severity": [
            {"level": "normal", "keywords": ["演习"]},
            {"level": "urgent", "keywords": ["起火"], "unless": ["昨天"]},
        ],
    }
    category = load(tmp_path, row)["air.dust"]
    assert severity(category, "工地起火") == "urgent"
    assert severity(category, "工地演习，起火") == "normal"
    assert severity(category, "昨天工地起火") == "normal"


def test_common_rules_follow_the_own_ones(tmp_path: Path) -> None:
    common = [{"level": "urgent", "keywords": ["爆炸"]}]
    category = load(tmp_path, ROW, common_severity=common)["air.dust"]
    assert severity(category, "听到爆炸") == "urgent"


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"department": ""}, "air.dust: department"),
        ({"respond_hours": 0}, "air.dust: respond_hours"),
        ({"resolve_hours": 61 * 24}, "air.dust: resolve_hours"),
        ({"urgent_respond_hours": 48}, "urgent_respond_hours"),
        ({"urgent_resolve_hours": 1}, "urgent_resolve_hours"),
        ({"code": "Air Dust"}, "Air Dust: code"),
        ({"colour": "red"}, "air.dust: colour"),
        ({"severity": [{"level": "high", "keywords": ["x"]}]}, "air.dust: severity.0.level"),
        ({"severity": "urgent"}, "air.dust: severity"),
    ],
)
def test_a_bad_row_is_named(tmp_path: Path, change: dict[str, Any], named: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        load(tmp_path, {**ROW, **change})
    assert "mine.yml" in caught.value.detail
    assert named in caught.value.detail


def test_a_missing_field_is_named(tmp_path: Path) -> None:
    row = {key: value for key, value in ROW.items() if key != "advice"}
    with pytest.raises(ConfigurationError, match=r"air\.dust: advice"):
        load(tmp_path, row)


def test_a_code_may_occur_only_once(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"air\.dust: code: occurs twice"):
        load(tmp_path, ROW, ROW)


@pytest.mark.parametrize("content", ["", "[1, 2]", "categories: []", "{", "categories: 3", "a: 1"])
def test_a_file_of_the_wrong_shape_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "mine.yml"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(ConfigurationError, match=r"mine\.yml"):
        load_categories(path)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"absent\.yml"):
        load_categories(tmp_path / "absent.yml")


@given(st.text(max_size=300))
def test_severity_never_raises(text: str) -> None:
    assert {severity(category, text) for category in CATEGORIES} <= {"normal", "urgent"}


# --- danger -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "danger"),
    [
        ("路边倒了个骑车的，怎么叫都叫不醒", True),
        ("脚手架塌了，两个工人被压住", True),
        ("井里下去三个人，昏过去了", True),
        ("化粪池冒臭气，还好没有人昏迷", False),
        ("路灯坏了一个月", False),
        ("上次没有人被困，这次有人困在里面了", True),
        ("楼道里煤气味好大，不敢开灯", True),
        ("仓库里化学品漏了一地，呛得站不住", True),
        ("小区楼下的垃圾桶着火了", True),
        ("现在没有燃气味了，就是管子锈了", False),
    ],
)
def test_people_in_danger_are_noticed(categories: Categories, text: str, danger: bool) -> None:
    assert categories.in_danger(text) is danger


@pytest.mark.parametrize(
    ("text", "level"),
    [
        ("井里下去三个人，昏过去了", "urgent"),
        ("有人触电了", "urgent"),
        ("落水管坏了一直滴水", "normal"),
        ("车堵在里面出不来", "normal"),
    ],
)
def test_a_crew_is_only_hurried_when_the_words_are_clear(
    categories: Categories, text: str, level: str
) -> None:
    assert categories.in_danger(text)
    assert severity(categories["city.other"], text) == level

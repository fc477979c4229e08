"""Opening times and the nearest hall."""

from __future__ import annotations

from datetime import date, datetime

import pytest

from base.calendar import CITY_TIME
from base.settings import ROOT
from enquiries.opening import asked_days, by_distance, nearest_text, opening_text
from matcher.service import load_halls

HALLS = load_halls(ROOT / "policies" / "halls.yml")
CITY_HALL, YUNDONG = HALLS[0], HALLS[1]
SUNDAY = datetime(2026, 11, 22, 15, tzinfo=CITY_TIME)
FRIDAY = datetime(2026, 11, 20, 12, 30, tzinfo=CITY_TIME)


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("今天开门吗", ["2026-11-20"]),
        ("后天呢", ["2026-11-22"]),
        ("周末开门吗", ["2026-11-21", "2026-11-22"]),
        ("礼拜六能办不", ["2026-11-21"]),
        ("星期一几点开", ["2026-11-23"]),
        ("下周三行不行", ["2026-11-25"]),
        ("周三呢", ["2026-11-25"]),
        ("下周五", ["2026-11-27"]),
        ("国庆上班吗", ["2027-10-01"]),
        ("元旦开不开", ["2027-01-01"]),
        ("多少钱", []),
    ],
)
def test_the_days_a_question_is_about(text: str, days: list[str]) -> None:
    assert [day.isoformat() for day in asked_days(text, date(2026, 11, 20))] == days


def test_saturday_is_told_by_hall() -> None:
    said = opening_text("周末开门吗", [CITY_HALL, YUNDONG], SUNDAY)
    assert said is not None
    assert "云州市政务服务中心：09:00-12:00" in said
    assert "云东区政务服务中心" not in said
    assert "周日（11月29日）不开门" in said


def test_now_and_noon() -> None:
    assert opening_text("现在还开着没", [YUNDONG], SUNDAY) == (
        "云东区政务服务中心现在没开，下次开门是周一（11月23日）09:00。"
    )
    assert "12:00到13:30不办公" in str(opening_text("中午休息不", [YUNDONG], SUNDAY))
    assert "13:30" in str(opening_text("现在开着吗", [YUNDONG], FRIDAY))


def test_a_festival_is_a_day_off() -> None:
    said = str(opening_text("国庆上班吗", [CITY_HALL], SUNDAY))
    assert "国庆节）不开门" in said
    assert "调休" in said


def test_no_opening_question_no_answer() -> None:
    assert opening_text("要带什么", [CITY_HALL], SUNDAY) is None
    assert opening_text("周末开门吗", [], SUNDAY) is None


def test_the_nearest_hall_comes_first() -> None:
    for hall in HALLS:
        ordered = by_distance(HALLS, hall.lat, hall.lon)
        assert ordered[0] == hall
        assert sorted(h.id for h in ordered) == sorted(h.id for h in HALLS)
    text = nearest_text(HALLS, YUNDONG.lat + 0.01, YUNDONG.lon)
    assert text.startswith("离您最近的是云东区政务服务中心，直线约1.1公里。")

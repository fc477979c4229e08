from __future__ import annotations

import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from base.settings import ROOT
from dispatch.times.occurrence import SHANGHAI, Occurrence, display, occurrence

PHRASES: dict[str, list[dict[str, Any]]] = yaml.safe_load(
    (Path(__file__).parent / "data" / "time_phrases.yml").read_text(encoding="utf-8")
)
NOW = datetime(2026, 11, 18, 15, 20, tzinfo=SHANGHAI)


def moment(text: str) -> datetime:
    return datetime.strptime(text, "%Y-%m-%d %H:%M").replace(tzinfo=SHANGHAI)


def is_right(row: dict[str, Any]) -> bool:
    found = occurrence(row["text"], moment(row["now"]))
    if row.get("expect") == "none":
        return found is None
    start = None if row["start"] == "unknown" else moment(row["start"])
    return found == Occurrence(start, moment(row["end"]), row["words"], row.get("repeated", False))


@pytest.mark.parametrize("row", PHRASES["dev"], ids=lambda row: row["text"])
def test_what_residents_say(row: dict[str, Any]) -> None:
    assert is_right(row), occurrence(row["text"], moment(row["now"]))


def test_phrases_never_tuned_on() -> None:
    rows = PHRASES["test"]
    assert len(PHRASES["dev"]) + len(rows) >= 120
    assert sum(map(is_right, rows)) / len(rows) >= 0.95


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("昨晚十点多", "11月17日晚上10点左右"),
        ("昨晚", "11月17日晚上"),
        ("昨天", "11月17日"),
        ("十一号下午三点半", "11月11日下午3点30分左右"),
        ("晚上八点到十二点", "11月17日晚上8点到夜里12点"),
        ("晚上十点到早上六点", "11月17日晚上10点到11月18日早上6点"),
        ("每天早上六点", "每天早上六点"),
        ("天天晚上", "天天晚上"),
        ("好几天了", "好几天了"),
        ("前两天", "11月15日到11月17日"),
        ("半夜", "11月17日半夜"),
        ("下午", "11月18日下午"),
        ("昨天十二点半", "11月17日中午12点30分左右"),
        ("刚才", "11月18日下午2点50分左右"),
    ],
)
def test_display(text: str, shown: str) -> None:
    found = occurrence(text, NOW)
    assert found is not None
    assert display(found) == shown


def test_the_moment_may_be_given_in_any_zone() -> None:
    assert occurrence("昨晚十点", NOW.astimezone(UTC)) == occurrence("昨晚十点", NOW)


def test_a_known_start_is_preferred_to_a_vague_one() -> None:
    found = occurrence("好几天了，昨晚十点又来了", NOW)
    assert found is not None
    assert found.words == "昨晚十点"


def test_a_long_text_is_searched_at_its_beginning_only() -> None:
    assert occurrence("啊" * 500 + "昨晚十点", NOW) is None


SCRAPS = st.lists(
    st.sampled_from(
        [
            "昨",
            "前",
            "今",
            "大前天",
            "晚",
            "早上",
            "半夜",
            "每天",
            "一到",
            "周三",
            "上周",
            "上个月",
            "三十一号",
            "2月30号",
            "国庆",
            "除夕",
            "12",
            "点",
            "半",
            "点钟",
            "多",
            "到",
            "现在",
            "三天",
            "前",
            "了",
            "两个",
            "小时",
            "这几个月",
            "明天",
            ":",
            "-",
            "25:61",
            "2026-02-30",
            "99号晚上",
            "的",
            "号",
            "月",
            "十",
            "零",
            "〇",
        ]
    ),
    max_size=12,
).map("".join)
MOMENTS = st.datetimes(datetime(2001, 1, 1), datetime(2090, 1, 1)).map(
    lambda naive: naive.replace(tzinfo=SHANGHAI)
)


@given(st.one_of(SCRAPS, st.text(max_size=600)), MOMENTS)
@example("每天" * 250, NOW)
@example("昨晚" + "十" * 400 + "点", NOW)
@example("2月29号晚上", datetime(2026, 3, 1, tzinfo=SHANGHAI))
@settings(deadline=None, max_examples=300)
def test_it_never_raises_and_never_means_the_future(text: str, now: datetime) -> None:
    found = occurrence(text, now)
    if found is None:
        return
    assert found.end <= now
    assert found.start is None or found.start <= found.end
    assert found.words
    assert found.words in text
    assert display(found)


@pytest.mark.parametrize("scrap", ["每天", "昨晚", "十点", "前两天", "周三", "一", "1", "到", "的"])
def test_hostile_text_takes_no_time(scrap: str) -> None:
    occurrence("昨天", NOW)  # loads the calendar
    began = time.perf_counter()
    occurrence(scrap * 1000, NOW)
    assert time.perf_counter() - began < 3.0


def test_the_calendar_is_loaded_late_quietly_and_without_a_network() -> None:
    script = (
        "import socket, sys\n"
        "def refuse(*a, **k): raise AssertionError('network')\n"
        "socket.socket.connect = refuse; socket.getaddrinfo = refuse\n"
        "from datetime import datetime, UTC\n"
        "from dispatch.times.occurrence import occurrence\n"
        "now = datetime(2026, 11, 18, 7, tzinfo=UTC)\n"
        "assert occurrence('刚才', now) and 'jionlp' not in sys.modules\n"
        "assert occurrence('上周三', now) and 'jionlp' in sys.modules\n"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", script],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, ""), done.stderr


def test_a_vague_beginning_ends_now() -> None:
    found = occurrence("这几个月一直有怪味", NOW)
    assert found is not None
    assert found.start is None
    assert NOW - found.end < timedelta(minutes=1)

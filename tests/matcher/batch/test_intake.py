"""Files of profiles: what is taken, what is refused and why."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from base.errors import InputError
from matcher.batch.engine import BatchEngine
from matcher.batch.intake import MAX_FAULTS, IntakeReport, load_profiles
from matcher.profile import ATTRIBUTES, parse_profile

GOOD = {
    "id": "E1",
    "headcount": "120",
    "revenue_wan": "3500.5",
    "is_high_tech": "是",
    "scale": "小型企业",
    "industry": "software",
    "district": "",
}


def write_csv(path: Path, rows: list[dict[str, str]]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, list(dict.fromkeys(key for row in rows for key in row)))
        writer.writeheader()
        writer.writerows(rows)
    return path


def load(path: Path) -> tuple[IntakeReport, list[dict[str, Any]]]:
    with BatchEngine("enterprise", threads=1) as engine:
        report = load_profiles(engine, path)
        result = engine.connection.execute("SELECT * FROM profiles")
        names = [column[0] for column in result.description]
        rows = [dict(zip(names, row, strict=True)) for row in result.fetchall()]
    known = [{k: v for k, v in row.items() if v is not None} for row in rows]
    return report, known


def test_a_file_of_profiles(tmp_path: Path) -> None:
    report, rows = load(write_csv(tmp_path / "firms.csv", [GOOD, GOOD | {"id": "E2"}]))
    assert (report.rows, report.accepted, report.refused, report.faults) == (2, 2, 0, ())
    assert rows[0] == {
        "id": "E1",
        "headcount": 120,
        "revenue_wan": 3500.5,
        "is_high_tech": True,
        "scale": "small",
        "industry": "software",
    }
    assert "insured_staff" in report.absent


@pytest.mark.parametrize(
    ("column", "value", "reason"),
    [
        ("headcount", "很多", "应为数字"),
        ("headcount", "12.5", "应为整数"),
        ("headcount", "-1", "不能小于0人"),
        ("headcount", "3000000", "不能大于2000000人"),
        ("headcount", "1e400", "应为数字"),
        ("revenue_wan", "nan", "应为数字"),
        ("revenue_wan", "inf", "应为数字"),
        ("revenue_wan", "1e16", "不能大于1000000000000000万元"),
        ("is_high_tech", "也许", "应为 是 或 否"),
        ("scale", "巨型", "不是允许的取值"),
        ("district", "火星区", "不是允许的取值"),
        ("id", "", "缺少 id"),
        ("id", "E2", "id 重复"),
    ],
)
def test_a_row_with_a_fault_is_refused_whole(
    tmp_path: Path, column: str, value: str, reason: str
) -> None:
    rows = [GOOD | {column: value}, GOOD | {"id": "E2"}, GOOD | {"id": "E3"}]
    report, kept = load(write_csv(tmp_path / "firms.csv", rows))
    assert (report.faults[0].row, report.faults[0].column) == (1, column)
    assert report.faults[0].reason == reason
    assert value == "E2" or [row["id"] for row in kept] == ["E2", "E3"]
    assert report.refused == (2 if value == "E2" else 1)
    assert report.accepted == len(kept)


def test_columns_nobody_knows_are_named(tmp_path: Path) -> None:
    report, _ = load(write_csv(tmp_path / "firms.csv", [GOOD | {'手机"号': "13800138000"}]))
    assert report.ignored == ('手机"号',)


def test_every_fault_is_counted_and_the_first_are_listed(tmp_path: Path) -> None:
    rows = [GOOD | {"id": f"E{n}", "headcount": "x", "scale": "y"} for n in range(MAX_FAULTS)]
    report, kept = load(write_csv(tmp_path / "firms.csv", rows))
    assert kept == []
    assert len(report.faults) == MAX_FAULTS
    assert report.fault_count == 2 * MAX_FAULTS


def test_parquet_and_json_lines_say_the_same(tmp_path: Path) -> None:
    plain = {"id": "E1", "headcount": 120, "is_high_tech": True, "scale": "small"}
    lines = tmp_path / "firms.jsonl"
    lines.write_text("\n".join(json.dumps({**plain, "id": i}) for i in ("E1", "E2")), "utf-8")
    parquet = tmp_path / "firms.parquet"
    duckdb.sql(f"COPY (SELECT * FROM read_json('{lines}')) TO '{parquet}'")
    assert load(lines)[1] == load(parquet)[1] == [plain, {**plain, "id": "E2"}]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("firms.parquet", b"not parquet"),
        ("firms.parquet", b""),
        ("firms.csv", b"\xff\xfe\x00broken"),
        ("firms.jsonl", b'{"id": '),
        ("firms.xlsx", b"PK"),
        ("absent.csv", None),
    ],
)
def test_an_unreadable_file_is_refused(tmp_path: Path, name: str, content: bytes | None) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError) as caught:
        load(path)
    assert caught.value.code in ("profiles_unreadable", "profiles_without_id")
    assert "profiles" not in caught.value.message


def test_without_ids_nothing_is_taken(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        load(write_csv(tmp_path / "firms.csv", [{"headcount": "3"}]))
    assert caught.value.code == "profiles_without_id"


def test_an_engine_is_filled_once(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "firms.csv", [GOOD])
    with BatchEngine("enterprise") as engine:
        load_profiles(engine, path)
        with pytest.raises(ValueError, match="already"):
            load_profiles(engine, path)


cells = st.one_of(
    st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=6),
    st.sampled_from(["", "1", "0", "是", "否", "3.5", "-2", "1e3", "true", "小型企业", "small"]),
)


@settings(
    max_examples=40,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    rows=st.lists(
        st.fixed_dictionaries(
            dict.fromkeys(("headcount", "revenue_wan", "is_high_tech", "scale"), cells)
        ),
        min_size=1,
        max_size=6,
    )
)
def test_whatever_is_taken_is_a_valid_profile(tmp_path: Path, rows: list[dict[str, str]]) -> None:
    numbered = [{"id": f"E{n}", **row} for n, row in enumerate(rows)]
    report, kept = load(write_csv(tmp_path / "firms.csv", numbered))
    assert report.accepted + report.refused == report.rows == len(rows)
    for row in kept:
        facts = {k: v for k, v in row.items() if k in ATTRIBUTES["enterprise"]}
        parse_profile({"kind": "enterprise", "id": row["id"], "attributes": facts})

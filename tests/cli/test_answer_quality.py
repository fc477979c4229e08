"""``shimin services unanswered`` with its marks, and ``shimin services report``."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from base.calendar import city_today
from base.settings import get_settings
from cli.main import main
from matcher.catalogue import Catalogue
from store.answer_quality import answer_key, count, keep_unanswered, policy_key, rate
from store.database import unit_of_work
from store.models import AuditEntry
from store.quality_models import SettledGroup
from tests.store.city import CityStore, isolated_store


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    """The city's, which takes seconds to load: the commands of this file share it."""
    return Catalogue.load(get_settings())


@pytest.fixture(autouse=True)
def loaded(catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Catalogue, "load", lambda _: catalogue)


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[CityStore]:
    with isolated_store(tmp_path, monkeypatch) as opened:
        yield opened


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    capsys.readouterr()
    with pytest.raises(SystemExit) as ended:
        main(["services", *arguments])
    assert ended.value.code == 0
    return capsys.readouterr().out


def test_questions_come_in_groups_with_a_suggestion(
    store: CityStore, capsys: pytest.CaptureFixture[str]
) -> None:
    with unit_of_work() as session:
        for number in range(3):
            keep_unanswered(session, f"a{number}", "unknown", "无人机在江边飞要不要报备空域")
        keep_unanswered(session, "b", "none_fits", "水晶球占卜摊位许可", [("id_card", 0.2)])
    found: list[dict[str, Any]] = json.loads(run(capsys, "unanswered", "--json"))
    assert [cluster["size"] for cluster in found] == [3, 1]
    assert found[0]["title"] == "无人机在江边飞要不要报备空域"
    assert found[0]["kinds"] == {"unknown": 3}
    assert all(len(cluster["nearest"]) == 3 and cluster["suggestion"] for cluster in found)
    assert len(store.rows(AuditEntry)) == 4
    shown = run(capsys, "unanswered", "--days", "7")
    assert "3 次  无人机在江边飞要不要报备空域" in shown
    assert "2 组，4 个问题，最近 7 天。" in shown


def test_a_group_that_is_done_leaves_the_list_and_is_known_when_it_comes_again(
    store: CityStore, capsys: pytest.CaptureFixture[str]
) -> None:
    with unit_of_work() as session:
        keep_unanswered(session, "a", "unknown", "养狗要办狗证吗")
        keep_unanswered(session, "b", "unknown", "家里养了条狗，狗证在哪办")
        keep_unanswered(session, "c", "unknown", "无人机在江边飞要不要报备空域")
    number = next(
        line.split()[0].removeprefix("#")
        for line in run(capsys, "unanswered").splitlines()
        if "2 次" in line
    )
    said = run(capsys, "settle", number, "--as", "not_ours", "--note", "城管局网站能办")
    assert "2 个问题" in said
    made = said.rsplit(maxsplit=1)[-1]
    (left,) = json.loads(run(capsys, "unanswered", "--json"))
    assert (left["size"], left["again"]) == (1, None)
    (listed,) = json.loads(run(capsys, "settled", "--json"))
    assert (str(listed["id"]), listed["outcome"], listed["note"]) == (
        made,
        "not_ours",
        "城管局网站能办",
    )
    assert listed["by"].startswith("official:")
    assert len(listed["questions"]) == 2
    with unit_of_work() as session:
        keep_unanswered(session, "d", "unknown", "狗证去哪里办")
    assert "处理后又有人问：不归本市，城管局网站能办，official:" in run(capsys, "unanswered")
    assert "不归本市，城管局网站能办" in run(capsys, "settled")
    assert run(capsys, "reopen", made) == "已撤销，2 个问题回到列表。\n"
    assert sum(c["size"] for c in json.loads(run(capsys, "unanswered", "--json"))) == 4
    assert run(capsys, "settled") == "0 组，最近 30 天。\n"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("settle", "99", "--as", "alias"), "列表里没有 #99，可能已经处理过了。"),
        (("settle", "1", "--as", "alias", "--item", "nowhere"), "目录里没有这个事项，请核对编号。"),
        (("settle", "1", "--as", "alias", "--note", "长" * 201), "说明最多200个字。"),
        (("reopen", "99"), "没有这条处理记录，可能已经撤销了。"),
    ],
)
def test_a_refusal_says_why_and_changes_nothing(
    store: CityStore, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], said: str
) -> None:
    with unit_of_work() as session:
        keep_unanswered(session, "a", "unknown", "养狗要办狗证吗")
    capsys.readouterr()
    with pytest.raises(SystemExit) as ended:
        main(["services", *arguments])
    assert ended.value.code == 1
    assert capsys.readouterr().err == f"{said}\n"
    assert store.rows(SettledGroup) == []


def test_nothing_asked_is_said_at_once(
    store: CityStore, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(capsys, "unanswered") == "0 组，0 个问题，最近 30 天。\n"
    assert json.loads(run(capsys, "unanswered", "--json")) == []


def test_the_report_puts_the_worst_first(
    store: CityStore, capsys: pytest.CaptureFixture[str]
) -> None:
    today = city_today()
    good, bad, old = "passport", "adoption", "cremation"
    policy = policy_key("elderly_allowance")
    with unit_of_work() as session:
        for name in (good, bad):
            count(session, name, today, answers=20, hand_overs=1)
        count(session, old, today - timedelta(days=30), answers=9)
        count(session, policy, today, answers=2)
        rate(session, answer_key("p"), policy, today, useful=True, reason=None)
        for number in range(8):
            rate(session, answer_key(f"g{number}"), good, today, useful=True, reason=None)
            rate(session, answer_key(f"b{number}"), bad, today, useful=False, reason="wrong")
    rows: list[dict[str, Any]] = json.loads(run(capsys, "report", "--json"))
    listed = [row["id"] for row in rows]
    assert listed[0] == bad
    assert {good, policy} <= set(listed)
    assert listed.index(bad) < listed.index(policy)
    assert rows[0]["reasons"] == {"wrong": 8}
    assert old not in [row["id"] for row in rows if row["answers"]]
    first = run(capsys, "report", "--days", "31").splitlines()[0]
    assert "回答20次，有用0%（0%–32%，8人评），内容不对8，答后转人工1次" in first


def test_days_must_be_sensible(store: CityStore, capsys: pytest.CaptureFixture[str]) -> None:
    for command in ("report", "unanswered"):
        with pytest.raises(SystemExit) as ended:
            main(["services", command, "--days", "0"])
        assert ended.value.code == 2
    capsys.readouterr()

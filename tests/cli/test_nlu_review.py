"""``shimin nlu review``: clusters, decisions and the exported Rasa file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from cli.main import main
from store.database import unit_of_work
from store.unclear import keep_unclear, note_choice
from tests.store.city import CityStore, isolated_store

MESSAGES = [
    ("m1", "办那个本本要几多银子", "ask_fee"),
    ("m2", "办那个本本要多少银子", "ask_fee"),
    ("m3", "工地打桩机半夜还在响", "report_pollution"),
]


@pytest.fixture
def unclear(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    with isolated_store(tmp_path, monkeypatch) as store:
        with unit_of_work() as session:
            for message_id, words, guess in MESSAGES:
                ranking = [{"name": guess, "confidence": 0.4}, {"name": "help", "confidence": 0.3}]
                keep_unclear(session, message_id, words, ranking, keep_days=90)
            note_choice(session, "m3", "report_city_issue")
        yield store


def run(*arguments: str) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["nlu", "review", *arguments])
    assert ended.value.code == 0


def clusters(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    capsys.readouterr()
    run("--json")
    found: list[dict[str, Any]] = json.loads(capsys.readouterr().out)
    return found


def test_what_says_the_same_stands_together(
    unclear: CityStore, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second = clusters(capsys)
    assert set(first["words"]) == {"办那个本本要几多银子", "办那个本本要多少银子"}
    assert first["suggestions"][0] == ["ask_fee", 0.4]
    assert second["suggestions"][0] == ["report_city_issue", 2.0]


def test_a_person_decides_and_exports(
    unclear: CityStore, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    first, second = clusters(capsys)
    run("decide", *map(str, first["ids"]), "--intent", "ask_fee")
    run("decide", *map(str, second["ids"]), "--intent", "none")
    assert clusters(capsys) == []
    target = tmp_path / "reviewed.yml"
    run("export", str(target))
    (block,) = yaml.safe_load(target.read_text("utf-8"))["nlu"]
    assert block["intent"] == "ask_fee"
    assert block["examples"].splitlines() == [f"- {words}" for words in first["words"]]


@pytest.mark.parametrize(
    "arguments",
    [("decide", "1", "--intent", "no_such_intent"), ("decide", "99", "--intent", "help")],
)
def test_a_wrong_decision_changes_nothing(
    unclear: CityStore, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["nlu", "review", *arguments])
    assert ended.value.code == 2
    capsys.readouterr()
    assert sum(len(c["ids"]) for c in clusters(capsys)) == 3


def test_an_existing_file_is_not_overwritten(unclear: CityStore, tmp_path: Path) -> None:
    target = tmp_path / "precious.yml"
    target.write_text("keep")
    with pytest.raises(SystemExit):
        main(["nlu", "review", "export", str(target)])
    assert target.read_text() == "keep"

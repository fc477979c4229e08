"""The language data keeps to its own rules (docs/nlu-annotation.md)."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from cli.nlu_review import known_intents

ROOT = Path(__file__).resolve().parents[2]
NLU = ROOT / "nlu_data"
TRAINING = sorted((NLU / "intents").glob("*.yml"))
HELDOUT = sorted((NLU / "heldout" / "intents").rglob("*.yml"))
STYLES = {"plain", "colloquial", "elderly", "asr", "asr_noise", "typo", "traditional"}
ENTITIES = {
    "service_item", "location", "pollution_type", "ticket_id", "time", "industry", "age",
    "amount", "headcount", "person_group", "phone",
}  # fmt: skip
FEWEST, MOST = 60, 2500
INTENTS = known_intents()
_SPAN = re.compile(r"\[([^\]]*)\]\(([^)]*)\)")
_EDGE = re.compile(r"^[\s，。！？、,.!?的]|[\s，。！？、,.!?]$")


def examples(path: Path) -> Iterator[tuple[str, str]]:
    for block in yaml.safe_load(path.read_text("utf-8"))["nlu"]:
        for line in block["examples"].splitlines():
            yield block["intent"], line.strip().removeprefix("- ")


def name(path: Path) -> str:
    return f"{path.parent.name}/{path.stem}"


@pytest.mark.parametrize("path", [*TRAINING, *HELDOUT], ids=name)
def test_annotations_are_well_formed(path: Path) -> None:
    assert path.read_text("utf-8").startswith("# ")
    for intent, line in examples(path):
        for wish in intent.split("+"):
            assert wish in INTENTS, intent
        for words, entity in _SPAN.findall(line):
            assert entity in ENTITIES, line
            assert words, line
            assert not _EDGE.search(words), line
        assert not re.search(r"[\[\]]", _SPAN.sub("", line)), line


def test_every_intent_has_a_file_with_enough_utterances() -> None:
    for path in TRAINING:
        found = list(examples(path))
        assert {intent for intent, _ in found} == {path.stem}
        assert FEWEST <= len(found) <= MOST, path.stem
        assert len(set(found)) == len(found), path.stem


def test_every_style_covers_all_intents_in_both_halves() -> None:
    trained = {path.stem for path in TRAINING}
    for half in ("dev", "test"):
        folder = NLU / "heldout" / "intents" / half
        assert {path.stem for path in folder.glob("*.yml")} == STYLES | {"out_of_scope", "double"}
        for style in STYLES:
            said = {intent for intent, _ in examples(folder / f"{style}.yml")}
            assert said == trained - {"out_of_scope"}, (half, style)


def test_there_is_enough_to_measure_on() -> None:
    written = Counter(
        path.parent.name for path in HELDOUT for _ in examples(path) if path.stem != "asr_noise"
    )
    assert sum(written.values()) >= 2000
    assert written["test"] > written["dev"]

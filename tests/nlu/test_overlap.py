"""No held-out utterance is known to anything that learns or searches by example."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from rapidfuzz import fuzz, process

from dispatch.classification.categories import load_categories
from dispatch.classification.classifier import load_examples

ROOT = Path(__file__).resolve().parents[2]
NLU = ROOT / "nlu_data"
HELDOUT = sorted((NLU / "heldout").rglob("*.yml"))
NEAR_RATIO = 95
NEAR_LENGTH = 8
_ANNOTATION = re.compile(r"\[([^\]]*)\](?:\([^)]*\)|\{[^}]*\})")

NAMES = {
    "高龄津贴": "the official title of the policy",
}
"""What a citizen may say that is nothing but a name the item must carry, and why."""
NAME_FIELDS = {"aliases", "name", "title"}


def normalised(text: str) -> str:
    bare = _ANNOTATION.sub(r"\1", text)
    return "".join(char for char in bare.casefold() if char.isalnum())


def rasa_examples(path: Path) -> Iterator[str]:
    for block in yaml.safe_load(path.read_text("utf-8"))["nlu"]:
        if "intent" in block:
            for line in block["examples"].splitlines():
                if line.strip():
                    yield line.strip().removeprefix("- ")


def heldout_examples(path: Path) -> Iterator[str]:
    document = yaml.safe_load(path.read_text("utf-8"))
    if "nlu" in document:
        yield from rasa_examples(path)
    else:
        yield from (example["text"] for example in document["examples"])


def known_examples() -> dict[str, list[str]]:
    """Normalised utterance -> where the product knows it from."""
    known: dict[str, list[str]] = {}

    def add(text: str, where: str) -> None:
        known.setdefault(normalised(text), []).append(where)

    for path in sorted((NLU / "intents").glob("*.yml")):
        for text in rasa_examples(path):
            add(text, f"nlu_data/{path.name}")
    room = ROOT / "dispatch"
    categories = load_categories(room / "categories.yml")
    for example in load_examples(
        room / "category_examples.yml", room / "category_words.yml", categories
    ):
        add(example.text, f"dispatch/category_examples.yml {example.label}")
    for path in sorted((ROOT / "policies" / "services").glob("*.yml")):
        service = yaml.safe_load(path.read_text("utf-8"))
        for field in ("questions", "aliases"):
            for text in service[field]:
                add(text, f"services/{path.name} {field}")
        add(service["name"], f"services/{path.name} name")
    for audience in ("enterprise", "resident"):
        for path in sorted((ROOT / "policies" / audience).glob("*.yml")):
            policy = yaml.safe_load(path.read_text("utf-8"))
            for text in policy["queries"]:
                add(text, f"{audience}/{path.name} queries")
            add(policy["title"], f"{audience}/{path.name} title")
    return known


@pytest.fixture(scope="module")
def known() -> dict[str, list[str]]:
    return known_examples()


def is_name(text: str, places: list[str]) -> bool:
    return text in NAMES and all(where.split()[-1] in NAME_FIELDS for where in places)


def test_the_readers_find_what_they_should(known: dict[str, list[str]]) -> None:
    assert len(known) > 13_000
    sources = {where.split("/")[0] for places in known.values() for where in places}
    assert sources == {"nlu_data", "dispatch", "services", "enterprise", "resident"}
    assert len(HELDOUT) == 21
    assert normalised("[春风里](location)，OK！") == "春风里ok"


@pytest.mark.parametrize("path", HELDOUT, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_no_heldout_utterance_is_known(path: Path, known: dict[str, list[str]]) -> None:
    utterances = list(heldout_examples(path))
    assert len(utterances) >= 50
    overlaps = [
        f"{text!r} in {known[normalised(text)]}"
        for text in utterances
        if normalised(text) in known and not is_name(normalised(text), known[normalised(text)])
    ]
    assert not overlaps, "\n".join(overlaps)


@pytest.mark.parametrize("path", HELDOUT, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_no_heldout_utterance_is_nearly_known(path: Path, known: dict[str, list[str]]) -> None:
    texts = [normalised(text) for text in heldout_examples(path)]
    long = [text for text in texts if len(text) >= NEAR_LENGTH]
    choices = list(known)
    scores = process.cdist(long, choices, scorer=fuzz.ratio, score_cutoff=NEAR_RATIO)
    near = [
        f"{long[row]!r} ~ {choices[column]!r} in {known[choices[column]]}"
        for row, column in zip(*scores.nonzero(), strict=True)
        if not is_name(choices[column], known[choices[column]])
    ]
    assert not near, "\n".join(near)


def test_the_two_halves_of_the_intent_set_share_nothing() -> None:
    dev, test = (
        {
            normalised(text)
            for path in (NLU / "heldout" / "intents" / half).glob("*.yml")
            for text in heldout_examples(path)
        }
        for half in ("dev", "test")
    )
    assert len(dev) > 1000
    assert len(test) > 2000
    assert not dev & test


def test_every_allowed_name_is_still_needed(known: dict[str, list[str]]) -> None:
    said = {normalised(text) for path in HELDOUT for text in heldout_examples(path)}
    assert set(NAMES) <= said & set(known)

"""Telling several problems apart, and leaving one alone."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from base.settings import Settings
from dispatch.classification.classifier import CategoryClassifier
from dispatch.reporting.problems import MOST_PROBLEMS, separate

SENTENCES = yaml.safe_load((Path(__file__).parent / "data" / "problems.yml").read_text("utf-8"))


@pytest.fixture(scope="module")
def classifier() -> CategoryClassifier:
    return CategoryClassifier.load(Settings())


@pytest.mark.parametrize("half", ["seen", "held_out"])
def test_one_problem_is_never_taken_apart(half: str, classifier: CategoryClassifier) -> None:
    single = [text for count, text in SENTENCES[half] if count == 1]
    assert len(single) >= 12
    assert [text for text in single if separate(text, classifier)] == []


@pytest.mark.parametrize(("half", "least"), [("seen", 0.9), ("held_out", 0.7)])
def test_most_of_several_problems_are_told_apart(
    half: str, least: float, classifier: CategoryClassifier
) -> None:
    several = [(count, text) for count, text in SENTENCES[half] if count > 1]
    assert len(several) >= 10
    right = [text for count, text in several if len(separate(text, classifier)) == count]
    assert len(right) >= least * len(several), [t for _, t in several if t not in right]


def test_every_part_is_words_of_the_message(classifier: CategoryClassifier) -> None:
    for _, text in SENTENCES["seen"]:
        for part in separate(text, classifier):
            assert part in text
            assert not part.startswith(("还有", "另外", "二是"))


def test_a_long_list_stays_whole(classifier: CategoryClassifier) -> None:
    text = "楼下饭馆油烟大，还有工地半夜打桩，还有路灯坏了，还有河又黑又臭，还有楼上放音响"
    assert len(text.split("，")) > MOST_PROBLEMS
    assert separate(text, classifier) == ()

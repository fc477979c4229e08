"""How well the import does on the annotated texts, and that the measure itself can tell."""

from __future__ import annotations

import pytest

from benchmarks.policy_import.corpus import load
from benchmarks.policy_import.measure import conjuncts, matched, measure
from matcher.predicate import parse_predicate


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("headcount >= 10", "NOT (headcount < 10)", True),
        ("headcount >= 10", "headcount > 10", False),
        ("scale IN ('micro', 'small')", "scale = 'small' OR scale = 'micro'", True),
        ("is_high_tech", "NOT is_high_tech", False),
        ("revenue_wan > 5000", "revenue_wan > 500", False),
        ("is_high_tech AND headcount > 5", "headcount > 5", False),
    ],
)
def test_predicates_are_compared_by_meaning(one: str, other: str, same: bool) -> None:
    assert matched([one], [other], "enterprise")[0] == int(same)


def test_conditions_are_compared_part_by_part() -> None:
    parts = conjuncts("is_high_tech AND (headcount > 5 AND (scale = 'micro' OR srdi_sme))")
    assert parts == ["is_high_tech", "headcount > 5", "scale = 'micro' OR srdi_sme"]


def test_the_annotations_are_whole() -> None:
    samples = load()
    assert len(samples) >= 44
    assert sum(sample.held_out for sample in samples) >= 32
    for sample in samples:
        for condition in sample.conditions:
            if condition["when"] is None:
                assert condition["text"]
            else:
                parse_predicate(condition["when"], sample.gold["audience"])


def test_conditions_of_texts_held_out_are_found() -> None:
    ours, plain = measure([sample for sample in load() if sample.held_out], show_errors=False)
    precision, recall, _ = ours.conditions.row()
    assert precision > 0.7
    assert recall > 0.7
    assert ours.conditions.row()[2] > plain.conditions.row()[2] + 0.2

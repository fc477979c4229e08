"""The verdicts of readers who saw the documents' words and never the rules."""

from __future__ import annotations

import pytest

from base.settings import ROOT
from benchmarks.policies.queries import queries
from benchmarks.policies.verdicts import differences, triples
from matcher.lexical import bare, normalise
from matcher.policy import load_policies
from matcher.profile import KINDS, Kind

TRIPLES = {"enterprise": 338, "resident": 370}


@pytest.mark.parametrize("kind", KINDS)
def test_verdicts_are_those_of_an_independent_reader(kind: Kind) -> None:
    assert [(row["policy"], row["profile"]) for row, _ in differences(kind)] == []
    assert len(triples(kind)) == TRIPLES[kind]


@pytest.mark.parametrize("kind", KINDS)
def test_every_graded_policy_exists(kind: Kind) -> None:
    known = {policy.id for policy in load_policies(ROOT / "policies") if policy.audience == kind}
    rows = queries(kind)
    assert len(rows) >= 200
    assert all(set(row["relevant"]) <= known for row in rows)
    assert all(set(row["relevant"].values()) <= {1, 2} for row in rows)


@pytest.mark.parametrize("kind", KINDS)
def test_no_graded_question_is_among_the_passages_that_are_searched(kind: Kind) -> None:
    policies = load_policies(ROOT / "policies")
    passages = {_bare(text) for policy in policies for text in (policy.title, *policy.queries)}
    assert not passages & {_bare(row["text"]) for row in queries(kind)}


def _bare(text: str) -> str:
    return bare(normalise(text))

"""Policies found by citizens' words: nDCG@5, beside meaning alone, BM25, both fused, and LIKE.

    python -m benchmarks.policies.queries [--errors]

``golden/*_queries.yml`` grades for each question the policies it is after (2) or that are worth
showing as well (1); it was written without sight of the passages that are searched. Gains are
2**grade - 1 (Järvelin and Kekäläinen, 2002). Every finder searches the policies of the asker's
kind; all read the same passages.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import bm25s
import jieba
import numpy as np
import yaml

from base.encoder import get_encoder
from base.settings import get_settings
from matcher.index import SemanticIndex
from matcher.lexical import normalise
from matcher.policy import load_policies
from matcher.policy_finder import PolicyFinder
from matcher.profile import KINDS, Kind

GOLDEN = Path(__file__).with_name("golden")
DEPTH = 5
FUSION = 60
"""The constant of reciprocal rank fusion, as its authors set it."""

Rank = Callable[[str, Kind], Sequence[str]]


def queries(kind: Kind) -> list[dict[str, Any]]:
    """Return the questions of one kind: ``text`` and ``relevant`` (policy id to grade)."""
    rows: list[dict[str, Any]] = yaml.safe_load(
        (GOLDEN / f"{kind}_queries.yml").read_text(encoding="utf-8")
    )
    return rows


def ndcg(ranked: Sequence[str], relevant: dict[str, int]) -> float:
    """Return the normalised discounted cumulative gain of the first five."""

    def gain(grades: Sequence[int]) -> float:
        return sum((2**grade - 1) / np.log2(place + 2) for place, grade in enumerate(grades))

    best = sorted(relevant.values(), reverse=True)[:DEPTH]
    return float(gain([relevant.get(name, 0) for name in ranked[:DEPTH]]) / gain(best))


class Finders:
    """The finder and what it is held against, over the same passages."""

    def __init__(self) -> None:
        settings = get_settings()
        encoder = get_encoder(settings.embedding_model)
        policies = load_policies(settings.policies_dir)
        self._audience = {policy.id: policy.audience for policy in policies}
        self._finder = PolicyFinder(policies, encoder, settings.model_dir)
        index = self._finder.index
        self._passages = index.passages
        self._meaning = SemanticIndex(encoder, index.passages, index.vectors)
        self._bm25 = bm25s.BM25()
        self._bm25.index([jieba.lcut(p.text) for p in self._passages], show_progress=False)

    def shimin(self, text: str, kind: Kind) -> list[str]:
        """The product's finder."""
        logits = self._finder.index.logits(text, self._finder.calibration)
        order = np.argsort(-logits, kind="stable")
        return self._of(kind, [self._finder.index.documents[n] for n in order])

    def meaning(self, text: str, kind: Kind) -> list[str]:
        """The best passage by E5's cosine."""
        return self._of(kind, self._best(self._meaning.cosines(normalise(text))))

    def bm25(self, text: str, kind: Kind) -> list[str]:
        """The best passage by BM25 over jieba's words."""
        return self._of(kind, self._best(self._bm25.get_scores(jieba.lcut(normalise(text)))))

    def fused(self, text: str, kind: Kind) -> list[str]:
        """E5 and BM25 by reciprocal rank fusion (Cormack, Clarke and Büttcher, 2009)."""
        scores: dict[str, float] = {}
        for ranked in (self.meaning(text, kind), self.bm25(text, kind)):
            for place, name in enumerate(ranked, start=1):
                scores[name] = scores.get(name, 0.0) + 1 / (FUSION + place)
        return sorted(scores, key=lambda name: -scores[name])

    def like(self, text: str, kind: Kind) -> list[str]:
        """How many of the question's words a policy has: ``LIKE '%word%'`` for each."""
        words = [word for word in jieba.lcut(normalise(text)) if len(word) > 1]
        counts = [sum(word in passage.text for word in words) for passage in self._passages]
        return self._of(kind, self._best(np.asarray(counts, dtype=float)))

    def _best(self, scores: Any) -> list[str]:
        best: dict[str, float] = {}
        for passage, score in zip(self._passages, scores, strict=True):
            best[passage.document] = max(best.get(passage.document, -np.inf), float(score))
        return sorted(best, key=lambda name: -best[name])

    def _of(self, kind: Kind, names: Sequence[str]) -> list[str]:
        return [name for name in names if self._audience[name] == kind]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--errors", action="store_true", help="questions answered badly")
    given = parser.parse_args()
    finders = Finders()
    asked = {kind: queries(kind) for kind in KINDS}
    print(f"{sum(map(len, asked.values()))} questions")
    print("| finder | enterprises | residents | all | ms a question |")
    print("|---|---|---|---|---|")
    ways: dict[str, Rank] = {
        "shimin": finders.shimin,
        "meaning alone (E5)": finders.meaning,
        "BM25 (bm25s, jieba)": finders.bm25,
        "RRF of E5 and BM25": finders.fused,
        "LIKE": finders.like,
    }
    for name, rank in ways.items():
        begun = time.perf_counter()
        found = {
            kind: [(row, rank(row["text"], kind)) for row in rows] for kind, rows in asked.items()
        }
        spent = (time.perf_counter() - begun) / sum(map(len, asked.values())) * 1000
        scores = {
            kind: [ndcg(ranked, row["relevant"]) for row, ranked in rows]
            for kind, rows in found.items()
        }
        every = [score for values in scores.values() for score in values]
        means = " | ".join(f"{np.mean(scores[kind]):.3f}" for kind in KINDS)
        print(f"| {name} | {means} | {np.mean(every):.3f} | {spent:.1f} |")
        if given.errors and name == "shimin":
            for kind in KINDS:
                for row, ranked in found[kind]:
                    if ndcg(ranked, row["relevant"]) < 0.5:
                        print(f"  {row['text']} | {row['relevant']} | {ranked[:DEPTH]}")


if __name__ == "__main__":
    main()

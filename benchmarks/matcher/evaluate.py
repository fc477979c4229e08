"""Measures the service finder on questions it has never seen, beside three simpler finders.

    python -m benchmarks.matcher.evaluate [--json] [--domains] [--errors]

The questions are ``nlu_data/heldout/services.yml``: ``{text, service, also}``, where a null
service is a question that means no matter of the city's list and ``also`` are as good answers. To
say who else handles a matter is to find none. All finders read the same passages. The baselines
answer when their score is above a threshold that refuses nine in ten of the questions without a
matter in ``dev_questions.yml``.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import bm25s
import jieba
import numpy as np
import yaml
from rapidfuzz import fuzz, process

from base.encoder import get_encoder
from base.settings import ROOT, get_settings
from matcher.elsewhere import Elsewhere, load_elsewhere
from matcher.finder import Matter, ServiceFinder
from matcher.index import Passage
from matcher.lexical import Floats, normalise
from matcher.package import load_packages
from matcher.service import ServiceItem, load_services

HELDOUT = ROOT / "nlu_data" / "heldout" / "services.yml"
DEV = Path(__file__).with_name("dev_questions.yml")
DEPTH = 3

Score = Callable[[str], Floats]
"""The score of every passage for a text."""


@dataclass(frozen=True)
class Question:
    """A question and the matters that are right answers; none when none is meant."""

    text: str
    right: frozenset[str]


@dataclass(frozen=True)
class Answer:
    """What a finder answered: its verdict, what it offers, and its ranking."""

    kind: str
    offered: tuple[str, ...]
    ranked: tuple[str, ...]


@dataclass(frozen=True)
class Row:
    """What a finder does on the questions; shares from 0 to 1, milliseconds a question.

    ``wrong_sure`` is the share of all questions that get a sure answer which is wrong.
    """

    finder: str
    questions: int
    top1: float
    top3: float
    sure_right: float
    wrong_sure: float
    offered: float
    null_sure: float
    milliseconds: float


def questions(path: Path) -> list[Question]:
    """Read a file of questions."""
    rows = yaml.safe_load(path.read_text(encoding="utf-8"))["examples"]
    return [
        Question(row["text"], frozenset(filter(None, [row["service"], *row.get("also", [])])))
        for row in rows
    ]


def matters() -> tuple[Matter, ...]:
    """Return the city's items and packages, and what others handle."""
    root = get_settings().policies_dir
    items = load_services(root / "services")
    packages = load_packages(root / "packages", items)
    return (*items, *packages, *load_elsewhere(root / "elsewhere.yml"))


def measure(name: str, asked: Sequence[Question], answers: Sequence[Answer], spent: float) -> Row:
    """Return the row of one finder."""
    pairs = list(zip(asked, answers, strict=True))
    meant = [(q.right, a) for q, a in pairs if q.right]
    nothing = [a for q, a in pairs if not q.right]
    return Row(
        finder=name,
        questions=len(pairs),
        top1=_share(a.ranked[0] in right for right, a in meant),
        top3=_share(bool(right & set(a.ranked[:DEPTH])) for right, a in meant),
        sure_right=_share(a.kind == "certain" and a.offered[0] in r for r, a in meant),
        wrong_sure=_share(a.kind == "certain" and a.offered[0] not in q.right for q, a in pairs),
        offered=_share(bool(right & set(a.offered)) for right, a in meant),
        null_sure=_share(a.kind == "certain" for a in nothing),
        milliseconds=spent / len(pairs) * 1000,
    )


def _share(outcomes: Iterable[bool]) -> float:
    every = list(outcomes)
    return sum(every) / max(1, len(every))


def product(finder: ServiceFinder) -> Callable[[str], Answer]:
    """Return the product's way of answering."""

    def answer(text: str) -> Answer:
        finding = finder.find(text)
        logits = finder.index.logits(text, finder.calibration)
        ranked = [finder.index.documents[row] for row in np.argsort(-logits, kind="stable")]
        offered = tuple(c.item.id for c in finding.candidates if not isinstance(c.item, Elsewhere))
        return Answer(finding.kind if offered else "unknown", offered, tuple(ranked[:DEPTH]))

    return answer


def baseline(
    score: Score, passages: Sequence[Passage], none: Sequence[str]
) -> Callable[[str], Answer]:
    """Return a finder by the best passage, sure above what nine in ten of ``none`` reach."""
    limit = float(np.quantile([score(text).max() for text in none], 0.9, method="higher"))

    def answer(text: str) -> Answer:
        best: dict[str, float] = {}
        for passage, value in zip(passages, score(text), strict=True):
            best[passage.document] = max(best.get(passage.document, -np.inf), float(value))
        ranked = tuple(sorted(best, key=lambda name: -best[name])[:DEPTH])
        sure = best[ranked[0]] > limit
        return Answer("certain" if sure else "unknown", ranked[:1] if sure else (), ranked)

    return answer


def finders() -> dict[str, Callable[[str], Answer]]:
    """Return every finder by its name; the product's comes first."""
    settings = get_settings()
    encoder = get_encoder(settings.embedding_model)
    finder = ServiceFinder(matters(), encoder, settings.model_dir)
    passages, vectors = finder.index.passages, finder.index.vectors
    texts = [passage.text for passage in passages]
    words = bm25s.BM25()
    words.index([jieba.lcut(passage.text) for passage in passages], show_progress=False)
    none = [question.text for question in questions(DEV) if not question.right]

    def meaning(text: str) -> Floats:
        cosines: Floats = vectors @ encoder.queries([normalise(text)])[0]
        return cosines

    def bm25(text: str) -> Floats:
        scores: Floats = words.get_scores(jieba.lcut(normalise(text)))
        return scores

    def fuzzy(text: str) -> Floats:
        found: Floats = process.cdist([normalise(text)], texts, scorer=fuzz.WRatio)[0]
        return found

    others: dict[str, Score] = {"e5 alone": meaning, "BM25 (jieba)": bm25, "rapidfuzz": fuzzy}
    return {
        "shimin": product(finder),
        **{name: baseline(score, passages, none) for name, score in others.items()},
    }


def by_domain(asked: Sequence[Question], answers: Sequence[Answer]) -> list[Row]:
    """Return the product's row for each domain of the catalogue."""
    domain = {m.id: m.domain if isinstance(m, ServiceItem) else "一件事" for m in matters()}
    groups: dict[str, list[tuple[Question, Answer]]] = {}
    for question, answer in zip(asked, answers, strict=True):
        names = sorted(domain[name] for name in question.right) or ["no matter"]
        groups.setdefault(names[0], []).append((question, answer))
    return [
        measure(name, [q for q, _ in pairs], [a for _, a in pairs], 0.0)
        for name, pairs in sorted(groups.items())
    ]


def show(rows: Iterable[Row]) -> None:
    """Print a table."""
    print("| finder | questions | top-1 | top-3 | sure and right | sure and wrong | ms |")
    print("|---|---|---|---|---|---|---|")
    for row in rows:
        print(
            f"| {row.finder} | {row.questions} | {row.top1:.3f} | {row.top3:.3f} | "
            f"{row.sure_right:.3f} | {row.wrong_sure:.3f} | {row.milliseconds:.1f} |"
        )


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--domains", action="store_true", help="the product by domain")
    parser.add_argument("--errors", action="store_true", help="list what the product got wrong")
    parser.add_argument("--dev", action="store_true", help="on the questions it is calibrated on")
    given = parser.parse_args()
    asked = questions(DEV if given.dev else HELDOUT)
    rows, answered = [], {}
    for name, answer in finders().items():
        begun = time.perf_counter()
        answered[name] = [answer(question.text) for question in asked]
        rows.append(measure(name, asked, answered[name], time.perf_counter() - begun))
    if given.json:
        print(json.dumps([asdict(row) for row in rows], ensure_ascii=False, indent=2))
        return
    show(rows)
    if given.domains:
        show(by_domain(asked, answered["shimin"]))
    if given.errors:
        for question, found in zip(asked, answered["shimin"], strict=True):
            sure_wrong = found.kind == "certain" and found.offered[0] not in question.right
            if sure_wrong or (question.right and found.ranked[0] not in question.right):
                meant = "/".join(sorted(question.right)) or "-"
                print(f"{question.text} | {meant} | {found.kind} | {', '.join(found.ranked)}")


if __name__ == "__main__":
    main()

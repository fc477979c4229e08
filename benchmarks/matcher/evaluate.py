"""Measures the service finder on texts it has never seen, beside two simpler finders.

    python -m benchmarks.matcher.evaluate [--json] [--errors]

The texts are ``nlu_data/heldout/services.yml``: ``{text, service}``, where a null service is
a text that means none. The baselines answer when their score is above a threshold that
refuses nine in ten of ``negatives.yml``.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import yaml
from rapidfuzz import fuzz

from base.encoder import get_encoder
from base.settings import ROOT, get_settings
from matcher.finder import ServiceFinder
from matcher.index import SemanticIndex
from matcher.lexical import normalise
from matcher.service import load_services

HELDOUT = ROOT / "nlu_data" / "heldout" / "services.yml"
NEGATIVES = Path(__file__).with_name("negatives.yml")

Score = Callable[[str], tuple[str, float]]


@dataclass(frozen=True)
class Row:
    """What a finder does on the texts; shares from 0 to 1, milliseconds a text."""

    finder: str
    top1: float
    certain_precision: float
    certain_recall: float
    offered: float
    null_rejection: float
    null_certain: float
    milliseconds: float


@dataclass(frozen=True)
class Answer:
    """What a finder answered: its verdict, what it offers, and its best guess."""

    kind: str
    offered: tuple[str, ...]
    best: str


def measure(
    name: str, answer: Callable[[str], Answer], examples: Sequence[tuple[str, str | None]]
) -> tuple[Row, list[str]]:
    """Return the row of one finder and a line for every text it got wrong."""
    started = time.perf_counter()
    answers = [(text, meant, answer(text)) for text, meant in examples]
    spent = (time.perf_counter() - started) / len(examples) * 1000
    positives = [(meant, got) for _, meant, got in answers if meant is not None]
    nothing = [got for _, meant, got in answers if meant is None]
    sure = [(meant, got) for _, meant, got in answers if got.kind == "certain"]
    right = sum(meant == got.offered[0] for meant, got in sure)
    row = Row(
        finder=name,
        top1=_share(meant == got.best for meant, got in positives),
        certain_precision=right / max(1, len(sure)),
        certain_recall=right / max(1, len(positives)),
        offered=_share(meant in got.offered for meant, got in positives),
        null_rejection=_share(got.kind == "unknown" for got in nothing),
        null_certain=_share(got.kind == "certain" for got in nothing),
        milliseconds=spent,
    )
    errors = [
        f"{text} | meant {meant} | {got.kind} {', '.join(got.offered)}"
        for text, meant, got in answers
        if (meant not in got.offered if meant else got.kind != "unknown")
    ]
    return row, errors


def _share(outcomes: Iterable[bool]) -> float:
    every = list(outcomes)
    return sum(every) / max(1, len(every))


def threshold(score: Score, negatives: Sequence[str]) -> float:
    """Return the score that nine in ten of ``negatives`` do not exceed."""
    return float(np.quantile([score(text)[1] for text in negatives], 0.9, method="higher"))


def baseline(score: Score, limit: float) -> Callable[[str], Answer]:
    """Return a finder that answers with its best guess when the score is above ``limit``."""

    def answer(text: str) -> Answer:
        best, value = score(text)
        return Answer("certain", (best,), best) if value > limit else Answer("unknown", (), best)

    return answer


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--errors", action="store_true", help="list the finder's errors")
    arguments = parser.parse_args()
    settings = get_settings()
    encoder = get_encoder(settings.embedding_model)
    items = load_services(settings.policies_dir / "services")
    finder = ServiceFinder(items, encoder, settings.model_dir)
    content = yaml.safe_load(HELDOUT.read_text(encoding="utf-8"))["examples"]
    examples = [(line["text"], line["service"]) for line in content]
    groups = yaml.safe_load(NEGATIVES.read_text(encoding="utf-8"))
    negatives = [line for name, lines in groups.items() if name != "broad_policy" for line in lines]
    passages = finder.index.passages
    meaning = SemanticIndex(encoder, passages, finder.index.vectors)

    def fuzzy(text: str) -> tuple[str, float]:
        query = normalise(text)
        value, document = max(
            (fuzz.WRatio(query, passage.text), passage.document) for passage in passages
        )
        return document, value

    def nearest(text: str) -> tuple[str, float]:
        (hit,) = meaning.search(normalise(text), limit=1)
        return hit.document, hit.score

    def hybrid(text: str) -> Answer:
        finding = finder.find(text)
        logits = finder.index.logits(text, finder.calibration)
        best = finder.index.documents[int(np.argmax(logits))]
        return Answer(finding.kind, tuple(c.item.id for c in finding.candidates), best)

    rows = [measure("hybrid", hybrid, examples)]
    for name, score in (("rapidfuzz only", fuzzy), ("e5 only", nearest)):
        limit = threshold(score, negatives)
        rows.append(measure(name, baseline(score, limit), examples))
    if arguments.json:
        print(json.dumps([asdict(row) for row, _ in rows], ensure_ascii=False, indent=2))
        return
    print(f"{len(examples)} texts, {sum(meant is None for _, meant in examples)} mean no item")
    print("finder           top1  precision  recall  offered  null-unknown  null-certain      ms")
    for row, _ in rows:
        print(
            f"{row.finder:<15}{row.top1:6.3f} {row.certain_precision:10.3f} "
            f"{row.certain_recall:7.3f} {row.offered:8.3f} {row.null_rejection:13.3f} "
            f"{row.null_certain:13.3f} {row.milliseconds:7.1f}"
        )
    if arguments.errors:
        print("\n".join(rows[0][1]))


if __name__ == "__main__":
    main()

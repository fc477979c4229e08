"""How well complaint categories are proposed, beside two simpler ways of doing it.

Usage: ``python benchmarks/categories/evaluate.py [HELDOUT.yml]``

Prints the cross-validated figures of the shipped model, then, on sentences it was never
trained or tuned on (``nlu_data/heldout/categories.yml``), macro-F1 and accuracy of

* ``tf-idf``: character 1- to 3-grams and logistic regression,
* ``e5 kNN``: the 15 nearest training sentences by embedding, weighted by distance,
* ``shimin``: the shipped classifier,

all trained on the same data, and how often a confident proposal was right.
"""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path

import numpy as np
import yaml
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import classification_report, f1_score
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline

from base.encoder import get_encoder
from base.settings import ROOT, get_settings
from dispatch.classification.categories import load_categories
from dispatch.classification.classifier import NONE, CategoryClassifier, Proposal, load_examples

HELDOUT = ROOT / "nlu_data" / "heldout" / "categories.yml"


def main(path: Path) -> None:
    """Print the tables."""
    settings = get_settings()
    classifier = CategoryClassifier.load(settings)
    print("cross-validation (5 folds, written sentences only)")
    for name, value in classifier.model.validation.items():
        print(f"  {name:<20} {value:.3f}")

    directory = settings.categories_file.parent
    examples = load_examples(
        directory / "category_examples.yml",
        directory / "category_words.yml",
        load_categories(settings.categories_file),
    )
    known = [example.text for example in examples]
    labels = [example.label for example in examples]
    rows = yaml.safe_load(path.read_text(encoding="utf-8"))["examples"]
    fresh = [row for row in rows if row["text"] not in set(known)]
    texts = [row["text"] for row in fresh]
    truth = [row["category"] or NONE for row in fresh]
    print(
        f"\nheld out: {len(fresh)} sentences ({len(rows) - len(fresh)} left out: also trained on)"
    )

    proposals = classifier.propose_all(texts)
    guesses = {
        "tf-idf": _tfidf(known, labels, texts),
        "e5 kNN": _neighbours(known, labels, texts),
        "shimin": [proposal.code or NONE for proposal in proposals],
    }
    print(f"{'':<10} macro-F1  accuracy")
    for name, guess in guesses.items():
        accuracy = float(np.mean([a == b for a, b in zip(guess, truth, strict=True)]))
        print(f"{name:<10} {f1_score(truth, guess, average='macro'):8.3f}  {accuracy:8.3f}")
    _print_confidence(proposals, truth)
    print(classification_report(truth, guesses["shimin"], zero_division=0))
    print(confusions(truth, guesses["shimin"]))


def confusions(truth: list[str], guess: list[str]) -> str:
    """Return a Markdown table of what was taken for something else, the commonest first."""
    pairs = Counter((t, g) for t, g in zip(truth, guess, strict=True) if t != g)
    rows = sorted(pairs.items(), key=lambda pair: (-pair[1], pair[0]))
    lines = [f"| `{t}` | `{g}` | {count} |" for (t, g), count in rows]
    return "\n".join(["| is | taken for | times |", "|---|---|---|", *lines])


def _tfidf(known: list[str], labels: list[str], texts: list[str]) -> list[str]:
    vectorizer = TfidfVectorizer(analyzer="char", ngram_range=(1, 3), sublinear_tf=True)
    model = make_pipeline(vectorizer, LogisticRegression(C=10, max_iter=200))
    return [str(label) for label in model.fit(known, labels).predict(texts)]


def _neighbours(known: list[str], labels: list[str], texts: list[str]) -> list[str]:
    encoder = get_encoder(get_settings().embedding_model)
    model = KNeighborsClassifier(15, weights="distance", metric="cosine")
    model.fit(encoder.queries(known), labels)
    return [str(label) for label in model.predict(encoder.queries(texts))]


def _print_confidence(proposals: list[Proposal], truth: list[str]) -> None:
    counts: Counter[tuple[bool, bool]] = Counter(
        (proposal.confident, proposal.code == label)
        for proposal, label in zip(proposals, truth, strict=True)
        if proposal.code is not None
    )
    for confident, name in ((True, "confident"), (False, "unsure")):
        total = counts[confident, True] + counts[confident, False]
        print(f"{name:<10} {total} proposals, {counts[confident, True]} right")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else HELDOUT)

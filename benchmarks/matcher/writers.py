"""How well what is learned from some writers' questions finds what others meant.

    python -m benchmarks.matcher.writers [--ridge R] [--heard H] [--meant M] [--together T]

The questions of items and packages stand in their files in the order in which hands that did not
know each other wrote them. The first two thirds of each file and all names are learned from, of the
last thirds 1,500 questions drawn with a fixed seed are asked. ``nlu_data/heldout`` is not read.
"""

from __future__ import annotations

import argparse

import numpy as np

import matcher.learned
from base.encoder import get_encoder
from base.settings import get_settings
from benchmarks.matcher.evaluate import matters
from matcher.finder import ServiceFinder
from matcher.hybrid import FEATURES
from matcher.lexical import normalise

ASKED = 1_500


def main() -> None:
    """Print the shares that come first, and among the first three."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("ridge", "heard", "meant", "together"):
        parser.add_argument(f"--{name}", type=float, default=getattr(matcher.learned, name.upper()))
    given = parser.parse_args()
    for name, value in vars(given).items():
        setattr(matcher.learned, name.upper(), value)
    settings = get_settings()
    finder = ServiceFinder(matters(), get_encoder(settings.embedding_model), settings.model_dir)
    index = finder.index
    last = {
        (item.id, normalise(text))
        for item in finder.items.values()
        for text in item.questions[-(len(item.questions) // 3) :]
        if len(item.questions) >= 3
    }
    later = np.array([(one.document, one.text) in last for one in index.passages])
    learned = index.learned_from(~later)
    if learned is None:
        raise SystemExit("too many passages to learn from")
    rows = np.random.default_rng(0).permutation(np.flatnonzero(later))[:ASKED]
    first = third = 0
    for row in rows:
        features = index.features(index.passages[row].text, learned=learned)
        ranked = np.argsort(-features[:, FEATURES.index("learned")])
        first += int(ranked[0] == index.targets[row])
        third += int(index.targets[row] in ranked[:3])
    print(f"{vars(given)}: top-1 {first / len(rows):.4f}, top-3 {third / len(rows):.4f}")


if __name__ == "__main__":
    main()

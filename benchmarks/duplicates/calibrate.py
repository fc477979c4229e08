"""Fits the judge of duplicates on ``scenes.yml``; ``--write`` commits the result.

    python -m benchmarks.duplicates.calibrate [--write]

Every number printed comes from cross-validation by scene: no pair is judged by weights its
scene helped to fit. The threshold is the lowest at which those judgements are right in
:data:`PRECISION` of the cases. ``heldout.yml`` is never read here.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import yaml
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from base.encoder import Encoder, get_encoder
from base.settings import get_settings
from benchmarks.duplicates.pairs import FOLDER, Pair, load_pairs
from dispatch.classification.categories import Categories, load_categories
from dispatch.classification.classifier import CategoryClassifier
from dispatch.similar.comparison import FEATURES, WEIGHTS_FILE, Comparison, Weights

Array = npt.NDArray[np.float64]

PRECISION = 0.96
FOLDS = 10
PENALTY = 1.0
VOCABULARY = [FEATURES.index(name) for name in FEATURES if name.endswith(("source", "trouble"))]
NEUTRAL = Weights(encoder="", intercept=0.0, threshold=0.5, weights=dict.fromkeys(FEATURES, 0.0))


class Remembering:
    """Encodes every text once, in one go."""

    def __init__(self, inner: Encoder, texts: Sequence[str]) -> None:
        unique = sorted(set(texts))
        self.name, self.dimension = inner.name, inner.dimension
        self._known = dict(zip(unique, inner.queries(unique), strict=True))

    def queries(self, texts: list[str]) -> npt.NDArray[np.float32]:
        """Return the vectors of known texts."""
        return np.stack([self._known[text] for text in texts])

    passages = queries


def make_comparison(categories: Categories, weights: Weights = NEUTRAL) -> Comparison:
    """Return the product's comparison with other weights."""
    classifier = CategoryClassifier.load(get_settings())
    return Comparison(classifier.model.features.mean, categories, weights)


def compared(pairs: Sequence[Pair], categories: Categories) -> list[Pair]:
    """Return the pairs that the product compares at all: near enough, of kinds confused."""
    return [
        pair
        for pair in pairs
        if pair.other.category in categories.confusable(pair.one.category)
        and pair.one.metres_to(pair.other)
        <= max(
            categories[pair.one.category].duplicate_metres,
            categories[pair.other.category].duplicate_metres,
        )
    ]


def features_of(pairs: Sequence[Pair], comparison: Comparison, encoder: Encoder) -> Array:
    """Return ``(len(pairs), len(FEATURES))``."""
    rows = np.vstack([comparison.plain(pair.one, [pair.other]) for pair in pairs])
    rows[:, FEATURES.index("meaning")] = [
        comparison.meaning(pair.one.text, [pair.other.text], encoder)[0] for pair in pairs
    ]
    return rows


def main(*, write: bool) -> None:
    """Fit, print, and write on wish."""
    categories = load_categories(get_settings().categories_file)
    radii = {category.code: category.duplicate_metres for category in categories}
    pairs = compared(load_pairs(FOLDER / "scenes.yml", radii), categories)
    comparison = make_comparison(categories)
    encoder = Remembering(
        get_encoder(get_settings().embedding_model),
        [text for pair in pairs for text in (pair.one.text, pair.other.text)],
    )
    rows = features_of(pairs, comparison, encoder)
    truth = np.array([pair.same for pair in pairs])
    vetoed = np.array([comparison.other_building(pair.one, pair.other) for pair in pairs])
    scores = np.where(vetoed, 0.0, _out_of_fold(rows, truth, [pair.scene for pair in pairs]))
    threshold = threshold_for(scores, truth, PRECISION)
    found = scores >= threshold
    print(f"{len(pairs)} pairs, {truth.sum()} of one problem")
    print(
        f"threshold {threshold:.3f}: precision {truth[found].mean():.3f}, "
        f"recall {found[truth].mean():.3f} (cross-validated)"
    )
    scale, judge = _fit(rows, truth)
    raw = judge.coef_[0] / scale.scale_
    intercept = float(judge.intercept_[0] - raw @ scale.mean_)
    weights = dict(zip(FEATURES, raw, strict=True))
    for name, weight in weights.items():
        print(f"  {name:<14} {weight:+.2f}")
    if write:
        document = {
            "encoder": encoder.name,
            "intercept": round(intercept, 4),
            "threshold": round(threshold, 3),
            "weights": {name: round(float(weight), 4) for name, weight in weights.items()},
        }
        head = "# Written by benchmarks/duplicates/calibrate.py; see docs/duplicates.md.\n"
        WEIGHTS_FILE.write_text(head + yaml.safe_dump(document, sort_keys=False), "utf-8")


def _out_of_fold(rows: Array, truth: npt.NDArray[np.bool_], scenes: list[int]) -> Array:
    scores = np.zeros(len(rows))
    for kept, held in GroupKFold(FOLDS).split(rows, truth, scenes):
        scores[held] = _fit(rows[kept], truth[kept]).predict_proba(rows[held])[:, 1]
    return scores


def _fit(rows: Array, truth: npt.NDArray[np.bool_]) -> Pipeline:
    """Fit on the pairs and on a copy of each that the vocabulary knows nothing of.

    Most of what citizens will name is in no list of ours; the copies teach the judge to rely
    on the meaning then.
    """
    unknown = rows.copy()
    unknown[:, VOCABULARY] = 0.0
    model = make_pipeline(StandardScaler(), LogisticRegression(C=PENALTY, max_iter=1000))
    return model.fit(np.vstack([rows, unknown]), np.concatenate([truth, truth]))


def threshold_for(scores: Array, truth: npt.NDArray[np.bool_], precision: float) -> float:
    """Return the lowest score from which on judgements are right in a share of ``precision``."""
    order = np.argsort(-scores)
    right = np.cumsum(truth[order]) / np.arange(1, len(order) + 1)
    return float(scores[order][np.flatnonzero(right >= precision)[-1]])


if __name__ == "__main__":
    main(write="--write" in sys.argv)

"""The statistics behind the category classifier: features, training, calibration, storage.

Sentence vectors carry the meaning, character n-grams the wording, and toneless-pinyin
n-grams survive misrecognised speech; one multinomial logistic regression weighs them.
Everything is stored as plain arrays, so loading a cached model never unpickles anything.
"""

from __future__ import annotations

import os
import re
import tempfile
import unicodedata
import zipfile
import zlib
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_matrix, hstack
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score
from sklearn.model_selection import StratifiedKFold

from base.encoder import Encoder
from dispatch.places.names import syllables

Floats = npt.NDArray[np.float32]

FOLDS = 5
SEED = 20261121
PRECISION = 0.95
"""Share of confident proposals that must have been right in cross-validation."""
VECTOR_WEIGHT = 1.5
REGULARISATION = 10.0
MIN_CONFIDENT = 20
"""A threshold passed by fewer validation sentences than this proves nothing."""

_NOISE = re.compile(r"[\W_]+")


@dataclass(frozen=True)
class Example:
    """A training sentence; composed ones help to train but are never validated on."""

    text: str
    label: str
    composed: bool = False


@dataclass(frozen=True)
class CategoryModel:
    """A trained model; ``labels[i]`` belongs to row ``i`` of ``weights``.

    ``validation`` holds the out-of-fold figures: ``macro_f1``, ``accuracy``,
    ``confident_precision`` and ``confident_share`` (of the sentences given a category).
    """

    labels: tuple[str, ...]
    features: Features
    weights: Floats
    intercept: Floats
    temperature: float
    threshold: float
    validation: dict[str, float]

    def probabilities(self, texts: list[str], encoder: Encoder) -> Floats:
        """Return calibrated probabilities, ``(len(texts), len(labels))``, rows sum to 1."""
        matrix = self.features.transform(texts, encoder.queries(texts))
        logits = matrix @ self._columns + self.intercept
        return _softmax(np.asarray(logits, dtype=np.float32) / self.temperature)

    @cached_property
    def _columns(self) -> npt.NDArray[np.float64]:
        """The weights as a product with sparse rows reads them: ``(features, labels)``.

        scipy would make this copy, of some megabytes, for every product, and the allocator keep
        it in every thread that ever asked.
        """
        return np.ascontiguousarray(self.weights.T, dtype=np.float64)

    def save(self, path: Path) -> None:
        """Write the model atomically as an ``.npz`` of plain arrays."""
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, suffix=".npz")
        try:
            with os.fdopen(handle, "wb") as stream:
                np.savez_compressed(
                    stream,
                    labels=np.array(self.labels),
                    terms=np.array(self.features.terms),
                    idf=self.features.idf,
                    mean=self.features.mean,
                    scale=np.float32(self.features.scale),
                    weights=self.weights,
                    intercept=self.intercept,
                    calibration=np.array([self.temperature, self.threshold]),
                    validation_names=np.array(list(self.validation)),
                    validation_values=np.array(list(self.validation.values())),
                )
            Path(temporary).chmod(0o644)  # the process that answers may run as another user
            Path(temporary).replace(path)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise

    @classmethod
    def read(cls, path: Path) -> CategoryModel | None:
        """Read a stored model; ``None`` when there is none or it is damaged."""
        try:
            with path.open("rb") as stream, np.load(stream, allow_pickle=False) as stored:
                features = Features(
                    terms=tuple(map(str, stored["terms"])),
                    idf=stored["idf"],
                    mean=stored["mean"],
                    scale=float(stored["scale"]),
                )
                temperature, threshold = map(float, stored["calibration"])
                names = map(str, stored["validation_names"])
                return cls(
                    labels=tuple(map(str, stored["labels"])),
                    features=features,
                    weights=stored["weights"],
                    intercept=stored["intercept"],
                    temperature=temperature,
                    threshold=threshold,
                    validation=dict(
                        zip(names, map(float, stored["validation_values"]), strict=True)
                    ),
                )
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error):
            return None


class Features:
    """Turns sentences into rows: centred sentence vector, then TF-IDF of n-grams."""

    def __init__(self, terms: tuple[str, ...], idf: Floats, mean: Floats, scale: float) -> None:
        self.terms = terms
        self.idf = idf
        self.mean = mean
        self.scale = scale
        self._counter: Any = TfidfVectorizer(
            analyzer=ngrams,
            sublinear_tf=True,
            vocabulary={term: i for i, term in enumerate(terms)},
        )
        self._counter.idf_ = idf

    @classmethod
    def fit(cls, texts: list[str], vectors: Floats) -> Features:
        """Learn the vocabulary, its weights and the centre of the sentence vectors."""
        counter: Any = TfidfVectorizer(analyzer=ngrams, sublinear_tf=True).fit(texts)
        mean = vectors.mean(axis=0)
        scale = float(np.linalg.norm(vectors - mean, axis=1).mean())
        terms = tuple(map(str, counter.get_feature_names_out()))
        return cls(terms, np.asarray(counter.idf_, dtype=np.float64), mean, scale)

    def transform(self, texts: list[str], vectors: Floats) -> Any:
        """Return a sparse ``(len(texts), features)`` matrix."""
        dense = (vectors - self.mean) / self.scale * VECTOR_WEIGHT
        return hstack([csr_matrix(dense), self._counter.transform(texts) * 2**0.5]).tocsr()


def ngrams(text: str) -> list[str]:
    """Characters and pinyin syllables of a sentence, each one by one and in pairs."""
    clean = _NOISE.sub("", unicodedata.normalize("NFKC", text).lower())
    sounds = syllables(clean)
    return [
        *clean,
        *(clean[i : i + 2] for i in range(len(clean) - 1)),
        *(f"/{sound}" for sound in sounds),
        *(f"/{first} {second}" for first, second in pairwise(sounds)),
    ]


def train(examples: list[Example], encoder: Encoder, none_label: str) -> CategoryModel:
    """Train on all examples; calibrate on out-of-fold predictions of the real ones."""
    texts = [example.text for example in examples]
    labels = np.array([example.label for example in examples])
    vectors = encoder.queries(texts)
    logits, names = _out_of_fold(examples, texts, labels, vectors)
    real = np.array([not example.composed for example in examples])
    truth = np.searchsorted(names, labels[real])
    temperature = _temperature(logits[real], truth)
    chances = _softmax(logits[real] / temperature)
    threshold = _threshold(chances, truth, none=int(np.searchsorted(names, none_label)))
    features = Features.fit(texts, vectors)
    model = _fit(features.transform(texts, vectors), labels)
    return CategoryModel(
        labels=tuple(map(str, names)),
        features=features,
        weights=np.asarray(model.coef_, dtype=np.float32),
        intercept=np.asarray(model.intercept_, dtype=np.float32),
        temperature=temperature,
        threshold=threshold,
        validation=_figures(chances, truth, threshold, int(np.searchsorted(names, none_label))),
    )


def _out_of_fold(
    examples: list[Example], texts: list[str], labels: Any, vectors: Floats
) -> tuple[Floats, Any]:
    names = np.unique(labels)
    logits = np.zeros((len(texts), len(names)), dtype=np.float32)
    real = np.flatnonzero([not example.composed for example in examples])
    composed = np.flatnonzero([example.composed for example in examples])
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=SEED)
    for kept, held in folds.split(real, labels[real]):
        rows = np.concatenate([real[kept], composed])
        test = real[held]
        features = Features.fit([texts[i] for i in rows], vectors[rows])
        model = _fit(features.transform([texts[i] for i in rows], vectors[rows]), labels[rows])
        matrix = features.transform([texts[i] for i in test], vectors[test])
        logits[test] = model.decision_function(matrix)
    return logits, names


def _fit(matrix: Any, labels: Any) -> Any:
    return LogisticRegression(C=REGULARISATION, max_iter=200, tol=1e-3).fit(matrix, labels)


def _softmax(logits: Floats) -> Floats:
    shifted = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(shifted / shifted.sum(axis=1, keepdims=True), dtype=np.float32)


def _temperature(logits: Floats, truth: Any) -> float:
    """Return the divisor of the logits under which the right labels are likeliest."""
    rows = np.arange(len(truth))
    grid = np.geomspace(0.2, 5.0, 65)
    likelihood = [
        float(np.log(np.maximum(_softmax(logits / t)[rows, truth], 1e-9)).mean()) for t in grid
    ]
    return float(grid[int(np.argmax(likelihood))])


def _threshold(chances: Floats, truth: Any, none: int) -> float:
    """Return the lowest confidence above which proposed categories are right often enough."""
    best, guess = chances.max(axis=1), chances.argmax(axis=1)
    proposed = guess != none
    order = np.argsort(-best[proposed])
    right = (guess == truth)[proposed][order]
    share = np.cumsum(right) / np.arange(1, len(right) + 1)
    enough = np.flatnonzero((share >= PRECISION) & (np.arange(len(right)) >= MIN_CONFIDENT))
    if not len(enough):
        return 1.0
    return float(best[proposed][order][enough[-1]])


def _figures(chances: Floats, truth: Any, threshold: float, none: int) -> dict[str, float]:
    guess = chances.argmax(axis=1)
    proposed = guess != none
    confident = proposed & (chances.max(axis=1) >= threshold)
    return {
        "macro_f1": float(f1_score(truth, guess, average="macro")),
        "accuracy": float((guess == truth).mean()),
        "confident_precision": float((guess == truth)[confident].mean()) if any(confident) else 0.0,
        "confident_share": float(confident.sum() / max(1, proposed.sum())),
    }

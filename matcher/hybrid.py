"""Meaning, spelling and sound combined into one calibrated probability per document.

Each document gets four features for a text; a conditional logit turns them into the
probability that the text means this document, or none. Its weights are fitted and its
thresholds chosen by ``benchmarks/matcher/calibrate.py`` on the documents' own questions,
each left out of the index in turn, and on texts that mean no document. Run it again after
changing the encoder or replacing the city's documents.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt
from pydantic import Field

from base.encoder import Encoder, Vectors
from matcher.documents import Document, read_model
from matcher.index import EmbeddingCache, Passage, SemanticIndex
from matcher.lexical import Comparison, Floats, NgramIndex, bare, characters, normalise, syllables

__all__ = [
    "FEATURES",
    "Calibration",
    "Collection",
    "HybridIndex",
    "Verdict",
    "judge",
    "load_calibration",
]

Feature = Literal["nearest", "centre", "names", "heard"]
FEATURES: tuple[Feature, ...] = get_args(Feature)
CALIBRATION_FILE = Path(__file__).with_name("calibration.yml")
MAX_CANDIDATES = 4

Collection = Literal["services", "policies"]
Verdict = Literal["certain", "ambiguous", "unknown"]


class Calibration(Document):
    """Weights and thresholds of one collection of documents.

    Args:
        weights: one a feature; logit of a document = weights · features.
        none: logit of "no document".
        certain: at least this probability, and the answer is given without asking back.
        possible: at least this probability that some document is meant, or it is unknown.
        share: a document is offered as a choice when it is at least this part of the best.
    """

    weights: Mapping[Feature, float]
    none: float
    certain: float = Field(gt=0, le=1)
    possible: float = Field(gt=0, le=1)
    share: float = Field(gt=0, le=1)

    @property
    def vector(self) -> Floats:
        """The weights in the order of ``FEATURES``."""
        return np.array([self.weights[name] for name in FEATURES], dtype=np.float32)


class _CalibrationFile(Document):
    services: Calibration
    policies: Calibration


def load_calibration(collection: Collection) -> Calibration:
    """Read the committed calibration of ``collection``.

    Raises:
        ConfigurationError: the file is missing or wrong.
    """
    calibrations = read_model(CALIBRATION_FILE, _CalibrationFile)
    return calibrations.services if collection == "services" else calibrations.policies


class HybridIndex:
    """Compares a text with documents by meaning, spelling and sound.

    Args:
        encoder: the sentence encoder.
        passages: everything that stands for a document; those of one need not be together.
        named: texts that count as a document's name or nickname.
        cache: keeps the vectors between starts.
    """

    def __init__(
        self,
        encoder: Encoder,
        passages: Sequence[Passage],
        named: frozenset[str],
        cache: EmbeddingCache | None = None,
    ) -> None:
        ordered = sorted(passages, key=lambda passage: passage.document)
        texts = [normalise(passage.text) for passage in ordered]
        vectors = cache.vectors(texts) if cache is not None else None
        self.passages = tuple(
            Passage(passage.document, text) for passage, text in zip(ordered, texts, strict=True)
        )
        self._semantic = SemanticIndex(encoder, self.passages, vectors)
        self._written = NgramIndex(texts, characters)
        self._heard = NgramIndex(texts, syllables)
        wanted = {normalise(name) for name in named}
        self._named = np.array([text in wanted for text in texts], dtype=bool)
        starts = [
            row
            for row, passage in enumerate(self.passages)
            if row == 0 or passage.document != self.passages[row - 1].document
        ]
        self._starts = np.array(starts, dtype=np.intp)
        self.documents = tuple(self.passages[row].document for row in starts)

    @property
    def vectors(self) -> Vectors:
        """The vectors of ``passages``, in their order."""
        return self._semantic.vectors

    def features(self, text: str, without: str | None = None) -> Floats:
        """Return the features of every document for ``text``: ``(documents, 4)``.

        Columns follow ``FEATURES``. ``nearest`` is the mean cosine of meaning of the best two
        passages, ``centre`` that of all of the document's passages above all others'.
        ``names`` is how much of the best three names the text holds, as written or as heard.
        ``heard`` is how much of the text the document's words explain, by sound.

        Args:
            text: what the citizen wrote.
            without: a passage to leave out, for honest calibration.
        """
        query = normalise(text)
        kept = np.ones(len(self.passages), dtype=bool)
        if without is not None:
            dropped = normalise(without)
            kept = np.array([passage.text != dropped for passage in self.passages], dtype=bool)
        cosines = self._semantic.cosines(query)
        above = (cosines - cosines.mean()) * kept
        written = self._written.compare(query)
        heard = self._heard.compare(query)
        held = np.maximum(written.held, heard.held) * (self._named & kept)
        columns = (
            self._best(np.where(kept, cosines, 0.0), 2),
            np.add.reduceat(above, self._starts)
            / np.maximum(np.add.reduceat(kept, self._starts, dtype=np.float32), 1),
            self._best(held, 3),
            self._explained(heard, kept),
        )
        return np.stack(columns, axis=1).astype(np.float32)

    def sharing(self, text: str) -> frozenset[str]:
        """Return the documents whose names hold the whole ``text``: 社保卡 is in several.

        A text that is itself the name of some documents belongs to those alone.
        """
        word = bare(normalise(text))
        if not word:
            return frozenset()
        names = [
            (passage.document, bare(passage.text))
            for passage, is_name in zip(self.passages, self._named, strict=True)
            if is_name
        ]
        exact = frozenset(document for document, name in names if name == word)
        return exact or frozenset(document for document, name in names if word in name)

    def logits(self, text: str, calibration: Calibration) -> Floats:
        """Return the logit of every document for ``text``, in the order of ``documents``."""
        logits: Floats = self.features(text) @ calibration.vector
        return logits

    def _best(self, values: Floats | Vectors, count: int) -> Floats:
        """Return the mean of each document's ``count`` greatest values."""
        stops = [*self._starts[1:], len(values)]
        means = [
            np.sort(values[start:stop])[-count:].mean()
            for start, stop in zip(self._starts, stops, strict=True)
        ]
        return np.array(means, dtype=np.float32)

    def _explained(self, comparison: Comparison, kept: npt.NDArray[np.bool_]) -> Floats:
        """Return the share of the text's weight that each document has in some passage."""
        has = np.maximum.reduceat(comparison.hits * kept[:, None], self._starts, axis=0)
        explained: Floats = has @ comparison.weights
        return explained


def judge(
    probabilities: Floats, none: float, calibration: Calibration
) -> tuple[Verdict, tuple[int, ...]]:
    """Decide between answering, asking back and saying "not known".

    Args:
        probabilities: of every document; with ``none`` they add up to 1.
        none: probability that no document is meant.
        calibration: the thresholds.

    Returns:
        The verdict and the positions to offer, best first: one when certain, two to four
        when ambiguous, none when unknown.
    """
    order = np.argsort(-probabilities, kind="stable")
    order = order[: np.count_nonzero(probabilities)]
    if len(order) == 0:
        return "unknown", ()
    best = float(probabilities[order[0]])
    if best >= calibration.certain:
        return "certain", (int(order[0]),)
    if 1.0 - none < calibration.possible or len(order) < 2:
        return "unknown", ()
    close = [int(row) for row in order if probabilities[row] >= calibration.share * best]
    return "ambiguous", tuple((close if len(close) > 1 else order[:2].tolist())[:MAX_CANDIDATES])

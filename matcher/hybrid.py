"""Meaning, spelling and sound combined into one calibrated probability per document.

Each document gets six features for a text; a conditional logit turns them into the
probability that the text means this document, or none. Its weights are fitted and its
thresholds chosen by ``benchmarks/matcher/calibrate.py`` on the documents' own questions,
each left out of the index in turn, and on texts that mean no document. Run it again after
changing the encoder or replacing the city's documents.
"""

from __future__ import annotations

from collections.abc import Collection, Container, Iterable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt
import structlog
from pydantic import Field

from base.encoder import Encoder, Vectors
from base.recent import Recent
from matcher.documents import Document, read_model
from matcher.index import EmbeddingCache, Passage, Rows, SemanticIndex, encode_all
from matcher.learned import MOST, Kernel, Learned
from matcher.lexical import Comparison, Floats, NgramIndex, bare, characters, normalise, syllables
from matcher.vectors import FLAT_LIMIT

__all__ = [
    "FEATURES",
    "Calibration",
    "DocumentSet",
    "HybridIndex",
    "Limits",
    "Verdict",
    "judge",
    "load_calibration",
]

Feature = Literal["nearest", "centre", "names", "heard", "written", "learned"]
FEATURES: tuple[Feature, ...] = get_args(Feature)
log = structlog.get_logger(__name__)

CALIBRATION_FILE = Path(__file__).with_name("calibration.yml")
MAX_CANDIDATES = 4
REMEMBERED = 64
"""Texts whose features are kept: a turn asks of the same words up to four times, and half of the
follow-ups (多少钱, 要带什么) are the same for everybody."""

DocumentSet = Literal["services", "policies"]
Verdict = Literal["certain", "ambiguous", "unknown"]


@dataclass(frozen=True, slots=True)
class Limits:
    """How much of a large collection a text is compared with.

    Args:
        exhaustive: up to so many passages every document is compared.
        candidates: beyond, so many passages are retrieved by meaning, by spelling and by
            sound each, and their documents compared.
    """

    exhaustive: int = FLAT_LIMIT
    candidates: int = 200


LIMITS = Limits()


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

    @property
    def learns(self) -> bool:
        """Whether what is learned from the passages counts."""
        return self.weights["learned"] != 0.0


class _CalibrationFile(Document):
    services: Calibration
    policies: Calibration


def load_calibration(collection: DocumentSet) -> Calibration:
    """Read the committed calibration of ``collection``.

    Raises:
        ConfigurationError: the file is missing or wrong.
    """
    calibrations = read_model(CALIBRATION_FILE, _CalibrationFile)
    return calibrations.services if collection == "services" else calibrations.policies


class HybridIndex:
    """Compares a text with documents by meaning, spelling and sound.

    Up to ``limits.exhaustive`` passages every document is compared. Beyond, candidates are
    found first, by meaning, spelling and sound each, and the same features are computed
    exactly for them alone. An index never changes; :meth:`changed` makes another.

    ``names`` has the normalised names of each document.

    Args:
        encoder: the sentence encoder.
        passages: everything that stands for a document; those of one need not be together.
        named: the texts that are a document's name or nickname, by document.
        cache: keeps the vectors between starts.
        limits: how many passages are compared.
        learns: whether to learn from the passages; the feature ``learned`` is 0 otherwise.
    """

    def __init__(  # noqa: PLR0913
        self,
        encoder: Encoder,
        passages: Sequence[Passage],
        named: Mapping[str, Collection[str]],
        cache: EmbeddingCache | None = None,
        limits: Limits = LIMITS,
        *,
        learns: bool = True,
    ) -> None:
        self._encoder = encoder
        self._limits = limits
        self._learns = learns
        ordered = sorted(map(_normalised, passages), key=lambda passage: passage.document)
        texts = [passage.text for passage in ordered]
        vectors = cache.vectors(texts) if cache is not None else None
        folder = cache.folder if cache is not None else None
        self._semantic = SemanticIndex(encoder, ordered, vectors, folder, limits.exhaustive)
        self._written = NgramIndex(texts, characters)
        self._heard = NgramIndex(texts, syllables)
        self.names = _folded(named)
        self._folder = folder
        self._set(tuple(ordered))

    def _set(self, passages: tuple[Passage, ...]) -> None:
        self.passages = passages
        wanted = frozenset().union(*self.names.values())
        self._named = np.array([passage.text in wanted for passage in passages], dtype=bool)
        self._names = _Names(
            (passages[row].document, bare(passages[row].text))
            for row in np.flatnonzero(self._named).tolist()
        )
        self._recent = Recent[Floats](REMEMBERED)
        starts = [
            row
            for row, passage in enumerate(passages)
            if row == 0 or passage.document != passages[row - 1].document
        ]
        self._starts = np.array(starts, dtype=np.intp)
        self._stops = np.array([*starts[1:], len(passages)], dtype=np.intp)[: len(starts)]
        self.documents = tuple(passages[row].document for row in starts)
        self._learn()

    def _learn(self) -> None:
        """Learn from the passages what their documents have in common, unless they are too many."""
        self.targets = np.repeat(np.arange(len(self._starts)), self._stops - self._starts)
        self._kernel = self._learned = None
        if not self._learns or not self.exhaustive:
            return
        if len(self.passages) > MOST:
            log.warning("nothing_learned", passages=len(self.passages), most=MOST)
        elif self.passages:
            self._kernel = Kernel(self._written, self._heard, self.vectors)
            texts = [passage.text for passage in self.passages]
            self._learned = Learned.remembered(self._kernel, self.targets, texts, self._folder)

    def learned_from(self, kept: npt.NDArray[np.bool_]) -> Learned | None:
        """Return what is learned from some passages alone, for honest calibration."""
        return None if self._kernel is None else Learned.fit(self._kernel, self.targets, kept)

    def changed(
        self,
        passages: Sequence[Passage],
        named: Mapping[str, Collection[str]],
        removed: Collection[str] = (),
    ) -> HybridIndex:
        """Return an index in which some documents are other ones; the rest is not read again.

        Args:
            passages: of the documents that are new or changed.
            named: their names.
            removed: documents to take out.
        """
        added = [_normalised(passage) for passage in passages]
        gone = {*removed, *named, *(passage.document for passage in added)}
        kept = [row for row, one in enumerate(self.passages) if one.document not in gone]
        both = [*(self.passages[row] for row in kept), *added]
        order = sorted(range(len(both)), key=lambda row: both[row].document)
        known = self._vectors_of(gone)
        new = list(dict.fromkeys(one.text for one in added if one.text not in known))
        known.update(zip(new, encode_all(self._encoder, new), strict=True))
        ordered = tuple(both[row] for row in order)
        rows = [known[one.text] for one in ordered if one.document in gone]
        vectors = np.array(rows, dtype=np.float32).reshape(-1, self._encoder.dimension)
        places, texts = np.array(kept, dtype=np.intp), [one.text for one in added]
        rank = np.array(order, dtype=np.intp)
        other = copy(self)
        other._semantic = self._semantic.changed(ordered, vectors, gone)
        other._written = self._written.changed(places, texts, rank)
        other._heard = self._heard.changed(places, texts, rank)
        stay = {name: own for name, own in self.names.items() if name not in gone}
        other.names = stay | _folded(named)
        other._set(ordered)
        return other

    def _vectors_of(self, documents: Collection[str]) -> dict[str, Vectors]:
        """Return the vectors of what ``documents`` say now, by text."""
        rows = [row for row, one in enumerate(self.passages) if one.document in documents]
        vectors = self._semantic.vectors_of(np.array(rows, dtype=np.intp))
        return dict(zip((self.passages[row].text for row in rows), vectors, strict=True))

    @property
    def vectors(self) -> Vectors:
        """The vectors of ``passages``, in their order."""
        return self._semantic.vectors

    @property
    def exhaustive(self) -> bool:
        """Whether a text is compared with every document."""
        return len(self.passages) <= self._limits.exhaustive

    def features(
        self, text: str, without: str | None = None, learned: Learned | None = None
    ) -> Floats:
        """Return the features of every document for ``text``: ``(documents, 6)``.

        Columns follow ``FEATURES``. ``nearest`` is the mean cosine of meaning of the best two
        passages, ``centre`` that of all of the document's passages above all others'.
        ``names`` is how much of the best three names the text holds, as written or as heard.
        ``heard`` is how much of the text the document's words explain, by sound, ``written`` the
        same by spelling. ``learned`` is
        the score of :class:`matcher.learned.Learned`, 0 where the passages are too many for it.

        Args:
            text: what the citizen wrote.
            without: a passage to leave out, for honest calibration.
            learned: what was learned without that passage; None for what the index learned.
        """
        query = normalise(text)
        dropped = None if without is None else normalise(without)
        every = np.arange(len(self.documents))
        return self._features(query, self._semantic.encode(query), every, dropped, learned)

    def _features(
        self,
        query: str,
        question: Vectors,
        documents: Rows,
        dropped: str | None = None,
        learned: Learned | None = None,
    ) -> Floats:
        """Return the features of ``documents`` (positions, ascending)."""
        if len(documents) == 0:
            return np.empty((0, len(FEATURES)), dtype=np.float32)
        whole = len(documents) == len(self.documents)
        rows, starts = self._rows_of(documents)
        some = None if whole else rows
        kept = np.ones(len(rows), dtype=bool)
        if dropped is not None:
            kept = np.array([self.passages[row].text != dropped for row in rows], dtype=bool)
        cosines = self._semantic.compare(question, some)
        above = (cosines - self._semantic.mean(question)) * kept
        written = self._written.compare(query, some)
        heard = self._heard.compare(query, some)
        held = np.maximum(written.held, heard.held) * (self._named[rows] & kept)
        columns = (
            _best(np.where(kept, cosines, 0.0), starts, 2),
            np.add.reduceat(above, starts)
            / np.maximum(np.add.reduceat(kept, starts, dtype=np.float32), 1),
            _best(held, starts, 3),
            _explained(heard, kept, starts),
            _explained(written, kept, starts),
            self._told(written, heard, question, learned or self._learned)[documents],
        )
        return np.stack(columns, axis=1).astype(np.float32)

    def _told(
        self, written: Comparison, heard: Comparison, question: Vectors, learned: Learned | None
    ) -> Floats:
        """Return the learned score of every document; what learns compares all passages."""
        if self._kernel is None or learned is None:
            return np.zeros(len(self.documents), dtype=np.float32)
        return learned.scores(self._kernel.compare(written, heard, question))

    def _rows_of(self, documents: Rows) -> tuple[Rows, Rows]:
        """Return the rows of ``documents``, one document after the other, and their starts."""
        counts = self._stops[documents] - self._starts[documents]
        ends = np.cumsum(counts)
        starts = ends - counts
        rows = np.repeat(self._starts[documents] - starts, counts) + np.arange(counts.sum())
        return rows, starts

    def logits(
        self, text: str, calibration: Calibration, among: Container[str] | None = None
    ) -> Floats:
        """Return the logit of every document for ``text``, in the order of ``documents``.

        Minus infinity stands for documents that are not in ``among`` (None for all) and, where
        not every document is compared, for those that are no candidates.
        """
        every = np.arange(len(self.documents))
        allowed = every
        if among is not None:
            flags = np.fromiter((name in among for name in self.documents), bool, len(every))
            allowed = every[flags]
        query = normalise(text)
        logits = np.full(len(every), -np.inf, dtype=np.float32)
        if self.exhaustive:
            features = self._recent.of(query, lambda: self._features_of_all(query))
            logits[allowed] = (features @ calibration.vector)[allowed]
            return logits
        question = self._semantic.encode(query)
        compared = self._candidates(query, question, allowed)
        logits[compared] = self._features(query, question, compared) @ calibration.vector
        return logits

    def _features_of_all(self, query: str) -> Floats:
        every = np.arange(len(self.documents))
        return self._features(query, self._semantic.encode(query), every)

    def _candidates(self, query: str, question: Vectors, allowed: Rows) -> Rows:
        """Return the documents of the passages nearest by meaning, by spelling and by sound."""
        among = mask = None
        if len(allowed) < len(self.documents):
            among = self._rows_of(allowed)[0]
            mask = np.zeros(len(self.passages), dtype=bool)
            mask[among] = True
        count = self._limits.candidates
        rows = np.concatenate(
            [
                self._semantic.nearest(question, count, among),
                self._written.likeliest(query, count, mask),
                self._heard.likeliest(query, count, mask),
            ]
        )
        return np.unique(np.searchsorted(self._starts, rows, side="right") - 1)

    def sharing(self, text: str, within: Rows | None = None) -> frozenset[str]:
        """Return the documents whose names hold the whole ``text``: 社保卡 is in several.

        A text that is itself the name of some documents belongs to those alone.

        Args:
            text: what the citizen wrote.
            within: positions of the documents to look at; None for all.
        """
        word = bare(normalise(text))
        if not word:
            return frozenset()
        if within is None:
            return self._names.sharing(word)
        return self._names.sharing(word, {self.documents[row] for row in within.tolist()})


class _Names:
    """The names of documents, to be asked which of them hold a word.

    Args:
        named: each document with one of its names.
    """

    def __init__(self, named: Iterable[tuple[str, str]]) -> None:
        self._documents: dict[str, set[str]] = {}
        for document, name in named:
            self._documents.setdefault(name, set()).add(document)
        self._every = "\n".join(self._documents)

    def sharing(self, word: str, among: Container[str] | None = None) -> frozenset[str]:
        """Return the documents, of those ``among``, named ``word``, else those named with it."""
        exact = _those(self._documents.get(word, ()), among)
        if exact or word not in self._every:  # whole questions, mostly: one search for all names
            return exact
        holding = (own for name, own in self._documents.items() if word in name)
        return _those(chain.from_iterable(holding), among)


def _those(documents: Iterable[str], among: Container[str] | None) -> frozenset[str]:
    return frozenset(name for name in documents if among is None or name in among)


def _normalised(passage: Passage) -> Passage:
    return Passage(passage.document, normalise(passage.text))


def _folded(named: Mapping[str, Collection[str]]) -> dict[str, frozenset[str]]:
    return {name: frozenset(map(normalise, texts)) for name, texts in named.items()}


def _best(values: Floats | Vectors, starts: Rows, count: int) -> Floats:
    """Return the mean of the ``count`` greatest values of each document; values are within ±1.

    One sort for all documents: each one's values are moved to a range of its own.
    """
    stops = np.append(starts[1:], len(values))
    own = np.repeat(3.0 * np.arange(len(starts)), stops - starts)
    ordered = np.sort(values + own) - own
    rows = stops[:, None] - np.arange(1, count + 1)
    there = rows >= starts[:, None]
    means: Floats = np.mean(ordered[rows], axis=1, where=there).astype(np.float32)
    return means


def _explained(comparison: Comparison, kept: npt.NDArray[np.bool_], starts: Rows) -> Floats:
    """Return the share of the text's weight that each document has in some passage."""
    hits = comparison.hits if kept.all() else comparison.hits * kept[:, None]
    has = np.maximum.reduceat(hits, starts, axis=0)
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

"""Meaning search: documents are found by the passage of theirs nearest to a question.

A document (a service item, a policy) has several passages: its name, what people call it,
the ways they ask. ``matcher.vectors`` holds their vectors: exactly up to some thousands, as a
graph beyond. Encoding is the slow part, so vectors are kept on disk by a hash of engine and
text.

A citizen's question is compared with other questions and names, so both sides are encoded
as queries, which is what the e5 authors advise for finding paraphrases; measured on the
service items it finds half a point more than encoding one side as passages.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import structlog

from base.encoder import Encoder, Vectors
from base.errors import ConfigurationError
from matcher.arrays import read_arrays, write_arrays
from matcher.vectors import FLAT_LIMIT, VectorIndex

__all__ = ["EmbeddingCache", "Hit", "Passage", "Rows", "SemanticIndex", "encode_all"]

BATCH = 64

Rows = npt.NDArray[np.intp]

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Passage:
    """A piece of text that stands for ``document``."""

    document: str
    text: str


@dataclass(frozen=True, slots=True)
class Hit:
    """The best passage of one document; ``score`` is a cosine (e5: about 0.7 to 1.0)."""

    document: str
    score: float
    text: str


class EmbeddingCache:
    """Vectors of texts that are asked for again at every start, in one file per collection.

    Only texts that are new are encoded; texts no longer used are dropped. The file is
    replaced in one step, so processes that start together do no harm, and a damaged file
    is rebuilt.

    Args:
        encoder: the engine whose vectors are kept.
        path: the ``.npz`` file.
    """

    def __init__(self, encoder: Encoder, path: Path) -> None:
        self._encoder = encoder
        self._path = path

    @classmethod
    def named(cls, encoder: Encoder, directory: Path, name: str) -> EmbeddingCache:
        """Return the cache of collection ``name`` below ``directory``, one file an engine."""
        engine = re.sub(r"[^\w.-]+", "-", encoder.name)
        return cls(encoder, directory / "embeddings" / f"{name}-{engine}.npz")

    def vectors(self, texts: Sequence[str]) -> Vectors:
        """Return the vectors of ``texts`` as ``(len(texts), dimension)``, unit rows."""
        keys = [self._key(text) for text in texts]
        known = self._read()
        new = {key: text for key, text in zip(keys, texts, strict=True) if key not in known}
        known.update(zip(new, encode_all(self._encoder, list(new.values())), strict=True))
        if new or len(known) > len(set(keys)):
            self._write({key: known[key] for key in dict.fromkeys(keys)})
        return np.array([known[key] for key in keys], dtype=np.float32).reshape(
            len(keys), self._encoder.dimension
        )

    @property
    def folder(self) -> Path:
        """Where a large index of these vectors is kept."""
        return self._path.with_suffix("")

    def _key(self, text: str) -> str:
        return hashlib.sha256(f"{self._encoder.name}\0{text}".encode()).hexdigest()

    def _read(self) -> dict[str, Vectors]:
        stored = read_arrays(self._path)
        if stored is None or not {"keys", "vectors"} <= stored.keys():
            return {}
        keys, vectors = stored["keys"], stored["vectors"]
        if vectors.shape != (len(keys), self._encoder.dimension) or vectors.dtype != np.float32:
            return {}
        return dict(zip(keys.tolist(), vectors, strict=True))

    def _write(self, known: dict[str, Vectors]) -> None:
        vectors = np.array(list(known.values()), dtype=np.float32)
        write_arrays(self._path, keys=np.array(list(known), dtype="U64"), vectors=vectors)


class SemanticIndex:
    """An index over passages; answers with documents, or with passages and their cosines.

    It never changes; :meth:`changed` makes another.

    Args:
        encoder: turns questions into vectors.
        passages: everything that can be found.
        vectors: unit vectors of the passages, in their order; encoded when absent.
        kept: folder in which a large index is kept between starts; None builds it each time.
        flat_limit: most passages that are compared one by one (``matcher.vectors``).
    """

    def __init__(
        self,
        encoder: Encoder,
        passages: Sequence[Passage],
        vectors: Vectors | None = None,
        kept: Path | None = None,
        flat_limit: int = FLAT_LIMIT,
    ) -> None:
        self._encoder = encoder
        if vectors is None:
            vectors = encode_all(encoder, [passage.text for passage in passages])
        rows = _by_document(passages)
        if kept is None or len(passages) <= flat_limit:
            index = _filled(VectorIndex.empty(encoder.dimension, flat_limit), rows, vectors)
        else:
            index = self._kept(kept, passages, rows, vectors, flat_limit)
        self._sum = vectors.sum(axis=0, dtype=np.float64)
        self._set(tuple(passages), index, rows)

    def _kept(
        self,
        folder: Path,
        passages: Sequence[Passage],
        rows: Mapping[str, Rows],
        vectors: Vectors,
        flat_limit: int,
    ) -> VectorIndex:
        """Return the index kept in ``folder``, or one that is built and put there."""
        whole = hashlib.sha256(self._encoder.name.encode())
        for passage in passages:
            whole.update(f"\0{passage.document}\0{passage.text}".encode())
        try:
            return VectorIndex.load(folder, whole.hexdigest(), flat_limit)
        except ConfigurationError as error:
            log.info("index_built", vectors=len(vectors), why=error.detail)
        index = _filled(VectorIndex.empty(self._encoder.dimension, flat_limit), rows, vectors)
        index.save(folder, whole.hexdigest())
        return index

    def _set(
        self, passages: tuple[Passage, ...], index: VectorIndex, rows: Mapping[str, Rows]
    ) -> None:
        self.passages = passages
        self._index = index
        self._ids = np.empty(len(passages), dtype=np.int64)
        for document, places in rows.items():
            self._ids[places] = index.documents[document]
        self._order = np.argsort(self._ids)
        mean = self._sum / max(1, len(passages))
        self._mean: Vectors = mean.astype(np.float32)

    @property
    def vectors(self) -> Vectors:
        """The vectors of ``passages``, in their order."""
        return self._index.vectors(self._ids)

    def vectors_of(self, rows: Rows) -> Vectors:
        """Return the vectors of the passages in ``rows``."""
        return self._index.vectors(self._ids[rows])

    def changed(
        self, passages: Sequence[Passage], new: Vectors, changed: Collection[str]
    ) -> SemanticIndex:
        """Return the index of other passages, most of which are the same.

        Args:
            passages: all of them, in their new order.
            new: vectors of those passages whose document is in ``changed``, in their order.
            changed: documents that are new, have other passages or are no longer there.
        """
        rows = _by_document(passages)
        places = [row for row, passage in enumerate(passages) if passage.document in changed]
        place_of = {row: place for place, row in enumerate(places)}
        put = {
            name: new[[place_of[row] for row in rows[name].tolist()]]
            for name in changed
            if name in rows
        }
        gone = [name for name in changed if name in self._index.documents]
        other = copy(self)
        ids = [self._index.documents[name] for name in gone]
        removed = self._index.vectors(np.concatenate([np.empty(0, dtype=np.int64), *ids]))
        other._sum = self._sum + new.sum(axis=0, dtype=np.float64)
        other._sum -= removed.sum(axis=0, dtype=np.float64)
        index = self._index.changed(put, [name for name in gone if name not in put])
        other._set(tuple(passages), index, rows)
        return other

    def encode(self, text: str) -> Vectors:
        """Return the vector of a question: ``(dimension,)``."""
        question: Vectors = self._encoder.queries([text])[0]
        return question

    def search(self, text: str, limit: int = 5) -> tuple[Hit, ...]:
        """Return the ``limit`` documents nearest to ``text``, each by its best passage."""
        if not self.passages:
            return ()
        question = self.encode(text)
        hits: dict[str, Hit] = {}
        count = min(len(self.passages), 8 * limit)
        while True:
            found = self._index.search(question, count)
            rows = self._rows(found.ids).tolist()
            for score, row in zip(found.cosines.tolist(), rows, strict=True):
                passage = self.passages[row]
                if len(hits) < limit and passage.document not in hits:
                    hits[passage.document] = Hit(passage.document, score, passage.text)
            if len(hits) == limit or count == len(self.passages):
                return tuple(hits.values())
            count = min(len(self.passages), 4 * count)

    def cosines(self, text: str) -> Vectors:
        """Return the cosine of ``text`` with every passage, in the order of ``passages``."""
        if not self.passages:
            return np.empty(0, dtype=np.float32)
        return self.compare(self.encode(text))

    def compare(self, question: Vectors, rows: Rows | None = None) -> Vectors:
        """Return the exact cosines of ``question`` with all passages, or those in ``rows``."""
        return self._index.cosines(question, self._ids if rows is None else self._ids[rows])

    def mean(self, question: Vectors) -> np.float32:
        """Return the mean cosine of ``question`` with all passages."""
        return np.float32(self._mean @ question)

    def nearest(self, question: Vectors, limit: int, among: Rows | None = None) -> Rows:
        """Return the rows of the ``limit`` passages nearest to ``question``, best first.

        Args:
            question: its vector.
            limit: how many at most.
            among: rows to choose from; None for all.
        """
        ids = None if among is None else self._ids[among]
        return self._rows(self._index.search(question, limit, ids).ids)

    def _rows(self, ids: npt.NDArray[np.int64]) -> Rows:
        rows: Rows = self._order[np.searchsorted(self._ids, ids, sorter=self._order)]
        return rows


def _by_document(passages: Sequence[Passage]) -> dict[str, Rows]:
    rows: dict[str, list[int]] = {}
    for row, passage in enumerate(passages):
        rows.setdefault(passage.document, []).append(row)
    return {name: np.array(places, dtype=np.intp) for name, places in rows.items()}


def _filled(index: VectorIndex, rows: Mapping[str, Rows], vectors: Vectors) -> VectorIndex:
    return index.changed({name: vectors[places] for name, places in rows.items()})


def encode_all(encoder: Encoder, texts: list[str]) -> Vectors:
    """Return the vectors of ``texts``, encoded some at a time: ``(len(texts), dimension)``."""
    batches = [
        encoder.queries(texts[start : start + BATCH]) for start in range(0, len(texts), BATCH)
    ]
    return np.concatenate([np.empty((0, encoder.dimension), dtype=np.float32), *batches])

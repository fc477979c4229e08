"""An index of unit vectors that is exact while it is small and a graph when it is large.

Up to ``FLAT_LIMIT`` vectors every search compares with all of them, which is exact. Above it a
search walks an HNSW graph (Malkov and Yashunin, 2018, https://arxiv.org/abs/1603.09320) and
compares with some thousands. The limit and the graph's parameters were chosen by measurement:
docs/vectors.md.

**Changes** make another index and leave the present one as it is. The two share the large
part: vectors that were taken out are only marked, new ones are kept beside it and compared
one by one. When these have become many, :meth:`VectorIndex.changed` adds them to a copy of the
graph, and when a fifth is marked as taken out, it builds the graph anew; the index that is in
use answers meanwhile.

**Threads.** An index never changes once it is made, so any number of threads may search it
without a lock, and a change is put in force by replacing one reference. A search releases the
GIL. Two changes made at once from the same index are two different indexes: whoever keeps the
reference makes one change after the other.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import faiss
import numpy as np
import numpy.typing as npt

from base.encoder import Vectors
from base.errors import ConfigurationError

__all__ = ["FLAT_LIMIT", "Neighbours", "VectorIndex"]

FLAT_LIMIT = 20_000
"""Most vectors that are compared one by one (docs/vectors.md)."""

LINKS, BUILD_WIDTH, SEARCH_WIDTH = 32, 100, 192
"""M, efConstruction and efSearch of the graph (docs/vectors.md)."""

TAIL_SHARE, DEAD_SHARE = 0.05, 0.2
"""New vectors join the graph from this part of it; it is built anew from this part taken out."""
LEAST_TAIL = 1_000

UNIT_TOLERANCE = 1e-3
FORMAT = 1
MANIFEST = "manifest.json"

Ids = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]
Graph = Any
"""A ``faiss.IndexHNSWFlat``; faiss has no types."""


@dataclass(frozen=True, slots=True)
class Neighbours:
    """What one search found, best first.

    Args:
        ids: of the vectors; fewer than asked for when there are no more.
        cosines: with the question, exact.
    """

    ids: Ids
    cosines: npt.NDArray[np.float32]


@dataclass(frozen=True)
class VectorIndex:
    """Unit vectors by number, each belonging to a document; made by :meth:`empty`.

    A vector's number is given when it is added and never used again.

    Args:
        dimension: of the vectors.
        flat_limit: most vectors that are compared one by one.
        documents: the numbers of each document's vectors, in the order they were given in.
    """

    dimension: int
    flat_limit: int
    documents: Mapping[str, Ids]
    _numbers: Ids  # of the rows, ascending: those of the graph or the flat part, then the tail
    _base: Vectors  # a view of the graph's own memory when there is a graph
    _tail: Vectors
    _alive: Mask
    _graph: Graph = None

    @classmethod
    def empty(cls, dimension: int, flat_limit: int = FLAT_LIMIT) -> VectorIndex:
        """Return an index without vectors."""
        nothing = np.empty((0, dimension), dtype=np.float32)
        return cls(
            dimension,
            flat_limit,
            {},
            np.empty(0, dtype=np.int64),
            nothing,
            nothing,
            np.empty(0, dtype=bool),
        )

    def __len__(self) -> int:
        return int(np.count_nonzero(self._alive))

    @property
    def exact(self) -> bool:
        """Whether every search compares with all vectors."""
        return self._graph is None

    def add(self, document: str, vectors: Vectors) -> VectorIndex:
        """Return an index that has ``document`` as well.

        Raises:
            ValueError: it is there already; see also :meth:`changed`.
        """
        if document in self.documents:
            raise ValueError(f"document {document!r} is in the index already")
        return self.changed({document: vectors})

    def replace(self, document: str, vectors: Vectors) -> VectorIndex:
        """Return an index with other vectors for ``document``.

        Raises:
            KeyError: there is no such document; see also :meth:`changed`.
        """
        return self.changed({document: vectors}, (document,))

    def remove(self, document: str) -> VectorIndex:
        """Return an index without ``document``.

        Raises:
            KeyError: there is no such document.
        """
        return self.changed({}, (document,))

    def changed(self, put: Mapping[str, Vectors], removed: Collection[str] = ()) -> VectorIndex:
        """Return an index without ``removed`` and with ``put``, which may be new or not.

        Args:
            put: vectors by document, ``(count, dimension)`` float32 with unit rows.
            removed: documents to take out.

        Raises:
            KeyError: a document to take out is not there.
            ValueError: vectors are of another dimension, not finite or not of length 1.
        """
        for document in removed:
            if document not in self.documents:
                raise KeyError(f"document {document!r} is not in the index")
        checked = {document: self._checked(document, rows) for document, rows in put.items()}
        gone = {*removed, *(document for document in put if document in self.documents)}
        alive = self._alive.copy()
        for document in gone:
            alive[self._rows(self.documents[document])] = False
        documents = {name: ids for name, ids in self.documents.items() if name not in gone}
        start = int(self._numbers[-1]) + 1 if len(self._numbers) else 0
        begun = start
        for document, rows in checked.items():
            documents[document] = np.arange(start, start + len(rows), dtype=np.int64)
            start += len(rows)
        other = replace(
            self,
            documents=documents,
            _numbers=np.concatenate([self._numbers, np.arange(begun, start, dtype=np.int64)]),
            _tail=np.concatenate([self._tail, *checked.values()]),
            _alive=np.concatenate([alive, np.ones(start - begun, dtype=bool)]),
        )
        return other._tidied()

    def search(self, question: Vectors, limit: int, among: Ids | None = None) -> Neighbours:
        """Return the ``limit`` vectors nearest to ``question`` by cosine.

        Args:
            question: ``(dimension,)``, of length 1.
            limit: how many at most, at least 1.
            among: numbers of the vectors to choose from; None for all. Up to ``flat_limit`` of
                them are compared one by one, so a narrow choice is exact at any size.
        """
        if among is None:
            return self._nearest(question, limit, self._alive, len(self))
        chosen = np.zeros(len(self._alive), dtype=bool)
        chosen[self._rows(among)] = True
        chosen &= self._alive
        return self._nearest(question, limit, chosen, int(np.count_nonzero(chosen)))

    def cosines(self, question: Vectors, ids: Ids) -> npt.NDArray[np.float32]:
        """Return the exact cosines of ``question`` with the vectors ``ids``, in their order.

        Asked for most of them, it compares all where they lie: copying them costs more.
        """
        if 2 * len(ids) < len(self._numbers):
            return self.vectors(ids) @ question
        rows = self._rows(ids)
        return np.concatenate([self._base @ question, self._tail @ question])[rows]

    def vectors(self, ids: Ids) -> Vectors:
        """Return the vectors ``ids``: ``(len(ids), dimension)``.

        Raises:
            KeyError: a number was never given.
        """
        rows = self._rows(ids)
        result = np.empty((len(rows), self.dimension), dtype=np.float32)
        new = rows >= len(self._base)
        result[~new] = self._base[rows[~new]]
        result[new] = self._tail[rows[new] - len(self._base)]
        return result

    def _nearest(self, question: Vectors, limit: int, chosen: Mask, count: int) -> Neighbours:
        if count <= self.flat_limit or self._graph is None:
            rows = np.flatnonzero(chosen)
            return self._best(rows, self.cosines(question, self._numbers[rows]), limit)
        size = len(self._base)
        cosines, found = self._walk(question, limit, chosen[:size])
        tail = np.flatnonzero(chosen[size:])
        rows = np.concatenate([found, size + tail])
        return self._best(rows, np.concatenate([cosines, self._tail[tail] @ question]), limit)

    def _walk(
        self, question: Vectors, limit: int, chosen: Mask
    ) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.intp]]:
        """Search the graph for rows that are ``chosen``; others are passed through."""
        settings = faiss.SearchParametersHNSW(  # type: ignore[attr-defined]
            efSearch=max(SEARCH_WIDTH, 2 * limit)
        )
        bits = selector = None
        if not chosen.all():
            bits = np.packbits(chosen, bitorder="little")
            selector = faiss.IDSelectorBitmap(len(bits) * 8, faiss.swig_ptr(bits))
            settings.sel = selector
        cosines, rows = self._graph.search(question[None], limit, params=settings)
        found = rows[0] >= 0
        return cosines[0][found], rows[0][found]

    def _best(
        self, rows: npt.NDArray[np.intp], cosines: npt.NDArray[np.float32], limit: int
    ) -> Neighbours:
        if len(rows) > limit:
            kept = np.argpartition(-cosines, limit - 1)[:limit]
            rows, cosines = rows[kept], cosines[kept]
        order = np.lexsort((rows, -cosines))
        return Neighbours(self._numbers[rows[order]], cosines[order])

    def _rows(self, ids: Ids) -> npt.NDArray[np.intp]:
        rows = np.searchsorted(self._numbers, ids)
        if len(ids) and (rows.max() >= len(self._numbers) or (self._numbers[rows] != ids).any()):
            raise KeyError("a vector with this number is not in the index")
        return rows

    def _checked(self, document: str, vectors: Vectors) -> Vectors:
        rows = np.ascontiguousarray(vectors, dtype=np.float32)
        if rows.ndim != 2 or rows.shape[1] != self.dimension:
            raise ValueError(
                f"vectors of {document!r} are {rows.shape}, not (count, {self.dimension})"
            )
        lengths = np.linalg.norm(rows, axis=1)
        if not np.allclose(lengths, 1.0, atol=UNIT_TOLERANCE):  # false for NaN as well
            raise ValueError(f"vectors of {document!r} are not of length 1")
        return rows

    def _tidied(self) -> VectorIndex:
        """Return this index with its parts put together when they are due."""
        size, tail = len(self._base), len(self._tail)
        dead = len(self._alive) - len(self)
        if len(self) <= self.flat_limit:
            due = self._graph is not None or dead or tail
            return self._rebuilt() if due else self
        if self._graph is None or dead > DEAD_SHARE * len(self._alive):
            return self._rebuilt()
        if tail > max(LEAST_TAIL, TAIL_SHARE * size):
            graph = faiss.clone_index(self._graph)
            graph.add(self._tail)
            return replace(self, _base=_memory(graph), _tail=self._tail[:0], _graph=graph)
        return self

    def _rebuilt(self) -> VectorIndex:
        """Return this index with the living vectors alone."""
        numbers = self._numbers[self._alive]
        base, graph = self.vectors(numbers), None
        if len(base) > self.flat_limit:
            graph = _graph(base)
            base = _memory(graph)
        alive = np.ones(len(base), dtype=bool)
        return replace(
            self, _numbers=numbers, _base=base, _tail=base[:0], _alive=alive, _graph=graph
        )

    def save(self, folder: Path, made_of: str) -> None:
        """Write the index below ``folder``, in the place of the one that was there.

        The manifest is replaced last and in one step, so a writer that is killed leaves the
        previous index whole.

        Args:
            folder: made when it is missing.
            made_of: says what the vectors are of (encoder and texts); :meth:`load` compares it.
        """
        folder.mkdir(parents=True, exist_ok=True)
        parts: dict[str, Callable[[Path], object]] = {"vectors.npz": self._write_arrays}
        if self._graph is not None:
            parts["graph.faiss"] = lambda path: faiss.write_index(self._graph, str(path))
        files = {name: _stored(folder, name, write) for name, write in parts.items()}
        content = {
            "made_of": made_of,
            "dimension": self.dimension,
            "files": files,
            "documents": [
                [name, int(ids[0]) if len(ids) else 0, len(ids)]
                for name, ids in self.documents.items()
            ],
        }
        manifest = {"format": FORMAT, "checksum": _checksum(content), "content": content}
        temporary = _temporary(folder)
        temporary.write_text(json.dumps(manifest, ensure_ascii=False), encoding="utf-8")
        temporary.replace(folder / MANIFEST)
        for path in folder.iterdir():
            if path.name != MANIFEST and path.name not in files.values():
                path.unlink(missing_ok=True)

    def _write_arrays(self, path: Path) -> None:
        base = self._base if self._graph is None else self._base[:0]
        with path.open("wb") as stream:
            np.savez(stream, numbers=self._numbers, alive=self._alive, base=base, tail=self._tail)

    @classmethod
    def load(cls, folder: Path, made_of: str, flat_limit: int = FLAT_LIMIT) -> VectorIndex:
        """Read what :meth:`save` wrote.

        Raises:
            ConfigurationError: there is no index, it is damaged, of another format or made of
                something else; it must be made again.
        """
        manifest = _manifest(folder)
        if manifest["made_of"] != made_of:
            raise ConfigurationError(f"{folder}: made of {manifest['made_of']!r}, not {made_of!r}")
        try:
            paths = {
                name: _unharmed(folder / str(stored))
                for name, stored in dict(manifest["files"]).items()
            }
            with paths["vectors.npz"].open("rb") as stream, np.load(stream) as arrays:
                numbers, alive = arrays["numbers"], arrays["alive"]
                base, tail = arrays["base"], arrays["tail"]
            graph = None
            if "graph.faiss" in paths:
                graph = faiss.read_index(str(paths["graph.faiss"]))
                base = _memory(graph)
            documents = {
                str(name): np.arange(first, first + count, dtype=np.int64)
                for name, first, count in manifest["documents"]
            }
        except (OSError, KeyError, TypeError, ValueError, RuntimeError) as error:
            raise ConfigurationError(f"{folder}: damaged: {error}") from error
        index = cls(
            int(manifest["dimension"]), flat_limit, documents, numbers, base, tail, alive, graph
        )
        return index._tidied()


def _graph(vectors: Vectors) -> Graph:
    graph = faiss.IndexHNSWFlat(vectors.shape[1], LINKS, faiss.METRIC_INNER_PRODUCT)
    graph.hnsw.efConstruction = BUILD_WIDTH
    graph.add(vectors)
    return graph


def _memory(graph: Graph) -> Vectors:
    """Return the vectors that ``graph`` holds, without a copy; valid as long as the graph."""
    storage: Any = faiss.downcast_index(graph.storage)
    rows: Vectors = faiss.rev_swig_ptr(storage.get_xb(), graph.ntotal * graph.d)
    return rows.reshape(graph.ntotal, graph.d)


def _stored(folder: Path, name: str, write: Callable[[Path], object]) -> str:
    """Write a file named after what is in it and return its name."""
    temporary = _temporary(folder)
    try:
        write(temporary)
        stem, ending = name.split(".")
        stored = f"{stem}-{_digest(temporary)}.{ending}"
        temporary.replace(folder / stored)
    finally:
        temporary.unlink(missing_ok=True)
    return stored


def _temporary(folder: Path) -> Path:
    descriptor, name = tempfile.mkstemp(dir=folder, prefix=".writing-")
    os.close(descriptor)
    return Path(name)


def _digest(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _unharmed(path: Path) -> Path:
    """Return ``path`` when its content is what its name says."""
    expected = path.stem.rpartition("-")[2]
    if _digest(path) != expected:
        raise ValueError(f"{path.name}: the checksum does not agree")
    return path


def _checksum(content: object) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _manifest(folder: Path) -> dict[str, Any]:
    """Return the content of the manifest, checked."""
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        found, checksum = manifest["format"], manifest["checksum"]
        content: dict[str, Any] = manifest["content"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ConfigurationError(f"{folder}: cannot be read: {error}") from error
    if found != FORMAT:
        raise ConfigurationError(f"{folder}: not an index of format {FORMAT}")
    if checksum != _checksum(content):
        raise ConfigurationError(f"{folder}: damaged: {MANIFEST}: the checksum does not agree")
    return content

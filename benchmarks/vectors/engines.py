"""The indexes that are compared, behind one protocol; each is tuned by one number."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Protocol

import faiss
import numpy as np

LINKS, BUILD_WIDTH = 32, 100
WIDTHS = (16, 32, 48, 64, 96, 128, 192, 256, 384, 512)
PROBES = (1, 2, 4, 8, 16, 32, 64, 128, 256)
TRAINING = 100_000

Ids = Any
Rows = Any


class Engine(Protocol):
    """An index of unit vectors numbered in their order."""

    settings: tuple[int, ...]
    """What it may be tuned by, the quickest first; results get better along it."""

    def build(self, rows: Rows) -> None:
        """Index ``rows``."""
        ...

    def search(self, questions: Rows, limit: int, setting: int, threads: int) -> Ids:
        """Return the numbers of the nearest rows: ``(len(questions), limit)``."""
        ...


class Faiss:
    """Any index of faiss by inner product."""

    def __init__(
        self, make: Callable[[int, int], Any], tuned: str, settings: tuple[int, ...]
    ) -> None:
        self._make = make
        self._tuned = tuned
        self.settings = settings

    def build(self, rows: Rows) -> None:
        """Train on at most ``TRAINING`` rows where the index learns, then add all."""
        index = self._make(*rows.shape)
        if not index.is_trained:
            random = np.random.default_rng(5)
            drawn = random.choice(len(rows), min(TRAINING, len(rows)), replace=False)
            index.train(np.ascontiguousarray(rows[np.sort(drawn)]))
        for start in range(0, len(rows), 10_000):
            index.add(np.ascontiguousarray(rows[start : start + 10_000]))
        self._index = index

    def search(self, questions: Rows, limit: int, setting: int, threads: int) -> Ids:
        """Search; see :class:`Engine`."""
        faiss.omp_set_num_threads(threads)
        if self._tuned == "efSearch":
            self._index.hnsw.efSearch = setting
        elif self._tuned == "nprobe":
            self._index.nprobe = setting
        return self._index.search(questions, limit)[1]


def _flat(_count: int, dimension: int) -> Any:
    return faiss.IndexFlatIP(dimension)


def _ivf(count: int, dimension: int) -> Any:
    lists = max(1, min(4096, 2 ** round(math.log2(4 * math.sqrt(count)))))
    lists = min(lists, max(1, count // 39))  # faiss warns of fewer vectors a list
    index = faiss.index_factory(dimension, f"IVF{lists},Flat", faiss.METRIC_INNER_PRODUCT)
    index.cp.niter = 10
    return index


def _hnsw(_count: int, dimension: int) -> Any:
    index = faiss.IndexHNSWFlat(dimension, LINKS, faiss.METRIC_INNER_PRODUCT)
    index.hnsw.efConstruction = BUILD_WIDTH
    return index


def _hnsw_sq8(_count: int, dimension: int) -> Any:
    index = faiss.IndexHNSWSQ(
        dimension, faiss.ScalarQuantizer.QT_8bit, LINKS, faiss.METRIC_INNER_PRODUCT
    )
    index.hnsw.efConstruction = BUILD_WIDTH
    return index


class Hnswlib:
    """HNSW by its authors: https://github.com/nmslib/hnswlib."""

    settings = WIDTHS

    def build(self, rows: Rows) -> None:
        """Index ``rows`` on one thread."""
        import hnswlib  # noqa: PLC0415 - an outside baseline that need not be installed

        self._index = hnswlib.Index(space="ip", dim=rows.shape[1])
        self._index.init_index(len(rows), M=LINKS, ef_construction=BUILD_WIDTH, random_seed=5)
        for start in range(0, len(rows), 10_000):
            self._index.add_items(np.ascontiguousarray(rows[start : start + 10_000]), num_threads=1)

    def search(self, questions: Rows, limit: int, setting: int, threads: int) -> Ids:
        """Search; see :class:`Engine`."""
        self._index.set_ef(max(setting, limit))
        return self._index.knn_query(questions, k=limit, num_threads=threads)[0]


class Usearch:
    """HNSW by Unum: https://github.com/unum-cloud/usearch."""

    settings = WIDTHS

    def build(self, rows: Rows) -> None:
        """Index ``rows`` on one thread; links at the bottom are twice the number, as in HNSW."""
        from usearch.index import Index  # noqa: PLC0415 - an outside baseline

        self._index = Index(
            ndim=rows.shape[1],
            metric="ip",
            dtype="f32",
            connectivity=LINKS,
            expansion_add=BUILD_WIDTH,
        )
        for start in range(0, len(rows), 10_000):
            block = np.ascontiguousarray(rows[start : start + 10_000])
            self._index.add(np.arange(start, start + len(block)), block, threads=1)

    def search(self, questions: Rows, limit: int, setting: int, threads: int) -> Ids:
        """Search; see :class:`Engine`."""
        self._index.expansion_search = setting
        keys = np.asarray(self._index.search(questions, limit, threads=threads).keys)
        return keys.reshape(len(questions), limit)


ENGINES: Mapping[str, Callable[[], Engine]] = MappingProxyType(
    {
        "flat": lambda: Faiss(_flat, "", (0,)),
        "HNSW": lambda: Faiss(_hnsw, "efSearch", WIDTHS),
        "HNSW+SQ8": lambda: Faiss(_hnsw_sq8, "efSearch", WIDTHS),
        "IVF": lambda: Faiss(_ivf, "nprobe", PROBES),
        "hnswlib": Hnswlib,
        "usearch": Usearch,
    }
)

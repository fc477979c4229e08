"""Which document does a citizen mean? One, a few to choose from, or none.

:class:`Finder` is what service items and policies share; :class:`ServiceFinder` is the one
for service items, ``matcher.policy_finder`` holds the other.
"""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Collection, Container, Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Generic, Protocol, Self, TypeVar

import numpy as np
import numpy.typing as npt

from base.encoder import Encoder
from matcher.elsewhere import Elsewhere
from matcher.hybrid import (
    LIMITS,
    MAX_CANDIDATES,
    Calibration,
    DocumentSet,
    HybridIndex,
    Limits,
    Verdict,
    judge,
    load_calibration,
)
from matcher.index import EmbeddingCache, Passage
from matcher.lexical import Floats, normalise, says_something
from matcher.package import Package
from matcher.service import ServiceItem

__all__ = [
    "Candidate",
    "Finder",
    "Finding",
    "Matter",
    "ServiceFinder",
    "Stock",
    "apart",
    "probabilities",
]

Matter = ServiceItem | Package | Elsewhere
"""What a citizen may want to get done: one item, an event of life that takes several, or something
that others handle."""


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


@dataclass(frozen=True, slots=True)
class Stock(Generic[Item]):
    """Items and their index, which belong together.

    Args:
        items: by id.
        index: of their passages.
        outside: ``(documents,)``, which of the index's documents are :meth:`Finder.is_outside`.
    """

    items: Mapping[str, Item]
    index: HybridIndex
    outside: npt.NDArray[np.bool_]


class Finder(ABC, Generic[Item]):
    """Finds items by what citizens write.

    Items may be added, changed and removed while it is in use (:meth:`change`): a question
    that is being answered sees either the old items or the new ones, and waits for neither.

    Args:
        items: every item that can be found.
        encoder: the sentence encoder.
        cache_dir: directory that keeps the vectors between starts; None keeps nothing.
        calibration: weights and thresholds; the committed ones by default.
        limits: how many passages are compared with a text.

    Raises:
        ConfigurationError: the committed calibration cannot be read.
    """

    collection: ClassVar[DocumentSet]
    """Names the calibration and the cache of vectors."""

    def __init__(
        self,
        items: Sequence[Item],
        encoder: Encoder,
        cache_dir: Path | None = None,
        calibration: Calibration | None = None,
        limits: Limits = LIMITS,
    ) -> None:
        self.calibration = calibration or load_calibration(self.collection)
        cache = None
        if cache_dir is not None:
            cache = EmbeddingCache.named(encoder, cache_dir, self.collection)
        index = HybridIndex(
            encoder,
            self._passages(items),
            self._named(items),
            cache,
            limits,
            learns=self.calibration.learns,
        )
        self._changing = threading.Lock()
        self.stock = self._stock({item.id: item for item in items}, index)

    @property
    def items(self) -> Mapping[str, Item]:
        """Every item that can be found, by id."""
        return self.stock.items

    @property
    def index(self) -> HybridIndex:
        """The index of the items' passages."""
        return self.stock.index

    def now(self) -> Self:
        """Return a finder of the present items, which later changes of this one do not reach."""
        other = copy(self)
        other._changing = threading.Lock()
        return other

    @staticmethod
    @abstractmethod
    def names(item: Item) -> tuple[str, ...]:
        """Return what ``item`` is called, officially and by people."""

    @staticmethod
    @abstractmethod
    def texts(item: Item) -> tuple[str, ...]:
        """Return the other texts that stand for ``item``: questions, a summary."""

    def is_outside(self, item: Item) -> bool:  # noqa: ARG002 - for those that have such items
        """Whether to mean ``item`` is to mean nothing that is offered."""
        return False

    def change(self, put: Sequence[Item] = (), removed: Collection[str] = ()) -> None:
        """Add or replace the items ``put`` and take out those with the ids ``removed``.

        Only texts that are new are encoded. The change is in force at once as a whole; if it
        fails, nothing has changed. Changes made at the same time wait for each other.

        Raises:
            KeyError: an id to take out is not there.
            ValueError: an id is both put and removed, or put twice.
        """
        ids = [item.id for item in put]
        if len({*ids, *removed}) < len(ids) + len(removed):
            raise ValueError("an item is changed once at a time")
        with self._changing:
            stock = self.stock
            unknown = [name for name in removed if name not in stock.items]
            if unknown:
                raise KeyError(f"no item {', '.join(unknown)}")
            items = {name: item for name, item in stock.items.items() if name not in removed}
            items |= {item.id: item for item in put}
            index = stock.index.changed(self._passages(put), self._named(put), removed)
            self.stock = self._stock(items, index)

    def _stock(self, items: Mapping[str, Item], index: HybridIndex) -> Stock[Item]:
        outside = [self.is_outside(items[name]) for name in index.documents]
        return Stock(items, index, np.array(outside, dtype=bool))

    def find(self, text: str, among: Container[str] | None = None) -> Finding[Item]:
        """Return what ``text`` means, as a :class:`Finding`.

        Args:
            text: what the citizen wrote.
            among: ids to choose from; None for all.
        """
        return self._find(self.stock, text, among)

    def _find(self, stock: Stock[Item], text: str, among: Container[str] | None) -> Finding[Item]:
        if not says_something(normalise(text)):
            return Finding("unknown")
        logits = stock.index.logits(text, self.calibration, among)
        every, none = probabilities(logits, self.calibration.none)
        documents = stock.index.documents
        scores, none = apart(every, none, stock.outside)
        kind, rows = judge(scores, none, self.calibration)
        shared = () if kind == "unknown" else _shared(stock.index, text, scores)
        if len(shared) > 1:
            kind, rows = "ambiguous", shared
        elif kind != "certain" and stock.outside.any() and every.max() >= self.calibration.certain:
            kind, rows, scores = "certain", (int(np.argmax(every)),), every
        return Finding(
            kind,
            tuple(Candidate(stock.items[documents[row]], float(scores[row])) for row in rows),
        )

    @classmethod
    def _passages(cls, items: Sequence[Item]) -> list[Passage]:
        return [
            Passage(item.id, text)
            for item in items
            for text in dict.fromkeys((*cls.names(item), *cls.texts(item)))
        ]

    @classmethod
    def _named(cls, items: Sequence[Item]) -> dict[str, tuple[str, ...]]:
        return {item.id: cls.names(item) for item in items}


def _shared(index: HybridIndex, text: str, scores: Floats) -> tuple[int, ...]:
    """Return the items whose names share the word that ``text`` is, likeliest first."""
    rivals = index.sharing(text, None if index.exhaustive else np.flatnonzero(scores))
    if not rivals:
        return ()
    shared = [
        int(row)
        for row in np.argsort(-scores, kind="stable")
        if scores[row] > 0 and index.documents[row] in rivals
    ]
    return tuple(shared[:MAX_CANDIDATES])


class ServiceFinder(Finder[Matter]):
    """Finds service items, packages and what others handle by name, nickname and question."""

    collection = "services"

    def is_outside(self, item: Matter) -> bool:
        """Whether others handle it."""
        return isinstance(item, Elsewhere)

    @staticmethod
    def names(item: Matter) -> tuple[str, ...]:
        """Return the item's name and aliases."""
        return (item.name, *item.aliases)

    @staticmethod
    def texts(item: Matter) -> tuple[str, ...]:
        """Return the item's questions and summary."""
        if isinstance(item, Elsewhere):
            return item.questions
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


def apart(scores: Floats, none: float, outside: npt.NDArray[np.bool_]) -> tuple[Floats, float]:
    """Return probabilities in which documents that are ``outside`` count as none."""
    return np.where(outside, np.float32(0), scores), none + float(scores[outside].sum())

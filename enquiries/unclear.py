"""Messages that were not understood, grouped by meaning, with the intents they may have."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from sklearn.cluster import AgglomerativeClustering

from base.encoder import get_encoder
from store.unclear import Unclear

__all__ = ["Cluster", "cluster"]

_NEAR = 0.11
"""Mean cosine distance within a cluster; e5 puts paraphrases of one question below it."""
_CHOICE_WEIGHT = 2.0
"""A button the citizen pressed himself says more than the model's guess."""


@dataclass(frozen=True)
class Cluster:
    """Messages that say about the same, and what they may mean."""

    ids: tuple[int, ...]
    words: tuple[str, ...]
    suggestions: tuple[tuple[str, float], ...]


def cluster(messages: Sequence[Unclear]) -> list[Cluster]:
    """Group messages by meaning (average-linkage clustering of sentence vectors)."""
    if not messages:
        return []
    labels = np.zeros(len(messages), dtype=int)
    if len(messages) > 1:
        vectors = get_encoder().queries([message.words for message in messages])
        labels = AgglomerativeClustering(
            n_clusters=None, metric="cosine", linkage="average", distance_threshold=_NEAR
        ).fit_predict(vectors)
    groups = [
        [m for m, label in zip(messages, labels, strict=True) if label == number]
        for number in range(labels.max() + 1)
    ]
    return [
        Cluster(tuple(m.id for m in g), tuple(m.words for m in g), _suggest(g))
        for g in sorted(groups, key=lambda group: (-len(group), group[0].id))
    ]


def _suggest(messages: Sequence[Unclear]) -> tuple[tuple[str, float], ...]:
    votes: Counter[str] = Counter()
    for message in messages:
        for name, confidence in message.ranking:
            votes[name] += confidence  # type: ignore[assignment]
        if message.chosen:
            votes[message.chosen] += _CHOICE_WEIGHT  # type: ignore[assignment]
    return tuple((name, round(score / len(messages), 3)) for name, score in votes.most_common(3))

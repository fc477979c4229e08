"""Which policies is a question about? Ranks and finds; never decides who is eligible."""

from __future__ import annotations

from collections.abc import Container, Mapping

import numpy as np

from matcher.finder import Finder
from matcher.lexical import normalise
from matcher.policy import Policy

__all__ = ["PolicyFinder"]

RELEVANT = 0.75
OUTSTANDING = 0.8
"""Relevance from which a policy is listed, and which one must reach before a list is narrowed."""


class PolicyFinder(Finder[Policy]):
    """Finds policies by title, theme, summary and the ways citizens ask."""

    collection = "policies"

    @staticmethod
    def names(item: Policy) -> tuple[str, ...]:
        """Return the policy's title."""
        return (item.title,)

    @staticmethod
    def texts(item: Policy) -> tuple[str, ...]:
        """Return the policy's theme, the ways citizens ask for it, and its summary."""
        return (item.theme, *item.queries, item.summary)

    def relevance(self, text: str) -> Mapping[str, float]:
        """Return how likely each policy has to do with ``text``, 0 to 1, each for itself.

        The sum is not 1: a broad question (创业有什么补贴) is about several policies.
        """
        logits = self.index.logits(text, self.calibration)
        odds = np.exp(np.clip(logits - self.calibration.none, -30, 30))
        return dict(zip(self.index.documents, (odds / (1 + odds)).tolist(), strict=True))

    def about(self, text: str) -> frozenset[str]:
        """Return the ids of the policies that ``text`` is about.

        None when it is about none in particular (我能领什么), which shows in that no policy
        stands out.
        """
        relevance = self.relevance(text)
        if max(relevance.values()) < OUTSTANDING:
            return frozenset()
        return frozenset(name for name, chance in relevance.items() if chance >= RELEVANT)

    def titled(self, text: str) -> frozenset[str]:
        """Return the ids of policies whose whole title is in ``text``."""
        query = normalise(text)
        return frozenset(item.id for item in self.items.values() if normalise(item.title) in query)

    def named(self, text: str, among: Container[str] | None = None) -> frozenset[str]:
        """Return the ids of policies that ``text`` asks for by name.

        Those are the policies whose title it holds and, failing that, the one it means for
        certain among the ids ``among`` (None for all).
        """
        titled = self.titled(text)
        if titled:
            return titled
        finding = self.find(text, among)
        if finding.kind == "certain":
            return frozenset(candidate.item.id for candidate in finding.candidates)
        return frozenset()

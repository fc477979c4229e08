"""Which policies is a question about? Ranks and finds; never decides who is eligible."""

from __future__ import annotations

from collections.abc import Container, Mapping

import numpy as np

from matcher.finder import Finder, Stock
from matcher.lexical import normalise
from matcher.policy import Filter, Policy

__all__ = ["Filter", "PolicyFinder"]

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

    def ids(self, wanted: Filter) -> frozenset[str]:
        """Return the ids of the policies that ``wanted`` allows, for ``among``."""
        return frozenset(item.id for item in self.items.values() if wanted.allows(item))

    def relevance(self, text: str, among: Container[str] | None = None) -> Mapping[str, float]:
        """Return how likely each policy has to do with ``text``, 0 to 1, each for itself.

        The sum is not 1: a broad question (创业有什么补贴) is about several policies. A policy
        that is not in the answer was not compared: it is not in ``among`` (None for all), or
        in a large collection it is no candidate.
        """
        return self._relevance(self.stock, text, among)

    def _relevance(
        self, stock: Stock[Policy], text: str, among: Container[str] | None
    ) -> Mapping[str, float]:
        logits = stock.index.logits(text, self.calibration, among)
        compared = np.flatnonzero(np.isfinite(logits))
        odds = np.exp(np.clip(logits[compared] - self.calibration.none, -30, 30))
        names = (stock.index.documents[row] for row in compared)
        return dict(zip(names, (odds / (1 + odds)).tolist(), strict=True))

    def about(self, text: str, among: Container[str] | None = None) -> frozenset[str]:
        """Return the ids of the policies that ``text`` is about.

        None when it is about none in particular (我能领什么), which shows in that no policy
        stands out.
        """
        return self.outstanding(self.relevance(text, among))

    @staticmethod
    def outstanding(relevance: Mapping[str, float]) -> frozenset[str]:
        """Return the ids that a question of this relevance is about, as :meth:`about`."""
        if max(relevance.values(), default=0.0) < OUTSTANDING:
            return frozenset()
        return frozenset(name for name, chance in relevance.items() if chance >= RELEVANT)

    def titled(self, text: str) -> frozenset[str]:
        """Return the ids of policies whose whole title is in ``text``."""
        return _titled(self.stock, text)

    def named(self, text: str, among: Container[str] | None = None) -> frozenset[str]:
        """Return the ids of policies that ``text`` asks for by name.

        Those are the policies whose title it holds and, failing that, the one it means for
        certain among the ids ``among`` (None for all).
        """
        stock = self.stock
        titled = _titled(stock, text)
        if titled:
            return titled
        finding = self._find(stock, text, among)
        if finding.kind == "certain":
            return frozenset(candidate.item.id for candidate in finding.candidates)
        return frozenset()


def _titled(stock: Stock[Policy], text: str) -> frozenset[str]:
    query = normalise(text)
    return frozenset(
        name
        for name, titles in stock.index.names.items()
        if any(title in query for title in titles)
    )

"""Figures of the store for Prometheus: the relay takes them, being the one that always runs."""

from __future__ import annotations

from datetime import datetime

from base.metrics import (
    ERASURE_AGE,
    FIGURES_AT,
    HANDOVER_AGE,
    HANDOVERS,
    NOTICES,
    OUTBOX,
    OUTBOX_AGE,
    OVERDUE,
)
from dispatch.case.deadlines import overdue
from dispatch.classification.categories import Categories
from store.database import reading
from store.standing import DELIVERY_STATES, ENTRY_STATES, OPEN_HANDOVERS, standing


def take_figures(now: datetime) -> None:
    """Count what waits and what failed; a state in which nothing is counts 0."""
    with reading() as session:
        found = standing(session)
    for gauge, states, counts in (
        (OUTBOX, ENTRY_STATES, found.outbox),
        (HANDOVERS, OPEN_HANDOVERS, found.handovers),
        (NOTICES, DELIVERY_STATES, found.notices),
    ):
        for state in states:
            gauge.labels(state).set(counts.get(state, 0))
    OUTBOX_AGE.set(_age(found.outbox_oldest, now))
    HANDOVER_AGE.set(_age(found.handover_oldest, now))
    ERASURE_AGE.set(_age(found.erasure_oldest, now))
    FIGURES_AT.set(now.timestamp())


def count_overdue(categories: Categories, now: datetime) -> None:
    """Count open tickets that are past a limit; every open case is read."""
    with reading() as session:
        counts = overdue(session, categories, now)
    for limit, count in counts.items():
        OVERDUE.labels(limit).set(count)


def _age(since: datetime | None, now: datetime) -> float:
    return max(0.0, (now - since).total_seconds()) if since else 0.0

"""Puts profiles straight into a batch engine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from matcher.batch.engine import BatchEngine
from matcher.predicate import Scalar
from matcher.profile import ATTRIBUTES


def fill(engine: BatchEngine, facts: Sequence[Mapping[str, Scalar]]) -> None:
    """Insert profiles P0, P1 … of the engine's kind."""
    names = ["id", *ATTRIBUTES[engine.kind]]
    engine.connection.begin()
    engine.connection.executemany(
        f"INSERT INTO profiles ({', '.join(names)}) VALUES ({', '.join('?' * len(names))})",
        [[f"P{n}", *(row.get(name) for name in names[1:])] for n, row in enumerate(facts)],
    )
    engine.connection.commit()

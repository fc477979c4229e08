"""The embedded batch engine: DuckDB, columns in memory or in a file beside it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any

import duckdb
import numpy as np
import numpy.typing as npt

from matcher.batch.query import PLACE, encode_query, verdict_query
from matcher.policy import Policy
from matcher.profile import ATTRIBUTES, Kind

__all__ = ["ELIGIBLE", "INELIGIBLE", "POSSIBLE", "BatchEngine", "Counts", "Verdicts"]

INELIGIBLE, POSSIBLE, ELIGIBLE = 0, 1, 2
CHUNK = 1_000_000
"""Profiles judged at a time: what bounds the memory of the verdicts."""

_TYPES = {"integer": "BIGINT", "number": "DOUBLE", "boolean": "BOOLEAN", "choice": "VARCHAR"}


@dataclass(frozen=True, slots=True)
class Counts:
    """How many profiles came out how for one policy."""

    eligible: int
    possible: int
    ineligible: int

    def __add__(self, other: Counts) -> Counts:
        """Return the counts of both together."""
        return Counts(
            self.eligible + other.eligible,
            self.possible + other.possible,
            self.ineligible + other.ineligible,
        )


@dataclass(frozen=True)
class Verdicts:
    """The verdicts of one chunk of profiles.

    Args:
        places: (profiles,) the number of each profile, 0 for the one that came first; several
            threads answer, so they are in no order.
        codes: by policy id (profiles,) uint8: ``ELIGIBLE``, ``POSSIBLE`` or ``INELIGIBLE``.
    """

    places: npt.NDArray[np.int64]
    codes: Mapping[str, npt.NDArray[np.uint8]]

    def counts(self) -> dict[str, Counts]:
        """Return the counts by policy id."""
        return {
            name: Counts(*(int(n) for n in np.bincount(codes, minlength=3)[::-1]))
            for name, codes in self.codes.items()
        }

    def eligible(self, policy_id: str) -> npt.NDArray[np.int64]:
        """Return the numbers of the profiles that one policy applies to, in no order."""
        return np.asarray(self.places[self.codes[policy_id] == ELIGIBLE])


class BatchEngine:
    """Holds the profiles of one kind, encoded, and judges them by policies.

    Args:
        kind: of the profiles.
        threads: processors to use; all by default.
        memory_limit: of DuckDB, such as ``2GB``; beyond it spills to disk.
    """

    def __init__(
        self, kind: Kind, threads: int | None = None, memory_limit: str | None = None
    ) -> None:
        self.kind = kind
        config: dict[str, Any] = {"preserve_insertion_order": True}
        if threads:
            config["threads"] = threads
        if memory_limit:
            config["memory_limit"] = memory_limit
        self._connection = duckdb.connect(config=config)
        self._connection.execute("SET enable_progress_bar = false")
        known = self._connection.execute("SELECT name FROM duckdb_optimizers()").fetchall()
        self._optimisers = ",".join(name for (name,) in known)
        columns = ", ".join(f"{c.name} {_TYPES[c.type]}" for c in ATTRIBUTES[kind].values())
        self._connection.execute(f"CREATE TABLE profiles (id VARCHAR PRIMARY KEY, {columns})")
        self._encoded: frozenset[str] = frozenset()

    def __enter__(self) -> BatchEngine:
        """Return the engine; leaving the block closes it."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the engine."""
        self.close()

    @property
    def connection(self) -> duckdb.DuckDBPyConnection:
        """The connection, whose table ``profiles`` has the kind's columns."""
        return self._connection

    def __len__(self) -> int:
        """Return how many profiles there are."""
        row = self._connection.execute("SELECT count(*) FROM profiles").fetchone()
        return int(row[0]) if row else 0

    def prepare(self, policies: Sequence[Policy]) -> None:
        """Encode the columns that the conditions of ``policies`` read, unless it is done."""
        columns = {name for p in policies for c in p.predicates for name in c.columns}
        if not columns <= self._encoded:
            self._encoded |= columns
            query = encode_query(self.kind, "profiles", self._encoded)
            self._connection.execute(f"CREATE OR REPLACE TABLE encoded AS {query}")

    def judge(self, policies: Sequence[Policy]) -> Iterator[Verdicts]:
        """Judge every profile by ``policies`` of the engine's kind, a chunk at a time.

        Raises:
            ValueError: a policy is for the other kind.
        """
        if any(policy.audience != self.kind for policy in policies):
            raise ValueError(f"policies for {self.kind} profiles only")
        self.prepare(policies)
        if len(self) <= CHUNK:
            yield self._verdicts(policies, "encoded")
            return
        for start in range(0, len(self), CHUNK):
            chunk = f"encoded WHERE {PLACE} BETWEEN {start} AND {start + CHUNK - 1}"
            yield self._verdicts(policies, chunk)

    def _verdicts(self, policies: Sequence[Policy], source: str) -> Verdicts:
        """Run the query of some policies over a part of ``encoded``.

        It reads each column once and computes each condition once as it is written, so there is
        nothing for DuckDB's optimiser to find; looking takes longer than judging 10,000 people.
        Only a part of the rows is better found with its help.
        """
        query = verdict_query(policies, source)
        if source == "encoded":
            self._connection.execute(f"SET disabled_optimizers = '{self._optimisers}'")
        try:
            found = self._connection.execute(query).fetchnumpy()
        finally:
            self._connection.execute("RESET disabled_optimizers")
        return Verdicts(found.pop(PLACE), found)

    def ids(self, places: npt.NDArray[np.int64]) -> list[str]:
        """Return the identifiers of some profiles, in the order in which they came."""
        wanted = places.tolist()
        query = (
            "SELECT p.id FROM (SELECT unnest(?) AS place) w JOIN profiles p ON p.rowid = w.place"
            " ORDER BY w.place"
        )
        return [str(row[0]) for row in self._connection.execute(query, [wanted]).fetchall()]

    def close(self) -> None:
        """Let go of the profiles."""
        self._connection.close()

"""All policies over profiles that stay in a database or on a cluster: the rules go to the data.

The conditions are those of the embedded engine, written in the SQL of the other
(:func:`matcher.batch.query.verdict_query`); which engine is a setting, and no rule changes with it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, get_args

from base.errors import ConfigurationError
from base.settings import EngineName
from matcher.batch.engine import ELIGIBLE, POSSIBLE, Counts
from matcher.batch.intake import IntakeReport
from matcher.batch.query import encode_query, verdict_query
from matcher.batch.source import Family, check_columns, checked_select, translated
from matcher.policy import Policy
from matcher.profile import ATTRIBUTES, Kind

__all__ = ["Cluster", "Outcome", "connect", "judge_where_they_are"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a table of profiles.

    Args:
        intake: which rows were taken; faults are not listed one by one.
        counts: by policy id.
    """

    intake: IntakeReport
    counts: Mapping[str, Counts]


class Cluster(Protocol):
    """A database or cluster that holds profiles and can be asked in SQL."""

    dialect: str
    """Of sqlglot."""

    def columns(self, source: str) -> Mapping[str, Family]:
        """Return the columns of a table (a name, or a URL), in lower case.

        Raises:
            InputError: ``profiles_unreadable``.
        """
        ...

    def source(self, source: str) -> str:
        """Return how the table is called in a query."""
        ...

    def keep(self, name: str, query: str) -> None:
        """Keep the rows of ``query`` as table ``name`` until the end of the session."""
        ...

    def numbers(self, query: str) -> Sequence[int]:
        """Return the one row of ``query``."""
        ...

    def write(self, query: str, target: str) -> None:
        """Write the rows of ``query`` to a new table or URL.

        Raises:
            InputError: ``target_taken``: there is something by that name.
        """
        ...

    def eligible(self, policies: Sequence[str], verdicts: str) -> str:
        """Return a query for ``policy`` and ``profile`` of every eligible pair."""
        ...

    def close(self) -> None:
        """End the session."""
        ...


def connect(engine: EngineName, url: str) -> Cluster:
    """Open a session.

    Args:
        engine: ``postgresql`` or ``spark``.
        url: ``postgresql://user@host/database``, or a Spark master (``local[2]``,
            ``spark://host:7077``, ``yarn``).

    Raises:
        ConfigurationError: nothing can be reached there, or the library is not installed.
    """
    if engine == "postgresql":
        from matcher.batch.postgresql import PostgreSQL  # noqa: PLC0415 - only what is used

        return PostgreSQL(url)
    if engine == "spark":
        from matcher.batch.spark import Spark  # noqa: PLC0415 - pyspark is an extra

        return Spark(url)
    others = [name for name in get_args(EngineName) if name != "duckdb"]
    raise ConfigurationError(f"engine {engine!r} holds no profiles; there are {', '.join(others)}")


def judge_where_they_are(
    cluster: Cluster,
    kind: Kind,
    policies: Sequence[Policy],
    source: str,
    target: str | None = None,
) -> Outcome:
    """Judge every profile of a table by ``policies``; the profiles do not leave it.

    Args:
        cluster: where it is.
        kind: of the profiles.
        policies: of that kind, at least one.
        source: a table with ``id`` and columns of :data:`matcher.profile.ATTRIBUTES` by name.
        target: where ``policy`` and ``profile`` of every eligible pair are written, if wanted.

    Raises:
        InputError: ``profiles_unreadable``, ``profiles_without_id``, ``profiles_mistyped``,
            ``target_taken``.
        ValueError: a policy is for the other kind.
    """
    if any(policy.audience != kind for policy in policies):
        raise ValueError(f"policies for {kind} profiles only")
    found = cluster.columns(source)
    check_columns(kind, found, source)
    checked = checked_select(kind, found, cluster.source(source))
    cluster.keep("shimin_profiles", translated(checked, cluster.dialect))
    rows, refused = cluster.numbers(
        "SELECT COUNT(*), COALESCE(SUM(CASE WHEN wrong THEN 1 ELSE 0 END), 0) FROM shimin_profiles"
    )
    columns = {name for p in policies for c in p.predicates for name in c.columns}
    good = "(SELECT * FROM shimin_profiles WHERE NOT wrong) AS good"
    encoded = translated(encode_query(kind, good, columns, "id"), cluster.dialect)
    verdicts = verdict_query(policies, f"({encoded}) AS encoded", cluster.dialect)
    cluster.keep("shimin_verdicts", verdicts)
    sums = [
        f"COALESCE(SUM(CASE WHEN {policy.id} = {code} THEN 1 ELSE 0 END), 0)"
        for policy in policies
        for code in (ELIGIBLE, POSSIBLE)
    ]
    numbers = cluster.numbers(f"SELECT {', '.join(sums)} FROM shimin_verdicts")
    taken = rows - refused
    counts = {
        policy.id: Counts(sure, maybe, taken - sure - maybe)
        for policy, sure, maybe in zip(policies, numbers[::2], numbers[1::2], strict=True)
    }
    if target is not None:
        pairs = cluster.eligible([policy.id for policy in policies], "shimin_verdicts")
        cluster.write(pairs, target)
    intake = IntakeReport(
        rows=rows,
        accepted=taken,
        refused=refused,
        faults=(),
        fault_count=refused,
        ignored=tuple(name for name in found if name != "id" and name not in ATTRIBUTES[kind]),
        absent=tuple(name for name in ATTRIBUTES[kind] if name not in found),
    )
    return Outcome(intake, counts)

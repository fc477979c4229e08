"""Who would benefit, and what would it cost, if a policy were changed?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from matcher.batch.engine import ELIGIBLE, POSSIBLE, BatchEngine
from matcher.batch.query import PLACE, completed_select, verdict_query
from matcher.batch.worth import yuan_sql
from matcher.groups import AXES, SMALLEST, Axis
from matcher.policy import Policy

__all__ = ["REST", "Cost", "Group", "Side", "Simulation", "simulate"]

REST = "其他（较小的组合计）"


@dataclass(frozen=True, slots=True)
class Side:
    """One version of a policy over all profiles.

    Args:
        eligible: profiles it applies to.
        possible: profiles it may apply to.
        yuan: what the eligible get a year, as far as it is known.
        priced: eligible profiles whose amount is known.
    """

    eligible: int
    possible: int
    yuan: float
    priced: int


@dataclass(frozen=True, slots=True)
class Cost:
    """Where the difference in yuan a year comes from, as far as the sums are known.

    Args:
        gained: what the newly eligible get.
        lost: what those who are eligible no longer got; a saving.
        kept: how much more those get who are eligible either way; negative for less.
    """

    gained: float
    lost: float
    kept: float

    @property
    def total(self) -> float:
        """What the change costs in all; negative for a saving."""
        return self.gained - self.lost + self.kept


@dataclass(frozen=True, slots=True)
class Group:
    """The eligible of one group before and after, and the yuan a year they get."""

    label: str
    before: int
    after: int
    yuan_before: float
    yuan_after: float

    @property
    def most(self) -> int:
        """The greater of the two counts."""
        return max(self.before, self.after)


@dataclass(frozen=True, slots=True)
class Simulation:
    """A policy before and after a change.

    Args:
        policy: the changed policy.
        profiles: how many there are.
        before: the present version; None for a policy that is new.
        after: the changed one.
        gained: profiles that become eligible.
        lost: profiles that are eligible no longer.
        cost: what the change costs a year, and whom it goes to.
        groups: by label of the axis.
    """

    policy: Policy
    profiles: int
    before: Side | None
    after: Side
    gained: int
    lost: int
    cost: Cost
    groups: Mapping[str, tuple[Group, ...]]


def simulate(engine: BatchEngine, before: Policy | None, after: Policy) -> Simulation:
    """Judge all profiles of the engine by two versions of a policy and compare.

    Raises:
        ValueError: the versions are not for the engine's kind of profile.
    """
    old = (before or after).model_copy(update={"id": "before"})
    new = after.model_copy(update={"id": "after"})
    if {old.audience, new.audience} != {engine.kind}:
        raise ValueError(f"policies for {engine.kind} profiles only")
    engine.prepare([old, new])
    engine.connection.execute(
        f"CREATE OR REPLACE TEMP TABLE simulated AS {_table(engine, old, new)}"
    )
    try:
        sides = [_side(engine, name) for name in ("before", "after")]
        moved = [
            _numbers(engine, f"count(*) FILTER ({a} = {ELIGIBLE} AND {b} != {ELIGIBLE})")[0]
            for a, b in (("after", "before"), ("before", "after"))
        ]
        cost = _cost(engine)
        groups = {axis.label: _groups(engine, axis) for axis in AXES[engine.kind]}
    finally:
        engine.connection.execute("DROP TABLE simulated")
    if before is None:
        moved = [sides[1].eligible, 0]
        cost = Cost(sides[1].yuan, 0.0, 0.0)
        groups = {
            name: tuple(Group(g.label, 0, g.after, 0.0, g.yuan_after) for g in rows)
            for name, rows in groups.items()
        }
    return Simulation(
        policy=after,
        profiles=len(engine),
        before=None if before is None else sides[0],
        after=sides[1],
        gained=int(moved[0]),
        lost=int(moved[1]),
        cost=cost,
        groups=MappingProxyType(groups),
    )


def _table(engine: BatchEngine, old: Policy, new: Policy) -> str:
    """SQL for one row a profile: both verdicts, both sums, and what it is grouped by."""
    axes = [axis.column for axis in AXES[engine.kind]]
    columns = set(axes)
    for policy in (old, new):
        for condition, formula in policy.amounts:
            columns.update(formula.columns, condition.columns if condition else ())
    facts = completed_select(engine.kind, "profiles", columns)
    verdicts = verdict_query([old, new], "encoded")
    grouped = ", ".join(f"facts.{column} AS by_{column}" for column in axes)
    return (
        f"SELECT before, after, {yuan_sql(old)} AS yuan_before, {yuan_sql(new)} AS yuan_after,"
        f" {grouped} FROM ({verdicts}) AS verdicts JOIN ({facts}) AS facts USING ({PLACE})"
    )


def _side(engine: BatchEngine, name: str) -> Side:
    eligible, possible, yuan, priced = _numbers(
        engine,
        f"count(*) FILTER ({name} = {ELIGIBLE})",
        f"count(*) FILTER ({name} = {POSSIBLE})",
        f"coalesce(sum(yuan_{name}) FILTER ({name} = {ELIGIBLE}), 0)",
        f"count(yuan_{name}) FILTER ({name} = {ELIGIBLE})",
    )
    return Side(int(eligible), int(possible), float(yuan), int(priced))


def _cost(engine: BatchEngine) -> Cost:
    was, will = f"before = {ELIGIBLE}", f"after = {ELIGIBLE}"
    sums = (
        f"coalesce(sum(yuan_after) FILTER ({will} AND NOT {was}), 0)",
        f"coalesce(sum(yuan_before) FILTER ({was} AND NOT {will}), 0)",
        f"coalesce(sum(yuan_after - yuan_before) FILTER ({was} AND {will}), 0)",
    )
    return Cost(*map(float, _numbers(engine, *sums)))


def _numbers(engine: BatchEngine, *wanted: str) -> Sequence[float]:
    row = engine.connection.execute(f"SELECT {', '.join(wanted)} FROM simulated").fetchone()
    assert row is not None
    return list(row)


def _groups(engine: BatchEngine, axis: Axis) -> tuple[Group, ...]:
    """Return an axis's groups in the column's own order; small ones together, at the end.

    What is put together takes in larger groups until it is large enough itself, or it could be
    worked out from the whole; a whole that is too small has no groups.
    """
    key = f"by_{axis.column}"
    if axis.step:
        key = f"CAST(floor({key} / {axis.step}) * {axis.step} AS BIGINT)"
    rows = engine.connection.execute(
        f"SELECT {key} AS key, count(*) FILTER (before = {ELIGIBLE}),"
        f" count(*) FILTER (after = {ELIGIBLE}),"
        f" coalesce(sum(yuan_before) FILTER (before = {ELIGIBLE}), 0.0),"
        f" coalesce(sum(yuan_after) FILTER (after = {ELIGIBLE}), 0)"
        " FROM simulated GROUP BY ALL"
    ).fetchall()
    large: list[Group] = []
    small: list[Group] = []
    for key, *numbers in sorted(rows, key=lambda row: axis.order(engine.kind, row[0])):
        if max(numbers[:2]) == 0:
            continue
        label = axis.name(engine.kind, key)
        (large if max(numbers[:2]) >= SMALLEST else small).append(Group(label, *numbers))
    while small and large and _together(small).most < SMALLEST:
        least = min(large, key=lambda group: group.most)
        large.remove(least)
        small.append(least)
    rest = _together(small)
    return (*large, rest) if rest.most >= SMALLEST else tuple(large)


def _together(groups: Sequence[Group]) -> Group:
    return Group(
        REST,
        sum(group.before for group in groups),
        sum(group.after for group in groups),
        sum(group.yuan_before for group in groups),
        sum(group.yuan_after for group in groups),
    )

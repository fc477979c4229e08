"""Who would benefit, and what would it cost, if a policy were changed?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from matcher.batch.engine import ELIGIBLE, POSSIBLE, BatchEngine
from matcher.batch.query import PLACE, completed_select, verdict_query
from matcher.batch.worth import yuan_sql
from matcher.policy import Policy
from matcher.profile import ATTRIBUTES, Kind

__all__ = ["AXES", "LEAST_GROUP", "Axis", "Group", "Side", "Simulation", "simulate"]

LEAST_GROUP = 5
"""Groups in which fewer profiles are concerned are put together, and left out when they are
still fewer then, so that nobody is recognised."""
REST = "其他（每组不足5个）"
UNKNOWN = "未知"


@dataclass(frozen=True, slots=True)
class Axis:
    """A way of dividing profiles: a column, or a column in steps of ``step``."""

    column: str
    label: str
    step: int | None = None


AXES: Mapping[Kind, tuple[Axis, ...]] = MappingProxyType(
    {
        "enterprise": (
            Axis("district", "区县"),
            Axis("industry", "行业"),
            Axis("scale", "企业规模"),
        ),
        "resident": (
            Axis("district", "区县"),
            Axis("age", "年龄", 10),
            Axis("hukou", "户籍"),
        ),
    }
)


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
class Group:
    """The eligible of one group before and after, and the yuan a year they get."""

    label: str
    before: int
    after: int
    yuan_before: float
    yuan_after: float


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
        groups: by label of the axis.
    """

    policy: Policy
    profiles: int
    before: Side | None
    after: Side
    gained: int
    lost: int
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
        groups = {axis.label: _groups(engine, axis) for axis in AXES[engine.kind]}
    finally:
        engine.connection.execute("DROP TABLE simulated")
    if before is None:
        moved = [sides[1].eligible, 0]
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


def _numbers(engine: BatchEngine, *wanted: str) -> Sequence[float]:
    row = engine.connection.execute(f"SELECT {', '.join(wanted)} FROM simulated").fetchone()
    assert row is not None
    return list(row)


def _groups(engine: BatchEngine, axis: Axis) -> tuple[Group, ...]:
    """Return an axis's groups in the column's own order; small ones together, at the end."""
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
    attribute = ATTRIBUTES[engine.kind][axis.column]
    order = {choice.value: place for place, choice in enumerate(attribute.choices)}
    large: list[Group] = []
    small: list[Group] = []
    for value, *numbers in sorted(
        rows, key=lambda row: (row[0] is None, order.get(row[0], 0), row[0] or 0)
    ):
        if max(numbers[:2]) == 0:
            continue
        label = UNKNOWN if value is None else attribute.describe(value)
        if axis.step and value is not None:
            label = f"{value}–{value + axis.step - 1}{attribute.unit}"
        (large if max(numbers[:2]) >= LEAST_GROUP else small).append(Group(label, *numbers))
    rest = Group(
        REST,
        sum(group.before for group in small),
        sum(group.after for group in small),
        sum(group.yuan_before for group in small),
        sum(group.yuan_after for group in small),
    )
    if max(rest.before, rest.after) >= LEAST_GROUP:
        large.append(rest)
    return tuple(large)

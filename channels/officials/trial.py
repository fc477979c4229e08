"""Trying a change of a policy out on many profiles: one at a time, bounded in time and memory.

What is told of the result follows :mod:`matcher.groups`: a change that concerns fewer than five is
told as that and nothing more, because before and after could be subtracted from each other.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from time import monotonic

import structlog

from base.errors import InputError, StateError
from base.settings import Settings
from channels.notices.report import read_subjects
from matcher.batch.bounded import Check, bounded_engine, hold
from matcher.batch.intake import load_profiles
from matcher.batch.simulate import Group, Side, Simulation, simulate
from matcher.groups import SMALLEST, WITHHELD
from matcher.policy import Policy
from matcher.profile import Kind, Value
from store.database import reading
from store.notices import subscribers
from store.tickets import city_day

log = structlog.get_logger(__name__)

STORED, FILE = "stored", "file"
SOURCES = {STORED: "已存画像（同意接收政策通知的）", FILE: "画像文件"}
PURPOSE = "policy_simulation"
MOST_STORED = 50_000
_BATCH = 100


@dataclass(frozen=True)
class Amount:
    """A row of the comparison as it may be shown."""

    label: str
    before: str
    after: str


@dataclass(frozen=True)
class Axis:
    """The eligible by group; ``money``: whether sums may be told beside the counts."""

    label: str
    groups: tuple[Group, ...]
    money: bool

    @property
    def most(self) -> int:
        """The greatest count, at least 1."""
        return max([1, *(group.most for group in self.groups)])

    @property
    def most_yuan(self) -> float:
        """The greatest sum, at least 1."""
        return max([1.0, *(max(g.yuan_before, g.yuan_after) for g in self.groups)])


@dataclass(frozen=True)
class Trial:
    """What came of a trial; ``told`` is False when the change concerns too few."""

    policy: Policy
    source: str
    profiles: int
    refused: int
    seconds: float
    told: bool
    rows: tuple[Amount, ...]
    axes: tuple[Axis, ...]


class Bench:
    """Runs one trial at a time in this process."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._busy = threading.Lock()

    def sources(self, kind: Kind) -> dict[str, str]:
        """Return the sources there are for a kind of profiles, by key."""
        found = {STORED: SOURCES[STORED]}
        path = self._file(kind)
        if path is not None:
            found[FILE] = f"{SOURCES[FILE]} {path.name}"
        return found

    def run(self, before: Policy, after: Policy, source: str, actor: str, now: datetime) -> Trial:
        """Judge all profiles of a source by both versions.

        Raises:
            StateError: ``simulation_busy``.
            InputError: no such source, the file cannot be read, or a bound was reached.
        """
        if not self._busy.acquire(blocking=False):
            raise StateError(
                "simulation_busy", "另一项测算正在进行，一次只能算一项。请稍后再试。", "busy"
            )
        began = monotonic()
        try:
            found, refused = self._judged(before, after, source, actor, now)
        finally:
            self._busy.release()
        seconds = monotonic() - began
        log.info(
            "policy_simulated",
            policy=after.id,
            source=source,
            profiles=found.profiles,
            seconds=round(seconds, 1),
            by=actor,
        )
        return shown(found, SOURCES[source], refused, seconds)

    def _judged(
        self, before: Policy, after: Policy, source: str, actor: str, now: datetime
    ) -> tuple[Simulation, int]:
        kind, settings = after.audience, self._settings
        if source not in self.sources(kind):
            raise InputError("source_unknown", "请选择用哪些画像测算。", source[:20])
        bounds = bounded_engine(
            kind, seconds=settings.simulation_seconds, memory=settings.simulation_memory
        )
        with bounds as (engine, check):
            refused = 0
            if source == STORED:
                hold(engine, _stored(kind, actor, now, check))
            else:
                refused = load_profiles(engine, self._file(kind) or Path()).refused
            check()
            return simulate(engine, before, after), refused

    def _file(self, kind: Kind) -> Path | None:
        settings = self._settings
        files = {
            "enterprise": settings.simulation_enterprises,
            "resident": settings.simulation_residents,
        }
        return files[kind]


def shown(found: Simulation, source: str, refused: int, seconds: float) -> Trial:
    """Return what may be told of a simulation of two versions."""
    before = found.before
    assert before is not None
    told = not any(
        0 < count < SMALLEST
        for count in (found.gained, found.lost, before.eligible, found.after.eligible)
    )
    rows = [
        Amount("符合", _count(before.eligible), _count(found.after.eligible) if told else WITHHELD),
        Amount("可能符合（资料不全）", _count(before.possible), _count(found.after.possible)),
        Amount("新增符合", "", _count(found.gained)),
        Amount("不再符合", "", _count(found.lost)),
    ]
    if told:
        rows += _money(found, before)
    return Trial(
        policy=found.policy,
        source=source,
        profiles=found.profiles,
        refused=refused,
        seconds=seconds,
        told=told,
        rows=tuple(rows),
        axes=tuple(_axis(label, groups) for label, groups in found.groups.items()) if told else (),
    )


def _money(found: Simulation, before: Side) -> list[Amount]:
    if not before.priced and not found.after.priced:
        return [Amount("全年金额", "无法按画像计算", "无法按画像计算")]
    cost = found.cost
    rows = [
        Amount("全年金额（万元）", _wan(before.yuan), _wan(found.after.yuan)),
        Amount("金额变化（万元）", "", _change(cost.total)),
        Amount("　新增符合的", "", _change(cost.gained)),
        Amount("　不再符合的", "", _change(-cost.lost)),
        Amount("　一直符合的", "", _change(cost.kept)),
    ]
    unpriced = found.after.eligible - found.after.priced
    if unpriced:
        rows.append(Amount("算不出金额的", "", _count(unpriced)))
    return rows


def _axis(label: str, groups: tuple[Group, ...]) -> Axis:
    """Money is left out of an axis in which a group changes by fewer than five."""
    small = any(0 < abs(group.after - group.before) < SMALLEST for group in groups)
    money = any(group.yuan_before or group.yuan_after for group in groups)
    return Axis(label, groups, money and not small)


def _count(number: int) -> str:
    return f"<{SMALLEST}" if 0 < number < SMALLEST else f"{number:,}"


def _change(yuan: float) -> str:
    return f"{round(yuan / 1e4, 1) + 0.0:+,.1f}"  # plus zero: never -0.0


def _wan(yuan: float) -> str:
    return f"{yuan / 1e4:,.1f}"


def _stored(kind: Kind, actor: str, now: datetime, check: Check) -> Iterator[Mapping[str, Value]]:
    """Yield what is known of everybody who agreed to hear of policies (audited)."""
    with reading() as session:
        people = subscribers(session)
    if len(people) > MOST_STORED:
        raise InputError(
            "simulation_too_large",
            f"已存画像超过{MOST_STORED}份，请用画像文件测算。",
            f"{len(people)} subscribers",
        )
    today = city_day(now)
    for start in range(0, len(people), _BATCH):
        check()
        for _, subject in read_subjects(people[start : start + _BATCH], actor, PURPOSE):
            known = subject.on(today).get(kind, ())
            if known:
                yield known[0].attributes  # at the least age he may have

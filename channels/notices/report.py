"""How many qualify, know of it, were notified, opened and applied: by policy and group.

Never a person: figures are suppressed as :mod:`matcher.groups` says.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from types import MappingProxyType

from channels.notices.rounds import age_of
from channels.notices.shelf import Policies
from matcher.groups import AXES, Axis, shown
from matcher.notices.decide import Subject, eligible
from matcher.profile import KINDS, Kind, Value
from store.database import unit_of_work
from store.notices import outcomes, subscribers
from store.people import read_profiles, read_told
from store.tickets import city_day

__all__ = ["COLUMNS", "EVERYBODY", "KIND_NAMES", "Group", "Row", "read_subjects", "report"]

PURPOSE = "policy_coverage"
COLUMNS: Mapping[str, str] = MappingProxyType(
    {
        "eligible": "符合条件",
        "aware": "其中已知晓",
        "notified": "已通知",
        "opened": "看过详情",
        "applied": "已申请",
    }
)
"""What is counted, and its heading.

``eligible``: subscribers who surely qualify today. ``aware``: those of them whom a notice reached,
who were shown the policy in the chat, or who have applied. ``notified``, ``opened``, ``applied``:
everybody of whom :func:`store.notices.outcomes` says so, whether or not he qualifies today.
"""
KIND_NAMES: Mapping[Kind, str] = MappingProxyType({"enterprise": "企业", "resident": "个人"})
EVERYBODY = "全部"
_BATCH = 100

_People = Mapping[str, frozenset[str]]
_Divided = Mapping[str, Mapping[str, Value | None]]


@dataclass(frozen=True, slots=True)
class Group:
    """People alike in one respect.

    Args:
        audience: enterprises or residents.
        axis: what they are divided by: 区县, 行业, 企业规模, 年龄, 户籍; empty for the whole.
        label: which of its groups.
    """

    audience: Kind
    axis: str = ""
    label: str = EVERYBODY


@dataclass(frozen=True, slots=True)
class Row:
    """The figures of a policy in one group; those of a whole kind when ``policy`` is empty.

    ``figures`` has each of :data:`COLUMNS` as it may be shown (:func:`matcher.groups.shown`).
    In a row without a policy everybody counts once, however many policies concern him.
    """

    policy: str
    group: Group
    figures: Mapping[str, str]


def report(policies: Policies, now: datetime, actor: str) -> list[Row]:
    """Count subscribers who qualify today and what became of the notices.

    First comes each kind of people as a whole, then each policy in order; within both the whole,
    then its groups. What is read of people is audited under ``actor``. Who has left keeps counting
    as notified, in the group 未知: his data are not read.
    """
    today = city_day(now)
    with unit_of_work() as session:
        people, told = subscribers(session), outcomes(session)
    keys: dict[Kind, dict[str, Mapping[str, Value | None]]] = {kind: {} for kind in KINDS}
    qualify: dict[str, set[str]] = {}
    for start in range(0, len(people), _BATCH):
        batch = people[start : start + _BATCH]
        for citizen_id, subject in read_subjects(batch, actor, PURPOSE):
            for profile in subject.profiles:
                keys[profile.kind][citizen_id] = _keys(profile.kind, subject, today)
            for policy in eligible(policies.all, subject, today):
                qualify.setdefault(policy.id, set()).add(citizen_id)
    counted: dict[str, _People] = {
        policy.id: _outcome(qualify.get(policy.id, set()), told.get(policy.id, {}))
        for policy in policies.all
    }
    rows = []
    for kind in KINDS:
        of_kind = [counted[policy.id] for policy in policies.all if policy.audience == kind]
        whole = {name: frozenset().union(*(one[name] for one in of_kind)) for name in COLUMNS}
        rows += _rows("", kind, whole, keys[kind])
    for policy in policies.all:
        rows += _rows(policy.id, policy.audience, counted[policy.id], keys[policy.audience])
    return rows


def read_subjects(people: Iterable[str], actor: str, purpose: str) -> list[tuple[str, Subject]]:
    """Read some people; the audit of it is committed with them."""
    with unit_of_work() as session:
        found = []
        for citizen_id in people:
            profiles = read_profiles(session, citizen_id, purpose, actor)
            told = read_told(session, citizen_id, purpose, actor)
            found.append((citizen_id, Subject.of(profiles, age_of(profiles, told))))
    return found


def _outcome(qualify: set[str], told: Mapping[str, set[str]]) -> _People:
    people = {name: frozenset(told.get(name, ())) for name in ("notified", "opened", "applied")}
    knowing = people["notified"] | people["applied"] | told.get("seen", set())
    return {"eligible": frozenset(qualify), "aware": knowing & qualify, **people}


def _keys(kind: Kind, subject: Subject, today: date) -> dict[str, Value | None]:
    """Return which group of each axis a subject is in; of possible ages the least counts."""
    found: dict[str, Value | None] = {}
    for axis in AXES[kind]:
        value: Value | None = subject.known(kind, axis.column)
        ages = subject.age.possible(today)
        if axis.column == "age" and ages:
            value = ages[0]
        found[axis.column] = axis.key(value)
    return found


def _rows(policy: str, kind: Kind, people: _People, keys: _Divided) -> list[Row]:
    """The whole and its groups; nothing where nobody is concerned."""
    if not any(people.values()):
        return []
    whole = {name: shown([len(people[name])])[0] for name in COLUMNS}
    rows = [Row(policy, Group(kind), whole)]
    for axis in AXES[kind]:
        rows += _divided(policy, kind, axis, people, keys)
    return rows


def _divided(policy: str, kind: Kind, axis: Axis, people: _People, keys: _Divided) -> Sequence[Row]:
    counts: dict[Value | None, dict[str, int]] = {}
    for name in COLUMNS:
        for citizen_id in people[name]:
            key = keys.get(citizen_id, {}).get(axis.column)
            counts.setdefault(key, dict.fromkeys(COLUMNS, 0))[name] += 1
    order = sorted(counts, key=lambda key: axis.order(kind, key))
    columns = {name: shown([counts[key][name] for key in order]) for name in COLUMNS}
    return [
        Row(
            policy,
            Group(kind, axis.label, axis.name(kind, key)),
            {name: columns[name][place] for name in COLUMNS},
        )
        for place, key in enumerate(order)
    ]

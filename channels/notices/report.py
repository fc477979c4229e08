"""How many qualify, were notified, opened and applied: by policy and group, never a person.

A figure of fewer than five people is written as ``<5``, so that no row is about somebody whom a
reader could know (the customary threshold of statistical offices for counts of persons).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from channels.notices.rounds import PURPOSE, age_of
from channels.notices.shelf import Policies
from matcher.notices.decide import Subject, eligible
from store.database import unit_of_work
from store.notices import outcomes, read_person, subscribers
from store.tickets import city_day

SMALLEST = 5
COLUMNS = ("eligible", "notified", "opened", "applied")
UNKNOWN = "未知"
_BANDS = ((18, "18岁以下"), (35, "18-34岁"), (60, "35-59岁"), (70, "60-69岁"), (80, "70-79岁"))
_SCALES = {"micro": "微型", "small": "小型", "medium": "中型", "large": "大型"}
_BATCH = 100


@dataclass(frozen=True, order=True)
class Group:
    """People alike: audience, district and age band or scale; empty for everybody."""

    audience: str
    district: str = ""
    band: str = ""


@dataclass(frozen=True)
class Row:
    """A policy's figures in one group: each a count, or ``<5``."""

    policy: str
    group: Group
    figures: Mapping[str, str]


def report(policies: Policies, now: datetime) -> list[Row]:
    """Count subscribers who qualify today and what became of the notices; policies in order.

    For each policy comes a row for everybody, then one a group.
    """
    today = city_day(now)
    groups: dict[str, dict[str, Group]] = {}
    qualify: dict[str, set[str]] = {}
    with unit_of_work() as session:
        people = subscribers(session)
        told = outcomes(session)
    for start in range(0, len(people), _BATCH):
        with unit_of_work() as session:
            for citizen_id in people[start : start + _BATCH]:
                person = read_person(session, citizen_id, PURPOSE, now, now)
                subject = Subject.of(person.profiles, age_of(person.profiles, person.told))
                groups[citizen_id] = _groups(subject, today)
                for policy in eligible(policies.all, subject, today):
                    qualify.setdefault(policy.id, set()).add(citizen_id)
    rows = []
    for policy in policies.all:
        people_by = {"eligible": qualify.get(policy.id, set()), **told.get(policy.id, {})}
        rows += _rows(policy.id, policy.audience, people_by, groups)
    return rows


def shown(count: int) -> str:
    """Return a count as it may be shown."""
    return str(count) if count >= SMALLEST else f"<{SMALLEST}"


def _rows(
    policy: str,
    audience: str,
    people: Mapping[str, set[str]],
    groups: Mapping[str, Mapping[str, Group]],
) -> list[Row]:
    found: dict[Group, dict[str, int]] = {}
    for column in COLUMNS:
        for citizen_id in people.get(column, ()):
            own = groups.get(citizen_id, {}).get(audience, Group(audience, UNKNOWN, UNKNOWN))
            for group in (Group(audience), own):
                counts = found.setdefault(group, dict.fromkeys(COLUMNS, 0))
                counts[column] += 1
    return [
        Row(policy, group, {name: shown(count) for name, count in found[group].items()})
        for group in sorted(found)
    ]


def _groups(subject: Subject, today: date) -> dict[str, Group]:
    found: dict[str, Group] = {}
    for profile in subject.profiles:
        district = str(profile.known("district") or UNKNOWN)
        if profile.kind == "enterprise":
            band = _SCALES.get(str(profile.known("scale")), UNKNOWN)
        else:
            band = _band(subject.age.possible(today))
        found[profile.kind] = Group(profile.kind, district, band)
    return found


def _band(ages: range) -> str:
    if not ages:
        return UNKNOWN
    return next((name for below, name in _BANDS if ages[0] < below), "80岁以上")

"""What should a person be told today, and why? Judged by the conditions alone.

Told is only what the person surely qualifies for (``eligible``, for every age he may have), that
can be applied for or will be, that he has not applied for, does not decline and was not told. One
version of a policy is told once, the end of its window at seven, three and one day. Who asked to be
reminded of a policy is told the end of its window whatever he qualifies for; who asked for nothing
else, that alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any, Literal

from base.errors import InputError
from matcher.eligibility import evaluate
from matcher.notices.ages import Age
from matcher.policy import Policy
from matcher.profile import Kind, Profile, complete, parse_profile
from matcher.ranking import benefit_worth, excludes

__all__ = ["History", "Slot", "Subject", "Trigger", "Wanted", "eligible", "present_stage", "wanted"]

Slot = Literal["match", "closes_7", "closes_3", "closes_1"]
Trigger = Literal["new", "changed", "profile", "birthday", "deadline", "reminder"]
Key = tuple[str, int, str]

STAGES: tuple[tuple[int, Slot], ...] = ((1, "closes_1"), (3, "closes_3"), (7, "closes_7"))
"""Days before the end of a window at which it is told, nearest first."""
URGENT_DAYS = 7


@dataclass(frozen=True, slots=True)
class Subject:
    """A person or an enterprise as the rules see it.

    Args:
        profiles: what is known, one profile a kind.
        age: what is known of the resident's age.
    """

    profiles: tuple[Profile, ...]
    age: Age

    @classmethod
    def of(cls, stored: Mapping[str, Mapping[str, Any]], age: Age) -> Subject:
        """Build from stored profiles; a column this release does not know is left out."""
        return cls(tuple(_profile(kind, values) for kind, values in stored.items()), age)

    def known(self, kind: Kind, name: str) -> Any:
        """Return a column of the profile of ``kind``, None when it is unknown."""
        found = next((p for p in self.profiles if p.kind == kind), None)
        return None if found is None else found.known(name)

    def on(self, day: date) -> Mapping[str, tuple[Profile, ...]]:
        """Return the profiles the subject may have on ``day`` by kind: one for each age."""
        found: dict[str, tuple[Profile, ...]] = {}
        for profile in self.profiles:
            ages = self.age.possible(day) if profile.kind == "resident" else range(0)
            found[profile.kind] = tuple(
                replace(profile, attributes={**profile.attributes, "age": age}) for age in ages
            ) or (profile,)
        return found


@dataclass(frozen=True, slots=True)
class History:
    """What went before.

    Args:
        known: policy, version and slot of what was told or seen.
        received: policies applied for.
        declined: policies not to be told of.
        settled: the last look after which nothing was left to tell (aware, and the day of it in
            the city); None before the first.
        first_seen: when each ``(policy, version)`` was first here.
        reminded: policies whose closing he asked to be reminded of.
        subscribed: whether he asked to hear of policies at all.
    """

    known: frozenset[Key]
    received: frozenset[str]
    declined: frozenset[str]
    settled: tuple[datetime, date] | None
    first_seen: Mapping[tuple[str, int], datetime]
    reminded: frozenset[str] = frozenset()
    subscribed: bool = True


@dataclass(frozen=True, slots=True)
class Wanted:
    """A policy that should be told.

    Args:
        policy: the policy.
        slots: what is told of it, at least one.
        trigger: why it is told.
        days_left: until the window closes, None when it does not.
        choices: policies the person also qualifies for that cannot be had together with it.
    """

    policy: Policy
    slots: tuple[Slot, ...]
    trigger: Trigger
    days_left: int | None
    choices: tuple[Policy, ...]

    @property
    def urgent(self) -> bool:
        """Whether the window closes within a week."""
        return self.days_left is not None and self.days_left <= URGENT_DAYS


def eligible(policies: Iterable[Policy], subject: Subject, day: date) -> tuple[Policy, ...]:
    """Return the policies the subject surely qualifies for on ``day``, whatever their window."""
    possible = subject.on(day)
    return tuple(
        policy
        for policy in policies
        if (profiles := possible.get(policy.audience))
        and all(evaluate(policy, profile).verdict == "eligible" for profile in profiles)
    )


def wanted(
    policies: Sequence[Policy], subject: Subject, history: History, today: date
) -> tuple[Wanted, ...]:
    """Return what should be told today: what closes first, then what is worth most.

    A policy that cannot be had beside one already applied for is not told.
    """
    taken = [policy for policy in policies if policy.id in history.received]
    silent = history.received | history.declined
    fitting = [
        policy
        for policy in (eligible(policies, subject, today) if history.subscribed else ())
        if policy.window.state(today) != "closed"
        and policy.id not in silent
        and not any(excludes(policy, other) for other in taken)
    ]
    found = []
    for policy in fitting:
        slots = _slots(policy, history.known, today)
        if slots:
            others = tuple(other for other in fitting if excludes(policy, other))
            trigger = _trigger(policy, slots, subject, history)
            found.append(Wanted(policy, slots, trigger, _days_left(policy, today), others))
    told = {item.policy.id for item in found}
    found += _reminders([p for p in policies if p.id not in silent | told], history, today)
    return tuple(sorted(found, key=_order))


def _reminders(policies: Iterable[Policy], history: History, today: date) -> Iterable[Wanted]:
    for policy in policies:
        slots = _slots(policy, history.known, today)
        stages = tuple(slot for slot in slots if slot != "match")
        if policy.id in history.reminded and stages:
            yield Wanted(policy, stages, "reminder", _days_left(policy, today), ())


def present_stage(policy: Policy, today: date) -> Slot | None:
    """Return the stage at which the end of an open window is; None while it is farther off."""
    left = _days_left(policy, today)
    if left is None or policy.window.state(today) != "open":
        return None
    return next((stage for days, stage in STAGES if left <= days), None)


def _profile(kind: str, attributes: Mapping[str, Any]) -> Profile:
    try:
        return complete(parse_profile({"kind": kind, "id": "subject", "attributes": attributes}))
    except InputError:  # a column that another release knew differently
        profile = parse_profile({"kind": kind, "id": "subject", "attributes": {}})
        for name, value in attributes.items():
            with suppress(InputError):
                profile = profile.merged({name: value})
        return complete(profile)


def _slots(policy: Policy, known: frozenset[Key], today: date) -> tuple[Slot, ...]:
    """Return what of a policy is still to be told; of the stages only the present one is."""
    slots: list[Slot] = ["match"]
    stage = present_stage(policy, today)
    if stage is not None:
        slots.append(stage)
    return tuple(slot for slot in slots if (policy.id, policy.version, slot) not in known)


def _trigger(
    policy: Policy, slots: tuple[Slot, ...], subject: Subject, history: History
) -> Trigger:
    """Say why: a look finds what came in since the last one that left nothing to tell."""
    if "match" not in slots:
        return "deadline"
    versions = [version for name, version in history.first_seen if name == policy.id]
    older = any(version < policy.version for version in versions)
    if any(name == policy.id and v < policy.version for name, v, _ in history.known):
        return "changed"
    if history.settled is None:
        return "profile"
    moment, day = history.settled
    if history.first_seen.get((policy.id, policy.version), moment) > moment:
        return "changed" if older else "new"
    # the same data a look ago: only the age can have made the difference
    return "profile" if eligible([policy], subject, day) else "birthday"


def _days_left(policy: Policy, today: date) -> int | None:
    closes = policy.window.closes
    return None if closes is None else (closes - today).days


def _order(item: Wanted) -> tuple[float, float, str]:
    soon = item.days_left if item.urgent and item.days_left is not None else URGENT_DAYS + 1
    return soon, -benefit_worth(item.policy.benefit), item.policy.id

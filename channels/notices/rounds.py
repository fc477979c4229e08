"""Looks at everybody who wants to hear of policies, and writes what each should be told.

A person's look, his message and the note of it are one transaction: a process that dies between
two persons has told the earlier ones and not the later ones, and one that dies within has told
nobody. Nobody is looked at twice for nothing: the next look is due with the next day, at the end
of quiet hours or a cap, or when his profile or the policies have changed.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from channels.notices.manners import Manners
from channels.notices.shelf import Policies, Shelf
from channels.notices.wording import Item, chat_replies
from matcher.notices.ages import Age
from matcher.notices.decide import History, Subject, Wanted, eligible, wanted
from store.database import unit_of_work
from store.identities import hold_person
from store.notices import (
    Person,
    compose,
    due_people,
    note_known,
    note_look,
    note_versions,
    read_person,
)
from store.people import CHAT, Told
from store.tickets import city_day

log = structlog.get_logger(__name__)

SETTLE = timedelta(minutes=30)
"""Who just told something of himself is still being shown results in the chat."""
MOST_AT_ONCE = 10
"""Policies in one message; what is worth less waits for the next."""
PURPOSE = "policy_notice"
_BATCH = 50


@dataclass
class Tally:
    """What a round did, or would do: counts by ``(policy, trigger)`` and the people concerned."""

    looked_at: int = 0
    told: Counter[tuple[str, str]] = field(default_factory=Counter)
    waiting: Counter[tuple[str, str]] = field(default_factory=Counter)
    people: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Plan:
    """What one look at a person comes to.

    Args:
        seen: versions that are no news to him: noted, not told.
        now: what is told now.
        later: what waits.
        next_at: when he is looked at again.
    """

    seen: tuple[tuple[str, int], ...]
    now: tuple[Wanted, ...]
    later: tuple[Wanted, ...]
    next_at: datetime


class Rounds:
    """One look at everybody who is due."""

    def __init__(self, shelf: Shelf, manners: Manners) -> None:
        self._shelf = shelf
        self._manners = manners

    def look(self, now: datetime, *, dry: bool = False, seconds: float | None = None) -> Tally:
        """Look at everybody who is due; the rest of ``seconds`` is left for the next call.

        ``dry`` writes nothing but the audit of what was read.

        Raises:
            ConfigurationError: a policy file is wrong.
        """
        policies = self._shelf.policies()
        versions = [(policy.id, policy.version) for policy in policies.all]
        with unit_of_work() as session:
            first_seen = note_versions(session, versions, now)
            if dry:
                session.rollback()
        tally, after, began = Tally(), "", time.monotonic()
        while seconds is None or time.monotonic() - began < seconds:
            with unit_of_work() as session:
                due = due_people(session, now, policies.fingerprint, SETTLE, after, _BATCH)
                for citizen_id in due:
                    self._look_at(session, citizen_id, policies, first_seen, now, tally, dry=dry)
            if not due:
                break
            after = due[-1]
        return tally

    def _look_at(  # noqa: PLR0913
        self,
        session: Session,
        citizen_id: str,
        policies: Policies,
        first_seen: Mapping[tuple[str, int], datetime],
        now: datetime,
        tally: Tally,
        *,
        dry: bool,
    ) -> None:
        if not hold_person(session, citizen_id):
            return  # told through a linked conversation just now: looked at in the next round
        person = read_person(session, citizen_id, PURPOSE, now, now - self._manners.window)
        plan = self.plan(person, policies, first_seen, now)
        if not dry:
            try:
                with session.begin_nested():
                    self._carry_out(session, person, plan, policies, now)
            except IntegrityError:  # another process was faster; the constraint has the last word
                log.info("notice_told_elsewhere")
                return
        tally.looked_at += 1
        tally.told.update((item.policy.id, item.trigger) for item in plan.now)
        tally.waiting.update((item.policy.id, item.trigger) for item in plan.later)
        if plan.now:
            tally.people[citizen_id] = len(plan.now)

    def plan(
        self,
        person: Person,
        policies: Policies,
        first_seen: Mapping[tuple[str, int], datetime],
        now: datetime,
    ) -> Plan:
        """Decide what a person is told now, and what waits until when."""
        today = city_day(now)
        subject = Subject.of(person.profiles, age_of(person.profiles, person.told))
        seen = _seen(person, policies, subject, first_seen, now)
        known = person.known | {(name, version, "match") for name, version in seen}
        watch = person.watch
        settled = watch.settled_at if watch else None
        history = History(
            known,
            person.received,
            person.declined,
            (settled, city_day(settled)) if settled else None,
            first_seen,
            person.reminded,
            subscribed=bool(person.channels),
        )
        items = wanted(policies.all, subject, history, today)
        following = self._manners.next_day(now)
        if not items:
            return Plan(seen, (), (), following)
        lefts = [item.days_left for item in items if item.days_left is not None]
        free = self._manners.free_at(now, person.digests, min(lefts, default=None))
        if free > now:
            return Plan(seen, (), items, min(free, following))
        return Plan(seen, items[:MOST_AT_ONCE], items[MOST_AT_ONCE:], following)

    def _carry_out(
        self, session: Session, person: Person, plan: Plan, policies: Policies, now: datetime
    ) -> None:
        note_known(session, person.citizen_id, plan.seen, now)
        if plan.now:
            notices = [
                ((item.policy.id, item.policy.version, slot), item.trigger)
                for item in plan.now
                for slot in item.slots
            ]
            replies = chat_replies(_items(plan.now), city_day(now))
            channels = person.channels or (CHAT,)  # a reminder alone was asked for in the chat
            compose(session, person.citizen_id, notices, channels, replies, now)
        note_look(
            session,
            person.citizen_id,
            now=now,
            fingerprint=policies.fingerprint,
            next_at=plan.next_at,
            settled=not plan.later,
        )


def age_of(profiles: Mapping[str, Mapping[str, object]], told: Told) -> Age:
    """Return what is known of the resident's age."""
    years = profiles.get("resident", {}).get("age")
    day = told.days.get("resident", {}).get("age")
    return Age(years if isinstance(years, int) else None, day, told.since, told.birth)


def _items(found: Sequence[Wanted]) -> tuple[Item, ...]:
    return tuple(Item(item.policy, item.trigger, item.choices) for item in found)


def _seen(
    person: Person,
    policies: Policies,
    subject: Subject,
    first_seen: Mapping[tuple[str, int], datetime],
    now: datetime,
) -> tuple[tuple[str, int], ...]:
    """Return what is no news at the first look of somebody who subscribed in the chat.

    He was shown what he qualified for, and asked to hear of what is new.
    """
    if person.watch is not None or person.news_since is None:
        return ()
    since = person.news_since
    return tuple(
        (policy.id, policy.version)
        for policy in eligible(policies.all, subject, city_day(now))
        if first_seen[policy.id, policy.version] <= since
    )

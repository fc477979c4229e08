"""Judges the week by the facts alone: rules in Python, consents, and what arrived.

It reads none of the product's tables of notices. What somebody should hear is worked out anew at
every moment something changes: a day, a policy, a fact, a consent, an answer.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta

from benchmarks.notices.peers import Arrival
from benchmarks.notices.world import CITY, Human, Law

DAY = timedelta(days=1)
SETTLE = timedelta(minutes=30)
_TOLD = re.compile(r"【([^】]+)】政策(\w+?)第(\d+)版$", re.MULTILINE)

Key = tuple[str, int, str]


@dataclass
class Verdict:
    """What the week comes to; every list holds examples for whoever looks into it."""

    demanded: int = 0
    told: int = 0
    lapsed_night: int = 0
    lapsed_rules: Counter[str] = field(default_factory=Counter)
    missed: list[tuple[str, Key]] = field(default_factory=list)
    duplicates: list[tuple[str, str, Key]] = field(default_factory=list)
    repeats: int = 0
    quiet: list[Arrival] = field(default_factory=list)
    over_cap: list[tuple[str, str]] = field(default_factory=list)
    after_end: list[tuple[str, str]] = field(default_factory=list)
    not_eligible: list[tuple[str, Key]] = field(default_factory=list)
    after_word: list[tuple[str, Key]] = field(default_factory=list)
    people_due: int = 0
    people_told: int = 0
    hours: list[float] = field(default_factory=list)
    by_slot: Counter[str] = field(default_factory=Counter)


@dataclass
class Span:
    """A stretch of time in which something should be told."""

    start: datetime
    end: datetime | None = None


class Oracle:
    """Knows the laws by the moment they were published, and judges people one by one.

    ``mail_away`` is when no mail could have been taken: nobody could be told by it alone.
    """

    def __init__(
        self,
        laws: Sequence[Law],
        span: tuple[datetime, datetime],
        mail_away: tuple[datetime, datetime],
        cap: int,
    ) -> None:
        self._laws = sorted(laws, key=lambda law: law.since)
        self._begin, self._end = span
        self._mail_away = mail_away
        self._cap = cap

    def judge(
        self, humans: Iterable[Human], facts_at: dict[str, list[tuple[datetime, Human]]],
        arrivals: Iterable[Arrival], steps: Sequence[datetime],
    ) -> Verdict:  # fmt: skip
        """Judge what arrived; an arrival's ``address`` is the person's id by now."""
        verdict = Verdict()
        mine: dict[str, list[Arrival]] = defaultdict(list)
        for arrival in arrivals:
            mine[arrival.address].append(arrival)
        for human in humans:
            heard = sorted(mine.get(human.id, []), key=lambda a: a.at)
            spans = self._spans(human, facts_at[human.id])
            self._judge_manners(human, heard, verdict)
            self._judge_content(human, heard, spans, verdict)
            self._judge_coverage(human, heard, spans, steps, verdict)
        return verdict

    # --- what should be told ------------------------------------------------------------

    def _spans(self, human: Human, states: list[tuple[datetime, Human]]) -> dict[Key, list[Span]]:
        moments = {self._begin + n * DAY for n in range((self._end - self._begin).days + 1)}
        moments |= {law.since for law in self._laws} | {at for at, _ in states}
        moments |= {m for _, a, b in human.consent for m in (a, b) if m is not None}
        moments |= {at for _, at in human.feedback.values()}
        known: set[tuple[str, int]] = set()
        if human.consent and {c for c, _, _ in human.consent} == {"chat"}:
            known = self._seen_before(human, states)
        spans: dict[Key, list[Span]] = defaultdict(list)
        open_now: set[Key] = set()
        for moment in sorted(m for m in moments if self._begin <= m <= self._end):
            wanted = self._demanded(human, states, moment, known)
            for key in wanted - open_now:
                spans[key].append(Span(moment))
            for key in open_now - wanted:
                spans[key][-1].end = moment
            open_now = wanted
        return spans

    def _seen_before(
        self, human: Human, states: list[tuple[datetime, Human]]
    ) -> set[tuple[str, int]]:
        begin = max(min(a for _, a, _ in human.consent), self._begin)
        variants = _state(states, begin).variants(begin.astimezone(CITY).date())
        return {
            (law.id, law.version)
            for law in self._in_force(begin)
            if law.audience == human.audience and all(law.fits(f) for f in variants)
        }

    def _demanded(
        self, human: Human, states: list[tuple[datetime, Human]], moment: datetime,
        known: set[tuple[str, int]],
    ) -> set[Key]:  # fmt: skip
        if not human.channels(moment):
            return set()
        day = moment.astimezone(CITY).date()
        variants = _state(states, moment).variants(day)
        said = {name: word for name, (word, at) in human.feedback.items() if at <= moment}
        force = self._in_force(moment)
        taken = [law for law in force if said.get(law.id) == "applied"]
        found: set[Key] = set()
        for law in force:
            if law.audience != human.audience or law.id in said:
                continue
            if (law.closes and day > law.closes) or not all(law.fits(f) for f in variants):
                continue
            if any(law.id in other.excludes or other.id in law.excludes for other in taken):
                continue
            if (law.id, law.version) not in known:
                found.add((law.id, law.version, "match"))
            stage = _stage(law, moment)
            if stage:
                found.add((law.id, law.version, stage))
        return found

    def _in_force(self, moment: datetime) -> list[Law]:
        newest: dict[str, Law] = {}
        for law in self._laws:
            if law.since <= moment:
                newest[law.id] = law
        return list(newest.values())

    def _law(self, name: str, version: int) -> Law:
        return next(law for law in self._laws if (law.id, law.version) == (name, version))

    # --- what arrived -------------------------------------------------------------------

    def _told(self, arrival: Arrival) -> set[Key]:
        """Read the policies of a message, each with the stage its day stands for."""
        found: set[Key] = set()
        for lead, name, number in _TOLD.findall(arrival.text):
            law = self._law(name, int(number))
            if lead != "快截止了":
                found.add((name, int(number), "match"))
            stage = _stage(law, arrival.at)
            if stage:
                found.add((name, int(number), stage))
        return found

    def _judge_manners(self, human: Human, heard: list[Arrival], verdict: Verdict) -> None:
        by_channel: dict[str, dict[str, datetime]] = defaultdict(dict)
        for arrival in heard:
            if not 8 <= arrival.at.astimezone(CITY).hour < 21:
                verdict.quiet.append(arrival)
            if arrival.channel not in human.channels(arrival.at):
                verdict.after_end.append((human.id, arrival.channel))
            if arrival.name in by_channel[arrival.channel]:
                verdict.repeats += 1
            by_channel[arrival.channel].setdefault(arrival.name, arrival.at)
        for channel, names in by_channel.items():
            times = sorted(names.values())
            for late, early in zip(times[self._cap :], times, strict=False):
                if late - early < 7 * DAY:
                    verdict.over_cap.append((human.id, channel))

    def _judge_content(
        self, human: Human, heard: list[Arrival], spans: dict[Key, list[Span]], verdict: Verdict
    ) -> None:
        seen: dict[tuple[str, str, int, str], str] = {}
        for arrival in heard:
            slack = timedelta() if arrival.channel == "chat" else DAY
            for lead, name, number in set(_TOLD.findall(arrival.text)):
                slot = "match"
                if lead == "快截止了":
                    slot = _stage(self._law(name, int(number)), arrival.at) or "late"
                key = (arrival.channel, name, int(number), slot)
                again = seen.setdefault(key, arrival.name) != arrival.name
                # a late mail may fall into the stage of the next one: it is no second notice
                if again and (slot == "match" or arrival.channel == "chat"):
                    verdict.duplicates.append((human.id, arrival.channel, key[1:]))
                lasting = [s for k, v in spans.items() if k[:2] == key[1:3] for s in v]
                if not any(
                    s.start <= arrival.at and (s.end is None or s.end >= arrival.at - slack)
                    for s in lasting
                ):
                    verdict.not_eligible.append((human.id, key[1:]))
                said = human.feedback.get(name)
                if said and said[1] < arrival.at:
                    verdict.after_word.append((human.id, key[1:]))

    def _judge_coverage(
        self, human: Human, heard: list[Arrival], spans: dict[Key, list[Span]],
        steps: Sequence[datetime], verdict: Verdict,
    ) -> None:  # fmt: skip
        first: dict[Key, datetime] = {}
        for arrival in heard:
            for key in self._told(arrival):
                first.setdefault(key, arrival.at)
        for key, stretches in spans.items():
            for span in stretches:
                verdict.demanded += 1
                verdict.by_slot[key[2]] += 1
                if key in first and first[key] <= (span.end or self._end) + DAY:
                    verdict.told += 1
                    verdict.hours.append(max(0.0, (first[key] - span.start).total_seconds() / 3600))
                elif span.end is None or self._had_room(human, key, span, heard, steps):
                    verdict.missed.append((human.id, key))
                elif self._was_awake(span, steps):
                    verdict.lapsed_rules[key[2]] += 1
                else:
                    verdict.lapsed_night += 1
        due = [s for v in spans.values() for s in v if s.end is None]
        verdict.people_due += bool(due)
        verdict.people_told += bool(due) and bool(heard)

    def _was_awake(self, span: Span, steps: Sequence[datetime]) -> bool:
        """Tell whether a step out of quiet hours fell into the span, the pause after it past."""
        end = span.end or self._end
        return any(
            span.start + SETTLE <= s < end and 8 <= s.astimezone(CITY).hour < 21 for s in steps
        )

    def _had_room(
        self, human: Human, key: Key, span: Span, heard: list[Arrival], steps: Sequence[datetime]
    ) -> bool:
        """Tell whether the rules allowed to speak at some step while it should be told."""
        assert span.end is not None
        law = self._law(key[0], key[1])
        for step in steps:
            there = step.astimezone(CITY)
            if not (span.start + SETTLE <= step < span.end and 8 <= there.hour < 21):
                continue
            if self._mail_away[0] <= step < self._mail_away[1] and human.channels(step) == {
                "email"
            }:
                continue
            left = (law.closes - there.date()).days if law.closes else 99
            allowed = self._cap if left <= 7 else self._cap - 1
            # a message on its way counts like one that has arrived
            near = {a.name for a in heard if step - 7 * DAY < a.at <= step + DAY}
            today = any(a.at.astimezone(CITY).date() == there.date() for a in heard)
            if len(near) < allowed and (not today or left == 0):
                return True
        return False


def _stage(law: Law, moment: datetime) -> str | None:
    day = moment.astimezone(CITY).date()
    if law.closes is None or (law.opens and day < law.opens):
        return None
    left = (law.closes - day).days
    if left < 0 or left > 7:
        return None
    return "closes_1" if left <= 1 else "closes_3" if left <= 3 else "closes_7"


def _state(states: list[tuple[datetime, Human]], moment: datetime) -> Human:
    return [human for at, human in states if at <= moment][-1]


def midnight(day: datetime) -> datetime:
    """Return the first moment of a day in the city."""
    return datetime.combine(day.date(), time(), CITY)

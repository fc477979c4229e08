"""A simulated week of policy notices under failures, judged by an oracle of its own.

    python -m benchmarks.notices.week [--people 3000] [--seed 1]

Real store, real mail server and robots on loopback; only the clock is simulated. The process is
killed at random commits (before or after), steps run twice, a fifth of the sends fail, the mail
server is away for half a day. After the seven days nothing new happens and the caps run out.
"""

from __future__ import annotations

import argparse
import copy
import random
import statistics
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import event, select
from sqlalchemy.orm import Session

from base.settings import Settings
from benchmarks.notices.oracle import Oracle, Verdict
from benchmarks.notices.peers import Arrival, Clock, MailServer, Outside, robot_server
from benchmarks.notices.world import (
    CHANNELS,
    CITY,
    START,
    Human,
    Law,
    conditions,
    enterprise_facts,
    people,
    resident_facts,
)
from channels.notices.delivery import Deliveries
from channels.notices.manners import Manners
from channels.notices.rounds import Rounds
from channels.notices.shelf import Shelf
from store.database import unit_of_work
from store.feedback import save_feedback
from store.models import OutgoingMessage
from store.notice_contacts import end_deliveries, save_contact
from store.people import save_birth, save_profile, subscribe, unsubscribe
from store.privacy import reveal
from tests.isolated import isolated
from tests.stack import free_port

DAYS, TAIL_DAYS = 7, 12
FAILING, TWICE = 0.2, 0.1
KILLS_A_ROUND = 1.2
"""Kills to expect while everybody is looked at once; at most one commit in fifty."""
MAIL_AWAY = (timedelta(days=2, hours=9), timedelta(days=2, hours=21))


class KilledError(BaseException):
    """The process died here."""


@dataclass
class Scene:
    """What the simulation did, for the oracle and the table."""

    humans: list[Human]
    laws: list[Law]
    facts_at: dict[str, list[tuple[datetime, Human]]] = field(default_factory=dict)
    steps: list[datetime] = field(default_factory=list)
    kills: int = 0
    looks: int = 0


class Simulation:
    """One week in one installation under ``folder``."""

    def __init__(self, folder: Path, settings: Settings, count: int, seed: int) -> None:
        self._chance = random.Random(seed)
        self._settings = settings
        self._folder = folder
        self._begin = datetime(START.year, START.month, START.day, tzinfo=CITY)
        self.clock = Clock(self._begin - timedelta(days=1))
        self.outside = Outside(random.Random(seed + 1), self.clock, FAILING)
        self._mail = MailServer(self.outside, settings.smtp_port)
        self._robots = robot_server(self.outside)
        self.arrivals: list[Arrival] = []
        self.scene = Scene(people(self._chance, count), [])
        self._events: list[tuple[datetime, Callable[[datetime], None]]] = []
        self._owner: dict[str, str] = {}
        self._armed = False

    def run(self) -> None:
        """Live through the week and collect what arrived."""
        self._found()
        self._plan()
        thread = threading.Thread(target=self._robots.serve_forever, daemon=True)
        thread.start()
        try:
            with self._killing():
                self._live()
        finally:
            self._mail.stop()
            self._robots.shutdown()
            self._robots.server_close()
        self.arrivals = self._arrived()

    def judge(self, arrivals: Sequence[Arrival]) -> Verdict:
        """Return the oracle's verdict on ``arrivals``."""
        scene = self.scene
        span = self._begin, scene.steps[-1]
        away = self._begin + MAIL_AWAY[0], self._begin + MAIL_AWAY[1]
        oracle = Oracle(scene.laws, span, away, self._settings.notice_cap)
        return oracle.judge(scene.humans, scene.facts_at, arrivals, scene.steps)

    # --- the beginning ------------------------------------------------------------------

    def _found(self) -> None:
        before = self._begin - timedelta(days=1)
        for number in range(16):
            self._publish(self._new_law(f"p{number:02d}", before))
        for human in self.scene.humans:
            self.scene.facts_at[human.id] = [(before, copy.deepcopy(human))]
            if self._chance.random() < 0.75:
                wanted = ["chat"] if human.audience == "resident" else list(CHANNELS)
                count = 1 if self._chance.random() < 0.6 else 2
                human.consent = [
                    (channel, before, None)
                    for channel in self._chance.sample(wanted, min(count, len(wanted)))
                ]
        for start in range(0, len(self.scene.humans), 200):
            with unit_of_work() as session:
                for human in self.scene.humans[start : start + 200]:
                    self._register(session, human, before)

    def _register(self, session: Session, human: Human, now: datetime) -> None:
        at = now
        if human.told is not None:  # the age was told on that day
            at = datetime(human.told.year, human.told.month, human.told.day, 12, tzinfo=CITY)
        save_profile(session, human.id, human.audience, human.facts, now=at)
        if human.birth is not None:
            save_birth(session, human.id, human.birth, now=now)
        for channel, _, _ in human.consent:
            if channel == "chat":
                subscribe(session, human.id, now=now)
            else:
                address = self._address(human, channel)
                save_contact(session, human.id, channel, address, "secret", "simulated", now)

    def _address(self, human: Human, channel: str) -> str:
        number = human.id.split(":")[1]
        base = f"http://127.0.0.1:{self._robots.server_address[1]}"
        name = f"key-{number}-{channel}"
        self._owner[name], self._owner[f"p{number}@example.com"] = human.id, human.id
        return {
            "email": f"p{number}@example.com",
            "wecom": f"{base}/cgi-bin/webhook/send?key={name}",
            "dingtalk": f"{base}/robot/send?access_token={name}",
            "feishu": f"{base}/open-apis/bot/v2/hook/{name}",
        }[channel]

    def _new_law(self, name: str, since: datetime, former: Law | None = None) -> Law:
        chance = self._chance
        audience = former.audience if former else chance.choice(("enterprise", "resident"))
        closes, opens = None, None
        if chance.random() < 0.5:
            closes = START + timedelta(days=chance.randrange(3, 14))
        if chance.random() < 0.15:
            opens = START + timedelta(days=chance.randrange(1, 3))
        others = [law.id for law in self.scene.laws if law.audience == audience and law.id != name]
        excludes = former.excludes if former else ()
        if not former and others and chance.random() < 0.15:
            excludes = (chance.choice(others),)
        version = former.version + 1 if former else 1
        found = conditions(chance, audience)
        return Law(name, version, audience, found, since, opens, closes, excludes)

    def _publish(self, law: Law) -> None:
        self.scene.laws.append(law)
        law.write(self._folder)

    # --- what happens -------------------------------------------------------------------

    def _plan(self) -> None:
        for day in range(DAYS):
            for number in range(2):
                name = f"n{day}{number}"
                self._at(day, lambda now, name=name: self._publish(self._new_law(name, now)))
            self._at(day, self._change_law)
        for human in self.scene.humans:
            draw = self._chance.random()
            if draw < 0.08:
                self._at(None, lambda now, human=human: self._change_facts(human, now))
            elif draw < 0.18 and human.consent:
                self._at(None, lambda now, human=human: self._leave(human, now))
            elif draw < 0.3 and not human.consent and human.audience == "resident":
                self._at(None, lambda now, human=human: self._join(human, now), latest=22)
            if self._chance.random() < 0.1:
                self._at(None, lambda now, human=human: self._answer(human, now))
        self._events.sort(key=lambda pair: pair[0])

    def _at(self, day: int | None, what: Callable[[datetime], None], latest: int = 24) -> None:
        day = self._chance.randrange(DAYS) if day is None else day
        minutes = self._chance.randrange(1, latest * 60 - 1)
        self._events.append((self._begin + timedelta(days=day, minutes=minutes), what))

    def _change_law(self, now: datetime) -> None:
        newest = {law.id: law for law in self.scene.laws}
        former = self._chance.choice([newest[name] for name in sorted(newest)])
        self._publish(self._new_law(former.id, now, former))

    def _change_facts(self, human: Human, now: datetime) -> None:
        age = human.facts.get("age")
        fresh = resident_facts if human.audience == "resident" else enterprise_facts
        human.facts = fresh(self._chance)
        if age is not None:
            human.facts["age"] = age
        human.changed_at = now
        self.scene.facts_at[human.id].append((now, copy.deepcopy(human)))
        with unit_of_work() as session:
            save_profile(session, human.id, human.audience, human.facts, now=now)

    def _leave(self, human: Human, now: datetime) -> None:
        leaving = [c for c, _, _ in human.consent]
        if self._chance.random() < 0.5:
            leaving = leaving[:1]
        human.consent = [(c, a, now if c in leaving else b) for c, a, b in human.consent]
        with unit_of_work() as session:
            for channel in leaving:
                unsubscribe(session, human.id, channel, now=now)
            end_deliveries(session, human.id, leaving)

    def _join(self, human: Human, now: datetime) -> None:
        human.consent = [("chat", now, None)]
        with unit_of_work() as session:
            subscribe(session, human.id, now=now)

    def _answer(self, human: Human, now: datetime) -> None:
        law = self._chance.choice(self.scene.laws)
        word = self._chance.choice(("applied", "declined"))
        human.feedback[law.id] = (word, now)
        with unit_of_work() as session:
            save_feedback(session, human.id, law.id, word, now)

    # --- time ---------------------------------------------------------------------------

    def _live(self) -> None:
        shelf = Shelf(self._folder)
        now, end = self._begin, self._begin + timedelta(days=DAYS)
        while now < end + timedelta(days=TAIL_DAYS):
            self.scene.steps.append(now)
            while self._events and self._events[0][0] <= now:
                at, what = self._events.pop(0)
                self.clock.now = at
                what(at)
            self.clock.now = now
            away = MAIL_AWAY[0] <= now - self._begin < MAIL_AWAY[1]
            (self._mail.stop if away else self._mail.start)()
            if now >= end:
                self.outside.calm()
            shelf = self._step(shelf, now, calm=now >= end)
            if self._chance.random() < TWICE:
                shelf = self._step(shelf, now, calm=now >= end)
            now += timedelta(minutes=30 if now < end else 180)

    def _step(self, shelf: Shelf, now: datetime, *, calm: bool) -> Shelf:
        """Do what the relay does; after a kill a new process begins at once."""
        while True:
            self._armed = not calm
            try:
                self.scene.looks += Rounds(shelf, Manners.of(self._settings)).look(now).looked_at
                Deliveries(self._settings, shelf, self.clock).send_due(now)
            except KilledError:
                self.scene.kills += 1
                shelf = Shelf(self._folder)
            else:
                return shelf
            finally:
                self._armed = False

    @contextmanager
    def _killing(self) -> Iterator[None]:
        chance = random.Random(self._chance.random())
        risk = min(0.02, KILLS_A_ROUND / len(self.scene.humans))

        def die(_session: Session) -> None:
            if self._armed and chance.random() < risk:
                self._armed = False
                raise KilledError

        for moment in ("before_commit", "after_commit"):
            event.listen(Session, moment, die)
        try:
            yield
        finally:
            for moment in ("before_commit", "after_commit"):
                event.remove(Session, moment, die)

    def _arrived(self) -> list[Arrival]:
        """Return everything that reached somebody, by person: outside, and in the inbox."""
        found = [
            Arrival(a.channel, self._owner[a.address], a.name, a.at, a.text)
            for a in self.outside.arrivals
        ]
        with unit_of_work() as session:
            for row in session.scalars(select(OutgoingMessage)):
                replies: list[dict[str, Any]] = reveal(
                    session, row, "body", actor="simulation", purpose="oracle"
                )
                text = "\n".join(reply["text"] for reply in replies)
                found.append(Arrival("chat", row.citizen_id, str(row.id), row.created_at, text))
        return found


def simulate(folder: Path, count: int, seed: int) -> Simulation:
    """Run a week in an installation of its own under ``folder``."""
    policies = folder / "policies"
    policies.mkdir()
    changes = {
        "policies_dir": policies,
        "smtp_host": "127.0.0.1",
        "smtp_port": free_port(),
        "smtp_sender": "notices@city.example.com",
        "smtp_security": "none",
    }
    with isolated(folder, **changes) as settings:
        week = Simulation(policies, settings, count, seed)
        week.run()
        return week


def table(week: Simulation, verdict: Verdict) -> list[tuple[str, object]]:
    """Return the rows of the table."""
    scene, outside = week.scene, week.outside
    hours = sorted(verdict.hours)
    possible = verdict.told + len(verdict.missed)
    consenting = sum(bool(human.consent) for human in scene.humans)
    channels = sum(len(human.consent) for human in scene.humans)
    late = hours[int(0.95 * (len(hours) - 1))] if hours else 0.0
    return [
        ("people (consenting)", f"{len(scene.humans)} ({consenting}, {channels} channels)"),
        ("policy versions", len(scene.laws)),
        ("looks at a person", scene.looks),
        ("processes killed", scene.kills),
        ("sends that failed", outside.refused),
        ("notices due", verdict.demanded),
        ("of them by kind", _by_kind(verdict.by_slot)),
        ("coverage of what the rules allowed to tell", f"{verdict.told / max(1, possible):.4%}"),
        ("missed", len(verdict.missed)),
        ("true for no step of a day (came and went at night)", verdict.lapsed_night),
        ("not true any more when the cap or the day allowed it", _by_kind(verdict.lapsed_rules)),
        ("hours from due to told: median, 95th percentile",
         f"{statistics.median(hours) if hours else 0:.1f}, {late:.1f}"),
        ("duplicates", len(verdict.duplicates)),
        ("the same message sent again after a kill or a lost answer", verdict.repeats),
        ("arrivals in quiet hours", len(verdict.quiet)),
        ("over the cap", len(verdict.over_cap)),
        ("arrivals after unsubscribing", len(verdict.after_end)),
        ("told without qualifying", len(verdict.not_eligible)),
        ("told after applied or not interested", len(verdict.after_word)),
    ]  # fmt: skip


def _by_kind(counts: Counter[str]) -> str:
    return ", ".join(f"{kind} {count}" for kind, count in sorted(counts.items()))


def main() -> None:
    """Run the week and print the table; code 1 when a rule was broken."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--people", type=int, default=3000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--show", type=int, default=0, help="examples of what went wrong")
    arguments = parser.parse_args()
    began = time.monotonic()
    memory = Path("/dev/shm")  # no disk is measured here
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as folder:
        week = simulate(Path(folder), arguments.people, arguments.seed)
    verdict = week.judge(week.arrivals)
    for name, value in table(week, verdict):
        print(f"{name}: {value}")
    print(f"seconds: {time.monotonic() - began:.0f}")
    for name in ("missed", "duplicates", "over_cap", "after_end", "not_eligible", "after_word"):
        for example in getattr(verdict, name)[: arguments.show]:
            print(name, example)
    raise SystemExit(0 if is_clean(verdict) else 1)


def is_clean(verdict: Verdict) -> bool:
    """Tell whether every rule was kept and everything was told."""
    broken = (
        verdict.missed, verdict.duplicates, verdict.quiet, verdict.over_cap, verdict.after_end,
        verdict.not_eligible, verdict.after_word,
    )  # fmt: skip
    return not any(broken)


if __name__ == "__main__":
    main()

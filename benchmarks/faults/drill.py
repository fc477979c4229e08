"""The run itself: citizens file, a clerk works, processes die, the network fails, all settles."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass, field

import httpx

from base.identity import citizen_id
from benchmarks.faults.citizen import CLIENT_SECONDS, Citizen, fetch_inbox
from benchmarks.faults.clerk import Clerk
from benchmarks.faults.evidence import Databases, Letter
from benchmarks.faults.faults import TO_DESK, TO_GATEWAY, FaultPlan
from benchmarks.faults.killer import VICTIMS, Killer, Pace
from benchmarks.faults.proxy import FaultProxy
from benchmarks.faults.script import complaints
from benchmarks.faults.verdict import Evidence, Inbox, Verdict, judge
from dispatch.classification.categories import load_categories
from tests.stack import ROOT, Stack

CATEGORIES = ROOT / "dispatch" / "categories.yml"
LOOK_SECONDS = 1.0
PROGRESS_SECONDS = 15.0
OPERATOR_SECONDS = 30.0
"""How often an operator looks for dead letters and sends them again."""
HURRY_SECONDS = 5.0

Say = Callable[[str], None]


@dataclass(frozen=True)
class Plan:
    """What a run does. Times are seconds.

    ``trouble_limit`` ends the killing and the faults even when not everything is done;
    ``settle_limit`` is what is left to the product afterwards. ``hurry`` makes everything that
    waits due at once then, instead of waiting for leases (two minutes) and pauses to pass.
    """

    complaints: int
    seed: int
    at_once: int = 6
    fault_rate: float = 0.25
    pace: Pace = field(default_factory=Pace)
    victims: tuple[str, ...] = VICTIMS
    patience: float = 1200.0
    trouble_limit: float = 1200.0
    settle_limit: float = 900.0
    hurry: bool = False


@dataclass(frozen=True)
class Paths:
    """The two faulty ways: relay to desk, desk to gateway."""

    to_desk: FaultProxy
    to_gateway: FaultProxy

    def calm(self) -> None:
        """No more faults."""
        self.to_desk.plan.rate = self.to_gateway.plan.rate = 0.0


@dataclass(frozen=True)
class Outcome:
    """A finished run."""

    plan: Plan
    paths: Paths
    killer: Killer
    clerk: Clerk
    citizens: list[Citizen]
    trouble_seconds: float
    settle_seconds: float
    verdict: Verdict


@contextmanager
def faulty_paths(stack: Stack, plan: Plan) -> Iterator[Paths]:
    """Point the stack's settings at two faulty proxies; processes started now use them."""

    def proxy(name: str, faults: FaultPlan, spared: str) -> FaultProxy:
        port = int(stack.settings[f"SHIMIN_{name}_PORT"])
        return FaultProxy(port, faults, frozenset({spared}))

    paths = Paths(
        proxy("DESK", FaultPlan(plan.seed + 1, TO_DESK, plan.fault_rate), "/services.json"),
        proxy("GATEWAY", FaultPlan(plan.seed + 2, TO_GATEWAY, plan.fault_rate), "/api/v1/health"),
    )
    before = dict(stack.settings)
    paths.to_desk.start()
    paths.to_gateway.start()
    stack.settings["SHIMIN_DISPATCH_URL"] = paths.to_desk.url
    stack.settings["SHIMIN_PUBLIC_URL"] = paths.to_gateway.url
    try:
        yield paths
    finally:
        stack.settings.update(before)
        paths.to_desk.stop()
        paths.to_gateway.stop()


class Drill:
    """One run on a running stack whose processes use ``paths``."""

    def __init__(self, stack: Stack, paths: Paths, plan: Plan, say: Say) -> None:
        self._stack = stack
        self._paths = paths
        self._plan = plan
        self._say = say
        self._databases = Databases(stack.folder, stack.settings["SHIMIN_DATA_KEY"])
        self._old = self._databases.old_cases
        self._ending = threading.Event()
        self._killer = Killer(stack, plan.victims, plan.seed + 3, plan.pace)
        self._clerk = Clerk(
            stack.desk_url,
            stack.settings["SHIMIN_DESK_PASSWORD"],
            load_categories(CATEGORIES),
            plan.seed + 4,
        )
        self._http = httpx.Client(
            base_url=stack.url,
            timeout=CLIENT_SECONDS,
            headers={"Authorization": f"Bearer {stack.settings['SHIMIN_API_KEY']}"},
        )
        prefix = f"fault-{plan.seed}-{int(time.time())}"
        self._citizens = [
            Citizen(told, self._http, random.Random(f"{plan.seed} {told.words}"), plan.patience)
            for told in complaints(plan.complaints, plan.seed, prefix)
        ]
        self._ids = [citizen_id("api", c.complaint.conversation) for c in self._citizens]
        self._revived: list[Letter] = []
        self._operator_next = self._progress_next = self._hurry_next = 0.0

    def run(self) -> Outcome:
        """Run to the end and judge. Threads are gone when this returns or raises."""
        threads = [
            threading.Thread(target=self._clerk.work, args=(self._ending, self._old), daemon=True),
            threading.Thread(target=self._read_inboxes, daemon=True),
            self._killer,
        ]
        pool = ThreadPoolExecutor(self._plan.at_once, thread_name_prefix="citizen")
        filing = [pool.submit(c.file, self._ending) for c in self._citizens]
        started = time.monotonic()
        try:
            for thread in threads:
                thread.start()
            self._wait(lambda: self._troubled_enough(filing), self._plan.trouble_limit)
            troubled = time.monotonic()
            self._killer.end()
            self._paths.calm()
            self._stack.wait_healthy()
            self._say("no more faults; waiting for everything to settle")
            self._wait(lambda: self._settled(filing), self._plan.settle_limit, calm=True)
            settled = time.monotonic()
        finally:
            self._ending.set()
            self._killer.end()
            pool.shutdown(cancel_futures=True)
            for thread in threads:
                if thread.is_alive():
                    thread.join(60)
        for future in filing:
            future.result()  # what went wrong in the harness itself
        with closing(self._http):
            verdict = judge(self._evidence())
        return Outcome(
            self._plan,
            self._paths,
            self._killer,
            self._clerk,
            self._citizens,
            troubled - started,
            settled - troubled,
            verdict,
        )

    def _wait(self, done: Callable[[], bool], limit: float, *, calm: bool = False) -> None:
        """Look until ``done`` or until ``limit``; the operator does his rounds meanwhile."""
        deadline = time.monotonic() + limit
        while not done():
            now = time.monotonic()
            if now > deadline:
                self._say(f"not done after {limit:.0f} s")
                return
            if now >= self._operator_next:
                self._send_dead_letters_again()
                self._operator_next = now + OPERATOR_SECONDS
            if now >= self._progress_next:
                self._say(self._progress())
                self._progress_next = now + PROGRESS_SECONDS
            if calm and self._plan.hurry and now >= self._hurry_next:
                self._databases.end_leases()
                self._hurry_next = now + HURRY_SECONDS
            time.sleep(LOOK_SECONDS)

    def _troubled_enough(self, filing: Sequence[Future[None]]) -> bool:
        """Tell whether everything is done and every process was killed at least once."""
        killed = all(self._killer.kills[name] for name in self._plan.victims)
        return killed and all(future.done() for future in filing) and self._all_ended()

    def _all_ended(self) -> bool:
        """Tell whether the clerk has brought the case of every ticket to its end."""
        known = {ticket.external_id for ticket in self._databases.tickets(self._ids)}
        return None not in known and known <= self._clerk.finished()

    def _settled(self, filing: Sequence[Future[None]]) -> bool:
        return (
            all(future.done() for future in filing)
            and self._all_ended()
            and not self._databases.letters()
            and all(event.delivered for event in self._databases.events())
        )

    def _send_dead_letters_again(self) -> None:
        dead = [letter for letter in self._databases.letters() if letter.state == "dead"]
        if dead:
            self._revived += dead
            answer = self._stack.shimin("outbox", "retry", "--all")
            self._say(f"operator: {answer.stdout.strip() or answer.stderr.strip()[-300:]}")

    def _read_inboxes(self) -> None:
        """Let every citizen's client look for news, again and again."""
        while not self._ending.is_set():
            for citizen in self._citizens:
                if citizen.tickets and not self._ending.is_set():
                    citizen.read_inbox()
            self._ending.wait(LOOK_SECONDS)

    def _evidence(self) -> Evidence:
        for citizen in self._citizens:
            seen = -1
            while seen != len(citizen.inbox):
                seen = len(citizen.inbox)
                citizen.read_inbox()
        stored = {
            c.complaint.conversation: self._stored(c.complaint.conversation) for c in self._citizens
        }
        return Evidence(
            self._citizens,
            self._databases.tickets(self._ids),
            self._databases.cases(),
            self._databases.events(),
            self._databases.letters(),
            self._revived,
            stored,
            self._killer.crashes,
        )

    def _stored(self, conversation: str) -> Inbox:
        found: list[tuple[int, list[dict[str, object]]]] = []
        while True:
            page = fetch_inbox(self._http, conversation, found[-1][0] if found else 0)
            if not page:
                return found
            found += [(int(m["id"]), list(m["replies"])) for m in page]

    def _progress(self) -> str:
        told = sum(bool(citizen.tickets) for citizen in self._citizens)
        kills = ", ".join(f"{name} {number}" for name, number in sorted(self._killer.kills.items()))
        faults = sum((self._paths.to_desk.plan.drawn + self._paths.to_gateway.plan.drawn).values())
        return (
            f"acknowledged {told}/{len(self._citizens)}, at the desk {len(self._clerk.cases)}, "
            f"ended {len(self._clerk.finished())}, kills: {kills or 'none'}, faults {faults}"
        )

"""Sustained load: text messages at a fixed rate, complaints with photos mixed in, nothing lost.

Usage: ``PYTHONPATH=. .venv/bin/python -m benchmarks.load.run --rate 30 --minutes 10``

The whole product runs on loopback, one process of a kind. Messages are sent at the moments of a
plan, whether earlier ones were answered or not, and a message's time counts from its moment in
the plan: a server that falls behind cannot hide it. The generator and the product share the
machine. The exit code is 1 when a message was not answered, a complaint was lost or doubled, or
19 of 20 text messages took longer than the limit.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import shutil
import sys
import tempfile
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import numpy as np

from benchmarks.faults.citizen import Citizen
from benchmarks.faults.run import commit, end_processes
from benchmarks.faults.script import complaints
from benchmarks.load.memory import MemoryWatch
from benchmarks.load.plan import Said, messages
from dispatch.open311 import Open311Client
from tests.stack import ROOT, Stack, stack_environment

LIMIT_SECONDS = 0.4
"""What 19 of 20 text messages are to be answered within."""
PATIENCE_SECONDS = 60.0
MEMORY_SECONDS = 10.0
DESK_SECONDS = 120.0


@dataclass
class Seen:
    """What came of the text messages: seconds by kind, refusals by status or error."""

    seconds: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    failed: Counter[str] = field(default_factory=Counter)

    @property
    def all(self) -> list[float]:
        """Every time."""
        return [second for times in self.seconds.values() for second in times]


async def say_all(stack: Stack, plan: Sequence[Said]) -> Seen:
    """Send each message at its moment."""
    seen = Seen()
    headers = {"Authorization": f"Bearer {stack.settings['SHIMIN_API_KEY']}"}
    limits = httpx.Limits(max_connections=400, max_keepalive_connections=100)
    async with httpx.AsyncClient(
        base_url=stack.url, headers=headers, timeout=PATIENCE_SECONDS, limits=limits
    ) as http:
        began = time.monotonic()

        async def send(said: Said) -> None:
            body = {"conversation_id": said.conversation, "channel": "api", "text": said.text}
            try:
                answer = await http.post("/api/v1/messages", json=body)
            except httpx.HTTPError as error:
                seen.failed[type(error).__name__] += 1
                return
            if answer.status_code == 200:
                seen.seconds[said.kind].append(time.monotonic() - began - said.at)
            else:
                seen.failed[str(answer.status_code)] += 1

        async with asyncio.TaskGroup() as sending:
            for said in plan:
                await asyncio.sleep(max(0.0, began + said.at - time.monotonic()))
                sending.create_task(send(said))
    return seen


def file_all(stack: Stack, number: int, seconds: float, seed: int) -> list[Citizen]:
    """Let ``number`` citizens file complaints, evenly over the time; every third has a photo."""
    headers = {"Authorization": f"Bearer {stack.settings['SHIMIN_API_KEY']}"}
    with (
        httpx.Client(base_url=stack.url, headers=headers, timeout=PATIENCE_SECONDS) as http,
        ThreadPoolExecutor(16) as pool,
    ):
        began, ending = time.monotonic(), threading.Event()
        citizens = [
            Citizen(told, http, random.Random(seed + n), seconds + PATIENCE_SECONDS)
            for n, told in enumerate(complaints(number, seed, "load"))
        ]
        for n, citizen in enumerate(citizens):
            time.sleep(max(0.0, began + seconds * n / number - time.monotonic()))
            pool.submit(citizen.file, ending)
    return citizens


def lost(stack: Stack, citizens: Sequence[Citizen]) -> list[str]:
    """Return what is wrong with the complaints: each is at the desk once."""
    tickets = {ticket for citizen in citizens for ticket in citizen.tickets}
    wrong = [] if len(tickets) == len(citizens) else [f"{len(citizens) - len(tickets)} not filed"]
    deadline = time.monotonic() + DESK_SECONDS
    with Open311Client(stack.desk_url, stack.settings["SHIMIN_DISPATCH_API_KEY"]) as client:
        while (count := len(list(client.all_requests()))) < len(citizens):
            if time.monotonic() > deadline:
                break
            time.sleep(5)
    if count != len(citizens):
        wrong.append(f"{count} requests at the desk for {len(citizens)} complaints")
    return wrong


def table(seen: Seen, seconds: float) -> str:
    """Return times by kind as Markdown."""
    lines = ["| kind | messages | p50 | p95 | p99 |", "|---|---|---|---|---|"]
    for kind, times in [*sorted(seen.seconds.items()), ("all", seen.all)]:
        p50, p95, p99 = (1000 * np.percentile(times, q) for q in (50, 95, 99))
        lines.append(f"| {kind} | {len(times)} | {p50:.0f} ms | {p95:.0f} ms | {p99:.0f} ms |")
    lines.append(f"\n{len(seen.all) / seconds:.1f} answered a second; not answered: ")
    lines[-1] += str(dict(seen.failed) or "none")
    return "\n".join(lines)


def main() -> int:
    """Run; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rate", type=float, default=30.0, help="text messages a second")
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--complaints-per-minute", type=float, default=12.0)
    parser.add_argument("--people", type=int, default=150, help="who write at the same time")
    parser.add_argument("--seed", type=int, default=20261122)
    options = parser.parse_args()
    seconds = options.minutes * 60
    plan = list(messages(options.rate, seconds, options.people, options.seed))
    number = max(1, round(options.complaints_per_minute * options.minutes))
    folder = Path(tempfile.mkdtemp(prefix="shimin-load-"))
    stack = Stack(folder, {**stack_environment(folder), "PYTHONPATH": str(ROOT)})
    try:
        stack.start_all()
        watch = MemoryWatch(stack, MEMORY_SECONDS)
        watch.start()
        with ThreadPoolExecutor(1) as pool:
            filing = pool.submit(file_all, stack, number, seconds, options.seed)
            began = time.monotonic()
            seen = asyncio.run(say_all(stack, plan))
            taken = time.monotonic() - began
            citizens = filing.result()
        watch.end()
        wrong = lost(stack, citizens)
    finally:
        end_processes(stack)
        shutil.rmtree(folder, ignore_errors=True)
    print(f"{commit()}: {options.rate:g} a second for {options.minutes:g} min, {number} complaints")
    print(table(seen, taken))
    print("\n| process | MB first | MB last | MB a minute, second half |\n|---|---|---|---|")
    for name, first, last, slope in watch.rows():
        print(f"| {name} | {first:.0f} | {last:.0f} | {slope:+.2f} |")
    if (p95 := float(np.percentile(seen.all, 95))) > LIMIT_SECONDS:
        wrong.append(f"p95 of {p95 * 1000:.0f} ms is over {LIMIT_SECONDS * 1000:.0f} ms")
    if unanswered := sum(seen.failed.values()):
        wrong.append(f"{unanswered} messages were not answered")
    print("\n".join(wrong) or "every message answered, every complaint at the desk once")
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())

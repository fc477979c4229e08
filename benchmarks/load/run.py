"""Sustained load: text messages at a fixed rate, complaints with photos mixed in, nothing lost.

Usage: ``PYTHONPATH=. .venv/bin/python -m benchmarks.load.run --rate 30 --minutes 10``
       ``PYTHONPATH=. .venv/bin/python -m benchmarks.load.run --search --rate 10 --step 5``

The whole product runs on loopback, one process of a kind. Messages are sent at the moments of a
plan, whether earlier ones were answered or not, and a message's time counts from its moment in
the plan: a server that falls behind cannot hide it. The generator and the product share the
machine. The exit code is 1 when a message was not answered, a complaint was lost or doubled, or
19 of 20 text messages took longer than the limit.

``--search`` raises the rate by ``--step`` after every ``--minutes`` (1 unless told) until one of
these is so, and says at which rate all was still well.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from benchmarks.faults.evidence import Databases
from benchmarks.faults.run import commit, end_processes
from benchmarks.load.measured import LIMIT_SECONDS, Measured, report
from benchmarks.load.plan import messages
from benchmarks.load.processes import ProcessWatch
from benchmarks.load.traffic import file_all, lost_complaints, say_all
from tests.stack import ROOT, Stack, stack_environment

LOOK_SECONDS = 5.0


def main(arguments: list[str]) -> int:
    """Run and print; return the exit code."""
    options = _options(arguments)
    with running_stack() as stack:
        if options.search:
            return _search(stack, options)
        measured = measure(stack, options, options.rate, "load")
    print(report(measured))
    return int(bool(measured.wrong))


def measure(stack: Stack, options: argparse.Namespace, rate: float, prefix: str) -> Measured:
    """Put one rate on a running stack until its last complaint is at the desk."""
    seconds = 60 * options.minutes
    plan = list(messages(rate, seconds, options.people, options.seed, prefix))
    number = max(1, round(options.complaints_per_minute * options.minutes))
    pids = {name: process.pid for name, process in stack.processes.items()}
    watch = ProcessWatch({**pids, "load generator": os.getpid()}, LOOK_SECONDS)
    desk = Databases(stack.folder, stack.settings["SHIMIN_DATA_KEY"])
    watch.start()
    with ThreadPoolExecutor(1) as pool:
        filing = pool.submit(file_all, stack, number, seconds, options.seed, prefix)
        said = say_all(stack, plan)
        citizens, complaints = filing.result()
    watch.end()
    return Measured(
        title=f"{commit()}: {rate:g} a second for {options.minutes:g} min, {number} complaints",
        sent=len(plan),
        said=said,
        complaints=complaints,
        watch=watch,
        losses=lost_complaints(desk, citizens),
    )


def _search(stack: Stack, options: argparse.Namespace) -> int:
    rate, held = options.rate, None
    while rate <= options.most:
        measured = measure(stack, options, rate, f"load-{rate:g}")
        print(report(measured) + "\n", flush=True)
        if measured.wrong:
            break
        held, rate = rate, rate + options.step
    limit = f"p95 under {LIMIT_SECONDS * 1000:.0f} ms, nothing lost"
    print(f"held with {limit}: {'no rate' if held is None else f'{held:g} a second'}")
    return int(held is None)


@contextmanager
def running_stack() -> Iterator[Stack]:
    """Start every process over a new installation; end them and forget it."""
    folder = Path(tempfile.mkdtemp(prefix="shimin-load-"))
    stack = Stack(folder, {**stack_environment(folder), "PYTHONPATH": str(ROOT)})
    try:
        stack.start_all()
        yield stack
    finally:
        end_processes(stack)
        shutil.rmtree(folder, ignore_errors=True)


def _options(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rate", type=float, default=30.0, help="text messages a second")
    parser.add_argument("--minutes", type=float, help="10 unless told, of each rate 1 in a search")
    parser.add_argument("--complaints-per-minute", type=float, default=12.0)
    parser.add_argument("--people", type=int, default=150, help="who write at the same time")
    parser.add_argument("--seed", type=int, default=20261122)
    parser.add_argument("--search", action="store_true", help="raise the rate until it is too much")
    parser.add_argument("--step", type=float, default=5.0, help="by which a search raises it")
    parser.add_argument("--most", type=float, default=100.0, help="where a search ends")
    options = parser.parse_args(arguments)
    if options.minutes is None:
        options.minutes = 1.0 if options.search else 10.0
    return options


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

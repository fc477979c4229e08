"""Files complaints while everything fails, and checks that nothing is lost or doubled.

Usage: ``PYTHONPATH=. .venv/bin/python -m benchmarks.faults.run --complaints 300 --seed 20261121``

The whole product runs on loopback (Rasa, action server, gateway, relay, desk) with databases of
its own. Prints progress, then a report in Markdown; the exit code is 1 when a guarantee failed.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType

from benchmarks.faults.drill import Drill, Outcome, Plan, faulty_paths
from benchmarks.faults.killer import VICTIMS
from benchmarks.faults.report import markdown
from tests.stack import ROOT, Stack, stack_environment


def main(arguments: list[str]) -> int:
    """Run and print; return the exit code."""
    options = _options(arguments)
    victims = (*VICTIMS, "rasa") if options.also_rasa else VICTIMS
    plan = Plan(
        complaints=options.complaints,
        seed=options.seed,
        at_once=options.at_once,
        fault_rate=options.fault_rate,
        victims=victims,
        trouble_limit=options.trouble_minutes * 60,
    )
    for name in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(name, interrupt)
    started = f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, {commit()}"
    folder = Path(tempfile.mkdtemp(prefix="shimin-faults-"))
    failed = True
    try:
        outcome = on_own_stack(folder, plan)
        print(markdown(outcome, started), flush=True)
        failed = bool(outcome.verdict.failures)
        return int(failed)
    finally:
        if failed and options.keep:
            print(f"databases and logs: {folder}", flush=True)
        else:
            shutil.rmtree(folder, ignore_errors=True)


def on_own_stack(folder: Path, plan: Plan) -> Outcome:
    """Start the product under ``folder``, run, and leave no process behind."""
    settings = {**stack_environment(folder), "PYTHONPATH": str(ROOT)}
    stack = Stack(folder, settings)
    with faulty_paths(stack, plan) as paths:
        try:
            _say("starting Rasa, action server, gateway, desk and relay")
            stack.start_all()
            return Drill(stack, paths, plan, _say).run()
        finally:
            end_processes(stack)


def end_processes(stack: Stack) -> None:
    """Kill every process group of the stack; a second Ctrl-C does not get in between."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for process in list(stack.processes.values()):
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            continue
        process.wait(15)
    stack.processes.clear()


def commit() -> str:
    """Return the commit this tree stands at, in short."""
    command = ["git", "rev-parse", "--short", "HEAD"]
    answer = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    return answer.stdout.strip() or "unknown"


def _options(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--complaints", type=int, default=300)
    parser.add_argument("--seed", type=int, default=20261121)
    parser.add_argument("--at-once", type=int, default=6, help="citizens who write at once")
    parser.add_argument("--fault-rate", type=float, default=0.25, help="share of faulty requests")
    parser.add_argument(
        "--trouble-minutes", type=float, default=20, help="after that nothing fails any more"
    )
    parser.add_argument("--also-rasa", action="store_true", help="kill the Rasa server too")
    parser.add_argument("--keep", action="store_true", help="keep databases of a failed run")
    return parser.parse_args(arguments)


def interrupt(_signal: int, _frame: FrameType | None) -> None:
    """Make a signal end the run as Ctrl-C does."""
    raise KeyboardInterrupt


def _say(words: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {words}", flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

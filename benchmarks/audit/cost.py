"""What the audit's chain costs a message, in processor time.

Usage: ``PYTHONPATH=. .venv/bin/python -m benchmarks.audit.cost``

A message is taken for one unit of work that writes a row, as every turn does. It is run in turn
without reads of personal data and with some, over a database of its own with a long chain; the
difference is the price: noting, taking the head, hashing, the rows, moving the head. Processor
time, since waiting for the disk is the commit's, which is there anyway.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from sqlalchemy.orm import Session

from store.database import unit_of_work
from store.people import citizen, queue_message
from store.privacy import note_access
from tests.isolated import isolated

CHAIN = 2000
"""Entries before the measuring begins."""


def main(arguments: list[str]) -> int:
    """Measure and print; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--messages", type=int, default=300)
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder, isolated(Path(folder)):
        with unit_of_work() as session:
            citizen(session, "web:1")
            for number in range(CHAIN):
                _read(session, number)
        print("| reads of a message | without, ms | with, ms | more |\n|---|---|---|---|")
        for reads in (1, 5, 20):
            bare, audited = _medians(options.messages, _nothing, _reading(reads))
            print(f"| {reads} | {bare:.2f} | {audited:.2f} | {audited - bare:.2f} |")
    return 0


def _medians(messages: int, *ways: Callable[[Session], None]) -> list[float]:
    """Return the median processor milliseconds of a unit of work that also does each of ``ways``.

    They take turns, so that whatever else the machine does meets all of them.
    """
    taken = [[_seconds(more) for more in ways] for _ in range(messages)]
    return [1000 * float(median) for median in np.median(taken, axis=0)]


def _seconds(more: Callable[[Session], None]) -> float:
    began = time.process_time()
    with unit_of_work() as session:
        queue_message(session, "web:1", [{"text": "您好"}])
        more(session)
    return time.process_time() - began


def _nothing(_session: Session) -> None:
    """Read nothing."""


def _reading(reads: int) -> Callable[[Session], None]:
    def read(session: Session) -> None:
        for number in range(reads):
            _read(session, number)

    return read


def _read(session: Session, number: int) -> None:
    note_access(session, "citizen:web:1", "benchmark", f"citizens:web:{number}", "attributes")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""What the audit's chain costs a message, in processor time.

Usage: ``PYTHONPATH=. .venv/bin/python -m benchmarks.audit.cost``

A message is taken for one unit of work that writes a row, as every turn does. It is run without
reads of personal data and with some, over a database of its own with a long chain; the difference
is the price of the reads. How much of that is the chain (taking the head, hashing, moving the
head) rather than the rows is told by the same rows without it. Processor time, since waiting for
the disk is the commit's, which is there anyway.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from sqlalchemy import insert
from sqlalchemy.orm import Session

from store.database import unit_of_work
from store.models import AuditEntry, utc_now
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
        bare = _milliseconds(options.messages, _nothing)
        print("| reads of a message | processor ms more than without | of it the chain |")
        print("|---|---|---|")
        for reads in (1, 5, 20):
            chained = _milliseconds(options.messages, _reading(reads)) - bare
            rows = _milliseconds(options.messages, _inserting(reads)) - bare
            print(f"| {reads} | {chained:.2f} | {chained - rows:.2f} |")
    print(f"\nunit of work without reads: {bare:.2f} ms")
    return 0


def _milliseconds(messages: int, more: Callable[[Session], None]) -> float:
    """Return the median processor time of a unit of work that also does ``more``."""
    return 1000 * float(np.median([_seconds(more) for _ in range(messages)]))


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


def _inserting(reads: int) -> Callable[[Session], None]:
    """Write the same rows as an audit without a chain would, and take them back."""

    def write(session: Session) -> None:
        with session.begin_nested() as here:
            first = 10_000_000
            rows = [
                {
                    "id": first + number,
                    "at": utc_now(),
                    "hash": "0" * 64,
                    "actor": "citizen:web:1",
                    "purpose": "benchmark",
                    "record": f"citizens:web:{number}",
                    "field": "attributes",
                }
                for number in range(reads)
            ]
            session.execute(insert(AuditEntry), rows)
            here.rollback()

    return write


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

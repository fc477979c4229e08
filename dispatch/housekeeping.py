"""What is looked at every few minutes beside deliveries and news.

Each job has its own unit of work; one that fails never stops the others. A job that speaks with
another system opens its units of work itself, so that nobody waits for the database meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import structlog
from sqlalchemy.orm import Session

from dispatch.categories import Categories
from dispatch.deadlines import call_for_overdue
from dispatch.drafts import expire, remind
from store.database import unit_of_work

log = structlog.get_logger(__name__)

EVERY_SECONDS = 300.0
"""Limits are hours long, and every open case is read."""

Work = Callable[[datetime], object]


@dataclass(frozen=True)
class Job:
    """A name for the log, and what is done at a moment (aware)."""

    name: str
    work: Work


def in_unit_of_work(work: Callable[[Session, datetime], object]) -> Work:
    """Wrap work on the store in a unit of work of its own."""

    def wrapped(now: datetime) -> object:
        with unit_of_work() as session:
            return work(session, now)

    return wrapped


def jobs(categories: Categories, supervisor: str) -> tuple[Job, ...]:
    """Return everything that is done regularly, in this order. New jobs are added here."""
    return (
        Job(
            "limits",
            in_unit_of_work(
                lambda session, now: call_for_overdue(session, categories, now, supervisor)
            ),
        ),
        Job("draft_reminders", in_unit_of_work(remind)),
        Job("old_drafts", in_unit_of_work(expire)),
    )


class Housekeeping:
    """Runs the jobs and logs a failure once per cause."""

    def __init__(self, jobs: tuple[Job, ...]) -> None:
        self._jobs = jobs
        self._causes: dict[str, str] = {}

    def run(self, now: datetime) -> None:
        """Do every job once; what fails is tried again the next time."""
        for job in self._jobs:
            try:
                job.work(now)
            except Exception as error:
                self._note(job, error)
            else:
                if self._causes.pop(job.name, None) is not None:
                    log.info("job_works_again", job=job.name)

    def _note(self, job: Job, error: Exception) -> None:
        cause = type(error).__name__
        if self._causes.get(job.name) != cause:
            log.error("job_failed", job=job.name, error=cause, exc_info=True)
        self._causes[job.name] = cause

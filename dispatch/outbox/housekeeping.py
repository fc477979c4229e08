"""What is looked at regularly beside deliveries and news.

Each job has its own unit of work; one that fails never stops the others. A job that speaks with
another system opens its units of work itself, so that nobody waits for the database meanwhile.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

import structlog
from sqlalchemy.orm import Session

from base.settings import Settings
from dispatch.case.after_photos import fetch_pending, photo_client
from dispatch.case.closing import close_unanswered
from dispatch.case.deadlines import call_for_overdue
from dispatch.classification.categories import Categories
from dispatch.outbox.conversations import erase_on_request, forget_old
from dispatch.outbox.figures import count_overdue, take_figures
from dispatch.reporting.drafts import expire, remind
from dispatch.similar.hotspots import HotSpots
from store.answer_quality import forget_questions
from store.checklists import forget_untouched
from store.database import reading, unit_of_work
from store.identities import forget_codes
from store.media import purge_unattached, sweep_strays
from store.retention import forget_due

log = structlog.get_logger(__name__)

EVERY_SECONDS = 300.0
"""Limits are hours long, and every open case is read."""
DAY_SECONDS = 86400.0
HOT_SPOT_SECONDS = 30.0
FIGURES_SECONDS = 15.0
ERASURE_SECONDS = 30.0
PHOTO_SECONDS = 10.0
"""Somebody may be looking at the message that shows the photo."""

LINK_CODES_KEPT = timedelta(days=1)
"""Beyond the hour in which attempts are counted; the audit keeps what was tried."""

Work = Callable[[datetime], object]


@dataclass(frozen=True)
class Job:
    """A name for the log, what is done at a moment (aware), and how often."""

    name: str
    work: Work
    every_seconds: float = EVERY_SECONDS


def in_unit_of_work(work: Callable[[Session, datetime], object]) -> Work:
    """Wrap work on the store in a unit of work of its own."""

    def wrapped(now: datetime) -> object:
        with unit_of_work() as session:
            return work(session, now)

    return wrapped


def jobs(settings: Settings, categories: Categories, supervisor: str) -> tuple[Job, ...]:
    """Return everything that is done regularly, in this order. New jobs are added here."""

    def limits(session: Session, now: datetime) -> object:
        return call_for_overdue(session, categories, now, supervisor)

    def silence(session: Session, now: datetime) -> object:
        return close_unanswered(session, categories, now)

    def unattached(session: Session, _now: datetime) -> object:
        return purge_unattached(session, timedelta(days=settings.keep_unattached_days))

    def checklists(session: Session, now: datetime) -> object:
        return forget_untouched(session, now - timedelta(days=settings.checklist_keep_days))

    def questions(session: Session, now: datetime) -> object:
        return forget_questions(session, settings.unanswered_keep_days, now)

    def retention(session: Session, now: datetime) -> object:
        return forget_due(session, settings, now)

    def codes(session: Session, now: datetime) -> object:
        return forget_codes(session, now - LINK_CODES_KEPT)

    return (
        Job("figures", take_figures, FIGURES_SECONDS),
        Job("overdue", partial(count_overdue, categories)),
        Job("after_photos", after_photos(settings), PHOTO_SECONDS),
        Job("hot_spots", HotSpots(settings.city_dir, categories).observe_new, HOT_SPOT_SECONDS),
        Job("limits", in_unit_of_work(limits)),
        Job("silence", in_unit_of_work(silence)),
        Job("draft_reminders", in_unit_of_work(remind)),
        Job("draft_expiry", in_unit_of_work(expire)),
        Job("unattached_media", in_unit_of_work(unattached), DAY_SECONDS),
        Job("unanswered_questions", in_unit_of_work(questions), DAY_SECONDS),
        Job("stray_media", strays, DAY_SECONDS),
        Job("link_codes", in_unit_of_work(codes), DAY_SECONDS),
        Job("checklist_expiry", in_unit_of_work(checklists), DAY_SECONDS),
        Job("retention", in_unit_of_work(retention), DAY_SECONDS),
        Job("conversation_expiry", partial(forget_old, settings)),
        Job("conversation_erasure", partial(erase_on_request, settings), ERASURE_SECONDS),
    )


def after_photos(settings: Settings) -> Work:
    """Fetch photos of results; it opens its own units of work, once a photo is here."""
    client = photo_client()
    return lambda now: fetch_pending(client, settings, now=now)


def strays(_now: datetime) -> object:
    """Delete bytes of photos that a crash left without a row."""
    with reading() as session:
        return sweep_strays(session)


class Housekeeping:
    """Runs the jobs and logs a failure once per cause."""

    def __init__(self, jobs: tuple[Job, ...]) -> None:
        self._jobs = jobs
        self._due = dict.fromkeys((job.name for job in jobs), 0.0)
        self._causes: dict[str, str] = {}

    def run(self, now: datetime, clock: Callable[[], float] = time.monotonic) -> None:
        """Do every job whose time has come; what fails is tried again the next time."""
        for job in self._jobs:
            if clock() < self._due[job.name]:
                continue
            self._due[job.name] = clock() + job.every_seconds
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

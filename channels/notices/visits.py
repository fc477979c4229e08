"""Reminders of appointments as regular jobs of the relay process."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from base.settings import Settings
from channels.notices.manners import Manners
from dispatch.outbox.housekeeping import DAY_SECONDS, Job, in_unit_of_work
from enquiries.visits import ask_how_it_went, forget, remind

LOOK_SECONDS = 60.0


def visit_jobs(settings: Settings) -> tuple[Job, ...]:
    """Return the jobs; the quiet hours are those of every message nobody asked for."""
    is_quiet = Manners.of(settings).is_quiet

    def reminders(session: Session, now: datetime) -> object:
        return remind(session, settings, now, is_quiet)

    def follow_ups(session: Session, now: datetime) -> object:
        return ask_how_it_went(session, now, is_quiet)

    def expiry(session: Session, now: datetime) -> object:
        return forget(session, settings, now)

    return (
        Job("visit_reminders", in_unit_of_work(reminders), LOOK_SECONDS),
        Job("visit_follow_ups", in_unit_of_work(follow_ups), LOOK_SECONDS),
        Job("visit_expiry", in_unit_of_work(expiry), DAY_SECONDS),
    )

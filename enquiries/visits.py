"""Regular work on appointments: a reminder, a question after the visit, and forgetting."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import structlog
from sqlalchemy.orm import Session

from base.settings import Settings
from enquiries.hall_files import hall_now, item_now
from enquiries.visit_wording import follow_up_reply, reminder_reply
from store.appointments import close_past, due_follow_ups, due_reminders, forget_before
from store.people import queue_message

__all__ = ["ask_how_it_went", "forget", "remind"]

log = structlog.get_logger(__name__)

ASKED_WITHIN = timedelta(days=3)
"""Later nobody is asked any more how a visit went."""

IsQuiet = Callable[[datetime], bool]


def remind(session: Session, settings: Settings, now: datetime, is_quiet: IsQuiet) -> int:
    """Queue the reminder of every visit it is time for; return how many.

    Message and mark commit together, so each is sent exactly once. What falls into quiet hours
    (the relay was down at six) is sent when they end, if the visit is still to come.
    """
    if is_quiet(now):
        return 0
    due = due_reminders(session, now)
    for kept in due:
        hall = hall_now(settings.policies_dir, kept.hall_id)
        item = item_now(settings.policies_dir, kept.service_id)
        queue_message(
            session, kept.citizen_id, [reminder_reply(kept, hall, item, settings, now)], now
        )
        kept.remind_at = None
        log.info("visit_reminded", appointment=kept.id)
    return len(due)


def ask_how_it_went(session: Session, now: datetime, is_quiet: IsQuiet) -> int:
    """End what is over and ask its citizens how it went, once; return how many were asked."""
    close_past(session, now)
    if is_quiet(now):
        return 0
    asked = 0
    for kept in due_follow_ups(session, now):
        kept.follow_up_at = None
        if now - kept.ends_at <= ASKED_WITHIN:
            queue_message(session, kept.citizen_id, [follow_up_reply(kept, now)], now)
            asked += 1
    return asked


def forget(session: Session, settings: Settings, now: datetime) -> int:
    """Delete visits older than ``SHIMIN_APPOINTMENT_KEEP_DAYS``; return how many."""
    gone = forget_before(session, now - timedelta(days=settings.appointment_keep_days))
    if gone:
        log.info("appointments_forgotten", appointments=gone)
    return gone

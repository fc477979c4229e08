"""Complaints left unfinished: one reminder, and an end."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlalchemy.orm import Session

from base.calendar import CITY_TIME
from base.settings import get_settings
from dispatch.reporting.draft import Draft
from store.drafts import drop_untouched, unreminded
from store.people import queue_message

log = structlog.get_logger(__name__)

FIRST_HOUR, LAST_HOUR = 8, 21
"""Nobody is reminded before eight in the morning or from nine in the evening (city time)."""

_MISSING = {
    "words": "还差说说是什么问题。",
    "place": "还差地点。",
    "confirmed": "就差您确认提交。",
}


def remind(session: Session, now: datetime) -> int:
    """Queue one message for every draft left alone for ``SHIMIN_DRAFT_REMINDER_HOURS``.

    Args:
        session: the open unit of work; message and mark commit together.
        now: the present moment, timezone-aware.

    Returns:
        How many citizens were reminded; 0 at night.
    """
    if not FIRST_HOUR <= now.astimezone(CITY_TIME).hour < LAST_HOUR:
        return 0
    quiet_since = now - timedelta(hours=get_settings().draft_reminder_hours)
    drafts = unreminded(session, quiet_since, now - _kept_for())
    for draft in drafts:
        draft.reminded_at = now
        queue_message(session, draft.citizen_id, [reminder(draft.gap)])
        log.info("draft_reminded", draft=draft.id, citizen=draft.citizen_id, gap=draft.gap)
    return len(drafts)


def expire(session: Session, now: datetime) -> int:
    """Forget the drafts left alone for ``SHIMIN_DRAFT_KEEP_DAYS``; return how many."""
    gone = drop_untouched(session, now - _kept_for())
    if gone:
        log.info("drafts_expired", drafts=gone)
    return gone


def is_expired(draft: Draft, now: datetime) -> bool:
    """Tell whether a draft in a conversation has been left alone for too long to go on."""
    return draft.changed_at is not None and draft.changed_at <= now - _kept_for()


def reminder(gap: str) -> dict[str, Any]:
    """Return the reply that reminds of a draft; it repeats nothing of what was said."""
    return {
        "text": f"您有一条投诉还没提交，{_MISSING.get(gap, '')}要接着报吗？",
        "buttons": [
            {"title": "继续投诉", "payload": "/continue_complaint"},
            {"title": "不报了", "payload": "/cancel"},
        ],
        "cards": [],
    }


def _kept_for() -> timedelta:
    return timedelta(days=get_settings().draft_keep_days)

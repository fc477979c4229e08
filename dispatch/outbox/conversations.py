"""Conversations that are over their period, or that somebody wants erased, in Rasa's database.

While it cannot be reached the job fails with its address, and the next run does what was left.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import structlog

from base.metrics import ERASED_EVENTS
from base.settings import Settings
from store.conversations import forget_before
from store.erasures import carry_out

log = structlog.get_logger(__name__)

MOST_EVENTS = 20_000
"""Deleted in one run, about a second's work: deliveries wait for it."""


def forget_old(settings: Settings, now: datetime) -> None:
    """Delete events older than ``SHIMIN_CONVERSATION_KEEP_DAYS``; the next run goes on.

    Raises:
        UpstreamError: the tracker's database cannot be reached.
    """
    before = now - timedelta(days=settings.conversation_keep_days)
    _tell("expired", forget_before(settings.tracker_url, before, MOST_EVENTS))


def erase_on_request(settings: Settings, now: datetime) -> None:
    """Carry out what :func:`store.erasures.ask_for_erasure` noted.

    Raises:
        UpstreamError: the tracker's database cannot be reached.
    """
    _tell("requested", carry_out(settings, now))


def _tell(reason: str, events: int) -> None:
    ERASED_EVENTS.labels(reason).inc(events)
    if events:
        log.info("conversations_erased", reason=reason, events=events)

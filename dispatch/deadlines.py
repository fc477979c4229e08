"""Time limits of a ticket: until when, and what happens when they pass.

A case that nobody takes or finishes in time is called for at the dispatch system (催办); when half
the limit has passed again, it is called for with emphasis (督办) and the citizen hears of it. Each
is sent once a case and round: a reopened case has its limits anew.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

import structlog
from sqlalchemy.orm import Session

from dispatch.categories import Categories, Category, Level
from dispatch.wording import CALL, URGENT_CALL, overdue_reply
from store.models import Ticket
from store.people import queue_message
from store.tickets import is_queued, queue_outbox, unfinished

log = structlog.get_logger(__name__)

Stage = Literal["respond", "resolve"]

_STAGES: dict[Stage, tuple[str, ...]] = {
    "respond": ("forwarded", "transferred", "reopened"),
    "resolve": ("forwarded", "transferred", "reopened", "accepted", "in_progress"),
}
"""Statuses in which a limit still runs."""
_WORDS = {"respond": "受理", "resolve": "办结"}


@dataclass(frozen=True)
class Limits:
    """When a case must be accepted and when it must be resolved."""

    respond: datetime
    resolve: datetime


def limits(ticket: Ticket, category: Category) -> Limits:
    """Return the limits of a ticket: calendar hours from filing, or from its last reopening."""
    level: Level = "urgent" if ticket.severity == "urgent" else "normal"
    respond, resolve = category.limits(level)
    start = _start(ticket)
    return Limits(start + timedelta(hours=respond), start + timedelta(hours=resolve))


def call_for_overdue(session: Session, categories: Categories, now: datetime) -> int:
    """Call for every overdue case that the dispatch system knows; return how many calls."""
    calls = 0
    for ticket in unfinished(session):
        category = categories.get(ticket.category)
        if category is not None:
            due = limits(ticket, category)
            calls += _call(session, ticket, category, "respond", due.respond, now)
            calls += _call(session, ticket, category, "resolve", due.resolve, now)
    return calls


def _call(  # noqa: PLR0913
    session: Session,
    ticket: Ticket,
    category: Category,
    stage: Stage,
    due: datetime,
    now: datetime,
) -> int:
    if ticket.status not in _STAGES[stage] or now < due:
        return 0
    start = _start(ticket)
    emphatic = now >= due + (due - start) / 2
    key = f"shimin-{ticket.id}-{stage}-{start:%Y%m%d%H%M%S}-{'urged' if emphatic else 'due'}"
    if is_queued(session, key):
        return 0
    late = _span(now - due)
    opening = URGENT_CALL if emphatic else CALL
    words = f"{opening}已超过{_WORDS[stage]}时限{late}，请尽快{_WORDS[stage]}。"
    queue_outbox(session, ticket, "update", key, {"description": words})
    if emphatic:
        queue_message(session, ticket.citizen_id, [overdue_reply(ticket, category, stage)])
    log.warning("ticket_overdue", ticket=ticket.id, stage=stage, late=late, emphatic=emphatic)
    return 1


def _start(ticket: Ticket) -> datetime:
    reopened = [event.at for event in ticket.events if event.to_status == "reopened"]
    return max([ticket.created_at, *reopened])


def _span(late: timedelta) -> str:
    hours = int(late.total_seconds() // 3600)
    return f"{hours // 24}天" if hours >= 48 else f"{max(1, hours)}小时"

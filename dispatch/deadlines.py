"""Time limits of a ticket: until when, and what happens when they pass.

A case that nobody takes or finishes in time is called for at the dispatch system (催办); when half
the limit has passed again, it is called for with emphasis (督办) and the citizen hears of it. Each
is sent once a case and round: a reopened case has its limits anew.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from sqlalchemy.orm import Session

from dispatch.categories import Categories, Category
from dispatch.joining import queue_to_listeners
from dispatch.wording import CALL, LIMIT_NAMES, URGENT_CALL, overdue_reply
from store.models import Ticket
from store.tickets import forwarded_in, is_queued, queue_outbox

log = structlog.get_logger(__name__)

_STAGES = {
    "respond": ("forwarded", "transferred", "reopened"),
    "resolve": ("forwarded", "transferred", "reopened", "accepted", "in_progress"),
}
"""Statuses in which a limit still runs; whoever has not accepted has not resolved either."""


@dataclass(frozen=True)
class Limits:
    """When a case began, when it must be accepted and when it must be resolved."""

    start: datetime
    respond: datetime
    resolve: datetime


def limit_hours(ticket: Ticket, category: Category) -> tuple[int, int]:
    """Return ``(respond_hours, resolve_hours)`` of a ticket by its severity."""
    return category.limits("urgent" if ticket.severity == "urgent" else "normal")


def limits(ticket: Ticket, category: Category) -> Limits:
    """Return the limits of a ticket: calendar hours from filing, or from its last reopening."""
    respond, resolve = limit_hours(ticket, category)
    start = _start(ticket)
    return Limits(start, start + timedelta(hours=respond), start + timedelta(hours=resolve))


def call_for_overdue(session: Session, categories: Categories, now: datetime) -> int:
    """Call for every overdue case that the dispatch system knows; return how many calls."""
    calls = 0
    for ticket in forwarded_in(session, _STAGES["resolve"]):
        category = categories.get(ticket.category)
        if category is None:
            continue
        due = limits(ticket, category)
        for stage, statuses in _STAGES.items():
            if ticket.status in statuses:
                calls += _call(session, ticket, category, stage, due, now)
    return calls


def _call(  # noqa: PLR0913
    session: Session, ticket: Ticket, category: Category, stage: str, limits: Limits, now: datetime
) -> int:
    due: datetime = getattr(limits, stage)
    if now < due:
        return 0
    emphatic = now >= due + (due - limits.start) / 2
    round_ = f"{limits.start:%Y%m%d%H%M%S}"
    key = f"shimin-{ticket.id}-{stage}-{round_}-{'urged' if emphatic else 'due'}"
    if is_queued(session, key):
        return 0
    late = _span(now - due)
    opening, limit = URGENT_CALL if emphatic else CALL, LIMIT_NAMES[stage]
    words = f"{opening}已超过{limit}时限{late}，请尽快{limit}。"
    queue_outbox(session, ticket, "update", key, {"description": words})
    if emphatic:
        queue_to_listeners(session, ticket, [overdue_reply(ticket, category, stage)])
    log.warning("ticket_overdue", ticket=ticket.id, stage=stage, late=late, emphatic=emphatic)
    return 1


def _start(ticket: Ticket) -> datetime:
    reopened = [event.at for event in ticket.events if event.to_status == "reopened"]
    return max([ticket.created_at, *reopened])


def _span(late: timedelta) -> str:
    hours = int(late.total_seconds() // 3600)
    return f"{hours // 24}天" if hours >= 48 else f"{max(1, hours)}小时"

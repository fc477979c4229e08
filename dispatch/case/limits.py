"""How long a ticket may take: its limits and the hand-overs that move them.

Limits are calendar hours. Both run from filing or from the last reopening; the limit for
acceptance runs anew from every transfer (转办), the one for settlement does not.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from dispatch.classification.categories import Category
from store.models import Ticket

_TAKEN_UP = ("accepted", "in_progress", "resolved", "rejected", "reopened")


@dataclass(frozen=True)
class Limits:
    """When a case began, when it must be accepted and when it must be resolved.

    ``respond_start`` is where the limit for acceptance runs from: the last transfer, or ``start``.
    """

    start: datetime
    respond: datetime
    resolve: datetime
    respond_start: datetime


@dataclass(frozen=True)
class Transfer:
    """A hand-over from one unit to another; None where the dispatch system named none."""

    at: datetime
    source: str | None
    target: str | None


def limit_hours(ticket: Ticket, category: Category) -> tuple[int, int]:
    """Return ``(respond_hours, resolve_hours)``: the ticket's own, else the category's."""
    respond, resolve = category.limits("urgent" if ticket.severity == "urgent" else "normal")
    return ticket.respond_hours or respond, ticket.resolve_hours or resolve


def limits(ticket: Ticket, category: Category) -> Limits:
    """Return the limits of a ticket."""
    respond, resolve = limit_hours(ticket, category)
    start = started(ticket)
    respond_start = max([start, *(transfer.at for transfer in transfers(ticket))])
    return Limits(
        start=start,
        respond=respond_start + timedelta(hours=respond),
        resolve=start + timedelta(hours=resolve),
        respond_start=respond_start,
    )


def transfers(ticket: Ticket) -> tuple[Transfer, ...]:
    """Return every hand-over of a ticket, oldest first; why is the note of its event."""
    return tuple(move for move in _course(ticket) if isinstance(move, Transfer))


def started(ticket: Ticket) -> datetime:
    """Return when a ticket was filed, or last reopened."""
    # A supplement to a reopened case is an event of that status as well.
    reopened = [
        event.at
        for event in ticket.events
        if event.to_status == "reopened" and event.from_status != "reopened"
    ]
    return max([ticket.created_at, *reopened])


def _course(ticket: Ticket) -> list[Transfer | None]:
    """Return every transfer, and None wherever somebody took the case up."""
    unit: str | None = None
    course: list[Transfer | None] = []
    for event in ticket.events:
        if event.to_status == "transferred" and event.actor == "dispatch":
            # Words about a transferred case are events of that status as well.
            if event.from_status != "transferred" or (event.unit and event.unit != unit):
                course.append(Transfer(event.at, unit, event.unit))
                unit = event.unit or unit
        elif event.to_status in ("submitted", "forwarded"):
            unit = event.unit or unit
        elif event.to_status in _TAKEN_UP:
            course.append(None)
    return course


def untaken(ticket: Ticket) -> int:
    """Count the transfers since somebody last took the case up."""
    course = _course(ticket)
    return next((n for n, move in enumerate(reversed(course)) if move is None), len(course))

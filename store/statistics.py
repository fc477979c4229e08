"""Numbers about complaints, counted by the database: no person, no words, no exact point.

Only what citizens reported counts: warnings this side raised itself, drafts and what was taken
back do not.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import ColumnElement, case, func, select
from sqlalchemy.orm import Session, load_only, selectinload

from store.models import Ticket, TicketEvent

HANDLED = ("resolved", "verified", "closed")
_LEFT_OUT = ("draft", "withdrawn")
_BATCH = 500
PLAIN_EVENTS = selectinload(Ticket.events).load_only(
    TicketEvent.ticket_id,
    TicketEvent.at,
    TicketEvent.actor,
    TicketEvent.from_status,
    TicketEvent.to_status,
    TicketEvent.unit,
)
"""The history of a ticket, without anything encrypted."""

_COURSE = (
    load_only(
        Ticket.created_at,
        Ticket.status,
        Ticket.category,
        Ticket.severity,
        Ticket.department,
        Ticket.respond_hours,
        Ticket.resolve_hours,
    ),
    PLAIN_EVENTS,
)
"""What tells how a ticket went, without anything encrypted."""


@dataclass(frozen=True)
class Tally:
    """How many were reported under a name, and how many of them are handled."""

    name: str | None
    reported: int
    handled: int


@dataclass(frozen=True)
class CellTally:
    """Reports of one category in one cell of the grid: ``row`` and ``column`` times its size
    are the latitude and longitude of its middle. ``citizens`` counts different people."""

    row: int
    column: int
    category: str
    reports: int
    citizens: int


def tallies(session: Session, by: Literal["district", "category"], since: datetime) -> list[Tally]:
    """Count the complaints filed since ``since`` by district or category, most first."""
    name = {"district": Ticket.district, "category": Ticket.category}[by]
    reported = func.count(Ticket.id)
    rows = session.execute(
        select(name, reported, func.sum(case((Ticket.status.in_(HANDLED), 1), else_=0)))
        .where(*_public(since))
        .group_by(name)
        .order_by(reported.desc(), name)
    )
    return [Tally(*row) for row in rows]


def cell_tallies(session: Session, since: datetime, size: float) -> list[CellTally]:
    """Count the complaints filed since ``since`` by cell (``size`` degrees) and category."""
    placed = (
        select(
            func.round(Ticket.latitude / size).label("row"),
            func.round(Ticket.longitude / size).label("column"),
            Ticket.category,
            Ticket.citizen_id,
        )
        .where(*_public(since), Ticket.latitude.is_not(None), Ticket.longitude.is_not(None))
        .subquery()
    )
    cell = (placed.c.row, placed.c.column, placed.c.category)
    rows = session.execute(
        select(*cell, func.count(), func.count(placed.c.citizen_id.distinct()))
        .group_by(*cell)
        .order_by(*cell)
    )
    return [CellTally(int(a), int(b), *rest) for a, b, *rest in rows]


def handled_since(session: Session, since: datetime) -> Iterator[tuple[Ticket, datetime]]:
    """Yield the complaints handled since ``since`` with their events, and when they were.

    The last handling counts: a case sent back was not done.
    """
    done = (
        select(TicketEvent.ticket_id, func.max(TicketEvent.at).label("at"))
        .where(TicketEvent.to_status == "resolved", TicketEvent.from_status != "resolved")
        .group_by(TicketEvent.ticket_id)
        .subquery()
    )
    statement = (
        select(Ticket, done.c.at)
        .join(done, done.c.ticket_id == Ticket.id)
        .where(Ticket.kind == "complaint", Ticket.status.in_(HANDLED), done.c.at >= since)
        .options(*_COURSE)
        .execution_options(yield_per=_BATCH)
    )
    for row in session.execute(statement):
        yield row[0], row[1]


def open_since(session: Session, since: datetime) -> Iterator[Ticket]:
    """Yield the complaints filed since ``since`` that still wait for somebody, with events."""
    statement = (
        select(Ticket)
        .where(*_public(since), Ticket.status.not_in((*HANDLED, "rejected")))
        .options(*_COURSE)
        .execution_options(yield_per=_BATCH)
    )
    yield from session.scalars(statement)


def _public(since: datetime) -> tuple[ColumnElement[bool], ...]:
    return (
        Ticket.kind == "complaint",
        Ticket.status.not_in(_LEFT_OUT),
        Ticket.created_at >= since,
    )

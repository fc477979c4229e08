"""Tickets around a point: for duplicates and hot spots."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.orm import Session, selectinload

from store.database import insert_missing
from store.models import HotSpot, HotSpotReport, Ticket, TicketFollower
from store.tickets import city_day

WITHDRAWN = "withdrawn"


@dataclass(frozen=True)
class Box:
    """A rectangle of the map, degrees (WGS 84)."""

    south: float
    west: float
    north: float
    east: float


@dataclass(frozen=True)
class Report:
    """That somebody reported something somewhere: by a ticket of his own, or by joining one."""

    ticket_id: str
    citizen_id: str
    at: datetime
    latitude: float
    longitude: float


def box_around(latitude: float, longitude: float, degrees: float) -> Box:
    """Return the square around a point whose half side is ``degrees`` of a great circle."""
    wide = degrees / max(math.cos(math.radians(latitude)), 0.01)
    return Box(latitude - degrees, longitude - wide, latitude + degrees, longitude + wide)


def tickets_near(  # noqa: PLR0913
    session: Session,
    box: Box,
    categories: Collection[str],
    *,
    since: datetime,
    open_in: Collection[str],
    handled_in: Collection[str],
    handled_since: datetime,
    limit: int,
) -> Sequence[Ticket]:
    """Return complaints of some categories inside a box, the nearest to its middle first.

    Args:
        session: the open unit of work.
        box: where to look.
        categories: codes of the categories.
        since: only complaints filed since then.
        open_in: statuses in which a complaint is looked at anyway.
        handled_in: statuses in which it is looked at if it changed since ``handled_since``.
        handled_since: see ``handled_in``.
        limit: how many at most.
    """
    latitude, longitude = (box.south + box.north) / 2, (box.west + box.east) / 2
    # one degree of longitude counts as much shorter as the box is wider than high
    shrink = (box.north - box.south) / max(box.east - box.west, 1e-9)
    north, east = Ticket.latitude - latitude, (Ticket.longitude - longitude) * shrink
    statement = (
        select(Ticket)
        .where(
            Ticket.id >= first_id(since),
            Ticket.kind == "complaint",
            Ticket.category.in_(categories),
            Ticket.created_at >= since,
            or_(
                Ticket.status.in_(open_in),
                and_(Ticket.status.in_(handled_in), Ticket.updated_at >= handled_since),
            ),
            *_inside(box),
        )
        .options(selectinload(Ticket.followers))
        .order_by(north * north + east * east, Ticket.id)
        .limit(limit)
    )
    return session.scalars(statement).all()


def reports_in(session: Session, category: str, box: Box, since: datetime) -> list[Report]:
    """Return who reported what of one category inside a box since a moment.

    A follower counts from when he joined. Withdrawn complaints and their followers do not
    count.
    """
    where = and_(
        Ticket.kind == "complaint",
        Ticket.category == category,
        Ticket.status != WITHDRAWN,
        *_inside(box),
    )
    filed = select(
        Ticket.id, Ticket.citizen_id, Ticket.created_at, Ticket.latitude, Ticket.longitude
    ).where(where, Ticket.id >= first_id(since), Ticket.created_at >= since)
    joined = (
        select(
            Ticket.id,
            TicketFollower.citizen_id,
            TicketFollower.joined_at,
            Ticket.latitude,
            Ticket.longitude,
        )
        .join(TicketFollower, TicketFollower.ticket_id == Ticket.id)
        .where(where, TicketFollower.joined_at >= since)
    )
    return [Report(*row) for row in (*session.execute(filed), *session.execute(joined))]


def reported_between(
    session: Session, after: datetime, upto: datetime
) -> list[tuple[datetime, str]]:
    """Return ``(moment, ticket id)`` of what was filed or joined after a moment, oldest first."""
    filed = select(Ticket.created_at, Ticket.id).where(
        Ticket.id >= first_id(after),
        Ticket.kind == "complaint",
        Ticket.created_at > after,
        Ticket.created_at <= upto,
    )
    joined = select(TicketFollower.joined_at, TicketFollower.ticket_id).where(
        TicketFollower.joined_at > after, TicketFollower.joined_at <= upto
    )
    rows = (*session.execute(filed), *session.execute(joined))
    return sorted((at, ticket_id) for at, ticket_id in rows)


def hot_spots_of(
    session: Session, category: str, ticket_ids: Collection[str], since: datetime
) -> list[HotSpot]:
    """Return the hot spots that had a report since then and hold one of the tickets; oldest first.

    The rows are locked: two observers of one place wait for each other.
    """
    return list(
        session.scalars(
            select(HotSpot)
            .where(
                HotSpot.category == category,
                HotSpot.last_report_at >= since,
                HotSpot.id.in_(
                    select(HotSpotReport.hot_spot_id).where(HotSpotReport.ticket_id.in_(ticket_ids))
                ),
            )
            .order_by(HotSpot.id)
            .with_for_update()
            .execution_options(populate_existing=True)
        )
    )


def keep_report(session: Session, hot_spot_id: int, ticket_id: str) -> None:
    """Count a complaint to a hot spot; once."""
    report = HotSpotReport(hot_spot_id=hot_spot_id, ticket_id=ticket_id)
    insert_missing(session, report, (hot_spot_id, ticket_id))


def tickets_of_hot_spot(session: Session, hot_spot_id: int) -> Sequence[Ticket]:
    """Return the complaints of a hot spot with their followers, oldest first.

    Those withdrawn meanwhile are left out.
    """
    return session.scalars(
        select(Ticket)
        .join(HotSpotReport, HotSpotReport.ticket_id == Ticket.id)
        .where(HotSpotReport.hot_spot_id == hot_spot_id, Ticket.status != WITHDRAWN)
        .options(selectinload(Ticket.followers))
        .order_by(Ticket.created_at, Ticket.id)
        .execution_options(populate_existing=True)
    ).all()


def first_id(moment: datetime) -> str:
    """Return the least ticket number that may have been given at a moment.

    Numbers begin with the day, so a range of them walks along the primary key. A day is left
    for a ticket whose number was drawn before midnight.
    """
    return f"SM{city_day(moment) - timedelta(days=1):%Y%m%d}"


def _inside(box: Box) -> tuple[ColumnElement[bool], ...]:
    return (
        Ticket.latitude.between(box.south, box.north),
        Ticket.longitude.between(box.west, box.east),
    )

"""Hot spots as an official looks back at them. What finds them is in :mod:`store.nearby`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select, union
from sqlalchemy.orm import Session

from store.models import HotSpot, HotSpotReport, Ticket, TicketFollower
from store.nearby import WITHDRAWN


@dataclass(frozen=True)
class HotSpotTally:
    """A hot spot in figures.

    ``people`` are different reporters and followers of its ``complaints``, those withdrawn apart;
    ``first`` and ``last`` are when the first complaint was filed and the last report came.
    """

    id: int
    category: str
    district: str
    street: str
    latitude: float
    longitude: float
    opened: datetime
    first: datetime
    last: datetime
    complaints: int
    open_ones: int
    people: int
    alert_id: str | None


def hot_spot_tallies(
    session: Session, since: datetime, finished: Sequence[str], limit: int
) -> list[HotSpotTally]:
    """Return the hot spots with a report since a moment, the latest report first.

    ``finished`` are statuses of complaints that count as open no more.
    """
    spots = session.scalars(
        select(HotSpot)
        .where(HotSpot.last_report_at >= since)
        .order_by(HotSpot.last_report_at.desc(), HotSpot.id.desc())
        .limit(limit)
    ).all()
    chosen = [spot.id for spot in spots]
    members = (
        select(
            HotSpotReport.hot_spot_id.label("spot"),
            Ticket.id,
            Ticket.citizen_id,
            Ticket.created_at,
            Ticket.status,
        )
        .join(Ticket, Ticket.id == HotSpotReport.ticket_id)
        .where(HotSpotReport.hot_spot_id.in_(chosen), Ticket.status != WITHDRAWN)
        .subquery()
    )
    still_open = func.count().filter(members.c.status.not_in(finished))
    counted = {
        row.spot: row
        for row in session.execute(
            select(
                members.c.spot,
                func.count().label("complaints"),
                still_open.label("open_ones"),
                func.min(members.c.created_at).label("first"),
            ).group_by(members.c.spot)
        )
    }
    followed = select(members.c.spot, TicketFollower.citizen_id).join(
        TicketFollower, TicketFollower.ticket_id == members.c.id
    )
    everybody = union(select(members.c.spot, members.c.citizen_id), followed).subquery()
    counted_people = select(everybody.c.spot, func.count()).group_by(everybody.c.spot)
    people = {int(spot): int(count) for spot, count in session.execute(counted_people)}
    return [
        HotSpotTally(
            id=spot.id,
            category=spot.category,
            district=spot.district or "",
            street=spot.street or "",
            latitude=spot.latitude,
            longitude=spot.longitude,
            opened=spot.opened_at,
            first=counted[spot.id].first,
            last=spot.last_report_at,
            complaints=counted[spot.id].complaints,
            open_ones=counted[spot.id].open_ones,
            people=people[spot.id],
            alert_id=spot.alert_id,
        )
        for spot in spots
        if spot.id in counted  # else every complaint of it was withdrawn
    ]

"""The complaints as a dispatcher looks through them: narrowed, counted, page by page.

Nothing encrypted is read here; who opens a ticket's words does so through :mod:`store.privacy`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, get_args

from sqlalchemy import ColumnElement, Select, UnaryExpression, and_, false, func, or_, select
from sqlalchemy.orm import Session, load_only, selectinload

from store.models import HotSpotReport, Ticket, TicketEvent, TicketFollower
from store.statistics import PLAIN_EVENTS

Order = Literal["newest", "oldest", "changed"]
ORDERS: tuple[Order, ...] = get_args(Order)

_SHOWN = (
    load_only(
        Ticket.created_at,
        Ticket.updated_at,
        Ticket.status,
        Ticket.category,
        Ticket.severity,
        Ticket.department,
        Ticket.respond_hours,
        Ticket.resolve_hours,
        Ticket.district,
        Ticket.street,
        Ticket.latitude,
        Ticket.longitude,
        Ticket.external_id,
        Ticket.rating,
        raiseload=True,
    ),
    PLAIN_EVENTS,
    selectinload(Ticket.followers).load_only(TicketFollower.joined_at),
)
"""What a list needs; touching an encrypted column of such a ticket is an error."""


@dataclass(frozen=True)
class LateKind:
    """Open complaints of one category and severity are late when they began before a moment.

    ``resolve_hours`` are the ticket's own, None for those of the category.
    """

    category: str
    severity: str
    resolve_hours: int | None
    began_before: datetime


@dataclass(frozen=True)
class Wanted:
    """Which complaints are looked at; what is not given does not narrow.

    Args:
        statuses: any of these.
        category: code.
        district: name.
        number: part of the ticket's number or of the dispatch system's.
        since: filed at or after.
        before: filed before.
        urgent: emergencies only.
        late: only open ones that are late by one of these; empty: none is.
        at_work: statuses in which a limit still runs, for ``late``.
        hot_spot: only those of a hot spot.
    """

    statuses: tuple[str, ...] = ()
    category: str = ""
    district: str = ""
    number: str = ""
    since: datetime | None = None
    before: datetime | None = None
    urgent: bool = False
    late: tuple[LateKind, ...] | None = None
    at_work: tuple[str, ...] = ()
    hot_spot: int | None = None


def kinds_at_work(
    session: Session, statuses: Sequence[str]
) -> Sequence[tuple[str, str, int | None]]:
    """Return each ``(category, severity, own resolve_hours)`` among complaints in ``statuses``."""
    columns = (Ticket.category, Ticket.severity, Ticket.resolve_hours)
    rows = session.execute(
        select(*columns).where(Ticket.kind == "complaint", Ticket.status.in_(statuses)).distinct()
    )
    return [(category, level, hours) for category, level, hours in rows]


def count_complaints(session: Session, wanted: Wanted) -> int:
    """Return how many complaints are wanted."""
    return session.scalar(_narrowed(select(func.count(Ticket.id)), wanted)) or 0


def find_complaints(
    session: Session, wanted: Wanted, order: Order, offset: int, limit: int
) -> Sequence[Ticket]:
    """Return a page of the wanted complaints with events and followers, nothing encrypted."""
    keys: dict[Order, tuple[UnaryExpression[Any], ...]] = {
        "newest": (Ticket.created_at.desc(), Ticket.id.desc()),
        "oldest": (Ticket.created_at.asc(), Ticket.id.asc()),
        "changed": (Ticket.updated_at.desc(), Ticket.id.desc()),
    }
    statement = _narrowed(select(Ticket), wanted).order_by(*keys[order])
    return session.scalars(statement.options(*_SHOWN).offset(offset).limit(limit)).all()


def complaints_after(session: Session, wanted: Wanted, after: str, limit: int) -> Sequence[Ticket]:
    """Return whole tickets in the order of their numbers, for an export.

    ``after`` is the last number of the page before; a page shorter than ``limit`` is the last.
    """
    statement = _narrowed(select(Ticket), wanted).where(Ticket.id > after)
    related = (selectinload(Ticket.events), selectinload(Ticket.photos))
    return session.scalars(statement.options(*related).order_by(Ticket.id).limit(limit)).all()


def with_everything(session: Session, ticket_id: str) -> Ticket | None:
    """Return a ticket with its history, photos and followers."""
    related = (Ticket.events, Ticket.photos, Ticket.followers)
    return session.scalars(
        select(Ticket)
        .where(Ticket.id == ticket_id, Ticket.status != "draft")
        .options(*(selectinload(one) for one in related))
    ).first()


def _narrowed(statement: Select[Any], wanted: Wanted) -> Select[Any]:
    where: list[ColumnElement[bool]] = [Ticket.kind == "complaint", Ticket.status != "draft"]
    if wanted.statuses:
        where.append(Ticket.status.in_(wanted.statuses))
    if wanted.category:
        where.append(Ticket.category == wanted.category)
    if wanted.district:
        where.append(Ticket.district == wanted.district)
    if wanted.number:
        columns = (Ticket.id, Ticket.external_id)
        where.append(or_(*(column.icontains(wanted.number, autoescape=True) for column in columns)))
    if wanted.since is not None:
        where.append(Ticket.created_at >= wanted.since)
    if wanted.before is not None:
        where.append(Ticket.created_at < wanted.before)
    if wanted.urgent:
        where.append(Ticket.severity == "urgent")
    if wanted.late is not None:
        where += [Ticket.status.in_(wanted.at_work), _is_late(wanted.late)]
    if wanted.hot_spot is not None:
        members = select(HotSpotReport.ticket_id).where(
            HotSpotReport.hot_spot_id == wanted.hot_spot
        )
        where.append(Ticket.id.in_(members))
    return statement.where(*where)


def _is_late(kinds: Sequence[LateKind]) -> ColumnElement[bool]:
    """The rule of :func:`dispatch.case.limits.started` in SQL: filed, or last reopened."""
    reopened = (
        select(func.max(TicketEvent.at))
        .where(
            TicketEvent.ticket_id == Ticket.id,
            TicketEvent.to_status == "reopened",
            TicketEvent.from_status.is_distinct_from("reopened"),
        )
        .correlate(Ticket)
        .scalar_subquery()
    )
    began = func.coalesce(reopened, Ticket.created_at)
    return or_(
        false(),
        *(
            and_(
                Ticket.category == kind.category,
                Ticket.severity == kind.severity,
                Ticket.resolve_hours.is_not_distinct_from(kind.resolve_hours),
                began <= kind.began_before,
            )
            for kind in kinds
        ),
    )

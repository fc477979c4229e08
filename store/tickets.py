"""Tickets, their history and what the dispatch system must still hear of them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import Session, selectinload

from base.calendar import CITY_TIME
from base.tracing import current
from store.database import insert_missing
from store.identities import mine
from store.models import (
    OutboxEntry,
    Ticket,
    TicketEvent,
    TicketFollower,
    TicketSequence,
    plain,
    utc_now,
)

FINAL = ("closed", "rejected", "withdrawn")


def new_ticket_id(session: Session, day: date) -> str:
    """Return the next ``SM`` + date + six digits of the day, city time."""
    insert_missing(session, TicketSequence(day=day, last=0), day)
    row = session.get_one(TicketSequence, day, with_for_update=True, populate_existing=True)
    row.last += 1
    session.flush()
    return f"SM{day:%Y%m%d}{row.last:06d}"


def by_draft(session: Session, draft_id: str) -> Ticket | None:
    """Return the ticket already filed from this draft, if any."""
    return session.scalars(select(Ticket).where(Ticket.draft_id == draft_id)).first()


def of_citizen(
    session: Session, citizen_id: str, ticket_id: str, *, lock: bool = False
) -> Ticket | None:
    """Return the ticket if it exists and is this citizen's; nothing tells the two apart.

    It is his when he filed it in any of his linked conversations (:func:`store.identities.mine`).
    With ``lock`` the row is read afresh and nobody else changes it before the unit of work
    ends: for everything that decides by the ticket's status.
    """
    statement = select(Ticket).where(
        Ticket.id == ticket_id, Ticket.citizen_id.in_(mine(session, citizen_id))
    )
    if lock:
        statement = statement.with_for_update().execution_options(populate_existing=True)
    return session.scalars(statement).first()


def by_id(session: Session, ticket_id: str, *, lock: bool = False) -> Ticket | None:
    """Return a ticket by its number; ``lock`` as in :func:`of_citizen`."""
    statement = select(Ticket).where(Ticket.id == ticket_id)
    if lock:
        statement = statement.with_for_update().execution_options(populate_existing=True)
    return session.scalars(statement).first()


def visible_to(session: Session, citizen_id: str, ticket_id: str) -> Ticket | None:
    """Return the ticket if the citizen filed it or follows it: for reading only."""
    return session.scalars(
        select(Ticket).where(Ticket.id == ticket_id, _seen_by(mine(session, citizen_id)))
    ).first()


def latest_visible_to(session: Session, citizen_id: str, limit: int = 5) -> Sequence[Ticket]:
    """Return the newest tickets the citizen filed or follows, newest first."""
    return session.scalars(
        select(Ticket)
        .where(_seen_by(mine(session, citizen_id)))
        .order_by(Ticket.created_at.desc(), Ticket.id.desc())
        .limit(limit)
    ).all()


def follower_of(session: Session, ticket_id: str, citizen_id: str) -> TicketFollower | None:
    """Return the citizen's place among a ticket's followers, if he has one."""
    return session.scalars(
        select(TicketFollower).where(
            TicketFollower.ticket_id == ticket_id,
            TicketFollower.citizen_id.in_(mine(session, citizen_id)),
        )
    ).first()


def followers_of(session: Session, ticket_id: str) -> Sequence[str]:
    """Return the names of a ticket's followers in the order they joined."""
    return session.scalars(
        select(TicketFollower.citizen_id)
        .where(TicketFollower.ticket_id == ticket_id)
        .order_by(TicketFollower.joined_at, TicketFollower.citizen_id)
    ).all()


def remove_follower(session: Session, ticket_id: str, citizen_id: str) -> bool:
    """Take a citizen off a ticket's followers; False when he was not among them."""
    found = False
    while (place := follower_of(session, ticket_id, citizen_id)) is not None:
        session.delete(place)
        session.flush()
        found = True
    return found


def latest_of_citizen(session: Session, citizen_id: str, limit: int = 5) -> Sequence[Ticket]:
    """Return the citizen's newest tickets, newest first."""
    return session.scalars(
        select(Ticket)
        .where(Ticket.citizen_id.in_(mine(session, citizen_id)))
        .order_by(Ticket.created_at.desc(), Ticket.id.desc())
        .limit(limit)
    ).all()


def by_external_id(session: Session, external_id: str) -> Ticket | None:
    """Return the ticket the dispatch system knows under ``external_id``, locked."""
    return session.scalars(
        select(Ticket)
        .where(Ticket.external_id == external_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).first()


def by_progress_token(session: Session, token: str) -> Ticket | None:
    """Return the ticket of a public progress page, with its history and photos."""
    return session.scalars(
        select(Ticket)
        .where(Ticket.progress_token == token)
        .options(selectinload(Ticket.events), selectinload(Ticket.photos))
    ).first()


def open_external(session: Session) -> list[tuple[str, str]]:
    """Return ``(ticket id, external id)`` of tickets whose status may still change."""
    rows = session.execute(
        select(Ticket.id, Ticket.external_id).where(
            Ticket.external_id.is_not(None), Ticket.status.not_in(FINAL)
        )
    )
    return [(ticket_id, external_id) for ticket_id, external_id in rows if external_id]


def forwarded_in(session: Session, statuses: Sequence[str]) -> Sequence[Ticket]:
    """Return the tickets the dispatch system has, in one of ``statuses``, with their history."""
    return session.scalars(
        select(Ticket)
        .where(Ticket.external_id.is_not(None), Ticket.status.in_(statuses))
        .options(selectinload(Ticket.events))
        .order_by(Ticket.created_at)
    ).all()


def update_applied(session: Session, update_id: str) -> bool:
    """Tell whether an update of the dispatch system is already in the history."""
    return (
        session.scalars(
            select(TicketEvent.id).where(TicketEvent.external_update_id == update_id)
        ).first()
        is not None
    )


def last_dispatch_note(session: Session, ticket: Ticket) -> TicketEvent | None:
    """Return the newest event in which the dispatch system explained something."""
    return session.scalars(
        select(TicketEvent)
        .where(
            TicketEvent.ticket_id == ticket.id,
            TicketEvent.actor == "dispatch",
            TicketEvent.note.is_not(None),
        )
        .order_by(TicketEvent.id.desc())
        .limit(1)
    ).first()


def last_step(session: Session, ticket: Ticket, status: str) -> TicketEvent | None:
    """Return the newest event in which a ticket entered ``status``; words do not count."""
    return session.scalars(
        select(TicketEvent)
        .where(
            TicketEvent.ticket_id == ticket.id,
            TicketEvent.to_status == status,
            TicketEvent.from_status != status,
        )
        .order_by(TicketEvent.id.desc())
        .limit(1)
    ).first()


def add_event(  # noqa: PLR0913
    session: Session,
    ticket: Ticket,
    to_status: str,
    *,
    actor: str,
    unit: str | None = None,
    note: str | None = None,
    external_update_id: str | None = None,
) -> TicketEvent:
    """Append one step to the history and set the ticket's status."""
    event = TicketEvent(
        ticket_id=ticket.id,
        actor=actor,
        from_status=ticket.status,
        to_status=to_status,
        unit=unit,
        note=plain(note),
        external_update_id=external_update_id,
    )
    session.add(event)
    ticket.status = to_status
    ticket.updated_at = utc_now()
    return event


def queue_outbox(
    session: Session, ticket: Ticket, kind: str, key: str, body: dict[str, Any] | None = None
) -> OutboxEntry:
    """Queue something for the dispatch system in the caller's transaction and trace."""
    step = current()
    entry = OutboxEntry(
        ticket_id=ticket.id,
        kind=kind,
        idempotency_key=key,
        body=plain(body),
        traceparent=str(step) if step else None,
    )
    session.add(entry)
    return entry


def is_queued(session: Session, key: str) -> bool:
    """Tell whether something with this idempotency key was queued before."""
    return (
        session.scalars(select(OutboxEntry.id).where(OutboxEntry.idempotency_key == key)).first()
        is not None
    )


def claim_due(session: Session, now: datetime, lease: timedelta) -> OutboxEntry | None:
    """Take the oldest due entry and hide it from other relays for ``lease``.

    Entries of one ticket go out in order: a later one waits while an earlier one is pending.
    """
    earlier = (
        select(OutboxEntry.ticket_id, func.min(OutboxEntry.id).label("first"))
        .where(OutboxEntry.state == "pending")
        .group_by(OutboxEntry.ticket_id)
        .subquery()
    )
    entry = session.scalars(
        select(OutboxEntry)
        .join(earlier, OutboxEntry.id == earlier.c.first)
        .where(OutboxEntry.state == "pending", OutboxEntry.due_at <= now)
        .order_by(OutboxEntry.due_at, OutboxEntry.id)
        .limit(1)
        .with_for_update(skip_locked=True, of=OutboxEntry)
    ).first()
    if entry is not None:
        entry.due_at = now + lease
    return entry


def outbox_summary(session: Session) -> dict[str, int]:
    """Return the number of outbox entries by state."""
    rows = session.execute(select(OutboxEntry.state, func.count()).group_by(OutboxEntry.state))
    return dict(rows.all())


def city_day(moment: datetime) -> date:
    """Return the calendar day in the city."""
    return moment.astimezone(CITY_TIME).date()


def unanswered(session: Session, before: datetime, limit: int) -> Sequence[Ticket]:
    """Return locked complaints resolved before ``before`` whose citizens have not objected.

    What another unit of work holds just now is left out.
    """
    resolved = (
        select(TicketEvent.ticket_id, func.max(TicketEvent.at).label("at"))
        .where(TicketEvent.to_status == "resolved", TicketEvent.from_status != "resolved")
        .group_by(TicketEvent.ticket_id)
        .subquery()
    )
    objected = (
        select(OutboxEntry.id)
        .where(
            OutboxEntry.ticket_id == Ticket.id,
            OutboxEntry.idempotency_key.like("shimin-%-objected-%"),
            OutboxEntry.created_at >= resolved.c.at,
        )
        .exists()
    )
    return session.scalars(
        select(Ticket)
        .join(resolved, resolved.c.ticket_id == Ticket.id)
        .where(
            Ticket.kind == "complaint",
            Ticket.status.in_(("resolved", "verified")),
            resolved.c.at <= before,
            ~objected,
        )
        .order_by(resolved.c.at, Ticket.id)
        .limit(limit)
        .with_for_update(skip_locked=True, of=Ticket)
        .execution_options(populate_existing=True)
    ).all()


def awaiting_verdict(session: Session, citizen_id: str) -> Ticket | None:
    """Return the citizen's newest ticket that is resolved and not yet closed."""
    return session.scalars(
        select(Ticket)
        .where(
            Ticket.citizen_id.in_(mine(session, citizen_id)),
            Ticket.status.in_(("resolved", "verified")),
        )
        .order_by(Ticket.updated_at.desc())
        .limit(1)
    ).first()


def rateable(session: Session, citizen_id: str) -> Ticket | None:
    """Return the citizen's newest ticket that has been handled (resolved, verified, closed)."""
    return session.scalars(
        select(Ticket)
        .where(
            Ticket.citizen_id.in_(mine(session, citizen_id)),
            or_(*(Ticket.status == s for s in ("resolved", "verified", "closed"))),
        )
        .order_by(Ticket.updated_at.desc())
        .limit(1)
    ).first()


def filed_since(
    session: Session, since: datetime | None, after: str = "", limit: int = 200
) -> Sequence[Ticket]:
    """Return tickets filed at or after ``since``, in the order of their ids, with what hangs on.

    ``after`` is the last id of the page before; a page shorter than ``limit`` is the last.
    """
    statement = (
        select(Ticket)
        .where(Ticket.id > after, Ticket.status != "draft")
        .options(selectinload(Ticket.events), selectinload(Ticket.photos))
        .order_by(Ticket.id)
        .limit(limit)
    )
    if since is not None:
        statement = statement.where(Ticket.created_at >= since)
    return session.scalars(statement).all()


def _seen_by(citizen_ids: Sequence[str]) -> ColumnElement[bool]:
    followed = select(TicketFollower.ticket_id).where(TicketFollower.citizen_id.in_(citizen_ids))
    return or_(Ticket.citizen_id.in_(citizen_ids), Ticket.id.in_(followed))

"""Who hears of a ticket: its citizen, and everybody who follows it."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from dispatch.case.wording import note_reply, status_reply
from dispatch.classification.categories import Category
from dispatch.similar.joining import for_follower, listeners
from store.models import Ticket
from store.people import queue_message


def tell_step(  # noqa: PLR0913
    session: Session,
    ticket: Ticket,
    category: Category | None,
    unit: str | None,
    note: str | None,
    *,
    owner: bool = True,
) -> None:
    """Queue the news that a ticket has reached its present status, in the caller's transaction.

    ``owner`` is False when its citizen hears of it in the answer to what he just did.
    """
    _fresh(session, ticket)
    own, others = (
        status_reply(ticket, category, ticket.status, unit, note, owner=asked)
        for asked in (True, False)
    )
    _queue(session, ticket, own if owner else None, others)


def tell_note(session: Session, ticket: Ticket, category: Category | None, note: str) -> None:
    """Queue words about a ticket whose status stays the same."""
    tell(session, ticket, note_reply(_fresh(session, ticket), category, note))


def tell(session: Session, ticket: Ticket, reply: dict[str, Any]) -> None:
    """Queue a reply of the Chat API that asks for nothing."""
    _queue(session, ticket, reply, reply)


def _queue(
    session: Session, ticket: Ticket, own: dict[str, Any] | None, others: dict[str, Any]
) -> None:
    for listener in listeners(session, ticket):
        if listener != ticket.citizen_id:
            queue_message(session, listener, [for_follower(others)])
        elif own is not None:
            queue_message(session, listener, [own])


def _fresh(session: Session, ticket: Ticket) -> Ticket:
    """Let a ticket see the events and photos that were just added to it."""
    session.flush()
    session.expire(ticket, ["events", "photos", "followers"])
    return ticket

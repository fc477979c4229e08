"""How a handled case ends: by its citizen's word, by his silence, or not yet."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import Enum

import structlog
from sqlalchemy.orm import Session

from base.errors import StateError
from base.settings import get_settings
from dispatch.case.filing import pass_on
from dispatch.case.lifecycle import FINISHED, check_transition
from dispatch.case.telling import tell_step
from dispatch.case.wording import (
    CONFIRMED,
    OBJECTION,
    REOPENING,
    UNANSWERED,
    may_reopen,
    was_sent_back,
)
from dispatch.classification.categories import Categories
from store.media import attach_media
from store.models import Ticket
from store.tickets import add_event, is_queued, of_citizen, queue_outbox, unanswered

log = structlog.get_logger(__name__)

NOBODY = "system"
"""Actor of what happens because time has passed."""
_BATCH = 200


class Stance(Enum):
    """What a citizen who says “not solved” may do with a ticket of his."""

    MAY_REOPEN = "may_reopen"
    REOPENED_BEFORE = "reopened_before"
    TOO_LATE = "too_late"
    AT_WORK = "at_work"
    OVER = "over"


def stance(ticket: Ticket, now: datetime) -> Stance:
    """Tell what is open to a citizen who finds his problem unsolved."""
    if ticket.status in ("rejected", "withdrawn"):
        return Stance.OVER
    if ticket.status not in FINISHED:
        return Stance.AT_WORK
    if may_reopen(ticket, now):
        return Stance.MAY_REOPEN
    return Stance.REOPENED_BEFORE if was_sent_back(ticket) else Stance.TOO_LATE


def confirm_solved(
    session: Session, citizen_id: str, ticket_id: str, categories: Categories
) -> Ticket | None:
    """Close the citizen's own handled ticket by his word; None when it is not his.

    A ticket that is closed already stays as it is: pressing twice does no harm.

    Raises:
        StateError: ``transition_refused`` when the work is not done.
    """
    ticket = of_citizen(session, citizen_id, ticket_id, lock=True)
    if ticket is None or ticket.status == "closed":
        return ticket
    _close(session, ticket, f"citizen:{citizen_id}", CONFIRMED)
    tell_step(session, ticket, categories.get(ticket.category), None, CONFIRMED, owner=False)
    return ticket


def reopen(  # noqa: PLR0913
    session: Session,
    citizen_id: str,
    ticket_id: str,
    reason: str,
    photos: tuple[str, ...],
    categories: Categories,
    now: datetime,
) -> Ticket | None:
    """Send the citizen's own handled ticket back to work, once; None when it is not his.

    Raises:
        StateError: ``reopen_refused`` when :func:`stance` is anything but ``MAY_REOPEN``.
    """
    ticket = of_citizen(session, citizen_id, ticket_id, lock=True)
    if ticket is None:
        return None
    found = stance(ticket, now)
    if found is not Stance.MAY_REOPEN:
        raise StateError(
            "reopen_refused", "这个工单现在不能退回重办。", f"{ticket.id}: {found.value}"
        )
    check_transition(ticket.status, "reopened")
    bound = attach_media(session, citizen_id, photos, ticket.id)
    add_event(
        session,
        ticket,
        "reopened",
        actor=f"citizen:{citizen_id}",
        unit=ticket.department,
        note=reason,
    )
    body = {"status": "REOPEN", "description": f"{REOPENING}{reason}", "photos": list(bound)}
    queue_outbox(session, ticket, "update", f"shimin-{ticket.id}-reopened", body)
    tell_step(session, ticket, categories.get(ticket.category), None, None, owner=False)
    log.info("ticket_reopened", ticket=ticket.id)
    return ticket


def object_again(  # noqa: PLR0913
    session: Session,
    citizen_id: str,
    ticket_id: str,
    words: str,
    photos: tuple[str, ...],
    message_id: str,
) -> Ticket | None:
    """Pass on what a citizen says of a handled ticket he cannot reopen; None if not his.

    The same message is passed on once. The ticket stays as it is, but is no longer closed for
    want of an answer.
    """
    ticket = of_citizen(session, citizen_id, ticket_id, lock=True)
    if ticket is None:
        return None
    key = f"shimin-{ticket.id}-objected-{message_id}"
    if is_queued(session, key):
        return ticket
    pass_on(session, ticket, citizen_id, key, OBJECTION, words, photos)
    return ticket


def close_unanswered(session: Session, categories: Categories, now: datetime) -> int:
    """Close the cases whose citizens have not answered within ``SHIMIN_CONFIRM_DAYS``.

    Not those in which he has objected since; they wait for the dispatch system. At most
    two hundred at a time, in the caller's transaction: call again while it returns that many.

    Returns:
        How many were closed.
    """
    days = get_settings().confirm_days
    note = f"办结{days}天没有收到您的反馈，工单按期结案。"
    closed = unanswered(session, now - timedelta(days=days), _BATCH)
    for ticket in closed:
        _close(session, ticket, NOBODY, UNANSWERED, note)
        tell_step(session, ticket, categories.get(ticket.category), None, note)
        log.info("ticket_closed_unanswered", ticket=ticket.id)
    return len(closed)


def _close(
    session: Session, ticket: Ticket, actor: str, words: str, note: str | None = None
) -> None:
    """Take the steps to the end and tell the dispatch system."""
    way = ("closed",) if ticket.status == "verified" else ("verified", "closed")
    for step in way:
        check_transition(ticket.status, step)
        last = step == "closed"
        event = add_event(
            session, ticket, step, actor=actor, note=(note or words) if last else None
        )
    session.flush()
    key = f"shimin-{ticket.id}-closed-{event.id}"
    queue_outbox(session, ticket, "update", key, {"status": "CLOSED", "description": words})

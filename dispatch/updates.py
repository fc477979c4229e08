"""What the dispatch system says about a ticket, applied once."""

from __future__ import annotations

from enum import Enum

import structlog
from sqlalchemy.orm import Session

from base.errors import StateError
from dispatch.categories import Categories
from dispatch.joining import queue_to_listeners
from dispatch.lifecycle import NEEDS_EXPLANATION, keeps_status, steps_for
from dispatch.open311 import RequestUpdate
from dispatch.wording import OUR_WORDS, note_reply, status_reply
from store.models import Ticket
from store.privacy import reveal
from store.tickets import add_event, by_external_id, last_dispatch_note, update_applied

log = structlog.get_logger(__name__)


class Outcome(Enum):
    """What became of an update."""

    APPLIED = "applied"
    REPEATED = "repeated"
    OUTDATED = "outdated"
    UNKNOWN_TICKET = "unknown_ticket"
    NOTHING_NEW = "nothing_new"
    REFUSED = "refused"


def apply_update(
    session: Session, update: RequestUpdate, categories: Categories, *, log_refusal: bool = True
) -> Outcome:
    """Apply one Open311 update: history, status and a message to the citizen.

    The same update may come by webhook and by polling: its id is applied once. An update
    older than the last applied one never changes the state. An end without an
    explanation is refused (DESIGN 3.5). New words about an unchanged status are passed on.

    ``log_refusal`` is False for an update whose refusal was logged before.
    """
    ticket = by_external_id(session, update.service_request_id)
    if ticket is None:
        return Outcome.UNKNOWN_TICKET
    if update_applied(session, update.update_id):
        return Outcome.REPEATED
    if ticket.last_update_at is not None and update.updated_datetime < ticket.last_update_at:
        return Outcome.OUTDATED
    note = update.description.strip() or None
    why = ""
    steps: tuple[str, ...] = ()
    try:
        steps = steps_for(ticket.status, _meaning(ticket, update))
    except StateError as error:
        why = error.detail
    if note is None and NEEDS_EXPLANATION.intersection(steps):
        why = "no explanation"
    if why:
        if log_refusal:
            log.warning("update_refused", ticket=ticket.id, update=update.update_id, why=why)
        return Outcome.REFUSED
    category = categories.get(ticket.category)
    if steps:
        _apply(session, ticket, steps, update, note)
        reply = status_reply(ticket, category, ticket.status, update.agency_responsible, note)
    elif note is not None and _is_progress(session, ticket, update, note):
        _apply(session, ticket, (ticket.status,), update, note)
        reply = note_reply(ticket, category, note)
    else:
        return Outcome.NOTHING_NEW
    queue_to_listeners(session, ticket, [reply])
    log.info("ticket_status", ticket=ticket.id, status=ticket.status, update=update.update_id)
    return Outcome.APPLIED


def _meaning(ticket: Ticket, update: RequestUpdate) -> str:
    """Read "not our responsibility" that names another department as a hand-over (转办)."""
    unit = update.agency_responsible
    if update.status == "NOT_COUNCILS_RESPONSIBILITY" and unit and unit != ticket.department:
        return "TRANSFERRED"
    return update.status


def _is_progress(session: Session, ticket: Ticket, update: RequestUpdate, note: str) -> bool:
    """Tell whether words without a step are news for the citizen.

    Not what this side said, which a server may list among its updates, and not what he
    has been told already: the same step has another id when it is read from the request.
    """
    if not keeps_status(ticket.status, _meaning(ticket, update)) or note.startswith(OUR_WORDS):
        return False
    told = last_dispatch_note(session, ticket)
    if told is None:
        return True
    known: str = reveal(session, told, "note", actor="relay", purpose="compare_note")
    return known != note


def _apply(
    session: Session,
    ticket: Ticket,
    steps: tuple[str, ...],
    update: RequestUpdate,
    note: str | None,
) -> None:
    for step in steps:
        last = step == steps[-1]
        add_event(
            session,
            ticket,
            step,
            actor="dispatch",
            unit=update.agency_responsible,
            note=note if last else None,
            external_update_id=update.update_id if last else None,
        )
    if "transferred" in steps and update.agency_responsible:
        ticket.department = update.agency_responsible
    ticket.last_update_at = update.updated_datetime

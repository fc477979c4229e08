"""What the dispatch system says about a ticket, applied once."""

from __future__ import annotations

from enum import Enum

import structlog
from sqlalchemy.orm import Session

from base.errors import StateError
from base.settings import get_settings
from dispatch.case.after_photos import origin_allowed
from dispatch.case.lifecycle import NEEDS_EXPLANATION, keeps_status, steps_for
from dispatch.case.limits import transfers
from dispatch.case.telling import tell_note, tell_step
from dispatch.case.wording import OUR_WORDS
from dispatch.classification.categories import Categories, Category
from dispatch.open311 import RequestUpdate
from store.after_photos import expect_photo, known_sources
from store.models import Ticket
from store.privacy import reveal
from store.tickets import (
    add_event,
    by_external_id,
    last_dispatch_note,
    last_step,
    update_applied,
)

log = structlog.get_logger(__name__)

MAX_PHOTOS = 5
"""Most photos taken from one update."""
MAX_URL_CHARS = 500
PHOTOS_ADDED = "补充了处置后的照片。"
"""What is told of photos that come without words."""


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
    category = categories.get(ticket.category)
    if _is_outdated(session, ticket, category, update):
        return Outcome.OUTDATED
    note = update.description.strip() or None
    why = ""
    steps: tuple[str, ...] = ()
    meaning = _meaning(ticket, category, update)
    try:
        steps = steps_for(ticket.status, meaning)
    except StateError as error:
        why = error.detail
    unit = update.agency_responsible
    if meaning == ticket.status.upper() == "TRANSFERRED" and unit and unit != ticket.department:
        steps = ("transferred",)  # passed on once more
    if note is None and NEEDS_EXPLANATION.intersection(steps):
        why = "no explanation"
    if why:
        if log_refusal:
            log.warning("update_refused", ticket=ticket.id, update=update.update_id, why=why)
        return Outcome.REFUSED
    photos = _new_photos(session, ticket, update)
    if photos and not steps and note is None:
        note = PHOTOS_ADDED
    if steps:
        _apply(session, ticket, steps, update, note)
        _expect(session, ticket, photos)
        tell_step(session, ticket, category, update.agency_responsible, note)
    elif note is not None and _is_progress(session, ticket, update, meaning, note, photos):
        _apply(session, ticket, (ticket.status,), update, note)
        _expect(session, ticket, photos)
        tell_note(session, ticket, category, note)
    else:
        return Outcome.NOTHING_NEW
    log.info(
        "ticket_status",
        ticket=ticket.id,
        status=ticket.status,
        update=update.update_id,
        photos=len(photos),
    )
    return Outcome.APPLIED


def _is_outdated(
    session: Session, ticket: Ticket, category: Category | None, update: RequestUpdate
) -> bool:
    """Tell whether an update is older than what the ticket has become.

    Than the last one applied; and an end of the work from before its citizen sent the case
    back is no answer to that.
    """
    if ticket.last_update_at is not None and update.updated_datetime < ticket.last_update_at:
        return True
    if ticket.status != "reopened":
        return False
    sent_back = last_step(session, ticket, "reopened")
    if sent_back is None or sent_back.actor == "dispatch":
        return False
    ends = steps_for(ticket.status, _meaning(ticket, category, update))
    return bool(NEEDS_EXPLANATION.intersection(ends)) and update.updated_datetime < sent_back.at


def _meaning(ticket: Ticket, category: Category | None, update: RequestUpdate) -> str:
    """Read "not our responsibility" that names another unit as a hand-over (转办).

    The category's department stands for the office the case was routed to where the system
    knows no offices: until it has named that office itself, or transferred the case.
    """
    known = {ticket.department}
    if category is not None and not transfers(ticket) and not _knows_office(ticket):
        known.add(category.department)
    unit = update.agency_responsible
    if update.status == "NOT_COUNCILS_RESPONSIBILITY" and unit and unit not in known:
        return "TRANSFERRED"
    return update.status.upper()


def _knows_office(ticket: Ticket) -> bool:
    """Tell whether the dispatch system itself has named the office a case was routed to."""
    return any(
        event.actor == "dispatch" and event.unit == ticket.department for event in ticket.events
    )


def _is_progress(  # noqa: PLR0913
    session: Session,
    ticket: Ticket,
    update: RequestUpdate,
    meaning: str,
    note: str,
    photos: list[str],
) -> bool:
    """Tell whether words or photos without a step are news for the citizen.

    Not what this side said, which a server may list among its updates, and not what he
    has been told already: the same step has another id when it is read from the request.
    """
    if not keeps_status(ticket.status, meaning) or note.startswith(OUR_WORDS):
        return False
    if update.status and ticket.status == "closed":
        closing = last_step(session, ticket, "closed")
        if closing is not None and closing.actor != "dispatch":
            return False  # its own closing after the citizen's
    told = last_dispatch_note(session, ticket)
    if told is None or photos:
        return True
    known: str = reveal(session, told, "note", actor="relay", purpose="compare_note")
    return known != note


def _new_photos(session: Session, ticket: Ticket, update: RequestUpdate) -> list[str]:
    """Return the addresses of photos that are new and may be fetched."""
    known = known_sources(session, ticket)
    fresh = [url for url in dict.fromkeys(update.media_urls[:MAX_PHOTOS]) if url not in known]
    allowed = [
        url for url in fresh if len(url) <= MAX_URL_CHARS and origin_allowed(url, get_settings())
    ]
    if len(allowed) < len(fresh):
        log.warning(
            "after_photo_refused", ticket=ticket.id, update=update.update_id, urls=len(fresh)
        )
    return allowed


def _expect(session: Session, ticket: Ticket, photos: list[str]) -> None:
    for url in photos:
        expect_photo(session, ticket, url)


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
    if "resolved" in steps:
        ticket.rating = None  # a new handling is rated anew; the history keeps the old one
    if "transferred" in steps and update.agency_responsible:
        ticket.department = update.agency_responsible
    ticket.last_update_at = update.updated_datetime

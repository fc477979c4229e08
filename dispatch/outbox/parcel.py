"""What goes out: an outbox entry read out of the store before the network is touched."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from base.calendar import CITY_TIME
from base.links import MEDIA_LINK_SECONDS, sign_link
from base.settings import Settings
from dispatch.case.lifecycle import external_status
from dispatch.open311 import MAX_DESCRIPTION_CHARS, RequestDraft, UpdateDraft
from store.models import Media, OutboxEntry, Ticket
from store.privacy import reveal

ACTOR, PURPOSE = "relay", "dispatch"
SHOWN_MEDIA = ("image/", "video/")


@dataclass(frozen=True)
class Parcel:
    """One delivery: a request (``draft``) or an ``update`` of one."""

    entry_id: int
    ticket_id: str
    kind: str
    key: str
    attempts: int
    external_id: str | None
    token: str | None
    draft: RequestDraft | None
    update: UpdateDraft | None


def pack(session: Session, entry: OutboxEntry, settings: Settings) -> Parcel:
    """Read what one delivery needs; every personal field read is audited.

    Raises:
        ConfigurationError: something was written with another key.
        InputError: ``draft_invalid``, the ticket makes no valid request.
    """
    ticket = session.get_one(Ticket, entry.ticket_id)
    body = reveal(session, entry, "body", actor=ACTOR, purpose=PURPOSE) or {}
    return Parcel(
        entry_id=entry.id,
        ticket_id=ticket.id,
        kind=entry.kind,
        key=entry.idempotency_key,
        attempts=entry.attempts,
        external_id=ticket.external_id,
        token=ticket.external_token,
        draft=_draft(session, ticket, settings) if entry.kind == "request" else None,
        update=_update(ticket, entry, body, settings) if entry.kind == "update" else None,
    )


def _draft(session: Session, ticket: Ticket, settings: Settings) -> RequestDraft:
    address = reveal(session, ticket, "address", actor=ACTOR, purpose=PURPOSE)
    words = reveal(session, ticket, "description", actor=ACTOR, purpose=PURPOSE)
    contact = _contact(session, ticket)
    urgent = "【紧急】" if ticket.severity == "urgent" else ""
    return RequestDraft(
        service_code=ticket.category,
        lat=ticket.latitude,
        long=ticket.longitude,
        address_string=address,
        description=(urgent + str(words))[:MAX_DESCRIPTION_CHARS],
        attributes=_attributes(ticket),
        media_urls=tuple(_media_url(settings, each) for each in _going_out(ticket)),
        first_name=contact.get("name"),
        phone=contact.get("phone"),
    )


def _attributes(ticket: Ticket) -> dict[str, str]:
    """Name the ticket, the unit it was routed to and, when known, when it happened (ISO 8601)."""
    attributes = {"shimin_id": ticket.id, "responsible_unit": ticket.department}
    if ticket.occurred_at is not None:
        attributes["occurred_at"] = ticket.occurred_at.astimezone(CITY_TIME).isoformat()
    return attributes


def _contact(session: Session, ticket: Ticket) -> dict[str, str]:
    """Return the name and phone the citizen gave with this complaint, if any."""
    if ticket.contact is None:
        return {}
    return reveal(session, ticket, "contact", actor=ACTOR, purpose=PURPOSE) or {}


def _update(
    ticket: Ticket, entry: OutboxEntry, body: dict[str, Any], settings: Settings
) -> UpdateDraft:
    named = body.get("photos", [])
    return UpdateDraft(
        service_request_id=ticket.external_id or "",
        update_id=entry.idempotency_key,
        description=body["description"][:MAX_DESCRIPTION_CHARS],
        updated_datetime=entry.created_at,
        status=body.get("status") or external_status(ticket.status),
        media_urls=tuple(
            _media_url(settings, each) for each in _going_out(ticket) if each.id in named
        ),
    )


def _going_out(ticket: Ticket) -> list[Media]:
    """Return the photos and videos the citizen sent; what the desk sent never goes back to it."""
    return [
        each
        for each in ticket.photos
        if each.role == "report" and each.content_type.startswith(SHOWN_MEDIA)
    ]


def _media_url(settings: Settings, media: Media) -> str:
    secret = settings.session_key.get_secret_value()
    link = sign_link(secret, f"/media/{media.id}", int(time.time()) + MEDIA_LINK_SECONDS)
    return settings.public_url.rstrip("/") + link

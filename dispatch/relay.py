"""The relay: carries the outbox to the dispatch system and brings news back.

Delivery is at least once with an idempotency key, so the desk files a complaint once.
An unreachable system is tried for ever with growing pauses; a refusal is kept as a dead
letter for an operator (``shimin outbox``).
"""

from __future__ import annotations

import random
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from base.links import MEDIA_LINK_SECONDS, sign_link
from base.settings import Settings
from dispatch.categories import Categories
from dispatch.lifecycle import TRANSITIONS
from dispatch.open311 import (
    MAX_DESCRIPTION_CHARS,
    DispatchError,
    DispatchRejectedError,
    DispatchUnreachableError,
    Open311Client,
    RequestDraft,
    RequestUpdate,
    UpdateDraft,
)
from dispatch.updates import apply_update
from dispatch.wording import status_reply
from store.database import unit_of_work
from store.models import OutboxEntry, Ticket, utc_now
from store.people import queue_message
from store.privacy import reveal
from store.tickets import add_event, by_external_id, claim_due, open_external

log = structlog.get_logger(__name__)

LEASE = timedelta(minutes=2)
STORE_PAUSE_SECONDS = 5.0
LONGEST_PAUSE = timedelta(minutes=10)
TOKEN_PAUSE = timedelta(seconds=30)
POLL_OVERLAP = timedelta(days=1)
FIRST_POLL = timedelta(days=30)
NO_EXTENSION = frozenset({400, 404, 405, 410, 501})
"""What real servers answer when they have no servicerequestupdates."""


@dataclass(frozen=True)
class _Parcel:
    """What one delivery needs, read out of the store before the network is touched."""

    entry_id: int
    ticket_id: str
    kind: str
    key: str
    attempts: int
    external_id: str | None
    token: str | None
    draft: RequestDraft | None
    update: UpdateDraft | None


class Relay:
    """One delivering and polling worker."""

    def __init__(self, client: Open311Client, settings: Settings, categories: Categories) -> None:
        self._client = client
        self._settings = settings
        self._categories = categories
        self._updates_supported = True
        self._polled_at: datetime | None = None

    def run(self) -> None:
        """Work until the process is stopped."""
        next_poll = 0.0
        while True:
            try:
                while self.deliver_one():
                    pass
                if time.monotonic() >= next_poll:
                    self.poll()
                    next_poll = time.monotonic() + self._settings.status_poll_seconds
            except SQLAlchemyError as error:  # a database that is away comes back
                log.error("store_down", error=type(error).__name__)
                time.sleep(STORE_PAUSE_SECONDS)
            time.sleep(self._settings.relay_poll_seconds)

    def deliver_one(self) -> bool:
        """Deliver the next due outbox entry; False when nothing is due."""
        with unit_of_work() as session:
            entry = claim_due(session, utc_now(), LEASE)
            if entry is None:
                return False
            parcel = self._pack(session, entry)
        try:
            self._send(parcel)
        except DispatchError as error:
            self._failed(parcel, error)
        return True

    def poll(self) -> None:
        """Fetch what happened at the dispatch system and apply it."""
        started = datetime.now(UTC)
        try:
            updates = self._fetch_updates()
        except DispatchError as error:
            log.warning("poll_failed", code=error.code, detail=error.detail)
            return
        for update in sorted(updates, key=lambda u: u.updated_datetime):
            with unit_of_work() as session:
                apply_update(session, update, self._categories)
        self._polled_at = started

    # --- out --------------------------------------------------------------------------

    def _pack(self, session: Session, entry: OutboxEntry) -> _Parcel:
        ticket = session.get_one(Ticket, entry.ticket_id)
        body = reveal(session, entry, "body", actor="relay", purpose="dispatch") or {}
        return _Parcel(
            entry_id=entry.id,
            ticket_id=ticket.id,
            kind=entry.kind,
            key=entry.idempotency_key,
            attempts=entry.attempts,
            external_id=ticket.external_id,
            token=ticket.external_token,
            draft=self._draft(session, ticket) if entry.kind == "request" else None,
            update=self._update(ticket, entry, body) if entry.kind == "update" else None,
        )

    def _draft(self, session: Session, ticket: Ticket) -> RequestDraft:
        address = reveal(session, ticket, "address", actor="relay", purpose="dispatch")
        words = reveal(session, ticket, "description", actor="relay", purpose="dispatch")
        urgent = "【紧急】" if ticket.severity == "urgent" else ""
        return RequestDraft(
            service_code=ticket.category,
            lat=ticket.latitude,
            long=ticket.longitude,
            address_string=address,
            description=(urgent + str(words))[:MAX_DESCRIPTION_CHARS],
            attributes={"shimin_id": ticket.id},
            media_urls=tuple(self._media_url(photo.id) for photo in ticket.photos),
        )

    def _update(self, ticket: Ticket, entry: OutboxEntry, body: dict[str, Any]) -> UpdateDraft:
        return UpdateDraft(
            service_request_id=ticket.external_id or "",
            update_id=entry.idempotency_key,
            description=body["description"][:MAX_DESCRIPTION_CHARS],
            updated_datetime=entry.created_at,
            status=body["status"],
            media_urls=tuple(self._media_url(photo) for photo in body.get("photos", [])),
        )

    def _media_url(self, media_id: str) -> str:
        secret = self._settings.session_key.get_secret_value()
        link = sign_link(secret, f"/media/{media_id}", int(time.time()) + MEDIA_LINK_SECONDS)
        return self._settings.public_url.rstrip("/") + link

    def _send(self, parcel: _Parcel) -> None:
        if parcel.draft is not None:
            self._send_request(parcel, parcel.draft)
        elif parcel.update is not None:
            if not parcel.external_id:
                self._settle(parcel, state="dead", error="the request itself was refused")
                return
            self._client.post_update(parcel.update)
            self._settle(parcel, state="sent")

    def _send_request(self, parcel: _Parcel, draft: RequestDraft) -> None:
        if parcel.token:
            external_id = self._client.request_id_for(parcel.token)
            token: str | None = parcel.token
        else:
            created = self._client.create(draft, idempotency_key=parcel.key)
            external_id, token = created.service_request_id, created.token
        with unit_of_work() as session:
            ticket = session.get_one(Ticket, parcel.ticket_id)
            entry = session.get_one(OutboxEntry, parcel.entry_id)
            entry.attempts += 1
            ticket.external_token = token
            if external_id is None:
                entry.due_at = utc_now() + TOKEN_PAUSE
                return
            holder = by_external_id(session, external_id)
            if holder is not None and holder.id != ticket.id:
                entry.state = "dead"
                entry.last_error = f"request {external_id} already stands for {holder.id}"
                log.error("outbox_dead", ticket=ticket.id, detail=entry.last_error)
                return
            entry.state = "sent"
            ticket.external_id = external_id
            self._forwarded(session, ticket)
        log.info("complaint_forwarded", ticket=parcel.ticket_id, external_id=external_id)

    def _forwarded(self, session: Session, ticket: Ticket) -> None:
        """Move on and tell the citizen, unless he has withdrawn meanwhile."""
        if "forwarded" not in TRANSITIONS[ticket.status]:
            return
        add_event(session, ticket, "forwarded", actor="relay", unit=ticket.department)
        category = self._categories.get(ticket.category)
        reply = status_reply(ticket, category, "forwarded", ticket.department, None)
        queue_message(session, ticket.citizen_id, [reply])

    def _failed(self, parcel: _Parcel, error: DispatchError) -> None:
        if not isinstance(error, DispatchUnreachableError):
            log.error(
                "outbox_dead", ticket=parcel.ticket_id, entry=parcel.entry_id, detail=error.detail
            )
            self._settle(parcel, state="dead", error=error.detail)
            return
        pause = min(LONGEST_PAUSE.total_seconds(), 2.0 ** min(parcel.attempts, 10))
        pause *= random.uniform(0.5, 1.0)  # noqa: S311 - jitter, not a secret
        pause = max(pause, min(LONGEST_PAUSE.total_seconds(), error.retry_after or 0.0))
        log.warning(
            "outbox_retry",
            ticket=parcel.ticket_id,
            entry=parcel.entry_id,
            attempt=parcel.attempts + 1,
            pause_seconds=round(pause, 1),
            detail=error.detail,
        )
        with unit_of_work() as session:
            entry = session.get_one(OutboxEntry, parcel.entry_id)
            entry.attempts += 1
            entry.last_error = error.detail
            entry.due_at = utc_now() + timedelta(seconds=pause)

    @staticmethod
    def _settle(parcel: _Parcel, *, state: str, error: str | None = None) -> None:
        with unit_of_work() as session:
            entry = session.get_one(OutboxEntry, parcel.entry_id)
            entry.state, entry.last_error = state, error
            entry.attempts += 1

    # --- in ---------------------------------------------------------------------------

    def _fetch_updates(self) -> list[RequestUpdate]:
        if self._updates_supported:
            since = self._polled_at - POLL_OVERLAP if self._polled_at else utc_now() - FIRST_POLL
            try:
                return self._updates_since(since)
            except DispatchError as error:
                if error.status not in NO_EXTENSION:
                    raise
                log.info("updates_not_supported", fallback="polling each request")
                self._updates_supported = False
        return self._poll_requests()

    def _updates_since(self, since: datetime) -> list[RequestUpdate]:
        """Ask on from the last update received: a server may cut a long list."""
        updates: dict[str, RequestUpdate] = {}
        while True:
            page = self._client.updates(since)
            fresh = [update for update in page if update.update_id not in updates]
            if not fresh:
                return list(updates.values())
            updates.update((update.update_id, update) for update in fresh)
            since = max(update.updated_datetime for update in fresh)

    def _poll_requests(self) -> list[RequestUpdate]:
        """Derive updates from the requests themselves (servers without the extension)."""
        with unit_of_work() as session:
            pending = open_external(session)
        updates = []
        for _, external_id in pending:
            try:
                found = self._client.request(external_id)
            except DispatchRejectedError as error:  # this one only; the others go on
                log.warning("poll_refused", request=external_id, detail=error.detail)
                continue
            moment = found.updated_datetime or found.requested_datetime
            status = (found.detailed_status or found.status).upper()
            if moment is None or status == "OPEN":
                continue
            updates.append(
                RequestUpdate(
                    update_id=f"{external_id}@{moment.isoformat()}",
                    service_request_id=external_id,
                    status=status,
                    updated_datetime=moment,
                    description=found.status_notes or "",
                    agency_responsible=found.agency_responsible,
                )
            )
        return updates

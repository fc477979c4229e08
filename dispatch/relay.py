"""The relay: carries the outbox to the dispatch system and brings news back.

Delivery is at least once with an idempotency key, so the desk files a complaint once.
An unreachable system, or one that does not let us in, is tried for ever with growing pauses;
a refusal is kept as a dead letter for an operator (``shimin outbox``).
"""

from __future__ import annotations

import random
import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog
from sqlalchemy.exc import DataError, IntegrityError, SQLAlchemyError
from sqlalchemy.orm import Session

from base.links import MEDIA_LINK_SECONDS, sign_link
from base.settings import Settings
from dispatch.categories import Categories
from dispatch.deadlines import call_for_overdue
from dispatch.hotspots import HotSpots
from dispatch.joining import queue_to_listeners
from dispatch.lifecycle import TRANSITIONS, external_status
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
from dispatch.updates import Outcome, apply_update
from dispatch.wording import status_reply
from store.database import reading, unit_of_work
from store.models import OutboxEntry, Ticket, utc_now
from store.privacy import reveal
from store.tickets import add_event, by_external_id, claim_due, open_external

log = structlog.get_logger(__name__)

LEASE = timedelta(minutes=2)
STORE_PAUSE_SECONDS = 5.0
OVERDUE_SECONDS = 300.0
"""How often time limits are looked at: they are hours, and every open case is read."""
HOT_SPOT_SECONDS = 30.0
"""How often new reports are looked at for hot spots."""
LONGEST_PAUSE = timedelta(minutes=10)
SHUT_OUT_PAUSE = timedelta(minutes=1)
TOKEN_PAUSE = timedelta(seconds=30)
POLL_OVERLAP = timedelta(minutes=10)
FIRST_POLL = timedelta(days=30)
NO_EXTENSION = frozenset({400, 404, 405, 410, 501})
"""What real servers answer when they have no servicerequestupdates."""
EXTENSION_PAUSE_SECONDS = 3600.0
"""How long such an answer is believed: a gateway being restarted says 404 too."""
SHUT_OUT = frozenset({401, 403, 404})
"""A wrong address or key: the operator mends it, the complaints wait."""
UNKNOWN_STATUS = frozenset({400, 422})
"""What servers that have no WITHDRAWN answer to it."""
REMEMBERED = 5000


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


class _Recent:
    """The last :data:`REMEMBERED` names it was given."""

    def __init__(self) -> None:
        self._names: dict[str, None] = {}

    def first_sight(self, name: str) -> bool:
        """Remember ``name``; tell whether it was new."""
        if name in self._names:
            return False
        self._names[name] = None
        if len(self._names) > REMEMBERED:
            del self._names[next(iter(self._names))]
        return True

    def __contains__(self, name: str) -> bool:
        return name in self._names


def _is_store_down(error: Exception) -> bool:
    """Tell a database that is away from a row it does not take."""
    return isinstance(error, SQLAlchemyError) and not isinstance(error, DataError | IntegrityError)


class Relay:
    """One delivering and polling worker."""

    def __init__(self, client: Open311Client, settings: Settings, categories: Categories) -> None:
        self._client = client
        self._settings = settings
        self._categories = categories
        self._hot_spots = HotSpots(settings.city_dir, categories)
        self._no_updates_until = 0.0
        self._read_upto: datetime | None = None
        self._settled = _Recent()
        self._complained = _Recent()

    def run(self) -> None:
        """Work until the process is stopped."""
        next_poll = next_call = next_look = 0.0
        while True:
            try:
                while self.deliver_one():
                    pass
                if time.monotonic() >= next_poll:
                    self.poll()
                    next_poll = time.monotonic() + self._settings.status_poll_seconds
                if time.monotonic() >= next_call:
                    with unit_of_work() as session:
                        call_for_overdue(session, self._categories, utc_now())
                    next_call = time.monotonic() + OVERDUE_SECONDS
                if time.monotonic() >= next_look:
                    self._hot_spots.observe_new(utc_now())
                    next_look = time.monotonic() + HOT_SPOT_SECONDS
            except SQLAlchemyError as error:  # a database that is away comes back
                log.error("store_down", error=type(error).__name__)
                time.sleep(STORE_PAUSE_SECONDS)
            except Exception:
                log.exception("relay_trip_failed")
                time.sleep(STORE_PAUSE_SECONDS)
            time.sleep(self._settings.relay_poll_seconds)

    def deliver_one(self) -> bool:
        """Deliver the next due outbox entry; False when nothing is due.

        An entry that cannot be delivered for a reason of its own becomes a dead letter.

        Raises:
            SQLAlchemyError: the store is away; the entry is tried again after its lease.
        """
        with unit_of_work() as session:
            entry = claim_due(session, utc_now(), LEASE)
        if entry is None:
            return False
        try:
            self._deliver(entry.id)
        except Exception as error:
            if _is_store_down(error):
                raise
            name = type(error).__name__
            log.exception("outbox_dead", ticket=entry.ticket_id, entry=entry.id, error=name)
            self._settle(entry.id, state="dead", error=name)
        return True

    def poll(self) -> None:
        """Fetch what happened at the dispatch system and apply it."""
        try:
            listed = self._listed_updates()
            updates = self._poll_requests() if listed is None else listed
        except DispatchError as error:
            log.warning("poll_failed", code=error.code, detail=error.detail)
            return
        for update in sorted(updates, key=lambda u: u.updated_datetime):
            if update.update_id in self._settled:
                continue
            try:
                self._apply(update)
            except Exception as error:
                if _is_store_down(error):
                    raise
                if self._complained.first_sight(update.update_id):
                    log.exception("update_failed", update=update.update_id)
        if listed:  # by the server's own clock, but never past ours
            newest = max(update.updated_datetime for update in listed)
            self._read_upto = min(newest, datetime.now(UTC))

    # --- out --------------------------------------------------------------------------

    def _deliver(self, entry_id: int) -> None:
        with unit_of_work() as session:
            parcel = self._pack(session, session.get_one(OutboxEntry, entry_id))
        try:
            self._send(parcel)
        except DispatchError as error:
            self._failed(parcel, error)

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
            status=body.get("status") or external_status(ticket.status),
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
                error = "the request itself was refused"
                self._settle(parcel.entry_id, state="dead", error=error)
                return
            self._post(parcel.update)
            self._settle(parcel.entry_id, state="sent")

    def _post(self, update: UpdateDraft) -> None:
        """Send an update; a server without WITHDRAWN hears of a withdrawal as no further action.

        The second form has its own id: a server may have bound its refusal to the first.
        """
        try:
            self._client.post_update(update)
        except DispatchRejectedError as error:
            if update.status != "WITHDRAWN" or error.status not in UNKNOWN_STATUS:
                raise
            log.info("withdrawn_not_known", update=update.update_id, detail=error.detail)
            plainer = replace(
                update, status="NO_FURTHER_ACTION", update_id=f"{update.update_id}-closed"
            )
            self._client.post_update(plainer)

    def _send_request(self, parcel: _Parcel, draft: RequestDraft) -> None:
        if parcel.token:
            external_id = self._client.request_id_for(parcel.token)
            token: str | None = parcel.token
        else:
            created = self._client.create(draft, idempotency_key=parcel.key)
            external_id, token = created.service_request_id, created.token
        with unit_of_work() as session:
            ticket = session.get_one(Ticket, parcel.ticket_id, with_for_update=True)
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
        if self._read_upto is not None:  # its news may be older than our record of its id
            self._read_upto = min(self._read_upto, ticket.created_at)
        log.info("complaint_forwarded", ticket=parcel.ticket_id, external_id=external_id)

    def _forwarded(self, session: Session, ticket: Ticket) -> None:
        """Move on and tell the citizen, unless he has withdrawn meanwhile."""
        if "forwarded" not in TRANSITIONS[ticket.status]:
            return
        add_event(session, ticket, "forwarded", actor="relay", unit=ticket.department)
        category = self._categories.get(ticket.category)
        reply = status_reply(ticket, category, "forwarded", ticket.department, None)
        queue_to_listeners(session, ticket, [reply])

    def _failed(self, parcel: _Parcel, error: DispatchError) -> None:
        shut_out = error.status in SHUT_OUT
        if not isinstance(error, DispatchUnreachableError) and not shut_out:
            log.error(
                "outbox_dead", ticket=parcel.ticket_id, entry=parcel.entry_id, detail=error.detail
            )
            self._settle(parcel.entry_id, state="dead", error=error.detail)
            return
        longest = LONGEST_PAUSE.total_seconds()
        first = SHUT_OUT_PAUSE.total_seconds() if shut_out else 1.0
        pause = min(longest, first * 2.0 ** min(parcel.attempts, 10))
        pause *= random.uniform(0.5, 1.0)  # noqa: S311 - jitter, not a secret
        if isinstance(error, DispatchUnreachableError):
            pause = max(pause, min(longest, error.retry_after or 0.0))
        level = log.error if shut_out else log.warning
        level(
            "outbox_shut_out" if shut_out else "outbox_retry",
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
    def _settle(entry_id: int, *, state: str, error: str | None = None) -> None:
        with unit_of_work() as session:
            entry = session.get_one(OutboxEntry, entry_id)
            entry.state, entry.last_error = state, error
            entry.attempts += 1

    # --- in ---------------------------------------------------------------------------

    def _apply(self, update: RequestUpdate) -> None:
        """Apply an update; a refused one and one of an unknown ticket are tried again."""
        new = update.update_id not in self._complained
        with unit_of_work() as session:
            outcome = apply_update(session, update, self._categories, log_refusal=new)
        if outcome is Outcome.REFUSED:
            self._complained.first_sight(update.update_id)
        elif outcome is not Outcome.UNKNOWN_TICKET:
            self._settled.first_sight(update.update_id)

    def _listed_updates(self) -> list[RequestUpdate] | None:
        """Read the server's list of updates; None while it is known to have none."""
        if time.monotonic() < self._no_updates_until:
            return None
        since = self._read_upto - POLL_OVERLAP if self._read_upto else utc_now() - FIRST_POLL
        try:
            return self._updates_since(since)
        except DispatchError as error:
            if error.status not in NO_EXTENSION:
                raise
            log.info("updates_not_supported", fallback="polling each request")
            self._no_updates_until = time.monotonic() + EXTENSION_PAUSE_SECONDS
            return None

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
        with reading() as session:
            pending = open_external(session)
        updates = []
        for _, external_id in pending:
            try:
                found = self._client.request(external_id)
            except DispatchRejectedError as error:  # this one only; the others go on
                if self._complained.first_sight(f"request {external_id}"):
                    log.warning("poll_refused", request=external_id, detail=error.detail)
                continue
            moment = found.updated_datetime or found.requested_datetime
            status = (found.detailed_status or found.status).upper()
            if moment is None or (status == "OPEN" and not found.status_notes):
                continue
            waits = "#open" if status == "OPEN" else ""  # its closure may bear the same moment
            updates.append(
                RequestUpdate(
                    update_id=f"{external_id}@{moment.isoformat()}{waits}",
                    service_request_id=external_id,
                    status=status,
                    updated_datetime=moment,
                    description=found.status_notes or "",
                    agency_responsible=found.agency_responsible,
                )
            )
        return updates

"""The way out: carries the outbox to the dispatch system.

Delivery is at least once with an idempotency key, so the desk files a complaint once.
An unreachable system, or one that does not let us in, is tried for ever with growing pauses;
a refusal is kept as a dead letter for an operator (``shimin outbox``).
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import structlog
from sqlalchemy.exc import DataError, IntegrityError, SQLAlchemyError
from sqlalchemy.orm import Session

from base.metrics import DELIVERIES
from base.settings import Settings
from base.tracing import traced
from dispatch.case.lifecycle import TRANSITIONS
from dispatch.case.telling import tell_step
from dispatch.classification.categories import Categories
from dispatch.open311 import (
    DispatchError,
    DispatchRejectedError,
    DispatchUnreachableError,
    Open311Client,
    RequestDraft,
    UpdateDraft,
)
from dispatch.outbox.line import Line
from dispatch.outbox.parcel import Parcel, pack
from store.database import unit_of_work
from store.models import OutboxEntry, Ticket, utc_now
from store.tickets import add_event, by_external_id, claim_due

log = structlog.get_logger(__name__)

LEASE = timedelta(minutes=2)
LONGEST_PAUSE = timedelta(minutes=10)
SHUT_OUT_PAUSE = timedelta(minutes=1)
TOKEN_PAUSE = timedelta(seconds=30)
SHUT_OUT = frozenset({401, 403, 404})
"""A wrong address or key: the operator mends it, the complaints wait."""
UNKNOWN_STATUS = frozenset({400, 422})
"""What servers that have no WITHDRAWN answer to it."""


def is_store_down(error: Exception) -> bool:
    """Tell a database that is away from a row it does not take."""
    return isinstance(error, SQLAlchemyError) and not isinstance(error, DataError | IntegrityError)


class Delivery:
    """Delivers outbox entries one by one.

    ``on_forwarded`` is told when the ticket of a newly forwarded request was filed: its news
    may be older than our record of its id.
    """

    def __init__(
        self,
        client: Open311Client,
        line: Line,
        settings: Settings,
        categories: Categories,
        on_forwarded: Callable[[datetime], None],
    ) -> None:
        self._client = client
        self._line = line
        self._settings = settings
        self._categories = categories
        self._on_forwarded = on_forwarded

    def deliver_one(self) -> bool:
        """Deliver the next due outbox entry; False when nothing is due or the line rests.

        An entry that cannot be delivered for a reason of its own becomes a dead letter. While
        the line rests no entry is touched: its attempts and pauses stay what they are.

        Raises:
            SQLAlchemyError: the store is away; the entry is tried again after its lease.
        """
        if self._line.rests:
            return False
        with unit_of_work() as session:
            entry = claim_due(session, utc_now(), LEASE)
        if entry is None:
            return False
        with traced(entry.traceparent):
            self._deliver(entry)
        return True

    def _deliver(self, entry: OutboxEntry) -> None:
        try:
            self._pack_and_send(entry.id)
        except Exception as error:
            if is_store_down(error):
                raise
            name = type(error).__name__
            log.exception("outbox_dead", ticket=entry.ticket_id, entry=entry.id, error=name)
            self._settle(entry.id, state="dead", error=name)

    def _pack_and_send(self, entry_id: int) -> None:
        with unit_of_work() as session:
            parcel = pack(session, session.get_one(OutboxEntry, entry_id), self._settings)
        try:
            self._send(parcel)
        except DispatchError as error:
            self._failed(parcel, error)

    def _send(self, parcel: Parcel) -> None:
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
            self._line.call(self._client.post_update, update)
        except DispatchRejectedError as error:
            if update.status != "WITHDRAWN" or error.status not in UNKNOWN_STATUS:
                raise
            log.info("withdrawn_not_known", update=update.update_id, detail=error.detail)
            plainer = replace(
                update, status="NO_FURTHER_ACTION", update_id=f"{update.update_id}-closed"
            )
            self._line.call(self._client.post_update, plainer)

    def _send_request(self, parcel: Parcel, draft: RequestDraft) -> None:
        if parcel.token:
            external_id = self._line.call(self._client.request_id_for, parcel.token)
            token: str | None = parcel.token
        else:
            created = self._line.call(self._client.create, draft, idempotency_key=parcel.key)
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
                DELIVERIES.labels("dead").inc()
                entry.last_error = f"request {external_id} already stands for {holder.id}"
                log.error("outbox_dead", ticket=ticket.id, detail=entry.last_error)
                return
            entry.state = "sent"
            ticket.external_id = external_id
            DELIVERIES.labels("sent").inc()
            self._forwarded(session, ticket)
        self._on_forwarded(ticket.created_at)
        log.info("complaint_forwarded", ticket=parcel.ticket_id, external_id=external_id)

    def _forwarded(self, session: Session, ticket: Ticket) -> None:
        """Move on and tell the citizen, unless he has withdrawn meanwhile."""
        if "forwarded" not in TRANSITIONS[ticket.status]:
            return
        add_event(session, ticket, "forwarded", actor="relay", unit=ticket.department)
        category = self._categories.get(ticket.category)
        tell_step(session, ticket, category, ticket.department, None)

    def _failed(self, parcel: Parcel, error: DispatchError) -> None:
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
        DELIVERIES.labels("shut_out" if shut_out else "retry").inc()
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
        DELIVERIES.labels(state).inc()
        with unit_of_work() as session:
            entry = session.get_one(OutboxEntry, entry_id)
            entry.state, entry.last_error = state, error
            entry.attempts += 1

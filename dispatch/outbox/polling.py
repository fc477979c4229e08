"""The way back: fetches what happened at the dispatch system and applies it once."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

import structlog

from dispatch.case.updates import Outcome, apply_update
from dispatch.classification.categories import Categories
from dispatch.open311 import (
    DispatchError,
    DispatchRejectedError,
    Open311Client,
    RequestUpdate,
)
from dispatch.outbox.delivery import is_store_down
from dispatch.outbox.line import Line
from store.database import reading, unit_of_work
from store.models import utc_now
from store.tickets import open_external

log = structlog.get_logger(__name__)

POLL_OVERLAP = timedelta(minutes=10)
FIRST_POLL = timedelta(days=30)
NO_EXTENSION = frozenset({400, 404, 405, 410, 501})
"""What real servers answer when they have no servicerequestupdates."""
EXTENSION_PAUSE_SECONDS = 3600.0
"""How long such an answer is believed: a gateway being restarted says 404 too."""
REMEMBERED = 5000


class Recent:
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


class Polling:
    """Reads the server's updates, or each open request where it has no list of them."""

    def __init__(self, client: Open311Client, line: Line, categories: Categories) -> None:
        self._client = client
        self._line = line
        self._categories = categories
        self._no_updates_until = 0.0
        self._read_upto: datetime | None = None
        self._settled = Recent()
        self._complained = Recent()

    def look_back_to(self, moment: datetime) -> None:
        """Read the list again from ``moment`` (aware), should it lie before what was read."""
        if self._read_upto is not None:
            self._read_upto = min(self._read_upto, moment)

    def poll(self) -> None:
        """Fetch what happened and apply it; does nothing while the line rests.

        Raises:
            SQLAlchemyError: the store is away.
        """
        if self._line.rests:
            return
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
                if is_store_down(error):
                    raise
                if self._complained.first_sight(update.update_id):
                    log.exception("update_failed", update=update.update_id)
        if listed:  # by the server's own clock, but never past ours
            newest = max(update.updated_datetime for update in listed)
            self._read_upto = min(newest, datetime.now(UTC))

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
            page = self._line.call(self._client.updates, since)
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
                found = self._line.call(self._client.request, external_id)
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

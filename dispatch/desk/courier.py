"""Delivers the desk's outbox to the citizen side: at least once, in order, for as long as it takes.

A row is leased before it is sent, so a process killed in between loses nothing: the lease runs
out and the row is sent again. Rows of one request go out one after the other.
"""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import httpx
from sqlalchemy import func, select, update

from base.signing import SIGNATURE_HEADER, TIMESTAMP_HEADER, sign
from base.tracing import pass_on, traced
from dispatch.desk.database import Database
from dispatch.desk.office import now_utc
from dispatch.desk.tables import WebhookRow

logger = logging.getLogger(__name__)

LEASE = timedelta(seconds=60)
_TIMEOUT_SECONDS = 10.0
_FIRST_WAIT_SECONDS = 1.0
_LONGEST_WAIT_SECONDS = 300.0
# A receiver that says 4xx is up and refuses: asking often does not help.
_REFUSED_WAIT_SECONDS = 60.0
_BATCH = 50


@dataclass(frozen=True)
class Backlog:
    """What still waits: rows not delivered, and those among them that failed at least once."""

    waiting: int
    failing: int


@dataclass(frozen=True)
class _Parcel:
    pk: int
    update_id: str
    body: bytes
    attempts: int


class Courier:
    """A background thread that empties the outbox.

    Args:
        database: the desk's database.
        url: where the receiver listens.
        secret: shared with the receiver; without one nothing is sent and rows wait.
        poll_seconds: how often the outbox is looked at when nobody calls :meth:`wake`.
        clock: the present, aware.
    """

    def __init__(
        self,
        database: Database,
        url: str,
        secret: str,
        poll_seconds: float,
        clock: Callable[[], datetime] = now_utc,
    ) -> None:
        self._clock = clock
        self._database = database
        self._url = url
        self._secret = secret
        self._poll_seconds = poll_seconds
        self._http = httpx.Client(
            timeout=_TIMEOUT_SECONDS, follow_redirects=False, event_hooks={"request": [pass_on]}
        )
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="desk-courier", daemon=True)

    def start(self) -> None:
        """Start delivering; does nothing without a secret."""
        if not self._secret:
            logger.warning("SHIMIN_WEBHOOK_SECRET is empty: status changes wait in the outbox")
            return
        self._thread.start()

    def wake(self) -> None:
        """Look at the outbox now."""
        self._wake.set()

    def stop(self) -> None:
        """Finish the delivery under way and end the thread."""
        self._stopping.set()
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join(timeout=_TIMEOUT_SECONDS + 5)
        self._http.close()

    def backlog(self) -> Backlog:
        """Count the rows not yet delivered, and those that failed at least once."""
        waiting = WebhookRow.delivered_at.is_(None)
        with self._database.reading() as session:
            total = session.scalar(select(func.count(WebhookRow.pk)).where(waiting)) or 0
            failing = select(func.count(WebhookRow.pk)).where(
                waiting, WebhookRow.last_error.is_not(None)
            )
            return Backlog(total, session.scalar(failing) or 0)

    def deliver_due(self) -> int:
        """Send what is due once; return how many rows arrived."""
        arrived = 0
        for parcel in self._take(self._clock()):
            with traced(None):
                error = self._send(parcel)
                self._settle(parcel, error)
            arrived += error is None
        return arrived

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._wake.clear()
            try:
                # A delivered row may have held back the next one of its request.
                while self.deliver_due() and not self._stopping.is_set():
                    pass
            except Exception:
                logger.exception("outbox pass failed")
            self._wake.wait(self._poll_seconds)

    def _take(self, now: datetime) -> list[_Parcel]:
        """Lease the oldest undelivered row of each request, where it is due."""
        oldest = (
            select(func.min(WebhookRow.pk))
            .where(WebhookRow.delivered_at.is_(None))
            .group_by(WebhookRow.request_pk)
        )
        parcels = []
        with self._database.writing() as session:
            rows = session.scalars(
                select(WebhookRow)
                .where(WebhookRow.pk.in_(oldest), WebhookRow.due_at <= now)
                .order_by(WebhookRow.pk)
                .limit(_BATCH)
            ).all()
            for row in rows:
                leased = session.execute(
                    update(WebhookRow)
                    .where(WebhookRow.pk == row.pk, WebhookRow.due_at == row.due_at)
                    .values(due_at=now + LEASE, attempts=WebhookRow.attempts + 1)
                    .execution_options(synchronize_session=False)
                    .returning(WebhookRow.attempts)
                ).scalar_one_or_none()
                if leased is not None:
                    parcels.append(_Parcel(row.pk, row.update_id, row.body.encode(), leased))
        return parcels

    def _send(self, parcel: _Parcel) -> str | None:
        """Send one row; return what went wrong, ``None`` when it was taken."""
        timestamp = int(time.time())
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            TIMESTAMP_HEADER: str(timestamp),
            SIGNATURE_HEADER: sign(self._secret, timestamp, parcel.body),
        }
        try:
            response = self._http.post(self._url, content=parcel.body, headers=headers)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            return type(error).__name__
        return None if response.is_success else f"HTTP {response.status_code}"

    def _settle(self, parcel: _Parcel, error: str | None) -> None:
        now = self._clock()
        if error is None:
            values: dict[str, object] = {"delivered_at": now, "last_error": None}
            logger.info("update %s delivered (attempt %d)", parcel.update_id, parcel.attempts)
        else:
            due_at = now + timedelta(seconds=wait_after(parcel.attempts, error))
            values = {"due_at": due_at, "last_error": error}
            logger.warning(
                "update %s not delivered (attempt %d): %s", parcel.update_id, parcel.attempts, error
            )
        with self._database.writing() as session:
            session.execute(update(WebhookRow).where(WebhookRow.pk == parcel.pk).values(**values))


def wait_after(attempts: int, error: str) -> float:
    """Return the seconds to wait after failed attempt number ``attempts`` (counted from 1).

    Doubling from one second to five minutes, with up to a quarter of jitter.
    """
    wait = min(_FIRST_WAIT_SECONDS * 2.0 ** min(attempts - 1, 20), _LONGEST_WAIT_SECONDS)
    if error.startswith("HTTP 4") and error not in {"HTTP 408", "HTTP 425", "HTTP 429"}:
        wait = max(wait, min(_REFUSED_WAIT_SECONDS, wait * 4))
    return wait * (1 + random.random() / 4)  # noqa: S311 - jitter, not a secret

"""Is everything up? Is this process alive, and may it be sent citizens?"""

from __future__ import annotations

import threading
import time
from datetime import timedelta
from typing import Any

import httpx
import structlog
from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from sqlalchemy.exc import SQLAlchemyError

from base.errors import UpstreamError
from base.settings import Settings
from channels.rasa import RasaClient
from store.blobs import check_writable
from store.database import is_migrated, reading
from store.models import utc_now
from store.outbox import backlog
from store.tickets import outbox_summary
from store.traffic import traffic

BEHIND = timedelta(minutes=1)
"""What is due so long without being taken tells that nobody works on it."""

router = APIRouter(prefix="/api/v1")
log = structlog.get_logger(__name__)

NEEDED = ("rasa", "actions", "database", "media")
READY_SECONDS = 3.0


@router.get("/health")
def health(request: Request) -> JSONResponse:
    """Report each component; 503 when citizens cannot be answered.

    ``dispatch`` being down does not stop the service: complaints wait in the outbox. Neither does
    a channel that is behind.
    """
    settings: Settings = request.app.state.settings
    store, outbox = _store()
    parts: dict[str, Any] = {
        "rasa": "ok" if request.app.state.rasa.healthy() else "down",
        "actions": _get(f"{settings.actions_url}/health"),
        "store": store,
        "dispatch": _get(f"{settings.dispatch_url}/services.json"),
    }
    channels = _channels([channel.name for channel in request.app.state.channels])
    needed = all(parts[name] == "ok" for name in ("rasa", "actions", "store"))
    well = parts["dispatch"] == "ok" and not any(c["behind"] for c in channels.values())
    status = "ok" if needed and well else "degraded" if needed else "down"
    speech = request.app.state.voice.engines
    content = {"status": status, **parts, "outbox": outbox, "channels": channels, "speech": speech}
    return JSONResponse(content, 200 if needed else 503)


@router.get("/live", include_in_schema=False)
def live() -> dict[str, str]:
    """Answer: a process that does not should be restarted. Nothing else is looked at."""
    return {"status": "alive"}


@router.get("/ready", include_in_schema=False)
def ready(request: Request) -> JSONResponse:
    """Say whether citizens may be sent here: 200, or 503 with what is missing.

    Needed are Rasa, the actions, a migrated database and a media store that takes files. An
    outbox that is late is told and changes nothing: complaints are safe in it.
    """
    readiness: Readiness = request.app.state.readiness
    parts = readiness.parts()
    fine = all(parts[name] == "ok" for name in NEEDED)
    return JSONResponse({"status": "ready" if fine else "not_ready", **parts}, 200 if fine else 503)


class Readiness:
    """Looks at every part a citizen's message needs, at most once in a few seconds."""

    def __init__(self, settings: Settings, rasa: RasaClient) -> None:
        self._settings = settings
        self._rasa = rasa
        self._lock = threading.Lock()
        self._parts: dict[str, str] = {}
        self._looked_at = -READY_SECONDS

    def parts(self) -> dict[str, str]:
        """Return ``ok`` or what is wrong, by part."""
        with self._lock:  # who comes meanwhile gets the same answer
            if time.monotonic() - self._looked_at >= READY_SECONDS:
                self._parts = self._look()
                self._looked_at = time.monotonic()
            return self._parts

    def _look(self) -> dict[str, str]:
        database, outbox = self._store()
        return {
            "rasa": "ok" if self._rasa.healthy() else "down",
            "actions": _get(f"{self._settings.actions_url}/health"),
            "database": database,
            "media": _media(),
            "outbox": outbox,
        }

    def _store(self) -> tuple[str, str]:
        try:
            if not is_migrated():
                return "not_migrated", "unknown"
            with reading() as session:
                oldest = backlog(session).oldest
        except SQLAlchemyError as error:
            log.error("store_down", error=type(error).__name__)
            return "down", "unknown"
        late = timedelta(minutes=self._settings.outbox_late_minutes)
        return "ok", "late" if oldest and utc_now() - oldest > late else "ok"


def _media() -> str:
    try:
        check_writable()
    except UpstreamError:
        return "down"
    return "ok"


def _get(url: str) -> str:
    try:
        return "ok" if httpx.get(url, timeout=2.0).is_success else "down"
    except httpx.HTTPError:
        return "down"


def _channels(names: list[str]) -> dict[str, dict[str, Any]]:
    """How the queues of each channel stand; one that is behind has no process, or no platform."""
    if not names:
        return {}
    try:
        with reading() as session:
            found = traffic(session, names)
    except SQLAlchemyError:
        return {}  # the store is reported by itself
    now = utc_now()
    return {
        name: {
            "received": seen.received,
            "outgoing": seen.outgoing,
            "behind": seen.oldest is not None and now - seen.oldest > BEHIND,
        }
        for name, seen in found.items()
    }


def _store() -> tuple[str, dict[str, int]]:
    try:
        with reading() as session:
            counts, oldest = outbox_summary(session), backlog(session).oldest
    except SQLAlchemyError as error:
        log.error("store_down", error=type(error).__name__)
        return "down", {}
    if oldest is not None:
        counts["oldest_pending_seconds"] = int((utc_now() - oldest).total_seconds())
    return "ok", counts

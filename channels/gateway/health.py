"""Is everything up?"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import httpx
import structlog
from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from sqlalchemy.exc import SQLAlchemyError

from base.settings import Settings
from store.database import reading
from store.models import utc_now
from store.outbox import backlog
from store.tickets import outbox_summary
from store.traffic import traffic

BEHIND = timedelta(minutes=1)
"""What is due so long without being taken tells that nobody works on it."""

router = APIRouter(prefix="/api/v1")
log = structlog.get_logger(__name__)


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

"""Is everything up?"""

from __future__ import annotations

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

router = APIRouter(prefix="/api/v1")
log = structlog.get_logger(__name__)


@router.get("/health")
def health(request: Request) -> JSONResponse:
    """Report each component; 503 when citizens cannot be answered.

    ``dispatch`` being down does not stop the service: complaints wait in the outbox.
    """
    settings: Settings = request.app.state.settings
    store, outbox = _store()
    parts: dict[str, Any] = {
        "rasa": "ok" if request.app.state.rasa.healthy() else "down",
        "actions": _get(f"{settings.actions_url}/health"),
        "store": store,
        "dispatch": _get(f"{settings.dispatch_url}/services.json"),
    }
    needed = all(parts[name] == "ok" for name in ("rasa", "actions", "store"))
    status = "ok" if needed and parts["dispatch"] == "ok" else "degraded" if needed else "down"
    speech = request.app.state.voice.engines
    content = {"status": status, **parts, "outbox": outbox, "speech": speech}
    return JSONResponse(content, 200 if needed else 503)


def _get(url: str) -> str:
    try:
        return "ok" if httpx.get(url, timeout=2.0).is_success else "down"
    except httpx.HTTPError:
        return "down"


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

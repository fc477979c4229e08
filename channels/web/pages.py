"""The chat page as files: the page, what it is made of, and how other sites hold it."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import FileResponse, JSONResponse, Response

from channels.web.shell import STATIC, worker_script

_FRESH = {"Cache-Control": "no-cache"}
_DAY = {"Cache-Control": "public, max-age=86400"}

router = APIRouter(include_in_schema=False)


@router.get("/")
def page(request: Request) -> FileResponse:
    """Return the chat page; only here other sites may be allowed to frame it."""
    policy = {"Content-Security-Policy": request.app.state.web_page_policy}
    return FileResponse(STATIC / "index.html", headers=_FRESH | policy)


@router.get("/worker.js")
def worker() -> Response:
    """Return the service worker; at the root, because its reach is its own folder."""
    return Response(worker_script(), media_type="text/javascript", headers=_FRESH)


@router.get("/embed.js")
def embed() -> FileResponse:
    """Return the script that puts a button with the chat on a city's own page."""
    return FileResponse(
        STATIC / "js" / "embed.js",
        media_type="text/javascript",
        headers=_FRESH | {"Cross-Origin-Resource-Policy": "cross-origin"},
    )


@router.get("/web/city.json")
def city(request: Request) -> JSONResponse:
    """Return the city's map for the place picker."""
    return JSONResponse(request.app.state.web_city_map, headers=_DAY)

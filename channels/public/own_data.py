"""The page behind the link to one's own data, and the file.

Opening the page uses nothing up, because messengers look at every link; its button does.
"""

from __future__ import annotations

import json
import tempfile
import zipfile
from collections.abc import Iterator
from typing import IO, Any

import structlog
from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, Response, StreamingResponse
from sqlalchemy.orm import Session

from base.errors import ShiminError, UpstreamError
from base.settings import get_settings
from channels.public.own_data_words import titled
from channels.public.routes import PublicPages
from store.conversations import NAME, own_words
from store.database import reading, unit_of_work
from store.media import read_media
from store.models import utc_now
from store.own_data import collect, is_open, take

log = structlog.get_logger(__name__)
router = APIRouter(include_in_schema=False)

_HEADERS = {
    "Cache-Control": "no-store",
    "X-Robots-Tag": "noindex, nofollow",
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; img-src 'self' data:; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
}
_STATUS = {"ask": 200, "invalid": 404, "later": 503}
_LONGEST = 64
_IN_MEMORY = 8 * 1024 * 1024
_CHUNK = 256 * 1024


@router.get("/my-data/{token}")
def ask(token: str, request: Request) -> HTMLResponse:
    """Show the page with the button; it changes nothing."""
    with reading() as session:
        usable = len(token) <= _LONGEST and is_open(session, token, utc_now())
    return _page(request, "ask" if usable else "invalid")


@router.post("/my-data/{token}")
def download(token: str, request: Request) -> Response:
    """Return the file, once: a ZIP with a page to read, the same as JSON, and the photos.

    The link is used up in the transaction that reads the data: what fails can be tried again.
    """
    if len(token) > _LONGEST:
        return _page(request, "invalid")
    try:
        with unit_of_work() as session:
            citizen = take(session, token, utc_now())
            data = _everything(session, citizen) if citizen is not None else {}
    except UpstreamError as error:
        log.error("export_put_off", code=error.code, detail=error.detail)
        return _page(request, "later")
    if citizen is None:
        return _page(request, "invalid")
    file = _packed(_pages(request), citizen, data)
    log.info("data_exported", citizen=citizen, tables=len(data))
    name = f"my-data-{utc_now():%Y%m%d}.zip"
    headers = {**_HEADERS, "Content-Disposition": f'attachment; filename="{name}"'}
    return StreamingResponse(_chunks(file), media_type="application/zip", headers=headers)


def _everything(session: Session, citizen: str) -> dict[str, list[dict[str, Any]]]:
    said = own_words(session, get_settings(), citizen)
    return collect(session, citizen) | ({NAME: said} if said else {})


def _packed(pages: PublicPages, citizen: str, data: dict[str, Any]) -> IO[bytes]:
    file = tempfile.SpooledTemporaryFile(_IN_MEMORY)  # noqa: SIM115 - _chunks closes it
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        whole = {"citizen": citizen, "made_at": utc_now().isoformat(), "data": data}
        archive.writestr("data.json", json.dumps(whole, ensure_ascii=False, indent=2))
        archive.writestr("我的资料.html", pages.page("own_data.html", sections=titled(data)))
        for row in data.get("media", []):
            _add_photo(archive, citizen, row)
    file.seek(0)
    return file


def _add_photo(archive: zipfile.ZipFile, citizen: str, row: dict[str, Any]) -> None:
    """Add a photo or video; one that cannot be read is left out and the rest is delivered."""
    actor = f"citizen:{citizen}"
    try:
        with unit_of_work() as session:
            media, content = read_media(session, row["id"], actor=actor, purpose="data_export")
    except (LookupError, ShiminError) as error:
        log.warning("export_without_media", media=row["id"], error=type(error).__name__)
        return
    ending = media.content_type.rpartition("/")[2]
    archive.writestr(f"media/{media.id}.{ending}", content, zipfile.ZIP_STORED)


def _chunks(file: IO[bytes]) -> Iterator[bytes]:
    with file:
        while chunk := file.read(_CHUNK):
            yield chunk


def _pages(request: Request) -> PublicPages:
    pages: PublicPages = request.app.state.public_pages
    return pages


def _page(request: Request, state: str) -> HTMLResponse:
    page = _pages(request).page("own_data_link.html", state=state)
    return HTMLResponse(page, _STATUS[state], _HEADERS)

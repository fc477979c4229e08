"""The page behind the link in every mail and group message that ends it.

Opening the link changes nothing, because mail scanners and link previews open every link; one
POST does, be it the page's button or a mail program's own (RFC 8058, one click).
"""

from __future__ import annotations

from typing import Annotated

import anyio.to_thread
from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse

from channels.notices.links import may_unsubscribe, unsubscribe_by_link
from store.models import utc_now

router = APIRouter(include_in_schema=False)

_LONGEST = 128
_HEADERS = {
    "Cache-Control": "no-store",
    "X-Robots-Tag": "noindex, nofollow",
    # the one page with a form: it may be sent to this site alone
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
}

Expires = Annotated[str, Query(max_length=20)]
Signature = Annotated[str, Query(max_length=_LONGEST)]


@router.get("/unsubscribe/{link_id}")
def ask(
    link_id: str, request: Request, expires: Expires = "", signature: Signature = ""
) -> HTMLResponse:
    """Show the page with the button; it changes nothing."""
    valid = _valid(request, link_id, expires, signature)
    return _page(request, "ask" if valid else "invalid")


@router.post("/unsubscribe/{link_id}")
async def end(
    link_id: str, request: Request, expires: Expires = "", signature: Signature = ""
) -> HTMLResponse:
    """End the subscription; what the request says besides is of no matter."""
    if not _valid(request, link_id, expires, signature):
        return _page(request, "invalid")
    await anyio.to_thread.run_sync(unsubscribe_by_link, link_id, utc_now())
    return _page(request, "done")


def _valid(request: Request, link_id: str, expires: str, signature: str) -> bool:
    if not (expires.isascii() and expires.isdigit()) or len(link_id) > _LONGEST:
        return False
    settings = request.app.state.settings
    return may_unsubscribe(settings, link_id, int(expires), signature, utc_now())


def _page(request: Request, state: str) -> HTMLResponse:
    page = request.app.state.public_pages.page("unsubscribe.html", state=state)
    return HTMLResponse(page, 403 if state == "invalid" else 200, _HEADERS)

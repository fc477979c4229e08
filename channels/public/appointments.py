"""The calendar file of an appointment, for whoever holds its signed link.

A wrong signature, a link that has run out and an appointment that does not exist are one and
the same 404: nobody learns from it which appointments there are.
"""

from __future__ import annotations

import hashlib
from typing import Annotated

from fastapi import APIRouter, Header, Query, Request
from fastapi.responses import Response

from base.settings import Settings
from channels.gateway.errors import refusal
from enquiries.calendar_file import calendar_file, may_fetch
from enquiries.hall_files import hall_now, item_now
from store.appointments import by_token
from store.database import reading
from store.models import utc_now

router = APIRouter(include_in_schema=False)

_LONGEST = 128
# a calendar may keep the file, but asks whether the time has changed
_HEADERS = {"Cache-Control": "private, no-cache", "X-Robots-Tag": "noindex, nofollow"}
_NOT_HERE = {"Cache-Control": "no-store", "X-Robots-Tag": "noindex, nofollow"}

Text = Annotated[str, Query()]


@router.get("/appointments/{token}.ics")
def calendar(
    token: str,
    request: Request,
    expires: Text = "",
    signature: Text = "",
    if_none_match: Annotated[str, Header()] = "",
) -> Response:
    """Give the file (``text/calendar``), or 304 when the client has it already."""
    settings: Settings = request.app.state.settings
    file = _file(settings, token, signature, expires)
    if file is None:
        answer = refusal(404, "not_found", "没有找到您要的内容。")
        answer.headers.update(_NOT_HERE)
        return answer
    body, name = file
    tag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    headers = {**_HEADERS, "ETag": tag}
    if tag in (known.strip().removeprefix("W/") for known in if_none_match.split(",")):
        return Response(status_code=304, headers=headers)
    headers["Content-Disposition"] = f'attachment; filename="{name}.ics"'
    return Response(body, media_type="text/calendar; charset=utf-8", headers=headers)


def _file(settings: Settings, token: str, signature: str, expires: str) -> tuple[bytes, str] | None:
    """Return the file and the appointment's number, None when there is nothing to give."""
    if max(map(len, (token, signature, expires))) > _LONGEST or not _is_number(expires):
        return None
    if not may_fetch(settings, token, int(expires), signature, utc_now()):
        return None
    with reading() as session:
        kept = by_token(session, token)
    if kept is None:
        return None
    hall = hall_now(settings.policies_dir, kept.hall_id)
    item = item_now(settings.policies_dir, kept.service_id)
    return calendar_file(kept, hall, item, settings.public_url), kept.number


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 20

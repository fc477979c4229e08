"""Photos by signed link, without their metadata."""

from __future__ import annotations

import time
from typing import Annotated

from fastapi import APIRouter, Path, Request
from fastapi.responses import Response

from base.links import link_is_valid
from channels.attachments import public_copy
from channels.gateway.errors import refusal
from store.database import unit_of_work
from store.media import read_media

router = APIRouter()


@router.get("/media/{media_id}")
def get_media(
    media_id: Annotated[str, Path(pattern=r"^[0-9a-f]{32}$")],
    request: Request,
    expires: int = 0,
    signature: str = "",
) -> Response:
    """Return the public copy (JPEG, no EXIF) of a photo to the holder of its link."""
    secret = request.app.state.settings.session_key.get_secret_value()
    if not link_is_valid(secret, f"/media/{media_id}", expires, signature, time.time()):
        return refusal(403, "link_invalid", "这个链接无效或已过期。")
    try:
        with unit_of_work() as session:
            _, data = read_media(session, media_id, actor="link_holder", purpose="media_link")
    except LookupError:
        return refusal(404, "not_found", "没有找到这张照片。")
    return Response(
        public_copy(data),
        media_type="image/jpeg",
        headers={"Cache-Control": "private, max-age=3600", "X-Content-Type-Options": "nosniff"},
    )

"""Photos and videos by signed link; who holds which link decides what he sees.

``/media/<id>`` is for the dispatcher: a photo upright and without metadata, a video without its
container's metadata. ``/media/<id>/public`` and ``/thumb`` are for everybody else: faces and
number plates are made unreadable, and there are none of a video.
"""

from __future__ import annotations

import time
from typing import Annotated

from fastapi import APIRouter, Header, Path, Request
from fastapi.responses import Response

from base.errors import StateError
from base.links import link_is_valid
from channels.gateway.errors import refusal
from channels.gateway.ranges import ranged
from channels.pictures import clean_copy, everybodys_copy
from channels.videos import without_metadata
from store.database import unit_of_work
from store.media import read_media

router = APIRouter()

MediaId = Annotated[str, Path(pattern=r"^[0-9a-f]{32}$")]

_RETRY_SECONDS = 120
_ENDINGS = {
    "image/jpeg": "jpg",
    "video/mp4": "mp4",
    "video/quicktime": "mov",
    "video/webm": "webm",
    "video/x-matroska": "mkv",
}


@router.get("/media/{media_id}")
def get_media(
    media_id: MediaId,
    request: Request,
    expires: int = 0,
    signature: str = "",
    range_: Annotated[str, Header(alias="Range")] = "",
) -> Response:
    """Return what the dispatcher may see: a JPEG without EXIF, or a video without metadata."""
    if not _may_see(request, expires, signature):
        return _link_invalid()
    try:
        with unit_of_work() as session:
            media, data = read_media(session, media_id, actor="link_holder", purpose="media_link")
    except LookupError:
        return _not_found()
    except StateError as error:
        return _awaited(error)
    kind = media.content_type
    if kind.startswith("image/"):
        return _jpeg(media_id, clean_copy(data))
    if kind in _ENDINGS:
        return ranged(without_metadata(data, kind), range_, kind, _headers(media_id, kind))
    return _not_found()


@router.get("/media/{media_id}/{copy}")
def get_public_copy(
    media_id: MediaId,
    copy: Annotated[str, Path(pattern=r"^(public|thumb)$")],
    request: Request,
    expires: int = 0,
    signature: str = "",
) -> Response:
    """Return what everybody may see of a photo: faces and number plates made unreadable."""
    if not _may_see(request, expires, signature):
        return _link_invalid()
    finder = request.app.state.region_finder
    try:
        data = everybodys_copy(
            media_id, "thumb" if copy == "thumb" else "public", finder, actor="public_link"
        )
    except LookupError:
        return _not_found()
    except StateError as error:
        return _awaited(error)
    return _jpeg(media_id, data)


def _may_see(request: Request, expires: int, signature: str) -> bool:
    secret = request.app.state.settings.session_key.get_secret_value()
    return link_is_valid(secret, request.url.path, expires, signature, time.time())


def _jpeg(media_id: str, data: bytes) -> Response:
    kind = "image/jpeg"
    return Response(data, media_type=kind, headers=_headers(media_id, kind))


def _headers(media_id: str, kind: str) -> dict[str, str]:
    return {
        "Cache-Control": "private, max-age=3600",
        "Content-Disposition": f'inline; filename="{media_id}.{_ENDINGS[kind]}"',
        "X-Content-Type-Options": "nosniff",
    }


def _link_invalid() -> Response:
    return refusal(403, "link_invalid", "这个链接无效或已过期。")


def _not_found() -> Response:
    return refusal(404, "not_found", "没有找到这张照片或这段视频。")


def _awaited(error: StateError) -> Response:
    answer = refusal(404, error.code, error.message)
    answer.headers["Retry-After"] = str(_RETRY_SECONDS)
    answer.headers["Cache-Control"] = "no-store"
    return answer

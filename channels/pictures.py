"""The copies of a photo that leave the house: upright, without metadata, and for whom."""

from __future__ import annotations

import io
import threading
from typing import Literal

import numpy as np
from PIL import Image

from base.pictures import decoded
from channels.redaction import RegionFinder, hide
from store.database import unit_of_work
from store.media import keep_copy, read_media

PUBLIC_SIDE = 2048
THUMB_SIDE = 320

_MAKING = threading.RLock()  # one copy at a time: finding faces takes a processor for a second


def clean_copy(data: bytes) -> bytes:
    """Return a JPEG of the photo, upright and without any metadata; for the dispatcher."""
    return _jpeg(decoded(data), 88)


def blurred_copy(data: bytes, find: RegionFinder) -> bytes:
    """Return a clean JPEG, longest side 2048 pixels, with what ``find`` names made unreadable."""
    photo = decoded(data)
    photo.thumbnail((PUBLIC_SIDE, PUBLIC_SIDE))
    picture = np.ascontiguousarray(np.asarray(photo)[:, :, ::-1])
    for region in find(picture):
        hide(picture, region)
    return _jpeg(Image.fromarray(np.ascontiguousarray(picture[:, :, ::-1])), 85)


def thumbnail(data: bytes) -> bytes:
    """Return a small JPEG, longest side 320 pixels."""
    photo = decoded(data)
    photo.thumbnail((THUMB_SIDE, THUMB_SIDE))
    return _jpeg(photo, 82)


def everybodys_copy(
    media_id: str, copy: Literal["public", "thumb"], find: RegionFinder, *, actor: str
) -> bytes:
    """Return the blurred copy of a photo or its thumbnail; made on first use, then kept.

    Raises:
        LookupError: no such photo (a video has no such copies).
        StateError: ``media_awaited``.
        UpstreamError: ``media_unavailable``.
    """
    kept = _kept(media_id, copy, actor)
    if kept is not None:
        return kept
    with _MAKING:
        kept = _kept(media_id, copy, actor)  # another request has made it meanwhile
        if kept is not None:
            return kept
        if copy == "thumb":
            made = thumbnail(everybodys_copy(media_id, "public", find, actor=actor))
        else:
            made = blurred_copy(_photo(media_id, actor), find)
        keep_copy(media_id, copy, made)
        return made


def _kept(media_id: str, copy: Literal["public", "thumb"], actor: str) -> bytes | None:
    try:
        with unit_of_work() as session:
            return read_media(session, media_id, actor=actor, purpose="media_link", copy=copy)[1]
    except LookupError:
        return None


def _photo(media_id: str, actor: str) -> bytes:
    with unit_of_work() as session:
        media, data = read_media(session, media_id, actor=actor, purpose="public_copy")
    if not media.content_type.startswith("image/"):
        raise LookupError(media_id)
    return data


def _jpeg(image: Image.Image, quality: int) -> bytes:
    output = io.BytesIO()
    image.info = {}
    image.save(output, "JPEG", quality=quality)
    return output.getvalue()

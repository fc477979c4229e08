"""What a citizen said: stored messages, with the files that belong to them, as one content."""

from __future__ import annotations

import math
from base64 import b64encode
from collections.abc import Callable, Sequence
from typing import Any

import structlog
from geocoordinates_ffi import Gcj02, gcj02_to_wgs84_refined

from base.errors import InputError, UpstreamError
from base.settings import Settings
from channels.message import Attachment, Audio, Content, Photo, SharedLocation, Video
from channels.wechat.words import NOT_UNDERSTOOD

log = structlog.get_logger(__name__)

Fetch = Callable[[str, int], bytes]
"""Returns a file by its media id, at most so many bytes; see channels.wechat.platform."""

LONGEST_WORDS = 2000
_AUDIO = {"amr": "audio/amr", "speex": "audio/speex", "mp3": "audio/mpeg"}


class Ear:
    """Reads what :mod:`channels.wechat.pushes` kept.

    Args:
        settings: limits of what may be attached.
        fetch: how to get a file.
    """

    def __init__(self, settings: Settings, fetch: Fetch) -> None:
        self._settings = settings
        self._fetch = fetch

    def listen(self, parts: Sequence[dict[str, Any]]) -> Content:
        """Return what one message said, or several photos together.

        Raises:
            InputError: it holds something we cannot take.
            UpstreamError: a file cannot be had now.
        """
        first = parts[0]
        match first["kind"]:
            case "text":
                return Content(text=first["text"])
            case "image":
                return Content(attachments=tuple(self._photo(part) for part in parts))
            case "video":
                data = self._get(first, self._settings.max_video_bytes)
                video = Video(type="video", content_type="video/mp4", data=data)
                return Content(attachments=(video,))
            case "voice":
                return self._voice(first)
            case "location":
                return Content(attachments=(earthly(first["latitude"], first["longitude"]),))
            case _:
                detail = f"a message of type {first.get('type')!r}"
                raise InputError("message_kind", NOT_UNDERSTOOD, detail)

    def _photo(self, part: dict[str, Any]) -> Attachment:
        data = self._get(part, self._settings.max_photo_bytes)
        return Photo(type="photo", content_type="image/jpeg", data=data)

    def _voice(self, part: dict[str, Any]) -> Content:
        """Return a recording with the words the platform heard in it (``Recognition``).

        Where the platform heard words and does not give the recording, they are taken as text.
        """
        words = part["words"].strip()[:LONGEST_WORDS]
        try:
            data = self._get(part, self._settings.max_audio_bytes)
        except (InputError, UpstreamError) as error:
            if not words:
                raise
            log.info("voice_without_recording", code=error.code, detail=error.detail)
            return Content(text=words)
        kind = _AUDIO.get(part["format"], "application/octet-stream")
        audio = Audio(type="audio", content_type=kind, data=data, transcript=words or None)
        return Content(attachments=(audio,))

    def _get(self, part: dict[str, Any], limit: int) -> str:
        return b64encode(self._fetch(part["media_id"], limit)).decode()


def earthly(latitude: float, longitude: float) -> SharedLocation:
    """Return a shared place, which WeChat tells in GCJ-02, in WGS 84 (degrees).

    The inverse is iterated until it is better than half a metre; outside of China both are the
    same. A point that is not on the globe is left as it is, for the check of every channel.
    """
    on_globe = math.isfinite(latitude) and math.isfinite(longitude)
    if on_globe and abs(latitude) <= 90 and abs(longitude) <= 180:
        found = gcj02_to_wgs84_refined(Gcj02(lat=latitude, lon=longitude))
        latitude, longitude = found.lat, found.lon
    return SharedLocation(type="location", latitude=latitude, longitude=longitude)

"""Checking what citizens attach before anything else touches it."""

from __future__ import annotations

import binascii
import math
from dataclasses import dataclass, field
from typing import Any

import pybase64

from base.errors import InputError, TooLargeError
from base.pictures import examine
from base.settings import Settings
from channels.message import Audio, Photo, SharedLocation, Video
from channels.scanning import Scanner, check_upload
from channels.videos import video_type, without_metadata

_NOUNS = {"photo": "照片", "video": "视频", "audio": "语音"}


@dataclass(frozen=True)
class CheckedMedia:
    """A photo or video that can be used, with its true content type.

    ``evidence`` and ``perceptual_hash`` are those of :class:`base.pictures.Picture`; a video
    has neither.
    """

    data: bytes
    content_type: str
    evidence: dict[str, Any] = field(default_factory=dict)
    perceptual_hash: str | None = None


def check_photo(photo: Photo, settings: Settings, scanner: Scanner | None = None) -> CheckedMedia:
    """Decode a photo completely, once; read its evidence and perceptual hash.

    Raises:
        TooLargeError: ``photo_too_large`` (bytes or pixels).
        InputError: ``photo_not_image`` (no JPEG, PNG, WebP or HEIC), ``photo_broken`` (truncated),
            ``upload_infected``.
        UpstreamError: ``scanner_unavailable``.
    """
    data = _decode(photo.data, settings.max_photo_bytes, "photo")
    check_upload(scanner, data)
    seen = examine(data, settings.max_photo_pixels, photo.content_type)
    return CheckedMedia(data, seen.content_type, seen.evidence, seen.perceptual_hash)


def check_video(video: Video, settings: Settings, scanner: Scanner | None = None) -> CheckedMedia:
    """Tell the kind of a video by its content and whether it is whole.

    Raises:
        TooLargeError: ``video_too_large``.
        InputError: ``video_not_video`` (no MP4, MOV or WebM), ``video_broken`` (truncated),
            ``upload_infected``.
        UpstreamError: ``scanner_unavailable``.
    """
    data = _decode(video.data, settings.max_video_bytes, "video")
    check_upload(scanner, data)
    content_type = video_type(data)
    if content_type is None:
        raise InputError(
            "video_not_video",
            "这个文件不是能看的视频，请发手机拍的 MP4 或 MOV 视频，也可以改发照片。",
            f"declared {video.content_type!r}",
        )
    try:
        without_metadata(data, content_type)
    except ValueError as error:
        raise InputError(
            "video_broken", "这段视频没有传完整，请重新发一次。", str(error)
        ) from error
    return CheckedMedia(data, content_type)


def check_audio(audio: Audio, settings: Settings) -> bytes:
    """Return the bytes of a recording.

    Raises:
        TooLargeError: ``audio_too_large``.
        InputError: ``audio_broken`` (not base64).
    """
    return _decode(audio.data, settings.max_audio_bytes, "audio")


def check_location(point: SharedLocation) -> None:
    """Refuse coordinates that are not on the globe.

    Raises:
        InputError: ``location_out_of_range``.
    """
    finite = math.isfinite(point.latitude) and math.isfinite(point.longitude)
    if not finite or abs(point.latitude) > 90 or abs(point.longitude) > 180:
        raise InputError(
            "location_out_of_range",
            "这个定位不对，请重新发一次位置，或者直接打出地址。",
            "coordinates are not on the globe",
        )


def _decode(encoded: str, limit: int, kind: str) -> bytes:
    noun = _NOUNS[kind]
    if len(encoded) > limit * 4 // 3 + 4:
        raise TooLargeError(
            f"{kind}_too_large",
            f"{noun}太大了（最大{limit // (1024 * 1024)}MB），请压缩后再发。",
            f"{len(encoded)} base64 characters",
        )
    try:
        data = pybase64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError) as error:
        raise InputError(
            f"{kind}_broken", f"{noun}没有传完整，请重新发一次。", "not base64"
        ) from error
    if not data:
        raise InputError(f"{kind}_broken", f"{noun}是空的，请重新发一次。", "empty")
    return data

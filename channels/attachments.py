"""Checking what citizens attach before anything else touches it."""

from __future__ import annotations

import base64
import binascii
import io
import math
import warnings
from dataclasses import dataclass
from typing import Any

import structlog
from PIL import ExifTags, Image

from base.errors import InputError, TooLargeError
from base.settings import Settings
from channels.message import Audio, Photo, SharedLocation

log = structlog.get_logger(__name__)

_FORMATS = {"JPEG": "image/jpeg", "PNG": "image/png", "WEBP": "image/webp"}


@dataclass(frozen=True)
class CheckedPhoto:
    """A photo that decodes. ``evidence`` holds ``latitude``, ``longitude``, ``taken_at``."""

    data: bytes
    content_type: str
    evidence: dict[str, Any]


def check_photo(photo: Photo, settings: Settings) -> CheckedPhoto:
    """Decode a photo completely and read its EXIF evidence.

    Raises:
        TooLargeError: ``photo_too_large`` (bytes or pixels).
        InputError: ``photo_not_image`` (no JPEG, PNG or WebP), ``photo_broken`` (truncated).
    """
    data = _decode(photo.data, settings.max_photo_bytes, "photo")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what Pillow finds odd is decided here
        return _check_image(data, photo.content_type, settings.max_photo_pixels)


def _check_image(data: bytes, declared: str, max_pixels: int) -> CheckedPhoto:
    try:
        image = Image.open(io.BytesIO(data), formats=list(_FORMATS))
    except Image.DecompressionBombError as error:
        raise _too_many_pixels(str(error)) from error
    except Exception as error:  # a third-party parser on a stranger's bytes
        raise InputError(
            "photo_not_image",
            "这个文件不是能看的照片，请发 JPG、PNG 或 WebP 格式的照片。",
            f"{type(error).__name__} for declared {declared!r}",
        ) from error
    with image:
        if image.width * image.height > max_pixels:
            raise _too_many_pixels(f"{image.width}x{image.height} pixels")
        try:
            image.load()
        except Exception as error:  # as above
            raise InputError(
                "photo_broken",
                "这张照片没有传完整，打不开，请重新发一次。",
                f"{type(error).__name__}: {error}",
            ) from error
        return CheckedPhoto(data, _FORMATS[str(image.format)], _evidence(image))


def _too_many_pixels(detail: str) -> TooLargeError:
    return TooLargeError(
        "photo_too_large", "照片尺寸太大了，请缩小后再发，或者直接用手机拍一张。", detail
    )


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


def public_copy(data: bytes) -> bytes:
    """Return a JPEG of the photo, upright and without any metadata."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the photo was checked when it came in
        with Image.open(io.BytesIO(data), formats=list(_FORMATS)) as image:
            upright = _upright(image).convert("RGB")
    output = io.BytesIO()
    upright.save(output, "JPEG", quality=88)
    return output.getvalue()


def _upright(image: Image.Image) -> Image.Image:
    from PIL import ImageOps  # noqa: PLC0415 - needed only when a photo leaves the house

    image.load()
    try:
        return ImageOps.exif_transpose(image)
    except Exception as error:  # broken metadata does not hide the photo
        log.info("orientation_unreadable", error=type(error).__name__)
        return image


def _decode(encoded: str, limit: int, kind: str) -> bytes:
    noun = {"photo": "照片", "audio": "语音"}[kind]
    if len(encoded) > limit * 4 // 3 + 4:
        raise TooLargeError(
            f"{kind}_too_large",
            f"{noun}太大了（最大{limit // (1024 * 1024)}MB），请压缩后再发。",
            f"{len(encoded)} base64 characters",
        )
    try:
        data = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError) as error:
        raise InputError(
            f"{kind}_broken", f"{noun}没有传完整，请重新发一次。", "not base64"
        ) from error
    if not data:
        raise InputError(f"{kind}_broken", f"{noun}是空的，请重新发一次。", "empty")
    return data


def _evidence(image: Image.Image) -> dict[str, Any]:
    """Read GPS position and time of a photo; what cannot be read is left out."""
    try:
        return _read_exif(image.getexif())
    except Exception as error:  # a photo with broken metadata is still a photo
        log.info("exif_unreadable", error=type(error).__name__)
        return {}


def _read_exif(exif: Image.Exif) -> dict[str, Any]:
    found: dict[str, Any] = {}
    gps = exif.get_ifd(ExifTags.IFD.GPSInfo)
    latitude = _degrees(gps.get(2), gps.get(1), "S")
    longitude = _degrees(gps.get(4), gps.get(3), "W")
    on_globe = abs(latitude or 0) <= 90 and abs(longitude or 0) <= 180
    if latitude is not None and longitude is not None and on_globe:
        found.update(latitude=latitude, longitude=longitude)
    taken = exif.get_ifd(ExifTags.IFD.Exif).get(ExifTags.Base.DateTimeOriginal)
    if isinstance(taken, str):
        found["taken_at"] = taken.strip("\x00 ")
    return found


def _degrees(parts: Any, reference: Any, negative: str) -> float | None:
    """EXIF degrees, minutes, seconds (rationals) to signed degrees."""
    try:
        degrees, minutes, seconds = (float(part) for part in parts)
    except (TypeError, ValueError, ZeroDivisionError):
        return None
    value = degrees + minutes / 60 + seconds / 3600
    if not math.isfinite(value):
        return None
    return -value if reference == negative else value

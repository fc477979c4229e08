"""Looking at a photo from a stranger: what it is, where and when it was taken, what it shows."""

from __future__ import annotations

import io
import math
import re
import warnings
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import imagehash
import structlog
from PIL import ExifTags, Image, ImageOps, ImageStat
from pillow_heif import register_heif_opener

from base.calendar import CITY_TIME
from base.errors import InputError, TooLargeError

log = structlog.get_logger(__name__)

register_heif_opener()

# MPO is what many phones call a JPEG with a second, smaller picture behind the first
_TYPES = {
    "JPEG": "image/jpeg",
    "MPO": "image/jpeg",
    "PNG": "image/png",
    "WEBP": "image/webp",
    "HEIF": "image/heic",
}
_OPENERS = ("JPEG", "PNG", "WEBP", "HEIF")


_EXIF_TIME = re.compile(r"(\d{4}):(\d\d):(\d\d) (\d\d):(\d\d):(\d\d)")
_OFFSET = re.compile(r"[+-]\d\d:\d\d")
_FIRST_YEAR = 1995  # of the EXIF standard
_CLOCK_ERROR = timedelta(minutes=10)

_HASHED_SIDE = 256
_LEAST_CONTRAST = 4.0


@dataclass(frozen=True)
class Picture:
    """What a photo turned out to be.

    ``evidence`` holds ``latitude`` and ``longitude`` (degrees, WGS 84) and ``taken_at`` (ISO 8601
    with its offset), each only when the photo says so. ``perceptual_hash`` are 64 bits in
    hexadecimal; None for a picture that is all of one shade.
    """

    content_type: str
    evidence: dict[str, Any]
    perceptual_hash: str | None


def examine(data: bytes, max_pixels: int, declared: str = "") -> Picture:
    """Decode a photo completely, once, and tell what it is.

    Args:
        data: the file; its type is told by its content alone.
        max_pixels: the largest width times height.
        declared: the type the sender claims, for the log only.

    Raises:
        TooLargeError: ``photo_too_large``, before anything is unpacked.
        InputError: ``photo_not_image`` (no JPEG, PNG, WebP or HEIC), ``photo_broken`` (truncated).
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what Pillow finds odd is decided here
        return _examine(data, max_pixels, declared)


def _examine(data: bytes, max_pixels: int, declared: str) -> Picture:
    try:
        image = Image.open(io.BytesIO(data), formats=_OPENERS)
    except Image.DecompressionBombError as error:
        raise _too_many_pixels(str(error)) from error
    except Exception as error:  # a third-party parser on a stranger's bytes
        raise InputError(
            "photo_not_image",
            "这个文件不是能看的照片，请发 JPG、PNG、WebP 或 HEIC 格式的照片。",
            f"{type(error).__name__} for declared {declared!r}",
        ) from error
    with image:
        if image.width * image.height > max_pixels:
            raise _too_many_pixels(f"{image.width}x{image.height} pixels")
        try:
            # A JPEG is read to its end at an eighth of its size: half the time, and as strict.
            image.draft(None, (_HASHED_SIDE, _HASHED_SIDE))
            image.load()
        except Exception as error:  # as above
            raise InputError(
                "photo_broken",
                "这张照片没有传完整，打不开，请重新发一次。",
                f"{type(error).__name__}: {error}",
            ) from error
        return Picture(_TYPES[str(image.format)], _evidence(image), _perceptual_hash(image))


def _too_many_pixels(detail: str) -> TooLargeError:
    return TooLargeError(
        "photo_too_large", "照片尺寸太大了，请缩小后再发，或者直接用手机拍一张。", detail
    )


def decoded(data: bytes) -> Image.Image:
    """Return a photo that passed :func:`examine`: upright, RGB, in memory."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the photo was checked when it came in
        with Image.open(io.BytesIO(data), formats=_OPENERS) as image:
            image.load()
            return _upright(image).convert("RGB")


def _upright(image: Image.Image) -> Image.Image:
    try:
        return ImageOps.exif_transpose(image)
    except Exception as error:  # broken metadata does not hide the photo
        log.info("orientation_unreadable", error=type(error).__name__)
        return image


def _perceptual_hash(image: Image.Image) -> str | None:
    """64 bits of the upright picture's lowest frequencies (ImageHash, DCT)."""
    grey = image.convert("L")
    grey.thumbnail((_HASHED_SIDE, _HASHED_SIDE))
    if ImageStat.Stat(grey).stddev[0] < _LEAST_CONTRAST:
        return None
    grey.info = {}
    grey.getexif()[ExifTags.Base.Orientation] = _orientation(image)
    return str(imagehash.phash(_upright(grey)))


def _orientation(image: Image.Image) -> int:
    try:
        return int(image.getexif().get(ExifTags.Base.Orientation, 1))
    except Exception:  # as in _upright
        return 1


# --- evidence ---------------------------------------------------------------------------


def _evidence(image: Image.Image) -> dict[str, Any]:
    """Read position and time of a photo; what cannot be read is left out."""
    try:
        exif = image.getexif()
        return _position(exif.get_ifd(ExifTags.IFD.GPSInfo)) | _moment(
            exif.get_ifd(ExifTags.IFD.Exif)
        )
    except Exception as error:  # a photo with broken metadata is still a photo
        log.info("exif_unreadable", error=type(error).__name__)
        return {}


def _position(gps: dict[int, Any]) -> dict[str, Any]:
    latitude = _degrees(gps.get(2), gps.get(1), "S")
    longitude = _degrees(gps.get(4), gps.get(3), "W")
    if latitude is None or longitude is None or abs(latitude) > 90 or abs(longitude) > 180:
        return {}
    if latitude == longitude == 0:  # what a camera without a fix writes
        return {}
    return {"latitude": latitude, "longitude": longitude}


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


def _moment(exif: dict[int, Any]) -> dict[str, Any]:
    taken = taken_at(
        str(exif.get(ExifTags.Base.DateTimeOriginal, "")),
        str(exif.get(ExifTags.Base.OffsetTimeOriginal, "")),
        datetime.now(UTC),
    )
    return {"taken_at": taken.isoformat()} if taken else {}


def taken_at(original: str, offset: str, now: datetime) -> datetime | None:
    """Return the moment of EXIF's ``DateTimeOriginal`` (Exif 2.32, 4.6.5).

    Args:
        original: ``YYYY:MM:DD HH:MM:SS``, the camera's local time.
        offset: ``OffsetTimeOriginal`` (``+08:00``); without a usable one it is city time.
        now: an aware moment; a photo taken later than it (and a wrong clock) is not believed.

    Returns:
        An aware moment, or None for a date that is impossible, before EXIF, or to come.
    """
    parts = _EXIF_TIME.fullmatch(original.strip("\x00 "))
    if parts is None:
        return None
    zone = offset.strip("\x00 ")
    year, month, day, hour, minute, second = (int(part) for part in parts.groups())
    try:
        local = datetime(year, month, day, hour, minute, second)
        if _OFFSET.fullmatch(zone):
            moment = datetime.fromisoformat(f"{local.isoformat()}{zone}")
        else:
            moment = local.replace(tzinfo=CITY_TIME)
    except ValueError:
        return None
    return moment if year >= _FIRST_YEAR and moment <= now + _CLOCK_ERROR else None

"""Real photos, made on the spot."""

from __future__ import annotations

import base64
import io
import struct
import zlib
from typing import Any

from PIL import ExifTags, Image
from PIL.TiffImagePlugin import IFDRational
from pillow_heif import register_heif_opener

register_heif_opener()

ORIENTATION = ExifTags.Base.Orientation


def scene(width: int = 64, height: int = 40) -> Image.Image:
    """A picture with a red upper left corner on blue."""
    picture = Image.new("RGB", (width, height), (20, 40, 200))
    picture.paste((220, 20, 20), (0, 0, width // 2, height // 2))
    return picture


def encoded(image: Image.Image, kind: str = "JPEG", **options: Any) -> bytes:
    output = io.BytesIO()
    image.save(output, kind, **options)
    return output.getvalue()


def exif(
    latitude: tuple[Any, str] | None = None,
    longitude: tuple[Any, str] | None = None,
    taken: str | None = None,
    orientation: int | None = None,
) -> Image.Exif:
    found = Image.Exif()
    if orientation:
        found[ORIENTATION] = orientation
    gps: dict[int, Any] = {}
    if latitude:
        gps |= {1: latitude[1], 2: latitude[0]}
    if longitude:
        gps |= {3: longitude[1], 4: longitude[0]}
    if gps:
        found.get_ifd(ExifTags.IFD.GPSInfo).update(gps)
    if taken:
        found.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.DateTimeOriginal] = taken
    found[ExifTags.Base.Make] = "TestPhone"
    return found


def dms(degrees: int, minutes: int, seconds: float) -> tuple[IFDRational, ...]:
    return (IFDRational(degrees), IFDRational(minutes), IFDRational(int(seconds * 100), 100))


def bomb(side: int = 20_000) -> bytes:
    """A PNG of a few hundred kilobytes at most that says it is ``side`` x ``side`` pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0))
    rows = zlib.compress(b"\0" * (side // 8 + 1) * 50, 9)
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def attachment(data: bytes, content_type: str = "image/jpeg") -> dict[str, str]:
    return {"type": "photo", "content_type": content_type, "data": b64(data)}

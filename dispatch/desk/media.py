"""Photos uploaded with a request, for systems that have no public address of their own.

A photo is decoded and written anew as JPEG: what is stored is an image and nothing else, and
the place and device recorded inside the original are gone.
"""

from __future__ import annotations

import io
import re
import secrets
import warnings
from pathlib import Path

from PIL import Image, ImageOps

from dispatch.desk.api_errors import ApiError

_NAME = re.compile(r"^[A-Za-z0-9_-]{43}\.jpg$")
_LONGEST_SIDE = 2048
_FORMATS = ("JPEG", "PNG", "WEBP")


class MediaShelf:
    """Keeps uploaded photos in one directory under names that cannot be guessed."""

    def __init__(self, directory: Path, max_bytes: int, max_pixels: int) -> None:
        self._directory = directory
        self._max_bytes = max_bytes
        self._max_pixels = max_pixels

    def keep(self, data: bytes) -> str:
        """Store a photo and return its file name.

        Raises:
            ApiError: 413 when it has too many bytes or pixels, 400 when it is no JPEG, PNG or
                WebP image.
        """
        if len(data) > self._max_bytes:
            raise ApiError(413, f"media is larger than {self._max_bytes} bytes")
        encoded = self._encode(data)
        name = f"{secrets.token_urlsafe(32)}.jpg"
        self._directory.mkdir(parents=True, exist_ok=True)
        (self._directory / name).write_bytes(encoded)
        return name

    def discard(self, name: str) -> None:
        """Remove a stored photo again; an unknown name is no matter."""
        path = self.find(name)
        if path is not None:
            path.unlink(missing_ok=True)

    def find(self, name: str) -> Path | None:
        """Return the stored photo's path, ``None`` for a name that is not one of ours."""
        if not _NAME.match(name):
            return None
        path = self._directory / name
        return path if path.is_file() else None

    def _encode(self, data: bytes) -> bytes:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", Image.DecompressionBombWarning)
                with Image.open(io.BytesIO(data), formats=_FORMATS) as opened:
                    if opened.width * opened.height > self._max_pixels:
                        raise ApiError(413, f"media has more than {self._max_pixels} pixels")
                    photo = ImageOps.exif_transpose(opened).convert("RGB")
        except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
            raise ApiError(400, "media is not a JPEG, PNG or WebP image") from error
        photo.thumbnail((_LONGEST_SIDE, _LONGEST_SIDE))
        out = io.BytesIO()
        photo.save(out, "JPEG", quality=85)
        return out.getvalue()

"""Whether bytes from elsewhere are a photo."""

from __future__ import annotations

import io
import warnings

from PIL import Image

PHOTO_TYPES = {"JPEG": "image/jpeg", "PNG": "image/png", "WEBP": "image/webp"}
"""Formats that are taken, by Pillow's name."""


def decodes_as_photo(data: bytes, max_pixels: int) -> str | None:
    """Return the content type of a photo that decodes to its last pixel, else None.

    None also for more than ``max_pixels`` and for formats other than JPEG, PNG and WebP.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what Pillow finds odd is decided here
        try:
            with Image.open(io.BytesIO(data), formats=list(PHOTO_TYPES)) as image:
                if image.width * image.height > max_pixels:
                    return None
                image.load()
                return PHOTO_TYPES[str(image.format)]
        except Exception:  # a third-party parser on a stranger's bytes
            return None

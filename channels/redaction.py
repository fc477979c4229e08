"""Finding faces and number plates in a photo, and making them unrecognisable.

The finder here needs nothing but OpenCV. A city with a stronger one names it in
``SHIMIN_REGION_FINDER`` (``package.module:function``, a :class:`RegionFinder`). What it finds
and misses is measured in docs/photos.md.
"""

from __future__ import annotations

import pkgutil
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Protocol

import cv2
import cv2.data
import numpy as np
from cv2.typing import MatLike

from base.errors import ConfigurationError

Pixels = MatLike
"""A picture as OpenCV has it: (height, width, 3), blue, green, red."""

MARGIN = 0.2  # of a region, hidden with it on each side
_CELLS = 2  # along the longer side of what is hidden
_SHADES = 64  # step between the shades a cell may have

_FACES = ("frontalface_alt2", "profileface")
_PLATES = ("russian_plate_number",)
_FACE_PICTURE = 1440  # longest side of the picture faces are looked for in
_LEAST_FACE = 24
_CASCADES = threading.Lock()  # OpenCV's cascades are not safe to share between threads


@dataclass(frozen=True)
class Region:
    """An upright rectangle in pixels, from the upper left corner."""

    left: int
    top: int
    width: int
    height: int


class RegionFinder(Protocol):
    """Tells where faces and number plates are."""

    def __call__(self, picture: Pixels) -> list[Region]:
        """Return the regions to hide; they may overlap."""


def load_finder(name: str) -> RegionFinder:
    """Return the finder called ``package.module:function``.

    Raises:
        ConfigurationError: there is no such function.
    """
    try:
        found = pkgutil.resolve_name(name)
    except (ImportError, AttributeError, ValueError) as error:
        raise ConfigurationError(f"SHIMIN_REGION_FINDER {name!r}: {error}") from error
    if not callable(found):
        raise ConfigurationError(f"SHIMIN_REGION_FINDER {name!r} is no function")
    finder: RegionFinder = found
    return finder


def private_regions(picture: Pixels) -> list[Region]:
    """Find faces and number plates."""
    return [*find_faces(picture), *find_plates(picture)]


def find_faces(picture: Pixels) -> list[Region]:
    """Find faces from the front and from both sides (OpenCV's Haar cascades)."""
    with _CASCADES:
        return list(_faces(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY)))


def find_plates(picture: Pixels) -> list[Region]:
    """Find number plates: a cascade for foreign ones; colour, shape and characters for ours."""
    grey = cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY)
    with _CASCADES:
        return [*_plates_by_cascade(grey), *_plates_by_colour(picture, grey)]


def hide(picture: Pixels, region: Region) -> None:
    """Make a region and its margin unrecognisable, in place.

    What is left are at most 4 cells in 4 shades a channel, blurred: far less than a face or
    the characters of a plate need, and nothing that could be computed back.
    """
    height, width = picture.shape[:2]
    across, down = round(region.width * MARGIN), round(region.height * MARGIN)
    left, top = max(0, region.left - across), max(0, region.top - down)
    right = min(width, region.left + region.width + across)
    bottom = min(height, region.top + region.height + down)
    if right <= left or bottom <= top:
        return
    part = picture[top:bottom, left:right]
    longest = max(part.shape[:2])
    cells = [max(1, round(_CELLS * side / longest)) for side in (right - left, bottom - top)]
    coarse = cv2.resize(part, cells, interpolation=cv2.INTER_AREA)
    coarse = coarse // _SHADES * _SHADES + _SHADES // 2
    blocks = cv2.resize(coarse, (right - left, bottom - top), interpolation=cv2.INTER_NEAREST)
    part[:] = cv2.GaussianBlur(blocks, (0, 0), max(1.0, longest / _CELLS / 4))


# --- cascades ---------------------------------------------------------------------------


@lru_cache
def _cascade(name: str) -> Any:
    path = f"{cv2.data.haarcascades}haarcascade_{name}.xml"
    return cv2.CascadeClassifier(path)


def _faces(grey: MatLike) -> Iterator[Region]:
    """Faces from the front, and from either side: that cascade knows one side only."""
    scale = max(1.0, max(grey.shape) / _FACE_PICTURE)
    size = (round(grey.shape[1] / scale), round(grey.shape[0] / scale))
    small = cv2.resize(grey, size, interpolation=cv2.INTER_AREA)
    least = (_LEAST_FACE, _LEAST_FACE)
    found = [face for name in _FACES for face in _detect(name, small, least)]
    for left, top, width, height in _detect("profileface", cv2.flip(small, 1), least):
        found.append((size[0] - left - width, top, width, height))
    for face in found:
        yield Region(*(round(scale * number) for number in face))


def _plates_by_cascade(grey: MatLike) -> Iterator[Region]:
    for name in _PLATES:
        for plate in _detect(name, grey, (48, 16)):
            yield Region(*plate)


def _detect(name: str, grey: MatLike, least: tuple[int, int]) -> list[tuple[int, int, int, int]]:
    found = _cascade(name).detectMultiScale(grey, 1.15, 3, minSize=least)
    return [(int(x), int(y), int(width), int(height)) for x, y, width, height in found]


# --- Chinese plates ---------------------------------------------------------------------

# GA 36-2018: white on blue and black on yellow 440 x 140 mm (rear of trucks 440 x 220), black on
# green 480 x 140. Hue 0-179, saturation and value 0-255; True where the characters are light.
_COLOURS = (
    ((98, 90, 40), (126, 255, 255), True),  # blue
    ((14, 90, 70), (34, 255, 255), False),  # yellow
    ((36, 30, 60), (90, 255, 255), False),  # green
)
_LEAST_WIDTH = 28  # narrower plates have no readable characters
_GAPS = (1, 5, 15)  # pixels between parts of a plate that belong together
_SCALES = (1, 2, 4)  # the picture as it is, half and quarter: small and large plates
_STROKES = (7, 13)  # pixels: wider than the strokes of a character
_LEAST_STROKE = 24  # shades between a character and its plate


def _plates_by_colour(picture: Pixels, grey: MatLike) -> Iterator[Region]:
    hsv = cv2.cvtColor(picture, cv2.COLOR_BGR2HSV)
    for low, high, light in _COLOURS:
        mask = cv2.inRange(hsv, np.array(low), np.array(high))
        for candidate in (*_coloured_shapes(mask), *_lines_of_text(mask, grey, light)):
            if _has_characters(grey, candidate):
                yield candidate


def _coloured_shapes(mask: MatLike) -> Iterator[Region]:
    """Full rectangles of one colour, seen from any side, with a plate's proportions."""
    for gap in _GAPS:
        kernel = cv2.getStructuringElement(cv2.MORPH_RECT, (gap, max(1, gap // 2)))
        joined = cv2.morphologyEx(mask, cv2.MORPH_CLOSE, kernel)
        outlines, _ = cv2.findContours(joined, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
        for outline in outlines:
            left, top, width, height = cv2.boundingRect(outline)
            if not _LEAST_WIDTH <= width <= mask.shape[1] // 2:
                continue
            _, sides, _ = cv2.minAreaRect(outline)
            shorter, longer = sorted(sides)
            if shorter < 8 or not 1.5 <= longer / shorter <= 6:
                continue
            if cv2.contourArea(outline) > 0.6 * shorter * longer:
                yield Region(left, top, width, height)


def _lines_of_text(mask: MatLike, grey: MatLike, light: bool) -> Iterator[Region]:
    """Rows of strokes on the colour, where what is around the plate has the same colour."""
    way = cv2.MORPH_TOPHAT if light else cv2.MORPH_BLACKHAT
    for scale in _SCALES:
        size = (grey.shape[1] // scale, grey.shape[0] // scale)
        if min(size) < max(_STROKES):
            return
        small_grey = cv2.resize(grey, size, interpolation=cv2.INTER_AREA)
        small_mask = cv2.resize(mask, size, interpolation=cv2.INTER_NEAREST)
        for stroke in _STROKES:
            square = cv2.getStructuringElement(cv2.MORPH_RECT, (stroke, stroke))
            contrast = cv2.morphologyEx(small_grey, way, square)
            _, strokes = cv2.threshold(contrast, _LEAST_STROKE, 255, cv2.THRESH_BINARY)
            strokes = cv2.bitwise_and(strokes, cv2.dilate(small_mask, square))
            for row in _rows(strokes, small_mask, stroke):
                yield Region(*(scale * number for number in row))


def _rows(strokes: MatLike, mask: MatLike, stroke: int) -> Iterator[tuple[int, int, int, int]]:
    """Join strokes that stand side by side; left, top, width, height of what may be a plate."""
    line = cv2.getStructuringElement(cv2.MORPH_RECT, (stroke, max(1, stroke // 7)))
    joined = cv2.morphologyEx(strokes, cv2.MORPH_CLOSE, line)
    outlines, _ = cv2.findContours(joined, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    for outline in outlines:
        left, top, width, height = cv2.boundingRect(outline)
        if not _LEAST_WIDTH <= width <= mask.shape[1] // 2 or not 2.2 <= width / height <= 9:
            continue
        if stroke > 2 * height:
            continue
        around = round(height * 0.3)
        first = max(0, top - around)
        inside = mask[first : top + height + around, left : left + width]
        if np.count_nonzero(inside) > 0.35 * inside.size:
            yield left, first, width, inside.shape[0]


def _has_characters(grey: MatLike, region: Region) -> bool:
    """Tell whether the middle rows change between dark and light as often as text does."""
    plate = grey[region.top : region.top + region.height, region.left : region.left + region.width]
    small = cv2.resize(plate, (96, 32), interpolation=cv2.INTER_AREA)
    middle = small[10:22, 6:90].astype(np.int16)
    if np.ptp(middle) < _LEAST_STROKE:
        return False
    light = middle > (int(middle.max()) + int(middle.min())) // 2
    changes = np.count_nonzero(light[:, 1:] != light[:, :-1], axis=1)
    return bool(np.median(changes) >= 6)

"""Composed test pictures: drawn number plates and given faces, put into real photos.

Written for Shimin's sample city; not copied from any corpus. The plates follow the proportions
and colours of GA 36-2018 (no real plate is shown; characters are drawn at random).
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

Pixels = NDArray[np.uint8]

PROVINCES = "京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼"
LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ"
DIGITS = "0123456789"
FONTS = (
    "/usr/share/fonts/opentype/noto/NotoSansCJK-Bold.ttc",
    "/usr/share/fonts/opentype/noto/NotoSerifCJK-Bold.ttc",
)
KINDS = ("blue", "yellow", "green")


@dataclass(frozen=True)
class Placed:
    """A picture (blue, green, red) and where the object lies: left, top, width, height."""

    picture: Pixels
    box: tuple[int, int, int, int]


def font(size: int) -> ImageFont.FreeTypeFont:
    """Return a font with Chinese characters.

    Raises:
        FileNotFoundError: none of :data:`FONTS` is installed.
    """
    for path in FONTS:
        if Path(path).is_file():
            return ImageFont.truetype(path, size)
    raise FileNotFoundError("no CJK font: install fonts-noto-cjk")


def draw_plate(kind: str, chance: random.Random) -> Pixels:
    """Draw a plate of ``kind`` (blue, yellow, green), 1 pixel a millimetre."""
    width, count = (480, 6) if kind == "green" else (440, 5)
    plate = Image.new("RGB", (width, 140))
    draw = ImageDraw.Draw(plate)
    if kind == "green":
        for row in range(140):
            part = min(1.0, row / 90)
            shade = tuple(round(235 + (b - 235) * part) for b in (70, 200, 110))
            draw.line([(0, row), (width, row)], fill=shade)  # type: ignore[arg-type]
    else:
        draw.rectangle((0, 0, width, 140), (20, 60, 175) if kind == "blue" else (235, 175, 20))
    ink = (245, 245, 245) if kind == "blue" else (15, 15, 15)
    draw.rounded_rectangle((4, 4, width - 5, 135), 10, outline=ink, width=3)
    text = chance.choice(PROVINCES) + chance.choice(LETTERS)
    text += "".join(chance.choice(DIGITS + LETTERS) for _ in range(count))
    step = (width - 30 - 20) / len(text)
    for number, char in enumerate(text):
        left = 15 + number * step + (20 if number > 1 else 0)
        draw.text((left + step / 2, 70), char, ink, font(84), anchor="mm")
    draw.ellipse((15 + 2 * step + 5, 63, 15 + 2 * step + 17, 75), ink)
    return np.asarray(plate)[:, :, ::-1].copy()


def place(
    thing: Pixels, background: Pixels, width: int, chance: random.Random, tilt: float = 0.12
) -> Placed:
    """Put ``thing``, ``width`` pixels wide, somewhere into ``background``, as a camera sees it.

    Seen from an angle (corners move by up to ``tilt`` of a side), darker or lighter, out of
    focus, with noise, and saved as JPEG.
    """
    high, wide = thing.shape[:2]
    height = round(width * high / wide)
    top = chance.randrange(background.shape[0] - height)
    left = chance.randrange(background.shape[1] - width)
    corners = np.float32([[0, 0], [wide, 0], [wide, high], [0, high]])
    goal = np.float32([[0, 0], [width, 0], [width, height], [0, height]])
    shift = [[chance.uniform(-tilt, tilt) * height for _ in "xy"] for _ in range(4)]
    goal = goal + np.float32(shift) + np.float32([left, top])
    matrix = cv2.getPerspectiveTransform(corners, goal.astype(np.float32))
    size = (background.shape[1], background.shape[0])
    seen = cv2.warpPerspective(thing, matrix, size, flags=cv2.INTER_AREA)
    alpha = cv2.warpPerspective(np.full(thing.shape, 255, np.uint8), matrix, size) / 255.0
    picture = background * (1 - alpha) + seen * chance.uniform(0.55, 1.15) * alpha
    picture = cv2.GaussianBlur(np.clip(picture, 0, 255), (0, 0), chance.uniform(0.3, 1.2))
    noise = np.random.default_rng(chance.randrange(2**32)).normal(0, 4, picture.shape)
    bounds = cv2.boundingRect(goal.astype(np.float32))
    return Placed(_saved(np.clip(picture + noise, 0, 255).astype(np.uint8), chance), bounds)


def _saved(picture: Pixels, chance: random.Random) -> Pixels:
    quality = [cv2.IMWRITE_JPEG_QUALITY, chance.choice((70, 80, 90))]
    _, data = cv2.imencode(".jpg", picture, quality)
    return cv2.imdecode(data, cv2.IMREAD_COLOR)


def covered(box: tuple[int, int, int, int], regions: list[tuple[int, int, int, int]]) -> float:
    """Return the part (0 to 1) of ``box`` that lies in any of ``regions``."""
    left, top, width, height = box
    mask = np.zeros((height, width), bool)
    for x, y, w, h in regions:
        mask[max(0, y - top) : max(0, y + h - top), max(0, x - left) : max(0, x + w - left)] = True
    return float(mask.mean())

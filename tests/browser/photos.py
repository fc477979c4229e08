"""Photos to attach: real JPEG files, drawn so that they look like a phone's evening snapshot."""

from __future__ import annotations

import random
from functools import cache
from io import BytesIO

from PIL import Image, ImageDraw, ImageFilter

WIDTH, HEIGHT = 1280, 960


@cache
def kitchen_smoke(seed: int = 7) -> bytes:
    """Return a JPEG of a restaurant's back wall at dusk with smoke out of its exhaust pipe."""
    chance = random.Random(seed)
    scene = _dusk()
    draw = ImageDraw.Draw(scene)
    _wall(draw, chance)
    scene = Image.composite(
        Image.new("RGB", scene.size, (206, 202, 194)), scene, _smoke(chance, (905, 330))
    )
    noise = Image.effect_noise(scene.size, 26).convert("RGB")
    scene = Image.blend(scene.filter(ImageFilter.GaussianBlur(1.4)), noise, 0.05)
    stream = BytesIO()
    scene.save(stream, "JPEG", quality=88)
    return stream.getvalue()


def too_large(limit: int = 10 * 1024 * 1024) -> bytes:
    """Return a valid JPEG file that is longer than ``limit`` bytes."""
    jpeg = kitchen_smoke()
    return jpeg + bytes(limit + 1 - len(jpeg))


def _dusk() -> Image.Image:
    """Return the evening sky, dark above and warm towards the street."""
    scene = Image.new("RGB", (WIDTH, HEIGHT))
    draw = ImageDraw.Draw(scene)
    for y in range(HEIGHT):
        low = y / HEIGHT
        draw.line(
            [(0, y), (WIDTH, y)],
            (int(44 + 122 * low), int(58 + 66 * low), int(88 + 14 * low)),
        )
    return scene


def _wall(draw: ImageDraw.ImageDraw, chance: random.Random) -> None:
    """Draw the houses, their windows, the pipe and the lit shop front."""
    draw.rectangle([0, 90, 690, HEIGHT], (92, 82, 76))
    draw.rectangle([700, 470, WIDTH, HEIGHT], (112, 92, 78))
    for row in range(6):
        for column in range(4):
            left, top = 50 + column * 160, 140 + row * 125
            lit = chance.random() < 0.55
            glass = (250, 214, 138) if lit else (52, 60, 74)
            draw.rectangle([left - 6, top - 6, left + 106, top + 86], (66, 60, 58))
            draw.rectangle([left, top, left + 100, top + 80], glass)
            draw.line([(left + 50, top), (left + 50, top + 80)], (66, 60, 58), 6)
    draw.rectangle([870, 350, 940, 640], (150, 152, 154))
    draw.rectangle([856, 330, 954, 372], (176, 178, 180))
    draw.rectangle([720, 640, WIDTH, 700], (176, 44, 32))
    draw.rectangle([740, 716, 1250, 930], (255, 206, 120))
    for post in range(4):
        draw.rectangle([740 + post * 166, 716, 752 + post * 166, 930], (94, 60, 40))


def _smoke(chance: random.Random, mouth: tuple[int, int]) -> Image.Image:
    """Return the opacity of the smoke that drifts from the pipe's mouth to the windows."""
    mask = Image.new("L", (WIDTH, HEIGHT), 0)
    draw = ImageDraw.Draw(mask)
    for step in range(120):
        way = step / 120
        x = mouth[0] - 620 * way + chance.uniform(-30, 30) * (1 + 2 * way)
        y = mouth[1] - 210 * way**0.7 + chance.uniform(-26, 26) * (1 + 2 * way)
        size = 34 + 110 * way * chance.uniform(0.7, 1.2)
        draw.ellipse([x - size, y - size, x + size, y + size], int(190 * (1 - 0.75 * way)))
    return mask.filter(ImageFilter.GaussianBlur(34))

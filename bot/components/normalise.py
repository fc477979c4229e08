"""Text clean-up that keeps track of where every character came from.

Citizens write full-width digits, traditional characters and spoken fillers. Each step maps
a list of ``(character, index in the original)`` to another such list, so that entity spans
annotated on the original text can be carried over to the normalised text.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Callable

Aligned = list[tuple[str, int]]

# Sounds people make while they think. Only whole ones at a pause or an end are dropped:
# "那个" inside "那个工地" carries meaning and stays.
_FILLER = re.compile(
    r"(?:^|(?<=[，。！？,.!?、…\s]))"
    r"(?:(?:嗯+|呃+|额+|唔+|哎呀?|诶|喂+|就是说|那个那个|这个这个|怎么说呢)[，,、。…\s]*)+"
)
_REPEATED_MARK = re.compile(r"([，。！？、,.!?~～…])\1+")
_SPACE = re.compile(r"\s+")
_HAN_SPACE = re.compile(r"(?<=[一-鿿])\s+(?=[一-鿿])")


@dataclass(frozen=True)
class Normalised:
    """Normalised ``text``; ``origin[i]`` is the index in the source of character ``i``."""

    text: str
    origin: tuple[int, ...]

    def span(self, start: int, end: int) -> tuple[int, int] | None:
        """Carry the half-open source span over; None when none of its characters is left."""
        kept = [i for i, source in enumerate(self.origin) if start <= source < end]
        return (kept[0], kept[-1] + 1) if kept else None


@lru_cache(maxsize=1)
def _converter() -> Any:
    from opencc import OpenCC  # noqa: PLC0415 - loads dictionaries

    return OpenCC("t2s")


def _half_width(char: str) -> str:
    """Full-width ASCII letters and digits to half-width; punctuation stays Chinese."""
    code = ord(char)
    if 0xFF01 <= code <= 0xFF5E:
        plain = chr(code - 0xFEE0)
        return plain if plain.isalnum() else char
    return " " if code == 0x3000 else char


def _simplify(aligned: Aligned) -> Aligned:
    text = "".join(char for char, _ in aligned)
    simplified: str = _converter().convert(text)
    if len(simplified) != len(text):
        simplified = "".join(_converter().convert(char)[:1] or char for char in text)
    return [(new, index) for new, (_, index) in zip(simplified, aligned)]


def _drop(
    aligned: Aligned, pattern: re.Pattern[str], keep: Callable[[re.Match[str]], int]
) -> Aligned:
    """Remove every match but its first ``keep(match)`` characters."""
    text = "".join(char for char, _ in aligned)
    gone: set[int] = set()
    for match in pattern.finditer(text):
        gone.update(range(match.start() + keep(match), match.end()))
    return [pair for i, pair in enumerate(aligned) if i not in gone]


def normalise(text: str) -> Normalised:
    """Return ``text`` in simplified, half-width form without fillers and doubled marks.

    A message that is nothing but fillers is returned with its spaces collapsed only, so that
    a non-empty message never becomes empty.
    """
    aligned: Aligned = [(_half_width(char), i) for i, char in enumerate(text)]
    aligned = _simplify(aligned)
    aligned = _drop(aligned, _HAN_SPACE, lambda _: 0)
    aligned = _drop(aligned, _SPACE, lambda _: 1)
    spoken = _drop(aligned, _FILLER, lambda _: 0)
    chosen = spoken if any(not char.isspace() for char, _ in spoken) else aligned
    chosen = _drop(chosen, _REPEATED_MARK, lambda _: 1)
    while chosen and chosen[0][0].isspace():
        chosen = chosen[1:]
    while chosen and chosen[-1][0].isspace():
        chosen = chosen[:-1]
    return Normalised("".join(c for c, _ in chosen), tuple(i for _, i in chosen))

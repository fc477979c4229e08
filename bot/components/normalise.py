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

# Sounds people make while they think. 嗯, 呃 and 唔 belong to no word and go wherever they stand;
# the rest only at a pause or an end, or in front of the person who speaks: "那个" inside
# "那个工地" carries meaning and stays, "那个我想问" does not.
_HESITATION = re.compile(r"[嗯呃唔]+[，,、。…\s]*")
_FILLER = re.compile(
    r"(?:^|(?<=[，。！？,.!?、…\s]))"
    r"(?:(?:额+|哎呀?|诶|欸|喂+|就是说|那什么|那个那个|这个这个|怎么说呢)[，,、。…\s]*"
    r"|(?:那个|这个|就是|啊)(?:[，,、。…\s]+|(?=我[想要们家来的]|咱|请问|麻烦|你好|您好|嗯|呃)))+"
)
# Said twice by a speaker who starts again; 看看, 研究研究 are words and stay.
_STUTTER = re.compile(r"([我你您他她这那就想要不])(?=\1{2})|([我您这那就])(?=\2)")
_RESTART = re.compile(r"((?:我|你|您|那个|这个|就是|请问|怎么|什么)[一-鿿]{0,4}?)(?=\1)")
_SPOKEN_DIGITS = dict(zip("零〇一二三四五六七八九幺", "001234567891"))
# A run of bare digit words is a number read out: a year, a telephone, a ticket. Runs without a
# zero or 幺 count from five on (三三两两, 七七八八 are words), years by the 年 behind them.
_DIGIT_RUN = re.compile(
    r"[一二三四五六七八九零〇幺]{4}(?=年)|[零〇一二三四五六七八九幺]{5,}(?![十百千万])"
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


def _digits(aligned: Aligned) -> Aligned:
    """Write numbers that were read out digit by digit in digits."""
    text = "".join(char for char, _ in aligned)
    read_out = {i for run in _DIGIT_RUN.finditer(text) for i in range(*run.span())}
    return [
        (_SPOKEN_DIGITS[char] if i in read_out else char, index)
        for i, (char, index) in enumerate(aligned)
    ]


def normalise(text: str) -> Normalised:
    """Return ``text`` simplified, half-width, without fillers, stutters and doubled marks.

    Numbers read out digit by digit (二零二一年, 幺三八…) come out in digits.

    A message that is nothing but fillers is returned with its spaces collapsed only, so that
    a non-empty message never becomes empty.
    """
    aligned: Aligned = [(_half_width(char), i) for i, char in enumerate(text)]
    aligned = _simplify(aligned)
    aligned = _drop(aligned, _HAN_SPACE, lambda _: 0)
    aligned = _drop(aligned, _SPACE, lambda _: 1)
    spoken = aligned
    for pattern in (_HESITATION, _STUTTER, _FILLER, _RESTART):
        spoken = _drop(spoken, pattern, lambda _: 0)
    chosen = _digits(spoken if any(char.isalnum() for char, _ in spoken) else aligned)
    chosen = _drop(chosen, _REPEATED_MARK, lambda _: 1)
    while chosen and chosen[0][0].isspace():
        chosen = chosen[1:]
    while chosen and chosen[-1][0].isspace():
        chosen = chosen[:-1]
    return Normalised("".join(c for c, _ in chosen), tuple(i for _, i in chosen))

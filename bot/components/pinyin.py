"""Syllables of Chinese characters, with the confusions of accents and recognisers folded.

Mandarin as it is spoken across the country merges sounds the standard keeps apart: flat and
retroflex initials (z/zh, c/ch, s/sh), n/l, f/h, r/l, and front and back nasals (an/ang, en/eng,
in/ing). A recogniser writes the wrong one with a straight face. :func:`fold` maps a syllable to
its class, so that two words can be compared by how they may be heard. The list is that of the
fuzzy-pinyin options of Chinese input methods (模糊音).
"""

from __future__ import annotations

import re
from functools import lru_cache

from pypinyin import Style, pinyin

_RETROFLEX = re.compile(r"^([zcs])h")
_LIQUID = re.compile(r"^[nr](?=.)")
_LABIAL = re.compile(r"^f(?!u$)")
_NASAL = re.compile(r"(?<=[aei])ng$")


@lru_cache(maxsize=40_000)
def readings(char: str) -> tuple[str, ...]:
    """Return the toneless readings of one character, commonest first; the character itself if none.

    Args:
        char: one character.
    """
    found = pinyin(char, style=Style.NORMAL, heteronym=True)
    return tuple(dict.fromkeys(found[0])) if found else (char,)


@lru_cache(maxsize=4_000)
def fold(syllable: str) -> str:
    """Return the class of a toneless syllable under accents: ``zhang`` and ``zan`` are one."""
    if not syllable.isascii() or not syllable.isalpha():
        return syllable
    folded = _RETROFLEX.sub(r"\1", syllable)
    folded = _LIQUID.sub("l", folded)
    folded = _LABIAL.sub("h", folded)
    return _NASAL.sub("n", folded)


def syllables(text: str) -> tuple[str, ...]:
    """Return the commonest folded syllable of every character that is no space or mark."""
    return tuple(fold(readings(char)[0]) for char in text if char.isalnum())

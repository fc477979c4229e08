"""How a transcript is written: simplified characters and Chinese marks."""

from __future__ import annotations

import re

from base.characters import simplified

_MARKS = str.maketrans({",": "，", "?": "？", "!": "！", ";": "；"})
_SPACE_BY_HAN = re.compile(r"(?<=[一-鿿，。？！；：])\s+|\s+(?=[一-鿿，。？！；：])")
_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")


def written(text: str) -> str:
    """Return a recogniser's words in simplified characters with Chinese marks."""
    text = _THOUSANDS.sub("", text.strip())
    text = simplified(text).translate(_MARKS)
    return _SPACE_BY_HAN.sub("", text)

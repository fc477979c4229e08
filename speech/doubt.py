"""Words nobody said: what recognisers invent for silence, noise and music.

Whisper was trained on subtitles. For a recording without speech it writes the closing credits of
a video, or one phrase over and over, and is sure of it: the log-probability does not tell
(Koenecke et al., *Careless Whisper*, FAccT 2024). Both can be told by their form.
"""

from __future__ import annotations

import re

_PHRASE_OVER_AND_OVER = re.compile(r"(\D{2,15}?)\1{3,}")
_SYLLABLE_OVER_AND_OVER = re.compile(r"([^\d\W])\1{5,}")
_BARE = re.compile(r"[\W_]+")
_CREDITS = re.compile(
    r"请不吝点赞|点赞订阅|明镜与点点|打赏支持|字幕(?:by|由|制作|志愿者|提供)|字幕组|amaraorg"
    r"|(?:感谢|谢谢)(?:大家|您)?(?:的)?(?:观看|收看|收听)$|中文字幕|索兰娅|杨茜茜|yoyo",
    re.IGNORECASE,
)


def is_invented(text: str) -> bool:
    """Tell whether a transcript is one phrase over and over, or the credits of a video."""
    bare = _BARE.sub("", text)
    if _CREDITS.search(bare):
        return True
    over = _PHRASE_OVER_AND_OVER.search(bare) or _SYLLABLE_OVER_AND_OVER.search(bare)
    return over is not None

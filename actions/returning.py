"""Words that speak of a matter of before: 刚才那个要多久, 还是说回刚才那个事, 继续."""

from __future__ import annotations

import re

__all__ = ["goes_back", "is_of_before", "takes_up_again"]

_JUST_NOW = re.compile(
    r"(刚才|刚刚|之前|前面|先前|上一个|前一个|上一件|前一件|第一个|原来)(那个|那件|说的|问的|的|事|那事)"
    r"|(说|聊|问)?回到?(刚才|之前|前面|上一)|返回上一"
)
"""Words for a matter spoken of before: 刚才那个要多久."""

_RETURN = re.compile(r"回到?|还是|上一|前一|第一|原来|返回")
"""With them, the matter before the present one: 还是说回刚才那个事."""

_LONGEST = 24
"""Longer words say more than to go on."""
_TAKES_UP = re.compile(
    r"(?:好|行|那|可以|我们?|咱们?|把|就|请|刚才|刚刚|上次|之前|没[报填说]完|的|那[个件条]|投诉|举报|[，,。！!\s])*"
    r"(?:继续|接着)(?:来|填|说|报|办|弄|写|反映|上报|投诉|举报|刚才|刚刚|上次|之前|那[个件条]|的|吧|啊|呀|了|[，,。！!\s])*"
)


def is_of_before(text: str) -> bool:
    """Whether ``text`` speaks of a matter that was spoken of before."""
    return bool(_JUST_NOW.search(text))


def goes_back(text: str) -> bool:
    """Whether ``text`` leaves the present matter for the one before it."""
    return is_of_before(text) and bool(_RETURN.search(text))


def takes_up_again(text: str) -> bool:
    """Whether ``text`` only says to go on with what was left open: 继续, 刚才的投诉接着报."""
    return len(text) <= _LONGEST and bool(_TAKES_UP.fullmatch(text))

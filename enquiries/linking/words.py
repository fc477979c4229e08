"""What a citizen means by a few words about linking his channels; nothing is guessed."""

from __future__ import annotations

import json
import re
import unicodedata
from dataclasses import dataclass
from enum import StrEnum

CODE_DIGITS = 8


class Wish(StrEnum):
    """What he wants; each is also the payload of a button, ``/`` before it."""

    CODE = "link_code"
    ENTER = "link_enter"
    CONFIRM = "link_confirm"
    DECLINE = "link_decline"
    STATUS = "link_status"
    LEAVE = "link_leave"
    REMOVE = "link_remove"


@dataclass(frozen=True)
class Said:
    """A wish; ``value`` is the digits of an entered code, or the identity to be removed."""

    wish: Wish
    value: str = ""


_LONGEST = 40
_POLITE = r"[，,。.！!？?~～\s了吧啦呢啊谢]*"
_LEAD = r"(?:我|请|麻烦|帮我|帮忙|给我|想|要|把|一下)*"
_OTHER = r"(?:其他|其它|别的|另一个|另外的?|多个|不同)的?(?:聊天)?(?:渠道|账号|平台)"
_CHINESE = str.maketrans("零〇幺一二两三四五六七八九", "0011223456789")
_DIGIT = "[0-9零〇幺一二两三四五六七八九]"
_ENTER = re.compile(
    rf"{_LEAD}(?:输入)?关联(?:码|代码)?(?:是|为)?[:\s]*({_DIGIT}(?:[\s-]*{_DIGIT}){{3,11}}){_POLITE}"
)
"""Four to twelve digits: one that is too short or too long is told so, “关联两个” is not a code."""
_WORDS = (
    (Wish.DECLINE, rf"(?:先|暂时)?(?:不|不要|不用|别|不想|不同意)关联{_POLITE}"),
    (Wish.CONFIRM, rf"(?:确认|确定|同意)关联{_POLITE}"),
    (
        Wish.LEAVE,
        rf"{_LEAD}(?:取消|解除|断开|解开)(?:渠道|账号|所有|全部|这个|本)?(?:的)?(?:渠道)?关联(?:渠道)?{_POLITE}",
    ),
    (
        Wish.STATUS,
        rf"{_LEAD}(?:(?:看|查|查看|看看|查查|查询)(?:我的)?(?:渠道)?关联(?:的?渠道|情况)?"
        rf"|我的(?:渠道)?关联(?:渠道|情况)?|(?:已经)?关联了(?:哪些|什么|几个)(?:渠道|账号)?){_POLITE}",
    ),
    (
        Wish.CODE,
        rf"{_LEAD}(?:(?:生成|获取|取|来|申请)?(?:一个|个)?关联码|(?:关联|绑定|连接)(?:一下)?{_OTHER}|渠道关联|关联渠道){_POLITE}",
    ),
)
_PATTERNS = tuple((wish, re.compile(pattern)) for wish, pattern in _WORDS)
_REMOVE = re.compile(rf"/{Wish.REMOVE}\s*(\{{.*\}})")


def payload(wish: Wish, **values: str) -> str:
    """Return what a button carries."""
    carried = json.dumps(values, ensure_ascii=False) if values else ""
    return f"/{wish}{carried}"


def read(text: str) -> Said | None:
    """Return what a button or a few words say about linking; None when they are about else.

    Full-width and Chinese digits, spaces and hyphens in a code are understood.
    """
    if text.startswith("/"):
        return _pressed(text)
    if len(text) > _LONGEST:
        return None
    said = unicodedata.normalize("NFKC", text).strip()
    if entered := _ENTER.fullmatch(said):
        digits = re.sub(r"[\s-]", "", entered[1].translate(_CHINESE))
        return Said(Wish.ENTER, digits)
    found = (wish for wish, pattern in _PATTERNS if pattern.fullmatch(said))
    wish = next(found, None)
    return None if wish is None else Said(wish)


def _pressed(text: str) -> Said | None:
    name = text[1:]
    if name in set(Wish) - {Wish.ENTER, Wish.REMOVE}:
        return Said(Wish(name))
    carried = _REMOVE.fullmatch(text)
    if carried is None:
        return None
    try:
        number = json.loads(carried[1]).get("number")
    except (ValueError, RecursionError):
        return None
    valid = isinstance(number, str) and re.fullmatch(r"[1-9][0-9]{0,8}", number)
    return Said(Wish.REMOVE, number) if valid else None

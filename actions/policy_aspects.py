"""What is asked of a policy, and which one of a list: 第二个要什么材料."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from typing import Literal

__all__ = ["Aspect", "aspect_of", "in_list"]

Aspect = Literal["amount", "window", "materials", "apply", "conditions", "verdict"]
"""What is told of a policy; the verdict of what is known is never asked for by itself."""

_ASKS: dict[Aspect, re.Pattern[str]] = {
    "materials": re.compile(
        r"(?:什么|啥|哪些|几样)(?:材料|证件|资料|东西|手续)"
        r"|(?:材料|证件|资料|手续)(?:都|要|有|是)*(?:什么|啥|哪些)|(?:带|准备|交)(?:点|些)?(?:什么|啥|哪些)"
    ),
    "window": re.compile(r"截止|截至|到期|过期|期限|什么时候|啥时候|哪天|几号|几月|多久"),
    "conditions": re.compile(r"条件|资格|符合|要求|够不够格|(?:什么|哪些|啥)(?:样的)?人"),
    "amount": re.compile(r"多少|标准|金额|几块|几百|几千"),
    "apply": re.compile(r"怎么|怎样|如何|咋|在哪|去哪|到哪|哪里|哪儿|流程|步骤|网上"),
}
"""The first that fits is what was asked."""

_LONGEST = 24
"""Longer words tell a story of their own."""
_DIGITS = "一二三四五六七八九十"
_ORDINAL = re.compile(
    r"(?:那么?|请问|问|我?想|我?要|知道|了解|看看?|说说?|讲讲?|介绍|详细|具体|一下|再|就|上面|里面|刚才|的)*"
    r"(?:第\s*(?P<number>[一二三四五六七八九十]|\d{1,2})|(?P<first>头一)|(?P<last>最后一?))\s*[个项条种]"
    r"(?:的|政策|补贴|补助|津贴|奖励)*(?P<asked>.*)"
)
_ASKED = re.compile(
    r"(?:怎么|怎样|如何|咋|在|去|到|哪里|哪儿|哪些|哪天|哪|网上|线上|能不能|可不可以|能|可以|得|申请|申领|申报|"
    r"办理|办|领取|领|拿|报|流程|步骤|手续|地址|电话|要|需要|都|带|准备|交|提交|什么|啥|材料|证件|资料|东西|"
    r"截止|截至|时候|日期|时间|期限|几号|几月|多久|过期|到期|为止|结束|开始|给|补|发|多少|钱|金额|标准|有|"
    r"条件|资格|要求|符不符合|符合|够不够格|我|详细|具体|说说|讲讲|介绍|内容|情况|看看|一下|是|呢|吧|吗|啊|呀|嘛|的"
    r"|[，,。.！!？?\s])*"
)
"""Nothing but a question about a policy: 第一个孩子上户口 is about a child."""

_BARE = re.compile(
    r"(?:那|就|要|选|我)*(?:第.+|头一|最后一?)[个项条种](?:的|呢|吧|啊|[，,。.！!？?\s])*"
)


def aspect_of(text: str) -> Aspect:
    """Return what is asked of a policy; what one gets, when nothing else is."""
    return next((aspect for aspect, words in _ASKS.items() if words.search(text)), "amount")


def in_list(text: str, shown: Sequence[str], *, bare: bool = True) -> str | None:
    """Return the one of ``shown`` that ``text`` asks about by its place in the list.

    None for any other words, and for a place that the list does not have. ``bare`` tells
    whether the place alone (第二个) is a question, too.
    """
    text = unicodedata.normalize("NFKC", text).strip()
    said = _ORDINAL.fullmatch(text) if shown and len(text) <= _LONGEST else None
    if said is None or not _ASKED.fullmatch(said["asked"]):
        return None
    if not bare and _BARE.fullmatch(text):
        return None
    if said["last"]:
        return shown[-1]
    number = "1" if said["first"] else said["number"]
    place = _DIGITS.index(number) + 1 if number in _DIGITS else int(number)
    return shown[place - 1] if 1 <= place <= len(shown) else None

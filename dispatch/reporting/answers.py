"""Short answers to what a draft has open, typed instead of pressed.

Whatever the model takes such a sentence for (不留了 looks like a wish to cancel), it answers the
question on the table.
"""

from __future__ import annotations

import re
from typing import Literal

from dispatch.reporting.contact import offers, refuses, take_contact
from dispatch.reporting.draft import Draft, Heard

Answer = Literal[
    "photo_place",
    "named_place",
    "neither_place",
    "split",
    "together",
    "anonymous",
    "leave_phone",
    "phone",
    "nothing_more",
]
_LONGEST = 16
_PHOTO = re.compile(
    r"(?<!不要)(?<!不按)(?<!不是)(?<!别按)(?:照片|图片|相片|图上|拍的|拍照|前一个|前者)"
)
_NAMED = re.compile(r"我(?:刚才|后来)?(?:说|发|讲|填|写|打|报)的|文字|后一个|后者|定位")
_NEITHER = re.compile(r"都不|两个都错|全错|重新说|重说")
_TOGETHER = re.compile(
    r"提交|确认|合(?:成|并|在|到|起|一)|一起|一块|(?:不用|不要|不|别|甭)(?:分|拆)|(?:算|报|按|写)?一件(?!一件)"
)
_SPLIT = re.compile(r"分开|分(?:成)?[两三][件条个]|分别|拆开|一[件个条]一[件个条]|各报")
_YES = r"(?:好|行|对|是|嗯|可以|没错|没问题)的?"
_MEDIA = r"(?:照片|图片?|相片|视频|录像)"
_NO_MORE = (
    r"(?:就|只)(?:是|有)?这(?:些|样|么多|个|点)(?:内容|情况|问题)?"
    rf"|(?:没有?|无)(?:别的|其[他它]|更多)?的?(?:{_MEDIA}|(?:要|可|需要)(?:补充|加|说)的?|补充的?)"
    r"|(?:没有?|无)(?:别的|其[他它])的?(?:问题|情况|内容|事)?"
    rf"|没有?拍照?(?:到|下)?{_MEDIA}?|{_MEDIA}(?:也|就|都)?没有?"
    rf"|不(?:用|必|需要)?再?(?:补充|加)(?:什么|{_MEDIA})?"
)
_MARKS = r"[，,。.；;！!\s]"
_NOTHING_MORE = re.compile(
    rf"(?:{_YES}|那|{_MARKS})*"
    rf"(?:(?:(?:我|就|都|也|这边|暂时|目前|现在)*(?:{_NO_MORE})|没有?了)(?:了|啦|吧|啊|呢|哦)*{_MARKS}*)+"
    r"(?:(?:可以|直接|就|请|帮我|这样)*(?:提交|确认|上报|报)(?:了|啦|吧)*[。.！!]?)?"
)
"""Words that there is nothing to add: 就这些，没有照片. None of them may deny what was shown."""
_SAYS_PHOTO = re.compile(rf"{_MEDIA}|拍")
_ASKED_OTHERWISE = frozenset({"choose_category", "leave_phone", "what_is_wrong"})
"""Remarks of a draft after which something else than the go-ahead was asked."""
_HOLDS = re.compile(r"(?:按|以|用|听|信|照着?)(照片|图|相片|我)")


def direct_answer(draft: Draft, text: str) -> Answer | None:
    """Return what a short text answers; None when it has to be understood as a sentence."""
    if draft.contact_asked and take_contact(text, expected=True).contact:
        return "phone"
    text = text.strip()
    if not text or len(text) > _LONGEST:
        return None
    if draft.gap == "place" and draft.photo_place == "asked":
        return _about_photo(text)
    if draft.gap != "confirmed":
        return None
    if refuses(text) and (draft.contact or draft.contact_asked or "匿名" in text or "留" in text):
        return "anonymous"
    if offers(text):
        return "leave_phone"
    if draft.problems:
        return _about_problems(text)
    return "nothing_more" if _says_nothing_more(draft, text) else None


def pressed_answer(heard: Heard) -> Answer | None:
    """Return what a pressed button says that may as well be typed."""
    choices = heard.choices or {}
    if heard.intent == "choose_split":
        return "split" if choices.get("split") == "yes" else "together"
    if heard.intent == "change_contact":
        return "anonymous" if choices.get("contact") == "none" else "leave_phone"
    return None


def _about_photo(text: str) -> Answer | None:
    if _NEITHER.search(text):
        return "neither_place"
    photo, named = bool(_PHOTO.search(text)), bool(_NAMED.search(text))
    if photo and named:
        holds = _HOLDS.search(text)
        if holds is None:
            return None
        photo = holds.group(1) != "我"
    if not photo and not named:
        return None
    return "photo_place" if photo else "named_place"


def _says_nothing_more(draft: Draft, text: str) -> bool:
    """Tell whether a text agrees to the summary by adding nothing to it.

    Who says 没有照片 of a draft with photos sees another summary than ours.
    """
    if draft.contact_asked or _ASKED_OTHERWISE.intersection(draft.notes):
        return False
    if _SAYS_PHOTO.search(text) and (draft.photos or draft.videos):
        return False
    return _NOTHING_MORE.fullmatch(text) is not None


def wants_split(text: str) -> bool:
    """Tell whether words want several problems reported one by one: 分开报."""
    return _SPLIT.search(text) is not None


def _about_problems(text: str) -> Answer | None:
    if _TOGETHER.search(text):
        return "together"
    return "split" if wants_split(text) else None

"""Hears from a citizen's words which entries of his checklist he has dealt with."""

from __future__ import annotations

import re
from dataclasses import dataclass

from enquiries.checklists import Entry, Kind, Sheet
from matcher.lexical import normalise

__all__ = ["Heard", "hear_ticks"]

LONGEST = 30
"""Characters: longer messages tell of something else than a list."""

_DONE = re.compile(
    r"(?:都|也|已经|全|全部|现在|刚刚?)*(?:准备(?:好|齐)|备(?:好|齐)|带(?:好|上|齐)|拿(?:到|好)|找(?:到|好)|"
    r"开(?:好|到)|弄好|搞(?:定|好)|办(?:好|完|妥|下来)|做(?:好|完)|完成|填(?:好|完)|复印好|"
    r"齐(?:全)?|有|办)了(?:的|啊|呀|哦|哈|啦|嘞)?$"
)
_UNDONE = re.compile(
    r"(?:都|也|现在)*(?:还没(?:有)?(?:准备好?|备好|拿到|找到|办完?|开|弄|带|有)?|没(?:有|准备|找到|拿到|办)|"
    r"还差|找不(?:到|着)了?|不见了)(?:呢|的|啊)?$"
)
_ASKS = re.compile(
    r"[？?]|吗|么$|怎么|怎样|咋|哪|什么|啥|几|多少|多久|如何|能不能|可以不|要不要|是不是|谁|呢$"
)
_LEAD = re.compile(r"^(?:我的|我家的|我们的|我|那个|这个|孩子的|嗯|好的|对|哦|，|,)+")
_ALL = re.compile(
    r"^(?:所有的?|全部的?|全都?)?(?:材料|东西|资料|证件)(?:全部|全|都)*$|^(?:全部|全都|都)$"
)
_ORDINAL = re.compile(
    r"^第?([一二三四五六七八九十\d]{1,3})(步|样|个材料|件事|件|项|个)(?:材料|东西|事)?$"
)
_SPLIT = re.compile(r"[、，,和跟与]|还有|以及")
_DIGITS = {digit: value for value, digit in enumerate("一二三四五六七八九", start=1)}
_OTHER_NAMES = (
    ("户口本", "户口簿"),
    ("房产证", "不动产权证书"),
    ("房本", "不动产权证书"),
    ("出生证", "出生医学证明"),
    ("社保卡", "社会保障卡"),
    ("租房合同", "房屋租赁合同"),
    ("照片", "证件照片"),
    ("相片", "证件照片"),
    ("执照", "营业执照"),
    ("毕业证", "毕业证书"),
    ("结婚证书", "结婚证"),
    ("表格", "申请表"),
)
"""How people call things, and the name on the list; the longer names come out unharmed."""


@dataclass(frozen=True)
class Heard:
    """What was said of the list.

    Args:
        done: the citizen has it, or says he has not.
        entries: those meant for certain.
        candidates: for words that fit several entries; then nothing is certain.
    """

    done: bool
    entries: tuple[Entry, ...] = ()
    candidates: tuple[Entry, ...] = ()


def hear_ticks(text: str, sheet: Sheet) -> Heard | None:
    """Return what ``text`` says of the entries of ``sheet``; None when it says nothing of them.

    The whole message has to be names of entries and that they are ready (身份证准备好了,
    户口本和照片有了, 第二步办完了, 材料都齐了) or not yet (身份证还没有); a question or a
    name that is on no line is never taken.
    """
    words = normalise(text).strip(" 。.!！~，,")
    if not words or len(words) > LONGEST or _ASKS.search(words):
        return None
    for pattern, done in ((_UNDONE, False), (_DONE, True)):
        found = pattern.search(words)
        if found:
            subject = _LEAD.sub("", words[: found.start()]).strip("，, ")
            office = "办" in found[0] and "没" not in found[0]
            subject = re.sub(r"^把|[都也]$", "", subject)
            return _meant(subject, sheet, done=done, office=office)
    return None


def _meant(subject: str, sheet: Sheet, *, done: bool, office: bool) -> Heard | None:
    if not subject:
        return None
    if _ALL.match(subject):
        return Heard(done, sheet.of("material"))
    found: list[Entry] = []
    for part in [subject] if _matches(subject, sheet, office) else _parts(subject):
        matches = _matches(part, sheet, office)
        if not matches:
            return None
        if len(matches) > 1:
            return Heard(done, candidates=tuple(matches))
        found.append(matches[0])
    return Heard(done, tuple(dict.fromkeys(found))) if found else None


def _parts(subject: str) -> list[str]:
    return [part.strip() for part in _SPLIT.split(subject) if part.strip()]


def _matches(part: str, sheet: Sheet, office: bool) -> list[Entry]:
    """Return the entries a name fits: one by its whole name, else those that hold it.

    ``office``: done at a counter (户口办完了), so steps are meant before things.
    """
    numbered = _ORDINAL.match(part)
    if numbered:
        entries = sheet.of("step" if numbered[2] in ("步", "件事", "件") else "material")
        place = _number(numbered[1])
        return [entries[place - 1]] if 1 <= place <= len(entries) else []
    name = _official(part)
    if len(name) < 2:
        return []
    kinds: tuple[Kind, ...] = ("step", "material") if office else ("material", "step")
    for kind in kinds:
        entries = sheet.of(kind)
        whole = [entry for entry in entries if name in _names(entry)]
        partly = [entry for entry in entries if name in entry.title]
        if whole or partly:
            return whole or partly
    return []


def _names(entry: Entry) -> set[str]:
    """Return the names that mean exactly this entry."""
    title = normalise(entry.title)
    short = re.sub(r"[（(].*?[)）]", "", title)
    return {title, short, short.removeprefix("居民"), short.removeprefix("本人")}


def _official(part: str) -> str:
    for said, listed in _OTHER_NAMES:
        if said in part and listed not in part:
            return part.replace(said, listed)
    return part


def _number(text: str) -> int:
    if text.isdigit():
        return int(text)
    if text == "十":
        return 10
    if "十" in text:
        tens, _, ones = text.partition("十")
        return _DIGITS.get(tens, 1) * 10 + _DIGITS.get(ones, 0)
    return _DIGITS.get(text, 0)

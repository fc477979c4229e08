"""A phone number and a name that a citizen leaves in passing.

Only his own number is taken out of the words. A number on an advertisement or of the shop he
complains about is evidence and stays where it is.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from base.masking import LANDLINE, MOBILE
from dispatch.reporting.draft import Contact

_SPOKEN = str.maketrans("零〇一二两三四五六七八九幺０１２３４５６７８９", "00122345678910123456789")
"""Digits as said or typed wide, one for one, so that places in the text stay the same."""

_MARKS = r"，,。；;！!？?\n"
_CLAUSES = re.compile(rf"([{_MARKS}]+)")
_OWN = re.compile(
    r"(我|俺|咱|本人)(的|家|这边)?(联系)?(电话|手机|号|微信)|(联系|找|打给?|拨|回|通知)(我|本人)"
    r"|给我(打|回|来)|联系(方式|电话|人)|我(姓|叫)|留个?(电话|号|手机)"
)
_THEIRS = re.compile(
    r"广告|贴|喷|写着|印着|上面|留的|他|她|对方|老板|店家|商家|厂家|车主|司机|房东|中介|物业"
    r"|工地|施工方|承包|负责人|公司|推销|骚扰|诈骗|办证|通下水|疏通|开锁|没人接|打不通|不接|打过|拨打"
)
_CUE = (
    r"(?:请|麻烦|可以|您|有(?:结果|消息|进展|事|情况|回复)|处理完|办完|了|的话|就|再|也)*"
    r"(?:给我)?(?:联系|通知|打给?|拨|回|找|留)?(?:个|一?下)?(?:电话)?(?:给)?(?:这是)?(?:我|俺|咱|本人)?(?:这边)?(?:家)?的?"
    r"(?:联系)?(?:电话|手机|号码|方式|微信)?(?:号码?)?(?:是|为|：|:|\s)*"
)
_AFTER = r"\s*(?:这个(?:号|电话))?(?:微信同号)?(?:联系(?:我)?|找我|就行|即可|谢谢|吧|。)*"
_BARE_CUE = re.compile(rf"^\s*(?:对了|还有)?{_CUE}\s*$")
_SURNAMES = (
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘于蒋蔡余杜叶程苏魏吕"
    "丁任沈姚卢姜崔钟谭陆汪范金石廖贾夏韦付方白邹孟熊秦邱江尹薛闫段雷侯龙史陶黎贺顾毛郝龚邵万钱严覃武戴莫孔向汤"
)
_TITLE = r"先生|女士|小姐|阿姨|大爷|大妈|师傅|老师|同志"
_NAME = re.compile(
    rf"^\s*(?:请|麻烦|找|联系|我|本人|免贵|名字|姓名|联系人|称呼|是|叫|：|:|\s)*"
    rf"(?:姓(?P<family>[{_SURNAMES}])(?P<title>{_TITLE})?|(?P<formal>[{_SURNAMES}](?:{_TITLE}))"
    rf"|(?<=叫)(?P<full>[{_SURNAMES}][一-龥]{{1,2}}))\s*(?:就行|就好|即可|吧)?\s*$"
)
_COURTESY = re.compile(r"^(?:谢谢|多谢|感谢|麻烦)?(?:了|您|你们?|啦|[。！!，,])*$")
_SHORTEST_REST = 4
_SHORT_ANSWER = 14
_REFUSED = re.compile(
    r"匿名|不(?:用|想|要|愿意?|方便|必)?再?(?:留|给|填|写)(?:我的)?(?:电话|手机|号码?|联系方式|了|吧|啦|$)"
    r"|(?:电话|号码|手机号?|联系方式)(?:就|也|我|给我|还是)?(?:不留|不用|不要|不填|删|去掉|算了)"
    r"|(?:删|去)掉?(?:我的)?(?:电话|号码|手机)"
)
_OFFERED = re.compile(
    r"(?:留|加|填|写)(?:个|一个|一下|下|上)?(?:我的?)?(?:电话|手机|号|联系方式)|实名"
)


class Told(NamedTuple):
    """What a text says of the citizen himself, and the text without it."""

    contact: Contact | None
    text: str


def take_contact(text: str, *, expected: bool = False) -> Told:
    """Find the citizen's own phone and name in ``text`` and take them out.

    Args:
        text: the citizen's words.
        expected: whether he was just asked for his number; then any number is his.
    """
    pieces = _CLAUSES.split(text)
    for place in range(0, len(pieces), 2):
        found = _phone(pieces[place])
        if found is None:
            continue
        before = pieces[place - 2] if place else ""
        if not expected and not _is_own(pieces[place], before):
            continue
        start, end = found
        phone = re.sub(r"\D", "", pieces[place].translate(_SPOKEN)[start:end])
        phone = phone.removeprefix("86") if phone.startswith("861") else phone
        name = _strip(pieces, place, start, end)
        return Told(Contact(phone=phone, name=name), _joined(pieces))
    return Told(None, text)


def refuses(text: str) -> bool:
    """Tell whether a short answer says: no phone number, or no longer."""
    return len(text) <= _SHORT_ANSWER and _REFUSED.search(text) is not None


def offers(text: str) -> bool:
    """Tell whether a short answer says: I want to leave a number."""
    short = len(text) <= _SHORT_ANSWER and not refuses(text)
    return short and _OFFERED.search(text) is not None


def masked(contact: Contact) -> str:
    """Return the contact as shown on screen: ``138****5678（王女士）``."""
    hidden = f"{contact.phone[:3]}****{contact.phone[-4:]}"
    return f"{hidden}（{contact.name}）" if contact.name else hidden


def _phone(clause: str) -> tuple[int, int] | None:
    digits = clause.translate(_SPOKEN)
    match = MOBILE.search(digits) or LANDLINE.search(digits)
    return match.span() if match else None


def _is_own(clause: str, before: str) -> bool:
    if _OWN.search(clause):
        return True
    return not _THEIRS.search(clause) and (bool(_OWN.search(before)) or not _THEIRS.search(before))


def _strip(pieces: list[str], place: int, start: int, end: int) -> str | None:
    """Take number, cue and name out of the clause and its neighbours; return the name."""
    clause = pieces[place]
    cue = re.search(f"{_CUE}$", clause[:start])
    head = clause[: cue.start()] if cue else clause[:start]
    tail = re.sub(f"^{_AFTER}", "", clause[end:])
    name = None
    rests = []
    for part in (head, tail):
        found = _NAME.match(part)
        name = name or _name(found)
        rests.append("" if found else part)
    rest = "".join(rests).strip()
    pieces[place] = rest if len(rest) >= _SHORTEST_REST else ""
    for beside in (place - 2, place + 2):
        if 0 <= beside < len(pieces) and pieces[beside]:
            found = _NAME.match(pieces[beside])
            name = name or _name(found)
            if found or (beside < place and _BARE_CUE.match(pieces[beside])):
                pieces[beside] = ""
    return name


def _name(found: re.Match[str] | None) -> str | None:
    if found is None:
        return None
    if found["family"]:
        return found["family"] + (found["title"] or "")
    return found["formal"] or found["full"]


def _joined(pieces: list[str]) -> str:
    """Put clauses back together without the marks of those that are gone."""
    kept = [
        clause + (pieces[2 * number + 1] if 2 * number + 1 < len(pieces) else "")
        for number, clause in enumerate(pieces[::2])
        if clause.strip()
    ]
    text = "".join(kept).strip(" ，,；;")
    return "" if _COURTESY.match(text) else text

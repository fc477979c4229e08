"""What citizens are told of linked channels."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from base.calendar import CITY_TIME
from base.identity import channel_of
from enquiries.linking.words import Wish, payload
from store.identity_models import Identity
from store.models import Citizen

Reply = dict[str, Any]
"""``{"text", "buttons", "cards"}`` as the Chat API has it."""

CHANNELS = {
    "web": "网页聊天",
    "telegram": "Telegram",
    "wechat": "微信公众号",
    "voice": "电话语音",
    "api": "接口",
}
SHARED = (
    "两边都能查看和办理您的工单、预约和办事清单，同一条政策通知只发一次；个人和企业情况不共享。"
)
_LINK = ("关联其他渠道", payload(Wish.CODE))
_SHOW = ("查看关联", payload(Wish.STATUS))
_END = ("取消关联", payload(Wish.LEAVE))


def _reply(text: str, *buttons: tuple[str, str]) -> Reply:
    return {
        "text": text,
        "buttons": [{"title": title, "payload": carried} for title, carried in buttons],
        "cards": [],
    }


def described(citizen: Citizen) -> str:
    """Name a conversation without showing whose it is: ``“网页聊天”（11月20日开始使用）``."""
    since = citizen.created_at.astimezone(CITY_TIME)
    name = CHANNELS.get(channel_of(citizen.id), "其他渠道")
    return f"“{name}”（{since.month}月{since.day}日开始使用）"


def code_given(code: str, until: datetime, minutes: int) -> Reply:
    """The code, and what to do with it."""
    shown = f"{code[:4]} {code[4:]}"
    local = until.astimezone(CITY_TIME)
    reply = _reply(
        f"您的关联码是 {shown}，{minutes}分钟内（{local:%H:%M}前）有效，只能用一次。\n"
        f"请在另一个渠道对我说：“关联 {shown}”。关联后，{SHARED}\n"
        "不要把关联码告诉别人，工作人员也不会向您要。",
        _SHOW,
    )
    digits = "，".join((" ".join(code[:4]), " ".join(code[4:])))
    spoken = (
        f"您的关联码是：{digits}。{minutes}分钟内，在另一个渠道说“关联”加这八位数字。不要告诉别人。"
    )
    return reply | {"speech": spoken}


def ask_confirmation(other: Citizen) -> Reply:
    """The side that entered the code is asked."""
    return _reply(
        f"这个关联码来自{described(other)}。关联后，{SHARED}\n"
        "是您本人的，请点“确认关联”；不是您自己要来的关联码，请不要确认。",
        ("确认关联", payload(Wish.CONFIRM)),
        ("不关联", payload(Wish.DECLINE)),
    )


def linked(other: Citizen) -> Reply:
    """Done, to the side that confirmed."""
    return _reply(f"已和{described(other)}关联。{SHARED}随时可以说“取消关联”。", _SHOW, _END)


def tell_linked(other: Citizen, newcomer: Identity) -> Reply:
    """To the other side, with the way out at hand; ``newcomer`` is what leaves by it."""
    return _reply(
        f"您的账号刚刚和{described(other)}关联了：{SHARED}\n"
        "如果不是您本人操作的，请马上点“取消关联”。",
        ("取消关联", payload(Wish.REMOVE, number=str(newcomer.id))),
        _SHOW,
    )


def declined() -> Reply:
    """He does without."""
    return _reply("好的，没有关联。要关联时再要一个新的关联码就行。", _LINK)


def nothing_entered() -> Reply:
    """A confirmation of what has run out."""
    return _reply("没有等待确认的关联，可能已经过期了。请重新要一个关联码。", _LINK)


def wrong_code() -> Reply:
    """One sentence for wrong, used and too old: which of them it is tells a guesser something."""
    return _reply(
        "这个关联码不对，或者已经过期、用过了。请在另一个渠道说“关联其他渠道”要一个新的，再到这里说“关联”加8位数字。"
    )


def wrong_length() -> Reply:
    """Not a code at all."""
    return _reply("关联码是8位数字，请核对后再说一次，比如“关联 1234 5678”。")


def own_code() -> Reply:
    """He entered the code where he got it."""
    return _reply("这个关联码要到另一个渠道去说，在这里不用输入。")


def too_many_guesses() -> Reply:
    """The limit, whoever reached it."""
    return _reply(
        "输入关联码的次数太多了，为了安全，请过一个小时再试。着急查工单，可以在当初提交的渠道查，也可以拨打12345。"
    )


def too_many_codes() -> Reply:
    """He asks for code after code."""
    return _reply("您刚才已经要过好几个关联码了，请过一个小时再要。", _SHOW)


def refused(code: str) -> Reply:
    """Why two conversations cannot be linked; ``code`` is the error's."""
    if code == "link_exists":
        return _reply("这两个渠道已经关联了，不用再关联。", _SHOW)
    if code == "link_limit":
        return _reply("关联的渠道已经到上限了，请先取消一个再关联。", _SHOW)
    if code == "link_groups":
        return _reply("两边都已经各自关联了别的渠道。请先在其中一边取消关联，再试一次。", _SHOW)
    return _reply("刚才没有关联上，请重新要一个关联码再试。", _LINK)


def status(others: Sequence[tuple[Identity, Citizen]]) -> Reply:
    """What is linked, each with a button to end it."""
    if not others:
        return _reply("这个渠道还没有关联别的渠道。关联后，在哪边都能查到您的工单。", _LINK)
    lines = [f"· {described(citizen)}" for _, citizen in others]
    buttons = [
        (f"断开{CHANNELS.get(channel_of(citizen.id), '其他渠道')}", _remove(identity))
        for identity, citizen in others
    ]
    if len(others) == 1:
        buttons = []
    return _reply("这个渠道已关联：\n" + "\n".join(lines), *buttons, _END, _LINK)


def unlinked(other: Citizen | None) -> Reply:
    """Ended; ``other`` is the conversation that was sent away, None when he left himself."""
    who = (
        f"已断开{described(other)}。" if other else "已取消关联，这个渠道只看得到在这里提交的工单。"
    )
    return _reply(f"{who}各自提交的工单、预约和清单留在提交的那一边，照常办理。", _LINK)


def tell_unlinked(leaver: Citizen) -> Reply:
    """To those who stay."""
    return _reply(f"{described(leaver)}已和您的账号取消关联，那边提交的工单请在那边查看。", _SHOW)


def tell_sent_away() -> Reply:
    """To the conversation another side has ended the link with."""
    return _reply("这个渠道的关联已被另一边取消。您在这里提交的工单照常办理，可以接着查。", _LINK)


def not_linked() -> Reply:
    """Nothing to end."""
    return _reply("这个渠道没有关联别的渠道，不用取消。", _LINK)


def forgotten(others: Sequence[Citizen]) -> str:
    """Return what the erasure in one conversation means for the linked ones."""
    names = "、".join(described(citizen) for citizen in others)
    return (
        f"和{names}的关联也取消了，那边的聊天记录也会删除；"
        "那边的其他资料没有动，要删除请在那边也说一遍。"
    )


def _remove(identity: Identity) -> str:
    return payload(Wish.REMOVE, number=str(identity.id))

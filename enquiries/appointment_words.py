"""What words about appointments want: a window, something of one's own, or only an answer."""

from __future__ import annotations

import re

from enquiries.appointments import Wish

__all__ = [
    "SHORT_ANSWER",
    "about_visit",
    "is_about_own",
    "shows_own",
    "wants_none",
    "wants_other_time",
    "wants_window",
]

SHORT_ANSWER = 16
"""Longer words are no bare answer to which hall, day or time."""

_ASKS = re.compile(
    r"要不要|需要|要预约|用预约|怎么|咋|如何|在哪|哪里|哪儿|吗[？?]?$|多久|几天|先?约(吗|不|么)"
)
_WANTS = re.compile(
    r"(帮|给|替)(我|俺|咱).{0,6}(约|挂.?号|排.?号|取.?号)|我?(想|要)(先)?(约|预约|挂个|排个|取个)"
    r"|(约|预约)(一下|个|到|在)|^预约$|就约"
)
_OWN = re.compile(
    r"我的预约|我上?次?预?约(的|了)|约(好|上|错)了|约了|预约号|(约|号).{0,8}(取消|改|换|推迟|挪|退)"
    r"|(取消|退掉|退了|改|换|推迟|挪).{0,8}(预约|约|的号)|改约|改到|挪到|忘.{0,4}预约"
)
_MOVES = re.compile(r"改|换|推迟|推到|提前|挪")
_MINE = re.compile(r"我的预约|(取消|退掉?).{0,4}预约|预约.{0,4}取消")
_NONE = re.compile(r"不(想|用|要|再|需要)?(预)?约了")
_VISIT = re.compile(r"约|不(想)?去了|去不(了|成)|没(空|时间|法)去")
_AT_HOME = re.compile(r"上门|到家|来家|屋头|师傅")
"""No window of a hall: somebody shall come."""


def wants_window(text: str, wish: Wish) -> bool:
    """Tell whether words want a window, and do not only ask about appointments.

    Args:
        text: 帮我约明天上午, 周五有号没; but 要预约吗, 怎么预约 are questions.
        wish: what ``text`` says of the time.
    """
    if _ASKS.search(text) or _AT_HOME.search(text):
        return False
    return bool(_WANTS.search(text)) or (bool(wish) and len(text) <= SHORT_ANSWER)


def is_about_own(text: str) -> bool:
    """Tell whether words are about an appointment there is already: 我约的是几点, 取消预约."""
    return _OWN.search(text) is not None


def wants_none(text: str) -> bool:
    """Tell whether words give up booking: 不约了, 不想预约了."""
    return _NONE.search(text) is not None


def about_visit(text: str) -> bool:
    """Tell whether a “never mind” is about a visit: 取消预约, 不去了, 我去不成."""
    return _VISIT.search(text) is not None


def shows_own(text: str) -> bool:
    """Tell whether words can be about nothing but one's appointments: 我的预约, 取消预约."""
    return _MINE.search(text) is not None


def wants_other_time(text: str) -> bool:
    """Tell whether such words want it moved: 改到周五, 推迟一下."""
    return _MOVES.search(text) is not None

"""What a citizen means by a few words while he waits for a person or speaks with one."""

from __future__ import annotations

import re

LEAVE = "/handover_leave"
POSITION = "/handover_position"
CALL_ME = "/handover_callback"
RATE = "/handover_rate"

SCORES = {"满意": 5, "一般": 3, "不满意": 1}

_SHORT = 16
_POLITE = r"[，,。.！!？?~～\s的了吧啦呢啊谢]*"
_LEAD = r"(?:好|行|那|我|先|现在|请|麻烦|可以|你|您|这边)*"
_TAIL = rf"(?:服务|客服|了|吧|啦|给我)*{_POLITE}"
_LEAVES_PERSON = re.compile(
    rf"{_LEAD}(?:(?:结束|退出|关闭|断开)(?:人工|人工服务|人工客服|对话|会话)"
    rf"|(?:回到?|换回?|转回?|返回|找回?)(?:智能)?(?:机器人|助手|市民助手)"
    rf"|(?:不用|不要|不需要|不必)(?:再)?(?:转|找|要|接)?人工){_TAIL}"
)
_LEAVES_QUEUE = re.compile(
    rf"{_LEAD}(?:(?:取消|退出|结束)(?:人工|排队|转人工|回电|回拨)"
    rf"|(?:不用|不要|不需要|不必|别)(?:再)?(?:等|排|排队|回电|打电话|回拨|打了)"
    rf"|不(?:等|排)(?:人工|队)?|机器人(?:就)?行){_TAIL}"
)
_DECLINES = re.compile(
    rf"(?:先|那|暂时|就|还是)*(?:不用|不必|不需要|不要|不留|算|没事|不方便留?)(?:电话|号码|了|啦|吧)*"
    rf"{_POLITE}"
)
_POSITION = re.compile(
    r"排(?:到|在)?(?:第?几|哪)|第几位|前面(?:还)?有(?:多少|几)(?:个?人|位)?|还要?(?:等|排)(?:多久|多长|几)"
    r"|(?:等|排)(?:到)?(?:多久|多长时间)|轮到我|什么时候(?:能)?(?:轮到|接通|有人)|人工(?:怎么)?(?:还)?(?:没来|在哪|来了吗|呢)"
)
_OWN_PLACE = re.compile(
    r"(?:请问|那|我们?|咱们?|现在|目前|这边|是|到底)*(?:"
    r"(?:排队)?排(?:到|在)?(?:了)?第?(?:几|多少)(?:位|个|名)?|(?:在|到)?第几位|(?:排队)?排(?:队)?到哪(?:儿|里)?"
    r"|(?:我|人工)?(?:的)?前面(?:还)?有?(?:多少|几)个?(?:人|位)(?:在?排队?|在?等)?|还?在(?:不在)?排队"
    r"|(?:人工|客服)(?:服务)?(?:大概)?还?(?:要|得|需要)?再?等(?:多久|多长时间|几分钟)|(?:人工|客服)怎么还(?:没|不)来"
    rf")(?:了|呀|啊|呢|吗|么|没)*{_POLITE}"
)
_WHEN_CALLED = re.compile(
    r"(?:什么时候|几点|多久|啥时候).{0,6}(?:回电|打给?|回拨|联系|来电)|(?:回电|电话).{0,8}(?:什么时候|几点|多久|还没)"
)


def leaves(text: str, *, served: bool = False) -> bool:
    """Tell whether a short message says: back to the assistant, no person any more.

    To somebody who speaks with a person (``served``) “不等了” may mean anything; then only words
    that name the person or the assistant count.
    """
    if len(text) > _SHORT:
        return False
    said = text.strip()
    if _LEAVES_PERSON.fullmatch(said):
        return True
    return not served and _LEAVES_QUEUE.fullmatch(said) is not None


def declines(text: str) -> bool:
    """Tell whether a short answer to the offer of a call says no."""
    return len(text) <= _SHORT and _DECLINES.fullmatch(text.strip()) is not None


def asks_position(text: str) -> bool:
    """Tell whether a short message asks how long the queue is."""
    return len(text) <= _SHORT and _POSITION.search(text) is not None


def asks_own_place(text: str) -> bool:
    """Tell whether a short message asks for nothing but one's place in the queue for a person.

    Somebody who waits may ask it in more ways (:func:`asks_position`); of somebody who does not,
    还要等多久 may be about anything, and 排到几号了 about a hall.
    """
    return len(text) <= _SHORT and _OWN_PLACE.fullmatch(text.strip()) is not None


def asks_when_called(text: str) -> bool:
    """Tell whether a short message asks when the promised call comes."""
    return len(text) <= _SHORT + 4 and _WHEN_CALLED.search(text) is not None

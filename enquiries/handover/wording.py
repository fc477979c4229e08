"""What citizens are told of a hand-over."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from base.calendar import CITY_TIME
from enquiries.handover.words import CALL_ME, LEAVE, POSITION, RATE, SCORES

Reply = dict[str, Any]
"""``{"text", "buttons", "cards"}`` as the Chat API has it."""

HOTLINE = "着急也可以直接拨打12345，24小时有人接听。有生命危险请直接打110、119或120。"
_DAYS = ("周一", "周二", "周三", "周四", "周五", "周六", "周日")


def _reply(text: str, *buttons: tuple[str, str]) -> Reply:
    return {
        "text": text,
        "buttons": [{"title": title, "payload": payload} for title, payload in buttons],
        "cards": [],
    }


def clock(at: datetime) -> str:
    """Return a moment as people say it: ``11月23日（周一）10:00``."""
    local = at.astimezone(CITY_TIME)
    return f"{local.month}月{local.day}日（{_DAYS[local.weekday()]}）{local:%H:%M}"


def queued(position: int, minutes: int | None, *, again: bool = False) -> Reply:
    """In the queue: the place, the wait as far as it is known."""
    place = "下一位就是您" if position == 1 else f"前面还有{position - 1}位，您排在第{position}位"
    wait = f"，估计{minutes}分钟左右" if minutes else ""
    text = f"您已经在排队了，{place}{wait}。" if again else f"好的，正在为您转人工，{place}{wait}。"
    return _reply(
        f"{text}排队的时候您可以接着问我，人工接入后我会告诉您。\n{HOTLINE}",
        ("查看排队", POSITION),
        ("不等了，请回电", CALL_ME),
        ("不用人工了", LEAVE),
    )


def place_in_queue(position: int, minutes: int | None) -> Reply:
    """The place alone, on request."""
    place = "下一位就是您" if position == 1 else f"您排在第{position}位，前面还有{position - 1}位"
    wait = f"，估计还要{minutes}分钟左右" if minutes else ""
    return _reply(
        f"{place}{wait}。",
        ("查看排队", POSITION),
        ("不等了，请回电", CALL_ME),
        ("不用人工了", LEAVE),
    )


def offer(why: str, promised: datetime | None, hours: str) -> Reply:
    """A call-back instead of a wait; ``why`` is ``closed``, ``busy``, ``slow`` or ``asked``."""
    if promised is None:
        return hotline(None)
    reason = {
        "closed": f"人工服务时间是{hours}，现在不在线。",
        "busy": "现在排队的人很多，暂时接不进来。",
        "slow": "让您久等了，人工坐席都在忙。您的位置还留着，也可以不等了，请我们回电。",
        "asked": "",
    }[why]
    text = (
        f"{reason}请留一个电话号码，工作人员会在{clock(promised)}前打给您；"
        f"号码只用于这次回电。不用的话，点“先不用了”。\n{HOTLINE}"
    )
    if why in ("slow", "asked"):
        return _reply(text, ("接着等", POSITION), ("先不用了", LEAVE))
    return _reply(text, ("先不用了", LEAVE))


def call_promised(phone: str, promised: datetime) -> Reply:
    """The number is noted."""
    return _reply(
        f"记下了，工作人员会在{clock(promised)}前拨打{phone}，请保持电话畅通。",
        ("取消回电", LEAVE),
    )


def call_is_promised(promised: datetime) -> Reply:
    """A call is promised already."""
    return _reply(
        f"已经为您登记了回电，工作人员会在{clock(promised)}前打给您。要换号码，把新号码发给我。\n{HOTLINE}",
        ("取消回电", LEAVE),
    )


def hotline(ticket: str | None) -> Reply:
    """Nobody is behind this installation: the telephone."""
    mention = f"说工单号 {ticket}，话务员就能查到您的情况。" if ticket else ""
    return _reply(
        f"请拨打12345政务服务便民热线，24小时有人接听。{mention}环境污染也可以打12369。"
        "有生命危险请直接打110、119或120。"
    )


def cancelled(state: str) -> Reply:
    """The citizen does without."""
    if state == "callback":
        return _reply("好的，回电取消了，您的号码已删除。有事接着问我。")
    return _reply("好的，不转人工了。有事接着问我，需要时再说“转人工”。")


def nothing_open() -> Reply:
    """A button of something that is over."""
    return _reply("现在没有在排队或进行中的人工服务。您可以接着问我。", ("转人工", "/ask_human"))


def not_in_queue() -> Reply:
    """He asks for his place and waits for nobody."""
    return _reply(
        "您现在没有在排队等人工，要找工作人员就点“转人工”。办事大厅排到几号，请看大厅的叫号屏。",
        ("转人工", "/ask_human"),
    )


def joined() -> Reply:
    """An agent took the conversation."""
    return _reply(
        "人工已接入。现在您发的文字、照片都会直接转给工作人员，不用重复前面说过的。",
        ("结束人工", LEAVE),
    )


def being_served() -> Reply:
    """He asks for what he has."""
    return _reply("您正在和工作人员对话，直接说就行。", ("结束人工", LEAVE))


def passed_on() -> Reply:
    """The first message that went to the agent."""
    return _reply("已转给工作人员，请稍等。", ("结束人工", LEAVE))


def from_agent(text: str) -> Reply:
    """An agent's words."""
    return _reply(f"工作人员：{text}")


def transferred() -> Reply:
    """Another agent goes on."""
    return _reply("已为您转给另一位工作人员，前面说过的他都能看到，请稍等。", ("结束人工", LEAVE))


def back_in_queue(position: int) -> Reply:
    """The conversation went back to the queue."""
    place = "下一位就是您" if position == 1 else f"您排在第{position}位"
    return _reply(
        f"工作人员暂时离开，已为您重新排队，{place}。您说过的都还在，等的时候可以接着问我。",
        ("查看排队", POSITION),
        ("不等了，请回电", CALL_ME),
        ("不用人工了", LEAVE),
    )


def ended(*, by_citizen: bool) -> Reply:
    """The assistant is back, and asks how it was."""
    first = "好的，已结束人工服务" if by_citizen else "本次人工服务已结束"
    return _reply(
        f"{first}，市民助手回来了，有事接着问我。这次人工服务您满意吗？",
        *((title, f"{RATE}{json.dumps({'score': str(score)})}") for title, score in SCORES.items()),
    )


def rating_payload(score: int) -> str:
    """Return what the button of a score (1 to 5) sends."""
    return f"{RATE}{json.dumps({'score': str(score)})}"


def rated(score: int) -> Reply:
    """Thanks for the rating."""
    if score < 3:
        return _reply("记下了，没帮好您，对不起。", ("再次转人工", "/ask_human"))
    return _reply("谢谢您的评价。")


def missed(promised: datetime) -> Reply:
    """Nobody answered the call."""
    return _reply(
        f"刚才给您回电没有接通，我们会在{clock(promised)}前再打一次。要换号码，把新号码发给我。",
        ("取消回电", LEAVE),
    )


def unreached() -> Reply:
    """Several calls in vain."""
    return _reply(
        "给您回电几次都没有接通，这次的回电登记结束了，您的号码已删除。还需要的话，请再说“转人工”，或拨打12345。",
        ("转人工", "/ask_human"),
    )

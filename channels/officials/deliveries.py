"""What is on its way: to the dispatch system, to citizens, and what came in and was given up."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated

from fastapi import Path, Request, Response
from sqlalchemy.orm import Session

from base.errors import StateError
from base.masking import mask
from channels.console.areas import staff_of, visitor_of
from channels.console.masking import actor_of
from channels.console.pages import console_of, console_router
from store.database import reading, unit_of_work
from store.deliveries import Deliveries, Failure, Standing, Way
from store.models import utc_now

HOME = "/console/deliveries"
SHOWN = 50
MOST_AT_ONCE = 500
"""Failures that one press of 全部重试 takes up, each with its entry in the audit."""
_LARGEST_ID = 2**31 - 1
_LONGEST_REASON = 160
_ADDRESS = re.compile(r"(https?://)(?:[^\s/@]*@)?([^\s/?#]+)[^\s]*")
Number = Annotated[int, Path(ge=1, le=_LARGEST_ID)]
TITLES = {
    Way.DESK: ("转派单系统", "工单和市民的补充说明，发往派单系统。"),
    Way.OUTGOING: ("发给市民", "微信、Telegram 等渠道的消息；网页上的消息等市民来取，不在此列。"),
    Way.NOTICES: ("政策提醒", "邮件和群机器人的政策提醒。"),
    Way.RECEIVED: ("收到的消息", "各渠道推送来的消息，处理多次仍失败的列在下面。"),
}
LABELS = {
    "request": "新工单",
    "update": "补充说明",
    "wechat": "微信",
    "telegram": "Telegram",
    "email": "邮件",
    "wecom": "企业微信",
    "dingtalk": "钉钉",
    "feishu": "飞书",
}
router = console_router(HOME, staff_of("deliveries"))


@dataclass(frozen=True)
class Shelf:
    """One queue on the page."""

    way: Way
    title: str
    about: str
    standing: Standing
    failures: list[Failure]


@router.get("")
def page(request: Request, done: int | None = None) -> Response:
    """Show every queue, with what was given up."""
    now = utc_now()
    with reading() as session:
        queues = _queues(request, session)
        shelves = [
            Shelf(way, *TITLES[way], queues.standing(way, now), queues.failures(way, SHOWN))
            for way in Way
        ]
    return console_of(request).page(
        visitor_of(request),
        "deliveries.html",
        shelves=shelves,
        labels=LABELS,
        reason=reason,
        done=done,
        shown=SHOWN,
        most=MOST_AT_ONCE,
    )


@router.post("/{way}/{number}/retry")
def retry(request: Request, way: Way, number: Number) -> Response:
    """Carry one thing again that was given up."""
    actor = actor_of(visitor_of(request).staff)
    with unit_of_work() as session:
        if not _queues(request, session).retry(way, number, actor, utc_now()):
            raise StateError("not_given_up", "这一条已经在重试，或已经送达。", f"{way} {number}")
    return console_of(request).moved(f"{HOME}?done=1#{way}")


@router.post("/{way}/retry")
def retry_all(request: Request, way: Way) -> Response:
    """Carry everything of a queue again that was given up, a bounded number at a time."""
    actor = actor_of(visitor_of(request).staff)
    with unit_of_work() as session:
        count = _queues(request, session).retry_all(way, actor, utc_now(), MOST_AT_ONCE)
    return console_of(request).moved(f"{HOME}?done={count}#{way}")


def reason(error: str) -> str:
    """Return why something failed, without numbers of people and without secrets in addresses."""
    return mask(_ADDRESS.sub(r"\1\2/…", error))[:_LONGEST_REASON]


def _queues(request: Request, session: Session) -> Deliveries:
    return Deliveries(session, [channel.name for channel in request.app.state.channels])

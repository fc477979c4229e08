"""How policies are told: in the chat, by mail, in a group.

Only what is public of a policy is written. Why a person qualifies (his age, his income) is told in
the chat alone, when he asks for the details: a mailbox and a work group have other readers.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from matcher.policy import Policy

_LEADS = {
    "new": "新政策",
    "changed": "政策有变化",
    "profile": "按您现在的情况，您符合条件",
    "birthday": "按您的年龄，您现在符合条件",
    "deadline": "快截止了",
    "reminder": "您要我提醒的，快截止了",
}
_CHECKED = "是否符合，以受理部门审核为准。"
_CHAT_STOP = "不想再收，回复“退订”；所有渠道都不要，回复“全部退订”。"


@dataclass(frozen=True)
class Item:
    """A policy in a message.

    Args:
        policy: the policy.
        trigger: why it is told.
        choices: policies that cannot be had beside it.
    """

    policy: Policy
    trigger: str
    choices: tuple[Policy, ...] = ()


def chat_replies(items: Sequence[Item], today: date) -> list[dict[str, Any]]:
    """Return replies of the Chat API: a lead, then each policy with its three buttons."""
    lead = {"text": f"{_lead(items)}\n{_CHECKED}{_CHAT_STOP}"}
    return [lead, *({"text": _told(item, today), "buttons": _buttons(item)} for item in items)]


def subject(items: Sequence[Item]) -> str:
    """Return the title of a message: one line."""
    first = items[0].policy.title
    more = f"等{len(items)}项政策" if len(items) > 1 else ""
    return f"政策提醒：{first}{more}"


def plain_text(items: Sequence[Item], today: date, unsubscribe: str) -> str:
    """Return the whole message as text, with the way out at its end."""
    parts = [_lead(items), *(_told(item, today) for item in items), _CHECKED]
    stop = (
        f"您收到这条消息，是因为登记了市民服务助手的政策提醒。不想再收，点这里退订：{unsubscribe}"
    )
    return "\n\n".join([*parts, stop])


def short_text(items: Sequence[Item], today: date, unsubscribe: str) -> str:
    """Return the message with only title and time of each policy, for a robot's small text."""
    brief = [
        f"【{_LEADS[item.trigger]}】{item.policy.title}\n申请时间：{_window(item.policy, today)}"
        for item in items
    ]
    return "\n\n".join([_lead(items), *brief, f"{_CHECKED}不想再收，点这里退订：{unsubscribe}"])


def _lead(items: Sequence[Item]) -> str:
    if all(item.trigger == "reminder" for item in items):
        return "您要我提醒的政策快截止了："
    if any(item.trigger == "reminder" for item in items):
        return f"有{len(items)}项政策要告诉您："
    if len(items) == 1:
        return "有一项您符合条件的政策："
    return f"有{len(items)}项您符合条件的政策："


def _told(item: Item, today: date) -> str:
    policy = item.policy
    lines = [
        f"【{_LEADS[item.trigger]}】{policy.title}",
        f"能得到：{policy.benefit.text}",
        f"申请时间：{_window(policy, today)}",
        f"去哪办：{policy.apply.place}",
    ]
    if policy.apply.online:
        lines.append(f"网上办：{policy.apply.online}")
    if item.choices:
        titles = "".join(f"《{other.title}》" for other in item.choices)
        lines.append(f"注意：不能与{titles}同时享受，请选一项申请。")
    return "\n".join(lines)


def _window(policy: Policy, today: date) -> str:
    window, text = policy.window, ""
    if window.opens and window.state(today) == "upcoming":
        text = f"{_chinese(window.opens)}开始"
    if window.closes:
        left = (window.closes - today).days
        days = "今天是最后一天" if left == 0 else f"还剩{left}天"
        ends = f"{_chinese(window.closes)}截止" + (f"，{days}" if left <= 31 and not text else "")
        text = f"{text}，{ends}" if text else ends
    text = text or "现在可以申请"
    return f"{text}。{window.note}" if window.note else f"{text}。"


def _buttons(item: Item) -> list[dict[str, str]]:
    return [
        _button("查看详情", policy_id=item.policy.id),
        _button("已申请", policy_id=item.policy.id, value="applied"),
        _button("不感兴趣", policy_id=item.policy.id, value="declined"),
    ]


def _button(title: str, **entities: str) -> dict[str, str]:
    values = json.dumps(entities, ensure_ascii=False)
    return {"title": title, "payload": f"/choose_policy{values}"}


def _chinese(day: date) -> str:
    return f"{day.year}年{day.month}月{day.day}日"

"""What citizens say under load, by a mix that can be read and changed here."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass

QUESTIONS = (
    "身份证丢了怎么补办",
    "护照怎么办理",
    "社保卡补办要带什么材料",
    "孩子刚出生怎么上户口",
    "公积金提取在哪里办",
    "居住证多久能办好",
    "开餐馆要办什么证",
    "老年人优待证怎么办",
    "商标注册怎么弄",
    "残疾证怎么申请",
)
FOLLOW_UPS = ("多少钱", "要带什么", "在哪办", "要多久")
SMALL_TALK = ("你好", "谢谢", "你能干啥")
POLICIES = ("我妈82岁了有啥补贴", "我们厂能领什么补贴", "刚毕业创业有没有政策")
UNCLEAR = ("那个啥来着", "今天天气真不错啊", "嗯嗯那就这样吧哈")
TICKETS = ("我上次投诉的处理到哪了", "查一下我的工单")

MIX: tuple[tuple[str, float, tuple[str, ...]], ...] = (
    ("question", 0.40, QUESTIONS),
    ("follow-up", 0.30, FOLLOW_UPS),
    ("small talk", 0.12, SMALL_TALK),
    ("policy", 0.06, POLICIES),
    ("unclear", 0.07, UNCLEAR),
    ("ticket", 0.05, TICKETS),
)
"""Kinds of text message and their shares after the first. An assumption, not a city's statistics;
complaints with photos come on top, at a rate of their own."""
TURNS = 6
"""Messages of one conversation; the first is a question, so that follow-ups follow something."""


@dataclass(frozen=True)
class Said:
    """One text message: when (seconds from the start), by whom, of which kind."""

    at: float
    conversation: str
    kind: str
    text: str


def messages(
    rate: float, seconds: float, at_once: int, seed: int, prefix: str = "load"
) -> Iterator[Said]:
    """Yield messages at ``rate`` a second with Poisson gaps, by ``at_once`` people in turn.

    Conversations are named after ``prefix``.
    """
    chance = random.Random(seed)
    kinds = [kind for kind, _, _ in MIX]
    shares = [share for _, share, _ in MIX]
    words = {kind: texts for kind, _, texts in MIX}
    at, number = 0.0, 0
    while (at := at + chance.expovariate(rate)) < seconds:
        person, turn = number % at_once, number // at_once
        kind = chance.choices(kinds, shares)[0] if turn % TURNS else "question"
        conversation = f"{prefix}-{person}-{turn // TURNS}"
        yield Said(at, conversation, kind, chance.choice(words[kind]))
        number += 1

"""What citizens say under load, by a mix that can be read and changed here."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from base.settings import get_settings
from matcher.service import load_services

FOLLOW_UPS = ("多少钱", "要带什么", "在哪办", "要多久")
SMALL_TALK = ("你好", "谢谢", "你能干啥")
POLICIES = ("我妈82岁了有啥补贴", "我们厂能领什么补贴", "刚毕业创业有没有政策")
UNCLEAR = ("那个啥来着", "今天天气真不错啊", "嗯嗯那就这样吧哈")
TICKETS = ("我上次投诉的处理到哪了", "查一下我的工单")

QUESTION = 0.40
OTHERS: tuple[tuple[str, float, tuple[str, ...]], ...] = (
    ("follow-up", 0.30, FOLLOW_UPS),
    ("small talk", 0.12, SMALL_TALK),
    ("policy", 0.06, POLICIES),
    ("unclear", 0.07, UNCLEAR),
    ("ticket", 0.05, TICKETS),
)
"""Kinds of text message besides questions, and their shares after the first. An assumption, not a
city's statistics; complaints with photos come on top, at a rate of their own."""
TURNS = 6
"""Messages of one conversation; the first is a question, so that follow-ups follow something."""


@dataclass(frozen=True)
class Said:
    """One text message: when (seconds from the start), by whom, of which kind."""

    at: float
    conversation: str
    kind: str
    text: str


@lru_cache
def questions() -> tuple[str, ...]:
    """Return every question in the city's service files: people seldom ask in the same words."""
    items = load_services(get_settings().policies_dir / "services")
    return tuple(question for item in items for question in item.questions)


def messages(
    rate: float, seconds: float, at_once: int, seed: int, prefix: str = "load"
) -> Iterator[Said]:
    """Yield messages at ``rate`` a second with Poisson gaps, by ``at_once`` people in turn.

    Conversations are named after ``prefix``.
    """
    chance = random.Random(seed)
    mix = (("question", QUESTION, questions()), *OTHERS)
    kinds = [kind for kind, _, _ in mix]
    shares = [share for _, share, _ in mix]
    words = {kind: texts for kind, _, texts in mix}
    at, number = 0.0, 0
    while (at := at + chance.expovariate(rate)) < seconds:
        person, turn = number % at_once, number // at_once
        kind = chance.choices(kinds, shares)[0] if turn % TURNS else "question"
        conversation = f"{prefix}-{person}-{turn // TURNS}"
        yield Said(at, conversation, kind, chance.choice(words[kind]))
        number += 1

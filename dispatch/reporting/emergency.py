"""Which number to call when there is danger now."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Hotline:
    """A national emergency number, what it is for, and the words that call for it."""

    number: str
    name: str
    pattern: re.Pattern[str]


HOTLINES = (
    Hotline(
        "119",
        "火警和抢险救援",
        re.compile(
            r"火|爆炸|燃气|煤气|天然气|泄漏|泄露|漏气|毒气|氯气|氨气|化学|被困|坍塌|塌|溺水|落水|触电"
        ),
    ),
    Hotline(
        "120",
        "急救",
        re.compile(
            r"晕|昏|意识|叫不醒|中毒|受伤|流血|出血|喘不|呼吸|窒息|抽搐|心脏|没气|救命|急救|烧伤|烫伤|溺水|触电|倒地|倒下|不省人事|呕吐"
        ),
    ),
    Hotline(
        "110",
        "报警",
        re.compile(
            r"打人|砍|持刀|抢劫|抢了|偷(?![排倒埋])|杀|绑|威胁|报警|打架|斗殴|跳楼|自杀|失踪|走丢|炸"
        ),
    ),
    Hotline(
        "12369",
        "环境污染举报",
        re.compile(r"泄漏|泄露|毒|化学|化工|油罐|排污|污染|刺鼻|死鱼|废液|危废"),
    ),
)
"""National numbers: 119 fire and rescue, 120 first aid, 110 police, 12369 environment."""


def hotlines_for(text: str) -> tuple[Hotline, ...]:
    """Return the numbers that fit the words, most urgent first; 110, 119, 120 when none do."""
    fitting = tuple(line for line in HOTLINES if line.pattern.search(text))
    return fitting or HOTLINES[:3]


def advice(text: str) -> str:
    """Return what to do in danger, with the numbers that fit the words."""
    numbers = "\n".join(f"· {line.name}：{line.number}" for line in hotlines_for(text))
    return (
        "请先离开危险的地方，带上身边的人，不要开关电器、不要用明火，到安全处马上打电话：\n"
        f"{numbers}\n我不能代替您报警，请现在就打。"
    )

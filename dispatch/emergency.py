"""Which number to call when there is danger now."""

from __future__ import annotations

import re
from dataclasses import dataclass

from dispatch.categories import asserted


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


_PEOPLE_IN_DANGER = (
    "晕倒", "晕过去", "昏迷", "昏倒", "昏过去", "不省人事", "没有意识", "没意识",
    "失去意识", "叫不醒", "没有呼吸", "没呼吸", "没气了", "喘不上气", "喘不过气",
    "呼吸困难", "抽搐", "口吐白沫", "大出血", "流血不止", "流了很多血", "全是血", "被压",
    "压在下面", "被埋", "埋在下面", "被困", "困在里面", "出不来", "撞了人", "撞到人",
    "被撞", "触电", "溺水", "落水", "掉下去了", "煤气中毒", "中毒了", "要跳楼", "救命",
)  # fmt: skip
_FIRE_OR_LEAK = (
    "着火", "起火", "失火", "火灾", "爆炸", "煤气味", "燃气味", "天然气味", "燃气的味",
    "天然气的味", "煤气泄漏", "燃气泄漏", "天然气泄漏", "漏煤气", "漏天然气", "漏燃气",
    "管道漏气", "气罐漏气", "燃气漏", "毒气", "有毒气体", "化学品泄漏", "化学品漏", "气体泄漏",
    "氯气", "氨气泄漏", "漏氨气",
)  # fmt: skip


def people_in_danger(text: str) -> bool:
    """Tell whether a text says, and does not deny, that somebody is in danger.

    People who are hurt or trapped, a fire, leaking gas or chemicals.

    A net below the model: an accident that is read as a matter for the roads department still
    gets the numbers to call. It may warn once too often; it costs a sentence.
    """
    return any(asserted(text, words) for words in (*_PEOPLE_IN_DANGER, *_FIRE_OR_LEAK))


def hotlines_for(text: str) -> tuple[Hotline, ...]:
    """Return the numbers that fit the words, most urgent first; 110, 119, 120 when none do."""
    fitting = tuple(line for line in HOTLINES if line.pattern.search(text))
    return fitting or HOTLINES[:3]

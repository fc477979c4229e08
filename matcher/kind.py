"""Guesses from a citizen's words whether policies for an enterprise or a resident are wanted."""

from __future__ import annotations

import re

from matcher.profile import Kind

_ENTERPRISE = re.compile(
    r"公司|企业|我们厂|我厂|厂里|工厂|厂子|本厂|小厂|门店|开了?个?店|我们店|饭店|店里|个体户|个体工商户|"
    r"合作社|我们单位|本单位|员工|招工|招了|招人|从业人员|职工人数|研发|专利|出口|营收|专精特新|高新技术|"
    r"小微|创投|纳税|惠企"
)
_RESIDENT = re.compile(
    r"我妈|我爸|母亲|父亲|爷爷|奶奶|姥姥|外婆|外公|老人|老伴|孩子|小孩|娃|宝宝|儿子|女儿|残疾|低保|"
    r"失业|没工作|毕业生|刚毕业|退休|退役|退伍|当过兵|租房|租的房|个人|居民|我今年|岁|养老|高龄|独居|"
    r"怀孕|生育|二胎|三胎|惠民|技能证书|老公|老婆|农民工"
)


def guess_kind(text: str) -> Kind | None:
    """Return the audience the words point to, None when they point nowhere or both ways."""
    enterprise = len(_ENTERPRISE.findall(text))
    resident = len(_RESIDENT.findall(text))
    if enterprise == resident:
        return None
    return "enterprise" if enterprise > resident else "resident"

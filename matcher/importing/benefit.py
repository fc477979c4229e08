"""What one receives and when one may apply, with the sentences that say so."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from matcher.importing.fields import Field
from matcher.importing.numbers import Quantity, find_days, quantities
from matcher.importing.outline import Passage

__all__ = ["benefit_fields", "window_fields"]

_GIVES = re.compile(
    "补贴|补助|奖励|奖补|资助|贴息|返还|扣除|扣减|减征|免征|贷款|津贴|补|奖|抵扣|扶持|资金|标准|发给|限额"
)
_CAP_AFTER = re.compile(r"^\s*(?:封顶|为限|为上限|的?限额|以内)")
_CAP_BEFORE = re.compile(
    r"(?:封顶|上限|限额|最高|最多|至多|不超过|不高于|不得超过)[^，。；\d]{0,6}$"
)
_WHOLE = re.compile("全额(?:资助|补贴|补助|减免|返还|代缴)|免征")
_PERSON = re.compile("每人|每名|每招用|每吸纳|每新招|每超比例|每安排|每位|/人")
_CHILD = re.compile("每孩|每个?婴幼儿|每个?孩子|每名?儿童")
_AREA = re.compile("每平方米|每平米|/平方米")
_MEAL = re.compile("每餐")
_MONTH = re.compile("每月|按月|/月|月均")
_DAILY = re.compile("每天|每日|/日")
_YEAR = re.compile("每年|按年|/年|每学年|一年(?!以)")
_SPENDING = re.compile("支付|投入|投资|收入|缴费额|贷款金额|保费|租金|费用|合同额|价格")
_KINDS = (
    ("tax", re.compile("税|扣除|扣减|减征")),
    ("loan", re.compile("贷款(?!贴息|利息)")),
    ("allowance", re.compile("每月|按月|津贴|每孩|低保金|保险金")),
    ("service", re.compile("免费|上门|服务")),
)


@dataclass(frozen=True, slots=True)
class _Sum:
    value: float
    unit: str
    cap: bool


def benefit_fields(passages: Sequence[Passage]) -> dict[str, Field]:
    """Return kind, text, amount, unit and cap of the benefit.

    The first paragraph that gives money or a share counts. Of steps by case (本科500元、硕士800元)
    the first is the amount, the largest the cap. The cap of a share is in 万元.
    """
    ordered = sorted(passages, key=lambda passage: passage.topic != "benefit")
    giving = [p for p in ordered if p.topic in ("benefit", "", "conditions") and _gives(p)]
    fallback = next((p for p in passages if p.topic == "benefit"), None)
    if not giving:
        return {} if fallback is None else _worded(fallback)
    first = giving[0]
    together = [p for p in giving if p.paragraph == first.paragraph and p.heading == first.heading]
    if first.topic == "benefit":
        together += [p for p in giving if p.topic == "benefit" and p.heading == first.heading]
    found = _worded(first)
    sums = [(s, p) for p in dict.fromkeys(together) for s in _sums(p.text)]
    return found | _amounts(sums)


def _gives(passage: Passage) -> bool:
    if passage.excluded or (
        passage.topic == "conditions"
        and not re.search("给予|补贴|补助|奖励|奖补|贴息|资助|扶持", passage.text)
    ):
        return False
    given = passage.topic == "benefit" or _GIVES.search(passage.text)
    return bool(given) and next(_sums(passage.text), None) is not None


def _worded(passage: Passage) -> dict[str, Field]:
    kind = next((name for name, words in _KINDS if words.search(passage.source)), "subsidy")
    return {
        "benefit.kind": Field(kind, passage.source),
        "benefit.text": Field(passage.text.strip("，；"), passage.source),
    }


def _amounts(sums: Sequence[tuple[_Sum, Passage]]) -> dict[str, Field]:
    found: dict[str, Field] = {}
    plain = [(s, p) for s, p in sums if not s.cap]
    caps = [(s, p) for s, p in sums if s.cap]
    if plain:
        amount, passage = plain[0]
        found["benefit.amount"] = Field(_tidy(amount.value), passage.source)
        found["benefit.unit"] = Field(amount.unit, passage.source)
        steps = [
            (s, p) for s, p in plain if s.unit[:2] == amount.unit[:2] and s.value > amount.value
        ]
        if not caps and steps and amount.unit != "%":
            caps = [max(steps, key=lambda pair: pair[0].value)]
    if caps:
        unit = str(found["benefit.unit"].value) if "benefit.unit" in found else caps[0][0].unit
        money = [(s, p) for s, p in caps if s.unit != "%"]
        if money:
            cap, passage = max(money, key=lambda pair: _in_yuan(pair[0]))
            factor = 1e4 if unit == "%" or unit.startswith("万元") else 1
            found["benefit.cap"] = Field(_tidy(_in_yuan(cap) / factor), passage.source)
            found.setdefault("benefit.unit", Field(cap.unit, passage.source))
        elif not plain:
            share, passage = caps[0]
            found["benefit.amount"] = Field(_tidy(share.value), passage.source)
            found["benefit.unit"] = Field("%", passage.source)
    return found


def _in_yuan(one: _Sum) -> float:
    return one.value * (1e4 if one.unit.startswith("万元") else 1)


def _tidy(value: float) -> float | int:
    value = round(value, 6)
    return int(value) if value == int(value) else value


def _sums(text: str) -> Iterator[_Sum]:
    """Yield the shares and sums of money one sentence gives."""
    found = [q for q in quantities(text) if q.unit in ("元", "%", "个百分点") and not q.period]
    for quantity in found:
        cap = quantity.operator == "<=" or bool(_CAP_AFTER.match(text[quantity.end :]))
        cap = cap or bool(_CAP_BEFORE.search(text[: quantity.start]))
        if not cap and quantity.operator in ("<", ">", ">="):
            continue  # a condition: 年营业收入突破1000万元的
        if quantity.unit != "元":
            yield _Sum(quantity.value, "%", cap)
            continue
        yield _money(text, quantity, cap)
    if not found and _WHOLE.search(text):
        yield _Sum(100, "%", False)


def _money(text: str, quantity: Quantity, cap: bool) -> _Sum:
    in_wan = "万" in text[quantity.at : quantity.end]
    clause = (
        re.split("[，；。：]", text[: quantity.start])[-1] + text[quantity.end : quantity.end + 3]
    )
    sentence = text[: quantity.start]
    who = "人" if _PERSON.search(clause) else "孩" if _CHILD.search(clause) else ""
    who = "平方米" if _AREA.search(clause) else "餐" if _MEAL.search(clause) else who
    often = (
        "日"
        if _DAILY.search(clause)
        else "月"
        if _MONTH.search(clause)
        else "年"
        if _YEAR.search(clause)
        else ""
    )
    if not who and _PERSON.search(sentence):
        who = "人"
    per = "·".join(part for part in (who, often) if part)
    base = "万元" if in_wan else "元"
    value = quantity.value / 1e4 if in_wan else quantity.value
    return _Sum(
        value, f"{base}/{per}" if per and not cap else base + (f"/{often}" if often else ""), cap
    )


_RANGE_WORD = re.compile(
    r"^[\d零一二三四五六七八九十:：时点分整 ]*(?:起|开始)?[，、]?\s*(?:至|到|—+|-+|–|~|～|－|──|止)"
)
_UNTIL = re.compile(
    r"^[\d:：时点分 下班]*(?:之前|以前|前|截止|止|为止|内)|^[^，。起]{0,4}(?:截止|结束)|^有效"
)
_FROM = re.compile(r"^[\d零一二三四五六七八九十:：时点分整 ]*(?:起|开始|后)")
_OPEN_ALL_YEAR = re.compile(
    "常年(?:受理|申报|办理)|全年(?:受理|都可以|可办)|随时(?:可以)?(?:申请|受理|申报)|长期(?:有效|受理)"
)
_APPLYING = re.compile(
    "申报|受理|申请|申领|办理|登记|报名|提交|填报|执行|期限|期间|开放|截止|发送|窗口|实施|发放|减|施行|有效|登录|上传|请于"
)
_IN_FORCE = re.compile("施行|实施|执行|有效")


def window_fields(passages: Sequence[Passage], published: date | None) -> dict[str, Field]:
    """Return opens, closes and note of the time to apply.

    A document's coming into force alone is no window; with its end it is one.

    Args:
        passages: the document.
        published: its date, for 即日起 and for days without a year.
    """
    found: dict[str, Field] = {}
    year = _year(passages, published)
    for passage in sorted(passages, key=lambda p: p.topic != "window"):
        text = passage.text
        if passage.topic != "window" and not _APPLYING.search(text):
            continue
        if passage.topic == "conditions" and passage.item:
            continue
        note = _OPEN_ALL_YEAR.search(text)
        if note and "window.note" not in found:
            found["window.note"] = Field(note[0], passage.source)
        for name, day in _limits(text, year, published):
            if f"window.{name}" not in found:
                found[f"window.{name}"] = Field(day, passage.source)
        if "window.opens" in found and "window.closes" in found:
            break
    return found


def _year(passages: Sequence[Passage], published: date | None) -> int | None:
    for passage in passages[:4]:
        match = re.search(r"(20\d\d)年", passage.text)
        if match:
            return int(match[1])
    return None if published is None else published.year


def _limits(text: str, year: int | None, published: date | None) -> Iterator[tuple[str, date]]:
    if re.search("以前发布|同时废止|印发之日", text):
        return
    own = re.search(r"(20\d\d)年", text)
    if "每年" in text and own is None:
        return  # the same days every year are no window of this one
    days = find_days(text, int(own[1]) if own else year)
    for ((_, end), day), (_, until) in itertools.pairwise(days):
        if _RANGE_WORD.match(text[end:]):
            yield "opens", day
            yield "closes", until
            return
    for (start, end), day in days:
        before, after = text[:start], text[end:]
        if _UNTIL.search(after) or re.search(
            "(?:截止|截至|至|到)(?:时间|日期)?[为：:是]?$", before
        ):
            if "即日起" in before and published is not None:
                yield "opens", published
            if not re.search("截至", before) and "上报" not in after[:16]:
                yield "closes", day
        elif _FROM.search(after) and not _only_in_force(text):
            yield "opens", day


def _only_in_force(text: str) -> bool:
    """本办法自某日起施行: the rule's own beginning, unless its end is told, too."""
    own = re.search(r"本(?:办法|细则|规定|规程|意见|措施|通知|实施办法)", text)
    return bool(own) and bool(_IN_FORCE.search(text)) and len(find_days(text)) < 2

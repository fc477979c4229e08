"""An address in a citizen's words that the gazetteer does not know: 平安里12号.

The address is shown and sent on as typed, so only what is surely one counts: a road or lane
with a number, a named estate or building, a crossing, a road with its district. 家里, 马路上
and 小区里 are no addresses.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import UTC, datetime

from dispatch.places.address import is_day_of_month, read_tail
from dispatch.times.occurrence import occurrence
from dispatch.times.time_words import PART

MAX_CHARS = 500
"""Only the beginning of a long text is searched."""

_NUMBER = r"(?:\d{1,5}|[零〇一二两三四五六七八九十百千幺]{1,5})(?:-\d{1,4})?"
_LETTER = (
    r"(?![在到是住往去从于的了吗呢吧啊我你您他她它们咱俺这那哪啥谁有没不很太都就也又还被把跟条每某])"
    r"[\u4e00-\u9fff]"
)
_AREA = (
    rf"(?:(?:{_LETTER}){{2,3}}市)?(?:(?:{_LETTER}){{1,3}}(?:(?<![小社地])区|县))?"
    rf"(?:(?:{_LETTER}){{1,4}}?(?:街道|镇|乡))?"
)
_ROAD = r"(?:大道|大街|路|街|巷|弄|胡同|道)"
_ESTATE = (
    r"(?:小区|花园|家园|新村|公寓|大厦|花苑|名苑|雅苑|家苑|山庄|工业园|产业园|工业区|科技园|创业园"
    r"|公园|广场|宾馆|酒店|医院|小学|中学|幼儿园|菜市场|农贸市场|市场|商场|嘉园|名邸|苑|府)"
)
_BLOCK = rf"(?:[A-Za-z]?{_NUMBER}(?:号楼(?!下)|号院|号|弄|幢|栋|座|单元|室|期|组|队))+"
# What may stand before the name without being part of it.
_BEFORE = re.compile(
    rf"^(?:{PART}|[昨今前][天日晚早夜]|刚才|刚刚|现在|最近|每天|天天|请问|请|麻烦|你好|您好|地址|位置|地点|住址"
    r"|投诉|举报|反映|听说|看见|看到|发现|路过|经过|位于|叫做|叫|家住|老家|附近|旁边|对面|隔壁|楼下|门口|因为|由于|要|想|来)+"
)
_LOCATING = re.compile(r"(?:^|[在到是住去于叫址置点，。！？、,.!?;；:：\s])$")
_GENERIC = re.compile(
    r"^(?:附近|旁边|对面|隔壁|门口|楼下|前面|后面|整个|全部|所有|许多|好多|多个|几个|一个|两个|三个|某个|各个|本地|当地"
    r"|老旧?|新建?|大型?|小|本|该|个|家|马|公|道|高速公|水泥|步行|商业|居民|住宅|农贸|综合|批发|露天|购物|口袋|街心"
    r"|儿童|社区|城市|市民|森林|湿地|体育|私立|公立|民办|附属|人民|中心|开发|城中|农|铁|线|网|电|思|出|一|半|走|过|回"
    r"|物业|我们|早餐|农村|周边|周围|夜里|家里|院里)+$"
)
_GENERIC_END = {
    "路": "公马道铁网一半",
    "里": "子家院店区园村楼屋厂校车路街河湖沟场棚房",
    "道": "通街",
}
"""Last characters that make no name of the next one: 高速公(路), 巷子(里)."""

_ADDRESSES = tuple(
    re.compile(pattern)
    for pattern in (
        rf"(?P<area>{_AREA})(?P<stem>(?:{_LETTER}){{1,5}}?)(?P<kind>{_ROAD}|里|坊|村|庄|屯)(?P<number>{_BLOCK})",
        rf"(?P<area>{_AREA})(?P<stem>(?:{_LETTER}){{2,6}}?)(?P<kind>{_ESTATE})(?P<number>(?:{_BLOCK})?)",
        rf"(?P<area>{_AREA})(?P<stem>(?:{_LETTER}){{2,4}}?)(?P<kind>路|街|大道|大街)(?:[和与跟、]|路口)?"
        rf"(?:{_LETTER}){{2,4}}?(?:路|街|大道|大街)的?(?:交叉|十字|交界|交汇|拐角|转角|路)?(?P<number>口|处)",
        rf"(?P<area>{_AREA})(?P<stem>(?:{_LETTER}){{2,4}}?)(?P<kind>路|街|大道|大街|巷|村|庄|屯)(?P<number>)",
    )
)
_NUMBERED, _NAMED, _CROSSING, _IN_AREA = range(4)


def unknown_address(text: str) -> str | None:
    """Return the address in ``text`` as typed (at most 60 characters), or None.

    Precision comes first: what only may be an address is None, so that it is asked for.
    """
    typed = _without_time(unicodedata.normalize("NFKC", text[:MAX_CHARS]))
    for clause in re.finditer(r"[^，。！？；,!?;\n]+", typed):
        for shape, pattern in enumerate(_ADDRESSES):
            address = _first(clause.group(), shape, pattern)
            if address:
                return address[:60]
    return None


def _without_time(text: str) -> str:
    """Part the words of when it happened from the address: 昨晚十点多平安里12号."""
    found = occurrence(text, datetime.now(UTC))
    return text.replace(found.words, "，") if found else text


def _first(clause: str, shape: int, pattern: re.Pattern[str]) -> str | None:
    at = 0
    while match := pattern.search(clause, at):
        skip = _BEFORE.match(match.group())
        if skip and skip.end() < len(match.group()):
            shorter = pattern.match(clause, match.start() + skip.end())
            if shorter is None:
                at = match.start() + skip.end()
                continue
            match = shorter
        if _is_address(clause, match, shape):
            tail = read_tail(clause[match.end() :], numbered=False)
            kept = tail.length if tail.relation or tail.detail else 0
            return clause[match.start() : match.end() + kept].strip()
        at = match.start() + 1
    return None


def _is_address(clause: str, match: re.Match[str], shape: int) -> bool:
    stem, kind, area = match["stem"], match["kind"], match["area"]
    if _GENERIC.match(stem) or (len(stem) < 2 and kind not in "村庄屯"):
        return False
    if stem[-1] in _GENERIC_END.get(kind, ""):
        return False
    if shape == _NUMBERED:
        return not is_day_of_month(match["number"], clause[match.end() :])
    if shape == _NAMED:
        placed = _LOCATING.search(clause[: match.start()]) or not clause[: match.start()]
        return bool(area or match["number"] or placed or _BEFORE.fullmatch(clause[: match.start()]))
    if shape == _CROSSING:
        return True
    return bool(area)

"""The words around a place name: house numbers, buildings, relations, crossings.

Pure functions over text; they know nothing about which places exist.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from base.characters import simplified

MAX_SHIFT = 2000
"""A way from a place longer than this, metres, is a remark and not an address."""

_DIGITS = {c: i for i, c in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2, "幺": 1}
_UNITS = {"十": 10, "百": 100, "千": 1000}
_NUMERAL = "零〇一二两三四五六七八九十百千幺"
_UNIT_WORDS = "号楼|号院|号口|号|弄|幢|栋|座|单元|室|层|楼|期|区|组|排|队"

_SPACE = re.compile(r"\s+")
_CHINESE_NUMBER = re.compile(rf"[{_NUMERAL}]+(?=(?:{_UNIT_WORDS}|米|公里))")
# 火车站地铁口 is an exit of 火车站地铁站; 人民广场的公交站 is 人民广场公交站.
_METRO_EXIT = re.compile(r"地铁(?=[A-Za-z\d一二三四五六]?号?[出入进]?口)")
_OF_STOP = re.compile(r"的(?=公交|地铁站)")
_HOUSE = re.compile(r"^(\d{1,4})(?:-\d{1,4})?(号院|号楼|号|弄)")
# 文昌路18号晚上: a day of the month, not a house number.
_DATE_TAIL = re.compile(r"^(?:那天|当天|开始|起|早|晚|上午|下午|中午|凌晨|夜|到\d|至\d|以来|线)")
_DETAIL = re.compile(
    rf"^(?:地下\d层|[东西南北]区|[A-Za-z]出?口|\d{{1,2}}号?出?口|第?[A-Za-z]?\d{{1,4}}(?:{_UNIT_WORDS})"
    r"|[A-Za-z](?:座|栋|幢|区)|第[一二三四五六七八九十]+(?:排|组|队))+"
)
_SIDE = "东南|东北|西南|西北|东|西|南|北"
_FAR = rf"(?:往|向|朝|以)?(?:{_SIDE})(?:面|边|侧|方向|头)?(?:走|去)?(?:大?约)?"
_SHIFT = re.compile(
    rf"(?:往|向|朝|以)?({_SIDE})(?:面|边|侧|方向|头)?(?:走|去)?(?:大?约)?(\d{{1,4}})米"
)
# 春风里，对，3号楼; 铁路新村那个门口: words between a name and what belongs to it.
_FILLER = re.compile(
    r"^(?:\([^()]{1,8}\))?[，,、。)]?(?:(?:就是|对(?![面过门])|是|嗯|啊|呢|的|那个|这个|那|格|噶)[，,、]?){0,3}"
)
_RELATION = re.compile(
    rf"^(?:{_FAR}\d{{1,4}}米(?:处|左右|的地方)?"
    r"|[上下]游(?:大?约)?(?:\d{1,4}米)?(?:处|左右)?"
    r"|(?:斜|正)?(?:对面|对过|对门)"
    rf"|(?:{_SIDE}|正|前|后|侧)?大?门(?:口|外|前)?头?|后门口?头?"
    r"|附近|边边上|旁边|边上|隔壁|周边|周围|后面|后头|前面|前头|背后|背面|后身|屋后头?"
    r"|楼底?下|底下|下面|楼上|上面|里面|里头|里边|外面|外头|地下车库|地下室|中心花园|旮旯里?"
    rf"|(?:{_SIDE})(?:面|边|侧|头|角)|[村桥巷弄街路]口头?|[村桥](?:{_SIDE})?头|村委会|村部"
    r"|站台|站牌|口(?![碑味罩岸号感腔])(?:外|边|旁)?|[左右]手边|拐角|转角|入口|出口|围墙|旁|[那这]一?头|里(?!程|外|巷|弄)|内)"
)
_RELATIONS_KEPT = 3
_PART = re.compile(r"^(?:的|这|那)?([东西南北中])段")
_CROSS_BETWEEN = re.compile(
    r"^(?:路口|口)?(?:[和与跟同、,，及/到]|由?[东西南北]往[东西南北](?:方向)?)?$"
)
_CROSS_AFTER = re.compile(
    r"^的?(?:这个|那个)?(?:(?:十字|丁字|T字|三岔|交叉|交汇|相交|交界|岔|转弯|转角|拐角|路)?(?:路?口口?|处|角)"
    r"|(?:相交|交界|交汇|交叉)的(?:地方|位置))"
)
_COMPOUND = re.compile(
    r"^(?:[东西南北中]?路(?!口|边|上|灯|面|段|中|两|旁|过|人|障|牌|况)|大道|大街|街道|镇"
    r"|村|新村|小区|花园|家园|公寓"
    r"|公园|广场|大厦|中心|医院|诊所|卫生院|小学|中学|大学|学校|学院|幼儿园|托儿所|培训"
    r"|菜市场|菜场|农贸市场|市场|超市|商场|商城|酒店|宾馆|饭店|大桥|桥|地铁站|公交站|高架"
    r"|派出所|工业园|产业园|工业区|开发区|新城|社区|水库|支路|支巷)"
)
_PREFIX_COMPOUND = re.compile(r"[新老]$")
_NEGATED = re.compile(r"(?:不是|不在|而不是|不叫|别写)(?:说|在|叫)?$")


@dataclass(frozen=True)
class Shift:
    """A way from a place: ``bearing`` is one of 东 东南 南 …, ``metres`` up to 2000."""

    bearing: str
    metres: int


@dataclass(frozen=True)
class Tail:
    """What follows a place name: ``18号`` + ``3幢2单元`` + ``对面``.

    ``part`` is the part of a road (东, 南, 西, 北 or 中, of 东段 …), ``shift`` how far and
    where to from the place (往南100米), ``length`` how many characters were read.
    """

    house_number: int | None
    detail: str
    relation: str
    compound: str
    part: str = ""
    shift: Shift | None = None
    length: int = 0

    @property
    def text(self) -> str:
        """The words to append to the place's name, without the house number."""
        part = f"{self.part}段" if self.part else ""
        return f"{self.compound}{part}{self.detail}{self.relation}"


def normalise(text: str) -> str:
    """Fold width and characters, drop white space, write counted numerals as digits."""
    folded = simplified(_SPACE.sub("", unicodedata.normalize("NFKC", text)))
    folded = _OF_STOP.sub("", _METRO_EXIT.sub("地铁站", folded))
    return _CHINESE_NUMBER.sub(lambda match: str(chinese_number(match.group())), folded)


def chinese_number(text: str) -> int:
    """Read a Chinese numeral: ``一百二十`` is 120, ``一二〇`` is 120, ``十八`` is 18."""
    if not any(char in _UNITS for char in text):
        return int("".join(str(_DIGITS[char]) for char in text))
    total, digit = 0, 0
    for char in text:
        if char in _UNITS:
            total += (digit or 1) * _UNITS[char]
            digit = 0
        else:
            digit = _DIGITS[char]
    return total + digit


def read_tail(text: str, *, numbered: bool, own: tuple[str, ...] = ()) -> Tail:
    """Read the words straight after a place name.

    ``numbered`` when it is a road; ``own`` are words for its kind, which make no other name
    of it: 水口村 + 村口 is at the village, 文昌桥 + 桥头 at the bridge.
    """
    compound_match = _COMPOUND.match(text)
    compound = compound_match.group() if compound_match else ""
    at = len(compound)
    if compound in own:
        at = 0 if _RELATION.match(text) else at
        compound = ""
    part_match = _PART.match(text) if numbered else None
    if part_match:
        compound, at = "", part_match.end()
    number: int | None = None
    house = _HOUSE.match(text[at:]) if numbered and not compound else None
    if house and not _DATE_TAIL.match(text[at + house.end() :]):
        number = int(house.group(1))
        at += house.end()
    elif house:
        return Tail(None, "", "", compound)
    detail, at = _after_filler(_DETAIL, text, at)
    relations: list[str] = []
    while len(relations) < _RELATIONS_KEPT:
        relation, at = _after_filler(_RELATION, text, at)
        if not relation or (relations and relation in "里内旁"):
            break
        relations.append(relation)
    relation = "".join(relations)
    part = part_match.group(1) if part_match else ""
    return Tail(number, detail, relation, compound, part, _shift(relation), at)


def _after_filler(pattern: re.Pattern[str], text: str, at: int) -> tuple[str, int]:
    """Match ``pattern`` at ``at``, or after words that say nothing; return it and its end."""
    for start in (at, at + _filler_length(text[at:])):
        match = pattern.match(text[start:])
        if match:
            return match.group(), start + match.end()
    return "", at


def _filler_length(text: str) -> int:
    match = _FILLER.match(text)
    return match.end() if match else 0


def _shift(relation: str) -> Shift | None:
    match = _SHIFT.search(relation)
    if match is None or not 0 < int(match.group(2)) <= MAX_SHIFT:
        return None
    return Shift(match.group(1), int(match.group(2)))


def crossing_tail(between: str, after: str) -> int | None:
    """Tell whether two road names separated by ``between`` are meant as their crossing.

    Returns:
        How many characters of ``after`` say so (交叉口 is 3, none is 0), or None.
    """
    if not _CROSS_BETWEEN.match(between):
        return None
    match = _CROSS_AFTER.match(after)
    if match:
        return match.end()
    return 0 if between in ("", "与", "和", "跟", "/") else None


def is_day_of_month(number: str, after: str) -> bool:
    """Tell whether 18号 is a day because of what follows: 18号晚上."""
    return number.endswith("号") and _DATE_TAIL.match(after) is not None


def is_negated(before: str) -> bool:
    """Tell whether the words before a name exclude it: 不是(春风里小区)."""
    return bool(_NEGATED.search(before[-6:]))


def is_prefixed(before: str) -> bool:
    """Tell whether the name is only the end of another one: 新(人民路)."""
    return bool(_PREFIX_COMPOUND.search(before[-2:]))

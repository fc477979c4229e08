"""The words around a place name: house numbers, buildings, relations, crossings.

Pure functions over text; they know nothing about which places exist.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

_DIGITS = {c: i for i, c in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2, "幺": 1}
_UNITS = {"十": 10, "百": 100, "千": 1000}
_NUMERAL = "零〇一二两三四五六七八九十百千幺"
_UNIT_WORDS = "号楼|号院|号|弄|幢|栋|座|单元|室|层|楼|期|区|组"

_SPACE = re.compile(r"\s+")
_CHINESE_NUMBER = re.compile(rf"[{_NUMERAL}]+(?=(?:{_UNIT_WORDS}))")
_HOUSE = re.compile(r"^(\d{1,4})(?:-\d{1,4})?(号院|号楼|号|弄)")
# 文昌路18号晚上: a day of the month, not a house number.
_DATE_TAIL = re.compile(r"^(?:那天|当天|开始|起|早|晚|上午|下午|中午|凌晨|夜|到\d|至\d|以来|线)")
_DETAIL = re.compile(rf"^(?:[东西南北]区|[A-Za-z]?\d{{0,4}}(?:{_UNIT_WORDS}))+")
_RELATION = re.compile(
    r"^的?((?:往|向|以)?(?:东|西|南|北|东南|东北|西南|西北)(?:面|边|侧|方向|头)?(?:大?约)?"
    r"\d{1,4}米(?:处|左右)?"
    r"|(?:斜|正)?对面|(?:东|西|南|北|正|前|后|侧)?大?门(?:口|外|前)?|门口|门前|附近|旁边|边上"
    r"|隔壁|周边|周围|后面|前面|背后|后身|楼下|楼上|里面|外面|地下车库|地下室|中心花园"
    r"|(?:东|西|南|北|东南|东北|西南|西北)(?:面|边|侧|头)|入口|出口|旁|里(?!程|外)|内)"
)
_CROSS_BETWEEN = re.compile(r"^(?:路口|口)?[和与跟同、,，及/到]?$")
_CROSS_AFTER = re.compile(
    r"^的?(?:十字|丁字|T字|三岔|交叉|交汇|相交|交界|转弯|转角|拐角|路)?(?:路?口|处|的地方|角)"
)
_COMPOUND = re.compile(
    r"^(?:[东西南北中]?路(?!口|边|上|灯|面|段|中|两|旁|过|人|障|牌|况)|大道|大街|街道|镇|村|新村|小区|花园|家园|公寓"
    r"|公园|广场|大厦|中心|医院|诊所|卫生院|小学|中学|大学|学校|学院|幼儿园|托儿所|培训"
    r"|菜市场|菜场|农贸市场|市场|超市|商场|商城|酒店|宾馆|饭店|大桥|桥|地铁站|公交站|高架"
    r"|派出所|工业园|产业园|工业区|开发区|新城|社区|村委|水库|支路|支巷)"
)
_PREFIX_COMPOUND = re.compile(r"[新老]$")
_NEGATED = re.compile(r"(?:不是|不在|而不是|不叫|别写)(?:说|在|叫)?$")


@dataclass(frozen=True)
class Tail:
    """What follows a place name: ``18号`` + ``3幢2单元`` + ``对面``."""

    house_number: int | None
    detail: str
    relation: str
    compound: str

    @property
    def text(self) -> str:
        """The words to append to the place's name, without the house number."""
        return f"{self.compound}{self.detail}{self.relation}"


def normalise(text: str) -> str:
    """Fold width and case, drop white space, write counted Chinese numerals as digits."""
    folded = _SPACE.sub("", unicodedata.normalize("NFKC", text))
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


def read_tail(text: str, *, numbered: bool) -> Tail:
    """Read the words straight after a place name; ``numbered`` when it is a road."""
    compound_match = _COMPOUND.match(text)
    compound = compound_match.group() if compound_match else ""
    rest = text[len(compound) :]
    number: int | None = None
    house = _HOUSE.match(rest) if numbered and not compound else None
    if house and not _DATE_TAIL.match(rest[house.end() :]):
        number = int(house.group(1))
        rest = rest[house.end() :]
    elif house:
        return Tail(None, "", "", compound)
    detail_match = _DETAIL.match(rest)
    detail = detail_match.group() if detail_match else ""
    relation_match = _RELATION.match(rest[len(detail) :])
    relation = relation_match.group(1) if relation_match else ""
    return Tail(number, detail, relation, compound)


def is_crossing(between: str, after: str) -> bool:
    """Tell whether two road names separated by ``between`` are meant as their crossing."""
    if not _CROSS_BETWEEN.match(between):
        return False
    return bool(_CROSS_AFTER.match(after)) or between in ("", "与", "和", "跟", "/")


def is_negated(before: str) -> bool:
    """Tell whether the words before a name exclude it: 不是(春风里小区)."""
    return bool(_NEGATED.search(before[-6:]))


def is_prefixed(before: str) -> bool:
    """Tell whether the name is only the end of another one: 新(人民路)."""
    return bool(_PREFIX_COMPOUND.search(before[-2:]))

"""Patterns of entities that have a grammar: numbers with units, dates, telephones, ticket numbers.

Ticket and telephone numbers are decided here. The others are evidence for
:mod:`bot.components.entity_tagger`, which sees the sentence around them: 三个 may count staff,
windows or months.
"""

from __future__ import annotations

import re
from typing import Dict, Iterator, List, Tuple

Found = Tuple[str, int, int]
"""Entity name, start and end (exclusive)."""


def _any(words: str) -> str:
    """Return an alternation of the words (patterns) of a text, longest first."""
    return "(?:" + "|".join(sorted(words.split(), key=len, reverse=True)) + ")"


_SMALL = "一二三四五六七八九十"
_N = r"(?:\d[\d,.，]*\d|\d|[零〇一二三四五六七八九十百千万亿两俩仨半几]+)"
_NUMBER = rf"{_N}[十百千万亿]*"
_DAY_NUMBER = rf"[\d{_SMALL}廿]{{1,3}}"
_WEEKDAY = r"(?:周|星期|礼拜)[一二三四五六日天\d]"

_PARTS_OF_DAY = _any(
    """大清早 一大早 清早 清晨 早晨 早上 早间 上午 中午 正午 晌午 下午 午后 傍晚 晚上 晚间
    夜里 夜间 夜晚 夜里头 昨夜 下昼 半夜三更 大半夜 下半夜 后半夜 前半夜 上半夜 半夜 深夜
    凌晨 午夜 大白天 白天 早 晚"""
)
_DAYS = _any(
    """大前天 前天 昨天 昨日 昨儿 今天 今日 今儿个? 明天 明日 明儿 后天 大后天 当天
    昨(?=[晚夜早]) 今(?=[晚早]) 明(?=[晚早])"""
)
_WEEKS = (
    rf"(?:(?:(?:上|下|这|本|每)个?)?(?:周末|{_WEEKDAY}(?:到{_WEEKDAY})?)"
    r"|(?:上|下|这|本|每)个?(?:周|星期|礼拜))"
)
_MONTHS = (
    rf"(?:(?:上|下|这|本|每)个?月(?:底|初|中旬|份)?|月底|月初|(?:\d{{1,2}}|[{_SMALL}]{{1,2}}|[正腊冬])月"
    rf"(?:份|底|初|中旬|上旬|下旬)?(?:{_DAY_NUMBER}[号日])?)"
)
_YEARS = (
    r"(?:(?:\d{4}|\d{2}|[一二三四五六七八九零〇两]{2,4})年(?:底|初)?|"
    + _any("去年 今年 明年 前年 后年 大前年 年底 年初 上半年 下半年")
    + ")"
)
_CLOCK_TIME = rf"{_NUMBER}点(?:半|多钟?|钟|整|一刻|三刻|{_N}分?)?"
_DIGITAL = r"\d{1,2}[:：]\d{2}"
_CLOCK = rf"(?:{_CLOCK_TIME}(?:到{_CLOCK_TIME})?|{_DIGITAL}(?:[-~到至]{_DIGITAL})?)"
_EVERY = _any(
    """每天 每日 天天 每晚 每夜 夜夜 每周 每个?月 每年 年年 隔三差五 整天 整夜 整宿 一整天
    一宿 一夜 全天 通宵"""
)
_FESTIVALS = _any(
    """春节 过年 元旦 元宵 清明 五一 端午 中秋 国庆 十一假期 双休 双休日 暑假 暑期 寒假
    国庆节 节假日 春天 夏天 秋天 冬天 第二天 头天"""
)
_DURATION = (
    rf"{_N}[多来]?个?多?半?(?:年|月|天|周|礼拜|星期|小时|钟头|分钟|工作日|季度)[多半]?"
    rf"(?:零{_N}个月)?"
)
_DATE = (
    rf"(?:\d{{4}}[-/.]\d{{1,2}}(?:[-/.]\d{{1,2}})?"
    rf"|{_DAY_NUMBER}[号日](?![楼线院门口车馆店桌窗路铺人员]))"
)
_MOMENTS = "|".join(
    (_FESTIVALS, _EVERY, _YEARS, _MONTHS, _DATE, _WEEKS, _DAYS, _PARTS_OF_DAY, _CLOCK, _DURATION)
)
_MONEY = _any("块钱 元钱 块 元 毛 美元 美金 欧元 港币 人民币 刀 大洋 w W")
_STAFF = _any("人 员工 职工 工人 号人")

PATTERNS: Dict[str, re.Pattern[str]] = {
    "ticket_id": re.compile(r"(?<![a-zA-Z0-9])[sS][mM]\d{14}(?!\d)"),
    "phone": re.compile(
        r"(?<!\d)(?:(?:\+?86[- ]?)?1[3-9]\d[- ]?\d{4}[- ]?\d{4}|0\d{2,3}[- ]?\d{7,8})(?!\d)"
    ),
    "time": re.compile(rf"(?:{_MOMENTS})(?:的?(?:{_MOMENTS}))*"),
    "age": re.compile(rf"{_NUMBER}[多来]?周?岁[多半]?"),
    "amount": re.compile(
        rf"{_NUMBER}[多来]?[万千百亿]?多?{_MONEY}|(?:\d[\d,.]*|[{_SMALL}百千两]+)多?[万亿]多?"
    ),
    "headcount": re.compile(rf"{_NUMBER}[多来]?[个名位号]?多?{_STAFF}|{_NUMBER}[多来]?[个名位]"),
}
_PLACE_KINDS = """
    路 街 大街 大道 道 巷 弄 胡同 里 村 镇 乡 屯 庄 湾 桥 河 湖 江 小区 花园 家园 新村 新城 公寓
    苑 府 庭 轩 邸 公馆 雅居 名都 社区 市场 菜场 菜市场 农贸市场 夜市 超市 商场 广场 公园 学校
    幼儿园 小学 中学 大学 医院 卫生院 车站 地铁站 火车站 大厦 大楼 写字楼 工业园 产业园 园区
    开发区 工业区 厂 水泥厂 化工厂 电镀厂 印染厂 机械厂 养殖场 砖厂 石料厂 搅拌站 工地 码头 货场
    仓库 机场 中心 区 县 市 省 组 坝 坡 坳 沟 岗 堡 墩 渠 溪 水库 塘 港 山 岭 桥头 收费站 服务区
    加油站 饭店 酒楼 烧烤店 火锅店 餐厅 酒店 宾馆 物业 制药 铝业 纸业 建材 养猪场 民政局 派出所
    政务大厅 税务大厅 街道 街道办 公墓 寺 祠堂 棋牌室 车间
"""
_RELATIONS = """
    东门 南门 西门 北门 正门 后门 侧门 门口 门前 对面 附近 旁边 旁 边上 后面 后头 后边 前面 楼下
    楼上 楼顶 底下 地下车库 路口 交叉口 桥头 桥下 桥洞下 入口 出口 里面 斜对面 隔壁 一带 两岸 东侧
    南侧 西侧 北侧 外面
"""
PLACE_KINDS, RELATIONS = _PLACE_KINDS.split(), _RELATIONS.split()
"""Words that say what kind of place a name is; words behind a place that say where of it."""
_HOUSE = rf"{_N}(?:号楼?|栋|幢|单元|室|弄|院)"
PLACE_END = re.compile(
    rf"{_any(_PLACE_KINDS)}(?:{_HOUSE})*(?:{_any(_RELATIONS)})*|(?:{_HOUSE})+(?:{_any(_RELATIONS)})*"
)
"""What the name of a place ends with: its kind, a house number, a relation."""

CERTAIN = ("ticket_id", "phone")


def matches(text: str, names: Tuple[str, ...] = tuple(PATTERNS)) -> Iterator[Found]:
    """Yield ``(entity, start, end)`` of every match of the named patterns in ``text``."""
    for name in names:
        for match in PATTERNS[name].finditer(text):
            yield name, match.start(), match.end()


def certain(text: str) -> List[Found]:
    """Return ticket and telephone numbers, which need no context."""
    return list(matches(text, CERTAIN))

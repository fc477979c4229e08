"""Several problems in one message: where one ends and the next begins.

Reported one by one they reach the right office sooner. The offer must not be a nuisance, so a
message is only taken apart when the next stretch names something else that is at fault (a
building site after a restaurant, not the smell after the smoke) and the classifier is sure of
every stretch, each time of another category.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from dispatch.classification.classifier import CategoryClassifier

MOST_PROBLEMS = 3
_SURE_UNOPENED = 0.9
"""Without a word that opens another matter both sides must be this sure (confidence)."""

_OPENER = (
    r"还有(?!人|多|几|什么|没)|另外|此外|除此之外|再就是|再一个|再有|还有一个|以及|同时"
    r"|对了|顺便|二是|三是|第[二三](?:个|件)?|其次|一个是|一是|第一"
)
_CUT = re.compile(rf"(?<=[，,。；;！!？?\n])|(?={_OPENER})")
_OPENS = re.compile(rf"^(?:\s|而且|并且)*(?:{_OPENER})")
_CULPRITS = {
    "food": r"餐馆|饭店|饭馆|餐厅|烧烤|大排档|小吃|火锅|面馆|早餐|食堂|夜宵|菜馆|炒菜|油烟",
    "site": r"工地|施工|打桩|渣土|装修|挖掘|搅拌|拆迁|拆房|围挡|钻地",
    "factory": r"厂|车间|烟囱|锅炉|作坊",
    "lamp": r"路灯|(?<!霓虹)灯不亮|灯坏",
    "road": r"井盖|路面|坑洼|大坑|坑|人行道|护栏|红绿灯|信号灯|路牌|盲道|台阶|地砖",
    "garbage": r"垃圾|粪便|狗屎",
    "water": r"河(?!边|旁|岸)|沟(?!边)|渠|湖|池塘|水塘|下水道|化粪池|自来水|水龙头|消防栓|水管",
    "cars": r"停车|占道停|乱停|货车|摩托|电动车|僵尸车|鸣笛|喇叭|飙车|共享单车|大车|尾气",
    "people": r"楼上|邻居|广场舞|音响|KTV|ktv|酒吧|唱歌|遛狗|狗叫|鹅叫|麻将|健身房",
    "burning": r"烧秸秆|秸秆|焚烧|烧荒|烧落叶|烧纸|烧枯",
    "light": r"霓虹|灯箱|LED|广告屏|大屏|射灯|招牌",
    "trees": r"树枝|大树|树倒|绿化带|草坪",
    "posters": r"小广告|牛皮癣|乱贴",
}
_NAMED = {kind: re.compile(pattern) for kind, pattern in _CULPRITS.items()}
_ELSEWHERE = re.compile(
    r"旁边|边上|对面|隔壁|门口|前面|后面|附近|那边|另一边|路边|街边|路口|楼道|小区|马路|村口|村里"
)
_HEAD = 8
"""What is at fault comes within so many characters of a stretch without an opening word."""
_CONSEQUENCE = re.compile(
    r"导致|造成|弄得|弄坏|压坏|压得|压烂|搞得|害得|引来|招来|引得|流到|淌到|漏到|飘到|落到|溅|所以|结果"
    r"|因为|由于|其实|应该是|怀疑|估计|肯定是|都是.{0,6}(弄|搞|造成|惹)"
)
_COMPARED = re.compile(
    r"比.{0,12}[还更]|像.{0,10}(一样|似的)|跟.{0,10}一样|不是|而不是|上次|之前反映|以前"
)


@dataclass
class _Stretch:
    text: str
    opened: bool

    @property
    def culprits(self) -> frozenset[str]:
        return frozenset(kind for kind, named in _NAMED.items() if named.search(self.text))


def separate(text: str, classifier: CategoryClassifier) -> tuple[str, ...]:
    """Return the separate problems a text tells of, in order; empty when it tells of one.

    At most :data:`MOST_PROBLEMS`; a text with more stays whole.
    """
    stretches = _stretches(text)
    if not 2 <= len(stretches) <= MOST_PROBLEMS:
        return ()
    parts = [_bare(stretch.text) for stretch in stretches]
    proposals = classifier.propose_all(parts)
    codes = {proposal.code for proposal in proposals}
    if None in codes or len(codes) < len(parts) or not all(p.confident for p in proposals):
        return ()
    unopened = not all(stretch.opened for stretch in stretches[1:])
    if unopened and min(p.confidence for p in proposals) < _SURE_UNOPENED:
        return ()
    return tuple(parts)


def _stretches(text: str) -> list[_Stretch]:
    """Join clauses until one names something else that is at fault."""
    stretches: list[_Stretch] = []
    for clause in (piece for piece in _CUT.split(text) if piece):
        fresh = _Stretch(clause, bool(_OPENS.match(clause)))
        if stretches and _begins(fresh, stretches[-1]):
            stretches.append(fresh)
        elif stretches:
            stretches[-1].text += clause
        else:
            stretches.append(fresh)
    return stretches


def _begins(fresh: _Stretch, before: _Stretch) -> bool:
    """Tell whether a clause begins another problem than the stretch before it."""
    if not before.culprits or not fresh.culprits or fresh.culprits & before.culprits:
        return False
    if _CONSEQUENCE.search(fresh.text) or _COMPARED.search(fresh.text):
        return False
    if _CONSEQUENCE.search(before.text):
        return False
    if fresh.opened:
        return True
    head = fresh.text[:_HEAD]
    named_first = any(named.search(head) for named in _NAMED.values())
    return named_first and _ELSEWHERE.search(fresh.text) is not None


def _bare(part: str) -> str:
    """Return a stretch without the opening word and the marks around it."""
    return _OPENS.sub("", part).strip(" ，,。；;\n：:、是就") or part

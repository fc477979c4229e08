"""Who issued a document, when, for whom, and where one asks: its fields with their sentences."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from matcher.importing.atoms import Places
from matcher.importing.lexicon import get_phrases, scores
from matcher.importing.numbers import find_days
from matcher.importing.outline import Passage
from matcher.profile import Kind

__all__ = ["Field", "head_fields", "places_of"]

_HEAD_LINES = 8
_NUMBER = re.compile(
    r"[\u4e00-\u9fa5]{1,12}(?:〔|［|\[|【|（|\()(?:19|20)\d{2}(?:〕|］|\]|】|）|\))\s?第?\d{1,4}号"
    r"|[\u4e00-\u9fa5 ]{0,30}公告\d{4}年第\d{1,4}号|\d{4}年第\d{1,4}号|主席令第\d{1,4}号"
)
_BODY = (
    r"[\u4e00-\u9fa5（）]{2,30}?(?:人民政府办公厅|人民政府办公室|人民政府|政府办公室|办公厅|办公室|管理委员会|委员会|管委会|"
    r"总局|监督管理局|税务局|管理局|局|厅|部|联合会|中心|国务院|学会|协会|银行|法院|管理处|署)"
)
_ISSUERS = re.compile(rf"(?:{_BODY}|国务院)(?:[ 、]+(?:{_BODY}))*")
_BY_LABEL = re.compile(
    r"(?:发布机构|发布单位|发布部门|发文机关|实施机关|实施机构|实施主体|主管部门|主管单位|制定机关|制定机构|来源|主办单位|责任单位|发文单位)"
    r"[：:]\s*(?P<who>[^\s，。；：]{3,40})"
)
_TITLE_END = re.compile(
    r"(?:通知|公告|通告|办法|细则|意见|方案|措施|规定|规程|条例|指南|须知|函|问答|解读|说明|政策|的决定|规则|申报|条款)(?:（[^）]*）)?$"
)
_WRAPPED_TITLE = re.compile(r"(?:印发|发布|公布|修订)《(?P<title>[^》]{4,60})》")
_PHONE = re.compile(
    r"(?<![\d-])(?:0\d{2,3}[-－—]\d{5,8}(?:-\d{1,5})?|1[3-9]\d{9}|12\d{3}|9\d{4}|400-?\d{3}-?\d{4})(?![\d-])"
)
_ASK = re.compile("电话|热线|拨打|请拨|致电|咨询|联系|打")
_COMPLAINT = re.compile("举报|投诉|监督")


@dataclass(frozen=True, slots=True)
class Field:
    """One field of the draft: its value and the words of the document it comes from."""

    value: Any
    sentence: str


def head_fields(paragraphs: Sequence[str], passages: Sequence[Passage]) -> dict[str, Field]:
    """Return title, number, issuer, date, level, audience, theme and phone where found."""
    found: dict[str, Field] = {}
    title_lines = _title_lines(paragraphs)
    raw_title = "".join(line.strip() for line in title_lines)
    found["document.title"] = Field(raw_title, raw_title)
    wrapped = _WRAPPED_TITLE.search(raw_title)
    found["title"] = Field(wrapped["title"] if wrapped else raw_title, raw_title)
    found |= dict(_one("document.number", _number(paragraphs)))
    issuer = _issuer(paragraphs, title_lines)
    found |= dict(_one("issuer", issuer))
    found |= dict(_one("document.date", _date(paragraphs)))
    if issuer is not None:
        found |= dict(_one("level", _level(str(issuer.value), issuer.sentence)))
    audience = audience_of(raw_title, paragraphs, passages)
    found["audience"] = audience
    found |= dict(_one("theme", _theme(audience.value, raw_title, paragraphs)))
    found |= dict(_one("apply.phone", _phone(passages)))
    return found


def places_of(fields: dict[str, Field], paragraphs: Sequence[str]) -> Places:
    """Return which city and district a document speaks of, by its issuer and its title."""
    words = " ".join(
        str(fields[name].value) for name in ("issuer", "title", "document.title") if name in fields
    )
    city = re.search(r"([\u4e00-\u9fa5]{2,3}?)市", re.sub("税务总局|国家", " ", words))
    if city is None:
        city = re.search(r"([\u4e00-\u9fa5]{2})市(?!场|民|级|区|内|政)", "".join(paragraphs))
    district = re.search(r"(?:^|市|[ 、])([\u4e00-\u9fa5]{2,4}?[区县])", words)
    name = f"{city[1]}市" if city and city[1] not in ("城", "本", "我", "全") else ""
    return Places(name, district[1] if district else "")


def _one(name: str, field: Field | None) -> Iterator[tuple[str, Field]]:
    if field is not None:
        yield name, field


def _title_lines(paragraphs: Sequence[str]) -> list[str]:
    """Return the first lines until the title ends: issuers and 关于… may be on two."""
    head = [line for line in paragraphs[:_HEAD_LINES] if not _NUMBER.fullmatch(line.strip())]
    if not head:
        return list(paragraphs[:1])
    for count in (1, 2, 3):
        joined = "".join(head[:count])
        if len(joined) > 90 or (count > 1 and not _continues(head, count)):
            break
        if _TITLE_END.search(joined):
            return head[:count]
    return head[:1]


def _continues(head: Sequence[str], count: int) -> bool:
    """A second line belongs to the title when the first is only a name of its issuers."""
    if count > len(head):
        return False
    return bool(_ISSUERS.fullmatch(head[count - 2])) or not re.search("[。？！!?]", head[count - 2])


def _number(paragraphs: Sequence[str]) -> Field | None:
    for line in paragraphs[:_HEAD_LINES]:
        match = _NUMBER.search(line)
        if (
            match
            and (match.end() >= len(line.strip("）) ")) or match.start() == 0)
            and len(line) < 60
        ):
            return Field(match[0].strip(), line)
    return None


def _issuer(paragraphs: Sequence[str], title_lines: Sequence[str]) -> Field | None:
    for line in paragraphs:
        match = _BY_LABEL.search(line)
        if match:
            return Field(match["who"], line)
    return _signed(paragraphs) or _byline(paragraphs) or _titled(title_lines) or _named(paragraphs)


def _names(text: str) -> str:
    return "、".join(part for part in re.split(r"[ 、]+", text.strip()) if part)


def _signed(paragraphs: Sequence[str]) -> Field | None:
    """Return the names in the last lines, above the day of signing."""
    lines = [line.strip() for line in paragraphs[-6:]]
    signers = [line for line in lines if _ISSUERS.fullmatch(line)]
    if not signers:
        return None
    last = len(lines) - 1 - lines[::-1].index(signers[-1])
    block: list[str] = []
    while last >= 0 and _ISSUERS.fullmatch(lines[last]):
        block.insert(0, lines[last])
        last -= 1
    return Field("、".join(_names(line) for line in block), "\n".join(block))


def _byline(paragraphs: Sequence[str]) -> Field | None:
    """Return who stands with the day under a web page's title."""
    for line in paragraphs[1:4]:
        match = re.match(rf"\s*(?P<who>{_ISSUERS.pattern})(?=\s|$|发布)", line)
        if match and len(line) < 60:
            return Field(_names(match["who"]), line)
    return None


def _titled(title_lines: Sequence[str]) -> Field | None:
    title = "".join(title_lines)
    match = re.match(rf"(?P<who>{_ISSUERS.pattern})\s*(?=关于|印发)", title)
    return Field(_names(match["who"]), title) if match else None


def _named(paragraphs: Sequence[str]) -> Field | None:
    """Return the first office named with its place in a text that nobody signs."""
    for line in paragraphs[:6]:
        match = re.search(
            rf"(?:^|[，。！由])(?P<who>[\u4e00-\u9fa5]{{2,4}}[省市区县]{_BODY})", line
        )
        if match:
            return Field(match["who"], line)
    return None


def _date(paragraphs: Sequence[str]) -> Field | None:
    """Return the day of signing: alone in one of the last lines, or in the line of publication."""
    for line in reversed(paragraphs[-5:]):
        days = find_days(line)
        if len(days) == 1 and len(line) <= 24 and not re.search("[至起止前]", line):
            return Field(days[0][1], line)
    for line in paragraphs[:_HEAD_LINES]:
        days = find_days(line)
        dated = re.search("发布|时间|日期|更新|来源", line) or len(line) < 40
        if len(days) == 1 and dated and not re.search("[，。]|自.*起|施行", line):
            return Field(days[0][1], line)
    return None


def _level(issuer: str, sentence: str) -> Field | None:
    first = issuer.split("、", maxsplit=1)[0].replace("国家税务总局", "税务总局")
    local = re.sub("^税务总局(?=.*(?:省|市|区|县))", "", first)
    if re.search("[区县镇]|街道|开发区|管委会|管理委员会", re.sub("自治区|社区|区域", "", local)):
        return Field("district", sentence)
    if "市" in local.replace("市场", ""):
        return Field("city", sentence)
    if re.search("省|自治区", local):
        return Field("province", sentence)
    national = re.search("国务院|总局|^国家|部$|中共中央|全国|人民银行", local)
    return Field("national", sentence) if national else None


def audience_of(title: str, paragraphs: Sequence[str], passages: Sequence[Passage]) -> Field:
    """Return for whom the document is: by its title, by who must meet its conditions, by its text.

    An enterprise in the title decides most, for its people (毕业生, 残疾人) are named there, too.
    """
    words = get_phrases().audience
    text = "\n".join(paragraphs)
    asked = "\n".join(p.text for p in passages if p.topic == "conditions")
    in_title, in_text, in_asked = (scores(words, part) for part in (title, text, asked))
    total = {kind: 4 * in_title[kind] + in_text[kind] + 2 * in_asked[kind] for kind in in_title}
    total["enterprise"] += 6 * in_title["enterprise"]
    best: Kind = "enterprise" if total["enterprise"] >= total["resident"] else "resident"
    lines = [title, *paragraphs]
    return Field(best, max(lines, key=lambda line: scores(words, line)[best]))


def _theme(kind: Kind, title: str, paragraphs: Sequence[str]) -> Field | None:
    words = get_phrases().themes[kind]
    text = "\n".join(paragraphs)
    in_title, in_text = scores(words, title), scores(words, text)
    total = {theme: 5 * in_title[theme] + in_text[theme] for theme in in_title}
    best = max(total, key=lambda theme: total[theme])
    if not total[best]:
        return None
    lines = [title, *paragraphs]
    return Field(best, max(lines, key=lambda line: scores(words, line)[best]))


def _phone(passages: Sequence[Passage]) -> Field | None:
    """Return the first number one may ask at; where complaints go is another number."""
    best: tuple[int, Field] | None = None
    for passage in passages:
        for match in _PHONE.finditer(passage.source):
            before = re.split("[；;。，,]", passage.source[: match.start()])[-1]
            asked = bool(_ASK.search(before)) or bool(_ASK.search(passage.heading))
            told = before if _ASK.search(before) else before + passage.heading
            rank = 2 * asked - 3 * bool(_COMPLAINT.search(told)) + (len(match[0]) > 5)
            if best is None or rank > best[0]:
                best = (rank, Field(match[0], passage.source))
    return best[1] if best is not None and best[0] > 0 else None

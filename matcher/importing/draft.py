"""The draft of a policy: every field and condition with its sentence, and what is still open."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import Field as Setting
from pydantic import StringConstraints

from matcher.documents import Day, Document
from matcher.importing.benefit import benefit_fields, window_fields
from matcher.importing.conditions import find_conditions
from matcher.importing.fields import Field, head_fields, places_of
from matcher.importing.materials import materials, steps
from matcher.importing.outline import Passage, outline
from matcher.importing.reading import read_paragraphs

__all__ = ["FIELDS", "LISTS", "Draft", "DraftCondition", "Entry", "make_draft", "render"]

FIELDS: dict[str, str] = {
    "id": "标识（小写英文、数字和下划线，作文件名）",
    "title": "政策名称",
    "audience": "面向对象（enterprise 企业 / resident 居民）",
    "level": "层级（national / province / city / district）",
    "issuer": "发布机关",
    "document.title": "文件名称",
    "document.number": "文号",
    "document.date": "成文日期",
    "origin": "来源性质（real 真实文件 / sample 样例）",
    "theme": "主题",
    "summary": "一句话简介",
    "benefit.kind": "优惠类型（tax/subsidy/loan/allowance/service/honour）",
    "benefit.text": "优惠内容",
    "benefit.amount": "金额或比例",
    "benefit.unit": "单位",
    "benefit.cap": "上限（比例的上限以万元计）",
    "window.opens": "开始申报日期",
    "window.closes": "截止申报日期",
    "window.note": "申报时间说明",
    "apply.place": "办理地点或机构",
    "apply.online": "网上入口",
    "apply.phone": "咨询电话",
    "source": "可以读到原文的地方",
}
"""Single fields of a draft by path, with what an official reads."""

LISTS: dict[str, str] = {"materials": "申请材料", "steps": "办理步骤", "queries": "群众可能的问法"}
"""Lists of a draft, with what an official reads and how many entries a policy needs."""

Sentence = Annotated[str, StringConstraints(max_length=20_000)]
BODY_CHARS = 20_000
_HEAD = """\
# 政策草稿：由原文自动提取，须经人工核对后才能发布。
# value、when 可以直接修改；sentence 是原文依据，仅供核对。
# 核对完一条带 check 的条件后，把 check 一行删去；不适用的条件整条删去。
# 全部填好后运行：shimin policies approve 本文件
"""


class Entry(Document):
    """One value of a draft and the sentence of the document it comes from."""

    value: Any = None
    sentence: Sentence | None = None


class DraftCondition(Document):
    """One condition of a draft: ``when`` None and ``check`` are for a human to settle."""

    text: Annotated[str, StringConstraints(min_length=1, max_length=2000)]
    when: str | None = None
    sentence: Sentence | None = None
    check: str | None = None


class DraftSource(Document):
    """The file the draft was made of."""

    file: str
    sha256: str
    imported: Day


class Draft(Document):
    """A policy on its way: the fields of :class:`matcher.policy.Policy`, each with its source."""

    draft: Literal[1]
    origin_file: DraftSource
    fields: dict[str, Entry]
    lists: dict[str, tuple[Entry, ...]]
    conditions: tuple[DraftCondition, ...] = ()
    body: Annotated[str, StringConstraints(max_length=BODY_CHARS)] | None = None
    excludes: tuple[str, ...] = ()
    supersedes: tuple[str, ...] = ()
    version: int = Setting(default=1, ge=1)


def make_draft(content: bytes, name: str, today: date) -> Draft:
    """Return the draft of the document ``content``.

    What the document does not say stays None; nothing is guessed.

    Args:
        content: the file, see :func:`matcher.importing.reading.read_paragraphs`.
        name: file name, kept in the draft.
        today: the day of the import.

    Raises:
        InputError: the file cannot be read; the Chinese message says why.
    """
    paragraphs = read_paragraphs(content)
    passages = outline(paragraphs)
    found = head_fields(paragraphs, passages)
    found |= benefit_fields(passages)
    published = found["document.date"].value if "document.date" in found else None
    found |= window_fields(passages, published)
    found |= _apply(passages)
    found |= _summary(passages)
    kind = found["audience"].value
    conditions = find_conditions(passages, kind, places_of(found, paragraphs))
    return Draft(
        draft=1,
        origin_file=DraftSource(
            file=Path(name).name, sha256=hashlib.sha256(content).hexdigest(), imported=today
        ),
        fields={path: _entry(found.get(path)) for path in FIELDS},
        lists={
            "materials": tuple(map(_entry, materials(passages))),
            "steps": tuple(map(_entry, steps(passages))),
            "queries": (),
        },
        conditions=tuple(
            DraftCondition(text=c.text[:2000], when=c.when, sentence=c.sentence, check=c.check)
            for c in conditions
        ),
        body="\n".join(paragraphs)[:BODY_CHARS],
    )


def _entry(field: Field | None) -> Entry:
    return Entry() if field is None else Entry(value=field.value, sentence=field.sentence)


_PLACE = re.compile(
    r"[\u4e00-\u9fa5\d]{2,24}(?:政务服务中心|便民服务中心|服务窗口|窗口|街道办事处|居委会|服务大厅|办事大厅)(?:[\u4e00-\u9fa5\d]{0,10}窗口)?"
)
_PLACE_LEAD = re.compile(r"^.*(?:[到向去]|或者|由|至)(?=[\u4e00-\u9fa5])")
_ONLINE = re.compile(
    r"[“\u4e00-\u9fa5A-Za-z]{2,14}?(?:服务网|惠企通平台|小程序|App|APP|公众号|网上办事大厅|平台)|https?://[\w./?=&-]{5,120}"
)
_ONLINE_LEAD = re.compile(r"^.*?(?:登录|通过|在|可在|关注|申报网址)(?=[“\u4e00-\u9fa5])")


def _apply(passages: Sequence[Passage]) -> dict[str, Field]:
    """Return where one applies: a counter, and an entry on the net."""
    found: dict[str, Field] = {}
    for passage in passages:
        if passage.topic in ("conditions", "excluded") and passage.item:
            continue
        place = _PLACE.search(passage.text)
        if place and "apply.place" not in found:
            found["apply.place"] = Field(_PLACE_LEAD.sub("", place[0]), passage.source)
        online = _ONLINE.search(passage.text)
        if online and "apply.online" not in found:
            name = _ONLINE_LEAD.sub("", online[0]).replace("“", "").replace("”", "")
            found["apply.online"] = Field(name, passage.source)
    return found


def _summary(passages: Sequence[Passage]) -> dict[str, Field]:
    """Return the sentence on the document's aim: 为……，制定本办法."""
    for passage in passages[:12]:
        if re.match("为(?!了?便)|为了", passage.text) and len(passage.text) <= 160:
            text = re.split("，(?:根据|现|制定|结合|特)", passage.text)[0]
            return {"summary": Field(text, passage.source)}
    return {}


def render(draft: Draft) -> str:
    """Return the draft as YAML with a Chinese head that tells how to complete it."""
    content = draft.model_dump(mode="python")
    content["lists"] = {name: list(entries) for name, entries in content["lists"].items()}
    for name in ("conditions", "excludes", "supersedes"):
        content[name] = list(content[name])
    for condition in content["conditions"]:
        if condition["check"] is None:
            del condition["check"]
    return _HEAD + yaml.safe_dump(content, allow_unicode=True, sort_keys=False, width=100)

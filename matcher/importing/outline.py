"""The sentences of a document with what their headings say about them.

Official documents number their parts 一、（一）1.（1）or 第一条; web pages and questions and
answers use labels (申报条件：) and questions. A sentence takes its topic from the nearest
heading; items of a list keep how their lead joins them: all, one of them, or none.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from matcher.importing.lexicon import get_phrases, keeps_out

__all__ = ["Passage", "outline", "strip_marker"]

Topic = Literal[
    "conditions", "excluded", "benefit", "window", "materials", "process", "contact", "other", ""
]

_MARKERS: tuple[tuple[int, re.Pattern[str]], ...] = (
    (0, re.compile(r"第[一二三四五六七八九十百\d]{1,4}章\s*")),
    (
        1,
        re.compile(
            r"(?:第[一二三四五六七八九十百零\d]{1,5}条|[一二三四五六七八九十]{1,3}、|问[:：])\s*"
        ),
    ),
    (1, re.compile(r"【(?=[^】]{1,12}】)")),
    (2, re.compile(r"[（(][一二三四五六七八九十]{1,3}[)）]\s*|答[:：]\s*")),
    (3, re.compile(r"\d{1,2}\s*(?:[.．]|、)\s*(?!\d)")),
    (
        4,
        re.compile(
            r"[（(]\d{1,2}[)）]\s*|[①-⑳]\s*|其[一二三四五六七八九十][，,]?|[一二三四五六七八九十]是(?!否)|[·•●▪◆]\s*"
        ),
    ),
)
_PLAIN = 9
_LABEL = re.compile(r"(?P<label>[^：:，。；！？\d“”]{2,14})(?:[：:]|】)\s*")
_HEADING_END = re.compile(r"[。；，,！;]")
_INLINE_ITEM = re.compile(
    r"(?=[（(][一二三四五六七八九十\d]{1,2}[)）])|(?=[①-⑳])|(?=(?<=[；;：:])[一二三四五六七八九]是)"
)
_SENTENCE = re.compile(r"(?:[^。！？；;!?]|[；;](?=或))*(?:[。！？；;!?]|$)")
_ANNOUNCED = re.compile(
    r"(?:通知|公告|通告|函告|说明|规定|措施|办法|解读)如下[：:]$|^各.{2,40}[：:]$"
)
_ANY = re.compile(r"之一")


@dataclass(frozen=True, slots=True)
class Passage:
    """One sentence or one item of a list.

    Args:
        text: without its number or label.
        source: the words of the document, as one finds them there.
        topic: what its heading is about, empty when nothing says so.
        item: it stands in a list, so it is one condition, one material or one step.
        group: number of the list whose items are alternatives, None outside of one.
        excluded: its list or heading names who is kept out.
        paragraph: number of its paragraph.
        heading: the words of the nearest heading or label.
    """

    text: str
    source: str
    topic: Topic = ""
    item: bool = False
    group: int | None = None
    excluded: bool = False
    paragraph: int = 0
    heading: str = ""


@dataclass(frozen=True, slots=True)
class _Frame:
    rank: float
    topic: Topic
    heading: str
    listing: bool = False
    group: int | None = None
    excluded: bool = False


def strip_marker(text: str) -> tuple[int, str]:
    """Return the rank of the number ``text`` begins with (9: none) and the text without it."""
    for rank, pattern in _MARKERS:
        match = pattern.match(text)
        if match:
            return rank, text[match.end() :].strip()
    return _PLAIN, text


def topic_of(words: str) -> Topic:
    """Return what a heading is about: the topic of the longest known word in it."""
    best: tuple[int, Topic] = (0, "")
    for topic, listed in get_phrases().topics.items():
        for word in listed:
            if word in words and len(word) > best[0]:
                best = (len(word), topic)  # type: ignore[assignment]
    return best[1]


def outline(paragraphs: Sequence[str]) -> list[Passage]:
    """Return the passages of a document in their order."""
    found: list[Passage] = []
    frames: list[_Frame] = []
    before = _PLAIN
    for number, paragraph in enumerate(paragraphs):
        for piece in _inline_items(paragraph):
            rank = strip_marker(piece)[0]
            if rank == _PLAIN and 2 <= before < _PLAIN:  # a numbered list is over
                frames = [frame for frame in frames if not frame.listing]
            frames = _read(piece, number, frames, found)
            before = rank
    return found


def _inline_items(paragraph: str) -> list[str]:
    """Split （一）…；（二）… and ①…②… that stand in one paragraph."""
    pieces = [piece for piece in _INLINE_ITEM.split(paragraph) if piece.strip()]
    marked = [piece for piece in pieces if strip_marker(piece)[0] in (2, 4)]
    listed = len(marked) >= 2 and all(len(strip_marker(piece)[1]) >= 2 for piece in marked)
    clean = all(
        piece.rstrip().endswith(("；", ";", "：", ":", "。", "，", "、")) for piece in pieces[:-1]
    )
    return pieces if listed and clean else [paragraph]


def _read(piece: str, number: int, frames: list[_Frame], found: list[Passage]) -> list[_Frame]:
    rank, body = strip_marker(piece)
    label = _LABEL.match(body)
    if label and (rank <= 1 or topic_of(label["label"])):
        heading, rest = label["label"], body[label.end() :].strip()
        rank = 1 if rank == _PLAIN else rank
    elif _is_heading(body, rank):
        heading, rest = body, ""
    else:
        heading, rest = "", body
    if rank < _PLAIN:
        frames = [frame for frame in frames if frame.rank < rank]
    outer = frames[-1] if frames else _Frame(-1, "", "")
    frame = _Frame(
        rank,
        (topic_of(heading) if heading else "") or outer.topic,
        heading or outer.heading,
        group=outer.group,
        excluded=outer.excluded or topic_of(heading) == "excluded",
    )
    item = outer.listing or (rank in (2, 3, 4) and bool(outer.topic))
    if not heading and rank == 1:
        frame = replace(frame, topic="")
    found += _passages(rest, piece, number, frame, item)
    last = rest or (f"{heading}：" if label and heading == label["label"] else heading)
    if rest and heading and strip_marker(piece)[0] == _PLAIN and not rest.endswith(("：", ":")):
        return [kept for kept in frames if kept.rank < rank]  # 标签：内容 says all in one line
    return _opened(frames, frame, last, number, bool(rest))


def _is_heading(body: str, rank: int) -> bool:
    if body.endswith(("？", "?")):
        return len(body) <= 30
    short = len(body) <= (16 if rank == _PLAIN else 22)
    if rank == _PLAIN:
        return short and topic_of(body) != "" and not re.search(r"[。；，,！;：:、\d“《]", body)
    return rank <= 2 and short and not _HEADING_END.search(body) and topic_of(body) != ""


def _opened(
    frames: list[_Frame], frame: _Frame, last: str, number: int, has_rest: bool
) -> list[_Frame]:
    """Return the frames the next paragraph stands in."""
    lead = last.rstrip().endswith(("：", ":")) and not _ANNOUNCED.search(last)
    if frame.rank == _PLAIN and not lead:
        return frames
    if has_rest and not lead and frame.rank >= 2:
        return frames
    topic = frame.topic
    if lead and has_rest:
        topic = _sentence_topic(last) or topic
    opened = replace(
        frame,
        rank=frame.rank if frame.rank < _PLAIN else (frames[-1].rank if frames else -1) + 0.5,
        topic=topic,
        listing=lead,
        group=number if lead and _ANY.search(last) and not keeps_out(last) else frame.group,
        excluded=frame.excluded or (lead and keeps_out(last)),
    )
    return [*(kept for kept in frames if kept.rank < opened.rank), opened]


def _sentence_topic(text: str) -> Topic:
    """Return the topic of a sentence that leads a list."""
    if keeps_out(text):
        return "excluded"
    return topic_of(text)


def _passages(text: str, source: str, number: int, frame: _Frame, item: bool) -> list[Passage]:
    """Cut the words of a paragraph into sentences; a list behind a colon into its items."""
    made: list[Passage] = []
    for sentence in (s.strip() for s in _SENTENCE.findall(text)):
        if len(sentence.strip("。；;！!：:")) < 2:
            continue
        base = Passage(
            sentence.strip("。；; "), source if item else sentence, frame.topic, item, frame.group,
            frame.excluded, number, frame.heading,
        )  # fmt: skip
        made.append(base)
    if item and len(made) > 1 and len(made[0].text) <= 8:  # （一）节能改造。…: its own heading
        made = [replace(passage, heading=made[0].text) for passage in made[1:]]
    return _with_lead(made, number)


def _with_lead(passages: list[Passage], number: int) -> list[Passage]:
    """Let 应当符合下列条件：甲；乙；丙 be a list: its sentences after the colon are items."""
    made: list[Passage] = []
    lead: Passage | None = None
    for passage in passages:
        head, colon, rest = passage.text.partition("：")
        if colon and len(head) >= 6 and rest and _opens_list(head):
            excluded = passage.excluded or keeps_out(head)
            lead = replace(
                passage,
                topic="excluded" if excluded else "conditions",
                item=True,
                excluded=excluded,
                group=number if _ANY.search(head) and not excluded else passage.group,
            )
            made.append(replace(passage, text=head, source=passage.source))
            made.append(replace(lead, text=rest))
        elif lead is not None and made and not made[-1].source.endswith("。"):
            made.append(replace(lead, text=passage.text, source=passage.source))
        else:
            lead = None
            made.append(passage)
    return made


def _opens_list(head: str) -> bool:
    return bool(re.search("条件|要求|情形|情况|人员|之一|标准", head[-12:]))

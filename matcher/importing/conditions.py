"""Conditions of a document: its words, and the predicate where the profile can express them.

What cannot be expressed stays with its words and ``when`` None. An alternative of which one
side is not understood is not written at all: half of it would be a different rule.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import groupby, pairwise

from matcher.importing.atoms import Atom, Places, find_atoms, negate
from matcher.importing.lexicon import get_phrases, keeps_out
from matcher.importing.outline import Passage
from matcher.predicate import MAX_CHARS
from matcher.profile import Kind

__all__ = ["Found", "find_conditions"]

_LOOSE_OR = re.compile(r"[，,；;]\s*(?:或者|或)(?:是|为)?")
_JOINT = re.compile(r"、|和|及|与|或")
_AND = re.compile(r"且|并|同时|，")
_COMMA = re.compile(r"[，,]")
_CUE = re.compile(
    r"凡|可以?(?:申请|申报|申领|享受|领取|报名)|可申|均可|都可|应当|须|必须|应[为在达具有]|不得超过|对象[为是]|适用|申请人|"
    r"的(?:企业|人员|单位|家庭|老人|老年人|居民|个人|学生)|对.{2,60}的|的[，,]"
)
_NO_RULE = re.compile(
    r"^为(?:了|进一步)?.{4,60}(?:制定|现将|现就|通知|公告)|(?:持|提交|递交|报送|上传|携带|提供).{0,30}(?:证|表|材料|合同)"
)
_BENEFIT_VERB = re.compile(
    r"给予|予以|按照?(?=.{0,20}[\d%元])|发放|一次性|每[人户家月年孩]|补贴\d|奖励\d"
)
_GIVEN = re.compile(r"(?:补助|补贴|奖励|贴息|资助).{0,8}\d|\d.{0,6}(?:补助|补贴|奖励|贴息|资助)")
_FILLER = re.compile(
    r"申请|申报|企业|单位|主体|对象|人员|应当|应|须|必须|具有|具备|符合|属于|为|的|在|且|并|同时|上年度|上一年度|上年|近.{1,2}年内?|"
    r"发生过?|不能|不得|不予|被?列入|名单|存在|行为|记录|情形|范围|情况|年度|总额|一年内|依法|规定|条件|满足|及|或者|或|和|与|等|其|已|已经|有效期内|是|有|者|补贴|本人|凡|所|地|达到|以上|比例|收入|"
    r"[（）()，,、。：:；;“”0-9 ]"
)
_MIN_REST = 9


@dataclass(frozen=True, slots=True)
class Found:
    """One condition of a document.

    Args:
        text: its words, without number and label.
        when: the predicate over the profile's columns, None when it cannot be expressed.
        sentence: where it stands in the document.
        check: what a human must look at before the condition may be used, in Chinese; None
            when the whole of it was understood.
    """

    text: str
    when: str | None
    sentence: str
    check: str | None = None


def find_conditions(passages: Sequence[Passage], kind: Kind, places: Places) -> list[Found]:
    """Return the conditions of a document in the order of its text.

    Args:
        passages: the document, see :func:`matcher.importing.outline.outline`.
        kind: whose columns the predicates use.
        places: what 本市 and 本区 mean.
    """
    found: list[Found] = []
    for group, members in groupby(passages, key=lambda passage: passage.group):
        listed = list(members)
        if group is None:
            for passage in listed:
                found += _of_passage(passage, kind, places)
            continue
        leads = [passage for passage in listed if not passage.item]
        items = [passage for passage in listed if passage.item]
        for passage in leads:
            found += _of_passage(passage, kind, places)
        if items:
            found.append(_any_of(items, kind, places))
    return _once(found)


def _of_passage(passage: Passage, kind: Kind, places: Places) -> list[Found]:
    excluded = passage.excluded or keeps_out(passage.text)
    text = passage.text
    asked = passage.topic in ("conditions", "excluded")
    if passage.topic in ("materials", "contact", "process", "window") or passage.paragraph == 0:
        return []
    if not asked and not excluded and _NO_RULE.search(text):
        return []
    if not asked and not excluded:
        text = _before_benefit(text, passage)
    atoms = find_atoms(text, kind, places)
    cued = passage.topic != "other" and bool(_CUE.search(text))
    if not asked and not (cued or excluded or _telling(atoms, kind)):
        return []
    if excluded:
        return _kept_out(passage, atoms, kind)
    if atoms:
        return _stated(passage, text, atoms)
    if passage.item and passage.topic == "conditions" and len(text) >= 4:
        return [Found(text, None, passage.source, "没有识别出对应的画像字段，请人工填写或删去")]
    return []


def _telling(atoms: Iterable[Atom], kind: Kind) -> bool:
    """Say whether an atom is a condition wherever it stands: a limit, or what is barred."""
    never = set(get_phrases().of(kind).never)
    return any(re.search("[<>]", atom.sql) or set(atom.columns) <= never for atom in atoms)


def _before_benefit(text: str, passage: Passage) -> str:
    """Return what stands before the benefit: 对……的企业，按……给予补贴."""
    if passage.topic == "benefit" and not re.search("^对|凡|的[，,]", text):
        return ""
    match = _BENEFIT_VERB.search(text)
    return text[: match.start()] if match else text


def _kept_out(passage: Passage, atoms: Sequence[Atom], kind: Kind) -> list[Found]:
    """Turn what keeps people out into conditions: none of it may hold."""
    never = set(get_phrases().of(kind).never)
    barred = [atom for atom in atoms if set(atom.columns) <= never]
    others = [atom for atom in atoms if not set(atom.columns) <= never and not atom.place]
    text, source = passage.text, passage.source
    if barred:
        check = "这句话还提到了别的情形，请核对" if others or _rest(text, barred) else None
        whens = dict.fromkeys(atom.predicate for atom in barred)
        return [Found(text, when, source, check) for when in whens]
    if others and not _LOOSE_OR.search(text):
        joined = " AND ".join(_wrapped(atom.predicate) for atom in others)
        when = negate(others[0].predicate) if len(others) == 1 else f"NOT ({joined})"
        unsure = len(others) > 1 or _rest(text, others)
        return [Found(text, when, source, "排除性条件，请核对" if unsure else None)]
    if text.endswith("："):  # leads a list, which says it
        return []
    if passage.item or passage.topic in ("conditions", "excluded") or len(text) <= 60:
        return [Found(text, None, source, "排除性条件没有识别出对应的画像字段，请人工填写或删去")]
    return []


def _stated(passage: Passage, text: str, atoms: Sequence[Atom]) -> list[Found]:
    """Write the conditions of one sentence, one for each clause or alternative."""
    cuts = list(_LOOSE_OR.finditer(text))
    if any(not _within(atoms, *span) for span in _spans(cuts, len(text))):
        return [Found(text, None, passage.source, "“或者”的一边没有识别出来，请人工填写")]
    if cuts:
        return _alternatives(passage, text, atoms, cuts)
    found = []
    for clause, members in _by_clause(text, atoms):
        if _half_or(text, members):
            check = f"“或”的一边没有识别出来（已识别：{_joined(text, members)}），请人工填写"
            found.append(Found(clause, None, passage.source, check))
            continue
        note = "；".join(dict.fromkeys(atom.note for atom in members if atom.note))
        rest = _rest(clause, members, text)
        told = "" if passage.topic == "conditions" else "从正文叙述中提取，请核对是不是申请条件"
        check_text = note or (f"没有表达完的内容：{rest}" if rest else told)
        found.append(Found(clause, _joined(text, members), passage.source, check_text or None))
    return [_bounded(item) for item in _with_unread(found, passage, text, atoms)]


def _spans(cuts: Sequence[re.Match[str]], end: int) -> list[tuple[int, int]]:
    starts = [0, *(cut.end() for cut in cuts)]
    ends = [*(cut.start() for cut in cuts), end]
    return list(zip(starts, ends, strict=True))


def _within(atoms: Iterable[Atom], start: int, end: int) -> list[Atom]:
    return [atom for atom in atoms if start <= atom.start < end]


def _alternatives(
    passage: Passage, text: str, atoms: Sequence[Atom], cuts: Sequence[re.Match[str]]
) -> list[Found]:
    """Write 甲，或者乙 as one condition; clauses before 甲 hold for both."""
    spans = _spans(cuts, len(text))
    first = _COMMA.split(text[: spans[0][1]])
    head_end = len(text[: spans[0][1]]) - len(first[-1])
    common = _within(atoms, 0, head_end) if _within(atoms, head_end, spans[0][1]) else []
    spans[0] = (head_end if common else 0, spans[0][1])
    sides = [_within(atoms, *span) for span in spans]
    when = " OR ".join(_wrapped(_joined(text, side)) for side in sides)
    found = [
        Found(clause, _joined(text, members), passage.source)
        for clause, members in _by_clause(text[:head_end], common)
    ]
    check = "“或者”前后的组合请核对" if common or any(len(s) > 2 for s in sides) else None
    return [*found, _bounded(Found(text[spans[0][0] :].strip("，"), when, passage.source, check))]


def _by_clause(text: str, atoms: Sequence[Atom]) -> list[tuple[str, list[Atom]]]:
    """Group atoms by the clause between two commas they stand in."""
    limits = [0, *(match.end() for match in _COMMA.finditer(text)), len(text)]
    clauses: list[tuple[str, list[Atom]]] = []
    reached = 0
    for start, end in pairwise(limits):
        members = [atom for atom in atoms if max(start, reached) <= atom.end - 1 < end]
        if members:
            low = min(start, *(atom.start for atom in members))
            clauses.append((text[low:end].strip("，, "), members))
            reached = end
    return clauses


def _joined(text: str, atoms: Sequence[Atom]) -> str:
    """Join the atoms of one clause: a list of equals or 或 is OR, anything else AND."""
    groups: list[list[list[Atom]]] = []
    for element in _elements_of(text, atoms):
        if groups and _together(text, groups[-1][-1][-1], element[0]):
            groups[-1].append(element)
        else:
            groups.append([element])
    parts: list[str] = []
    for group in groups:
        heads = [element[-1] for element in group]
        people = len({head.columns for head in heads}) > 1 and all(map(_person, heads))
        if len(group) == 1 or not people:
            parts += [atom.predicate for element in group for atom in element[:-1]]
            parts.append(_either([head.predicate for head in heads], heads))
        else:  # 毕业5年内的高校毕业生、残疾人: what stands before 毕业生 is of them alone
            sides = [" AND ".join(_wrapped(a.predicate) for a in element) for element in group]
            parts.append(" OR ".join(dict.fromkeys(map(_wrapped, sides))))
    parts = list(dict.fromkeys(parts))
    return parts[0] if len(parts) == 1 else " AND ".join(_wrapped(part) for part in parts)


def _elements_of(text: str, atoms: Sequence[Atom]) -> list[list[Atom]]:
    """Split atoms where 、或和及 or a clause ends; a place stands alone."""
    elements: list[list[Atom]] = []
    for atom in atoms:
        last = elements[-1][-1] if elements else None
        gap = text[last.end : atom.start] if last is not None else ""
        apart = (
            last is None or last.place or atom.place or re.search("[、，,且并]|或|和|及|与", gap)
        )
        if apart:
            elements.append([atom])
        else:
            elements[-1].append(atom)
    return elements


def _person(atom: Atom) -> bool:
    return set(atom.columns) <= set(get_phrases().resident.union)


def _together(text: str, left: Atom, right: Atom) -> bool:
    gap = text[left.end : right.start]
    if left.place or right.place or (left.negated and right.negated):
        return False
    if re.search("且|并|同时", gap) or len(gap) > 12:
        return False
    if "或" in gap and not _COMMA.search(gap):
        return True
    union = _union(left) and _union(right)
    return union and bool(_JOINT.search(gap)) and not _COMMA.search(gap)


def _union(atom: Atom) -> bool:
    listed = {*get_phrases().enterprise.union, *get_phrases().resident.union}
    return set(atom.columns) <= listed


def _either(predicates: Sequence[str], group: Sequence[Atom]) -> str:
    """Write alternatives as OR, equal columns as IN."""
    if len(predicates) == 1:
        return predicates[0]
    columns = {atom.columns for atom in group}
    values: list[str] = []
    for predicate in predicates:
        match = re.fullmatch(r"(\w+) (?:= ('[^']*')|IN \(('[^)]*')\))", predicate)
        if len(columns) > 1 or match is None:
            return " OR ".join(dict.fromkeys(map(_wrapped, predicates)))
        values += (match[2] or match[3]).split(", ")
    return f"{group[0].columns[0]} IN ({', '.join(dict.fromkeys(values))})"


def _wrapped(predicate: str) -> str:
    return f"({predicate})" if " OR " in predicate or " AND " in predicate else predicate


def _half_or(text: str, atoms: Sequence[Atom]) -> bool:
    """Say whether 或 stands next to an atom without an atom on its other side."""
    first, last = atoms[0], atoms[-1]
    after = re.match(r"(?:的|级|人|者)?(?:或者|或)(?!以上|以下)", text[last.end :])
    before = re.search(r"(?:或者|或)(?:为|是|者)?$", text[: first.start])
    return bool(after) or bool(before)


def _rest(clause: str, atoms: Sequence[Atom], text: str | None = None) -> str:
    """Return the words of a clause that no atom explains, empty when they are few."""
    whole = text if text is not None else clause
    left = clause
    for atom in atoms:
        left = left.replace(whole[atom.start : atom.end], " ")
    kept = _FILLER.sub("", left)
    return left.strip("的 ，、") if len(kept) >= _MIN_REST else ""


def _with_unread(
    found: list[Found], passage: Passage, text: str, atoms: Sequence[Atom]
) -> list[Found]:
    """Add the clauses nothing was read from: all of an item's, those in between of a sentence's."""
    if not found:
        return found
    limits = [0, *(match.end() for match in _COMMA.finditer(text)), len(text)]
    clauses = list(itertools.pairwise(limits))
    read = [any(a.start < end and start < a.end for a in atoms) for start, end in clauses]
    first, last = read.index(True), len(read) - read[::-1].index(True)
    if passage.item:
        first, last = 0, len(read)
    unread = [
        text[start:end].strip("，, ")
        for (start, end), known in zip(clauses[first:last], read[first:last], strict=True)
        if not known
    ]
    unread = [c for c in unread if len(_FILLER.sub("", c)) >= 3 and not _GIVEN.search(c)]
    if not unread:
        return found
    extra = Found("，".join(unread), None, passage.source, "这部分没有识别出来，请人工填写或删去")
    return [*found, extra]


def _any_of(items: Sequence[Passage], kind: Kind, places: Places) -> Found:
    """Write a list of which one item is enough as one condition."""
    texts = [item.text for item in items]
    source = "\n".join(dict.fromkeys(item.source for item in items))
    if len(texts) == 1:
        texts = _elements(texts[0], kind, places)
    sides: list[str] = []
    for text in texts:
        atoms = find_atoms(text, kind, places)
        spans = _spans(list(_LOOSE_OR.finditer(text)), len(text))
        if any(not _within(atoms, *span) for span in spans):
            unread = f"“{text}”没有识别出来，所以整组“之一”没有写成条件，请人工填写"
            return Found("；".join(texts), None, source, unread)
        sides += [_joined(text, _within(atoms, *span)) for span in spans]
    partial = [t for t in texts if _rest(t, find_atoms(t, kind, places))]
    check = f"没有表达完的内容：{'；'.join(partial)}" if partial else None
    when = " OR ".join(_wrapped(side) for side in dict.fromkeys(sides))
    return _bounded(Found("符合下列之一：" + "；".join(texts), when, source, check))


def _elements(text: str, kind: Kind, places: Places) -> list[str]:
    """Split 甲、乙或者丙 where no atom lies across the cut."""
    spans = [(atom.start, atom.end) for atom in find_atoms(text, kind, places)]
    pieces, start = [], 0
    for match in re.finditer("、|；|以及|或者|或", text):
        if not any(low < match.end() and match.start() < high for low, high in spans):
            pieces.append(text[start : match.start()])
            start = match.end()
    return [piece for piece in (*pieces, text[start:]) if piece.strip("。 ")]


def _bounded(found: Found) -> Found:
    if found.when is not None and len(found.when) > MAX_CHARS:
        return replace(found, when=None, check="条件太长，无法写成一条，请人工拆分")
    return found


def _once(found: Iterable[Found]) -> list[Found]:
    """Keep the first of conditions that say the same."""
    kept: dict[str, Found] = {}
    for item in found:
        kept.setdefault(item.when or f"? {item.text}", item)
    return list(kept.values())

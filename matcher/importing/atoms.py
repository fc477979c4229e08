"""The smallest conditions in a sentence: one comparison, one statement, one place."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cache

from matcher.attributes import city_districts
from matcher.importing.lexicon import Mention, get_lexicon, get_phrases
from matcher.importing.numbers import Quantity, convert, quantities
from matcher.predicate import parse_predicate
from matcher.profile import ATTRIBUTES, Kind

__all__ = ["Atom", "Places", "find_atoms"]

_BREAK = re.compile("[，。；：,;:]")
_HARD_BREAK = re.compile("[。；;]")
_UPWARD = re.compile(r"^[^，。；、：]{0,8}?(?:（含）)?(?:及|或)?(?P<way>以上|以下)")
_LIST = re.compile(r"^[业类]?(?:企业|行业)?(?:、|和|及|与|或者?|以及)?$")
_OWN_DISTRICT = ("本区", "我区", "全区", "本县", "我县", "全县")
_EXCEPTION = re.compile("除[^，。；]{1,80}外(?=[，,])")
_WAIVED = re.compile("不限|不论|无论|不管|没关系|不作要求|不受限制")
_FLIPPED = {">=": "<", ">": "<=", "<=": ">", "<": ">="}


@dataclass(frozen=True, slots=True)
class Places:
    """What 本市 and 本区 mean in a document.

    Args:
        city: name of the city with 市, empty when the document names none.
        district: the district the document is of, empty for a city's document.
    """

    city: str = ""
    district: str = ""

    def pattern(self) -> re.Pattern[str]:
        """Return the expression that finds a place; its group ``district`` is a district."""
        cities = ["本市", "我市", "全市", "市内", "本地"]
        if self.city:
            cities = [self.city, self.city.removesuffix("市"), *cities]
        own = _OWN_DISTRICT if self.district else ()
        named = sorted(city_districts(), key=len, reverse=True)
        district = "|".join(map(re.escape, [*named, *own])) or "(?!)"
        return re.compile(f"(?P<district>{district})|(?:{'|'.join(map(re.escape, cities))})")


@dataclass(frozen=True, slots=True)
class Atom:
    """One comparison or statement over a profile column.

    Args:
        sql: the predicate, negation not yet applied.
        columns: the columns it reads.
        start: first character of its words in the sentence.
        end: the character after the last.
        negated: the sentence says the contrary.
        place: it says where the applicant lives or is registered.
        note: what the predicate leaves out, in Chinese; empty when nothing.
    """

    sql: str
    columns: tuple[str, ...]
    start: int
    end: int
    negated: bool = False
    place: bool = False
    note: str = ""

    @property
    def predicate(self) -> str:
        """The predicate with its negation."""
        return negate(self.sql) if self.negated else self.sql


def negate(sql: str) -> str:
    """Return the opposite of the predicate ``sql``."""
    comparison = re.fullmatch(r"(\w+) (>=|<=|>|<) ([\d.]+)", sql)
    if comparison:
        return f"{comparison[1]} {_FLIPPED[comparison[2]]} {comparison[3]}"
    if re.fullmatch(r"\w+", sql):
        return f"NOT {sql}"
    if re.fullmatch(r"NOT \w+", sql):
        return sql.removeprefix("NOT ")
    equal = re.fullmatch(r"(\w+) = ('[^']*')", sql)
    if equal:
        return f"{equal[1]} <> {equal[2]}"
    return f"NOT ({sql})"


def find_atoms(sentence: str, kind: Kind, places: Places) -> list[Atom]:
    """Return the smallest conditions in ``sentence`` in their order; nothing is guessed."""
    mentions = get_lexicon(kind).mentions(sentence)
    numbers, used = _numbers(sentence, kind, mentions)
    numbers = _by_gender(sentence, numbers)
    columns = {column for atom in numbers for column in atom.columns}
    stated = [
        atom
        for atom in _statements(sentence, kind, mentions)
        if not set(atom.columns) & columns
        and not _overlaps(atom, used)
        and not _example(sentence, atom, used)
    ]
    where = _where(sentence, kind, places)
    stated = [atom for atom in stated if not any(_same_words(atom, other) for other in where)]
    atoms = sorted([*numbers, *stated, *where], key=lambda atom: (atom.start, -atom.end))
    apart = [match.span() for match in _EXCEPTION.finditer(sentence)]
    atoms = [
        atom
        for atom in atoms
        if not _waived(sentence, atom)
        and not any(low <= atom.start and atom.end <= high for low, high in apart)
    ]
    return _listed_negation(sentence, _without_nested(atoms), kind)


def _numbers(
    sentence: str, kind: Kind, mentions: Sequence[Mention]
) -> tuple[list[Atom], list[Mention]]:
    atoms: list[Atom] = []
    used: list[Mention] = []
    columns = [mention for mention in mentions if mention.kind == "number"]
    found = quantities(sentence)
    respective = _respectively(sentence, kind, columns, found)
    if respective:
        return respective, columns
    before: tuple[Quantity, str] | None = None
    for quantity in found:
        if quantity.operator is None or quantity.period:
            continue
        mention = _owner(sentence, kind, quantity, columns)
        name = _continued(sentence, kind, quantity, before)
        mention = None if name else mention
        name = name or (mention.key if mention else "")
        name = name or get_phrases().of(kind).default.get(quantity.unit, "")
        value = convert(quantity, ATTRIBUTES[kind][name].unit) if name else None
        if value is None or not _in_range(kind, name, value):
            continue
        start, end = quantity.start, quantity.end
        if mention is not None:
            used.append(mention)
            start, end = min(start, mention.start), max(end, mention.end)
        operator = quantity.operator
        if operator == "<=" and name in get_phrases().of(kind).open_below:
            operator = "<" if sentence[: quantity.end].endswith("以下") else operator
        atoms.append(Atom(f"{name} {operator} {value}", (name,), start, end))
        before = (quantity, name)
    return atoms, used


def _in_range(kind: Kind, name: str, value: float) -> bool:
    column = ATTRIBUTES[kind][name]
    return column.maximum is None or value <= column.maximum


def _continued(
    sentence: str, kind: Kind, quantity: Quantity, before: tuple[Quantity, str] | None
) -> str:
    """Return the column of the quantity just before, when this one is its other limit."""
    if before is None:
        return ""
    gap = sentence[before[0].end : quantity.start]
    fits = convert(quantity, ATTRIBUTES[kind][before[1]].unit) is not None
    opposite = (before[0].operator or "")[:1] != (quantity.operator or "")[:1]
    return before[1] if fits and opposite and re.fullmatch("[、，,且至]*", gap) else ""


def _owner(
    sentence: str, kind: Kind, quantity: Quantity, columns: Sequence[Mention]
) -> Mention | None:
    """Return the phrase that names what ``quantity`` measures: the nearest of its unit."""
    fitting = [m for m in columns if convert(quantity, ATTRIBUTES[kind][m.key].unit) is not None]
    before = [
        m for m in fitting
        if m.end <= quantity.at and not _HARD_BREAK.search(sentence[m.end : quantity.start])
        and quantity.start - m.end <= 24
    ]  # fmt: skip
    after = [
        m for m in fitting
        if m.start >= quantity.end and not _BREAK.search(sentence[quantity.end : m.start])
        and m.start - quantity.end <= 12
    ]  # fmt: skip
    nearest = max(before, key=lambda m: (m.end, m.start), default=None)
    following = min(after, key=lambda m: m.start, default=None)
    if nearest is not None and following is not None:
        apart = _BREAK.search(sentence[nearest.end : quantity.start])
        return following if apart else nearest
    return nearest or following


def _respectively(
    sentence: str, kind: Kind, columns: Sequence[Mention], found: Sequence[Quantity]
) -> list[Atom]:
    """Read 甲、乙、丙分别不超过300万元、300人、5000万元."""
    at = sentence.find("分别")
    if at < 0:
        return []
    named = [m for m in columns if m.end <= at]
    values = [q for q in found if q.start >= at and not q.period]
    operator = next((q.operator for q in values if q.operator), None)
    if operator is None or len(named) != len(values) or len(named) < 2:
        return []
    atoms = []
    for mention, quantity in zip(named, values, strict=True):
        value = convert(quantity, ATTRIBUTES[kind][mention.key].unit)
        if value is None:
            return []
        sql = f"{mention.key} {quantity.operator or operator} {value}"
        atoms.append(Atom(sql, (mention.key,), mention.start, quantity.end))
    return atoms


def _statements(sentence: str, kind: Kind, mentions: Iterable[Mention]) -> list[Atom]:
    atoms = []
    for mention in mentions:
        if mention.kind == "number":
            continue
        sql, end = mention.key, mention.end
        if mention.kind == "ordered":
            sql, end = _ordered(sentence, kind, mention)
        negated = _negated(sentence, mention.start)
        atoms.append(Atom(sql, _columns(sql, kind), mention.start, end, negated))
    return atoms


@cache
def _columns(sql: str, kind: Kind) -> tuple[str, ...]:
    return parse_predicate(sql, kind).columns


def _ordered(sentence: str, kind: Kind, mention: Mention) -> tuple[str, int]:
    """Return 本科及以上 as the values from there up, and where its words end."""
    values = list(get_phrases().of(kind).ordered[mention.key])
    at = values.index(mention.value)
    chosen = [mention.value]
    end = mention.end
    match = _UPWARD.match(sentence[mention.end :])
    if match:
        chosen = values[at:] if match["way"] == "以上" else values[: at + 1]
        end += match.end()
    if len(chosen) == 1:
        return f"{mention.key} = '{chosen[0]}'", end
    return f"{mention.key} IN ({', '.join(repr(value) for value in chosen)})", end


def _negated(sentence: str, start: int) -> bool:
    """Say whether a word of negation stands right before ``start`` (尚未就业的人员 denies 就业)."""
    clause = _BREAK.split(sentence[:start])[-1]
    for word in get_phrases().negation:
        at = clause.rfind(word)
        gap = clause[at + len(word) :]
        if at >= 0 and len(gap) <= 3 and "的" not in gap:
            return True
    return False


def _where(sentence: str, kind: Kind, places: Places) -> list[Atom]:
    atoms: list[Atom] = []
    for match in places.pattern().finditer(sentence):
        district = match["district"] or ""
        if district in _OWN_DISTRICT:
            district = places.district
        ranked = [
            (near, sql)
            for rule in get_phrases().of(kind).place
            if (near := _near(sentence, match, rule.near)) is not None
            and (sql := rule.district if district else rule.city) is not None
        ]
        if not ranked:
            continue
        (_, low, high), sql = min(ranked)
        sql = sql.format(name=district)
        columns = _columns(sql, kind)
        note = ""
        if district and "district" not in columns:
            note = f"“{district}”没有对应的画像字段，条件只写到了全市"
        start, end = min(match.start(), low), max(match.end(), high)
        negated = _negated(sentence, start)
        atoms.append(Atom(sql, columns, start, end, negated, place=True, note=note))
    return atoms


def _near(sentence: str, match: re.Match[str], words: Iterable[str]) -> tuple[int, int, int] | None:
    """Return the nearest of ``words`` around a place in the same clause, within 12 characters.

    As (how far, where the word begins, where it ends).
    """
    best: tuple[int, int, int] | None = None
    for word in words:
        for found in re.finditer(re.escape(word), sentence):
            low, high = sorted((match.span(), found.span()))
            gap = sentence[low[1] : high[0]] if low[1] <= high[0] else ""
            if len(gap) <= 12 and not _BREAK.search(gap):
                rank = (len(gap), found.start(), found.end())
                best = rank if best is None else min(best, rank)
    return best


def _overlaps(atom: Atom, mentions: Iterable[Mention]) -> bool:
    return any(m.start < atom.end and atom.start < m.end for m in mentions)


def _same_words(one: Atom, other: Atom) -> bool:
    overlap = one.start < other.end and other.start < one.end
    return overlap and one.columns == other.columns


def _without_nested(atoms: Sequence[Atom]) -> list[Atom]:
    """Drop an atom whose words lie inside those of another of the same column."""
    kept: list[Atom] = []
    for atom in atoms:
        if any(_same_words(atom, k) and k.end >= atom.end for k in kept):
            continue
        kept.append(atom)
    return kept


def _waived(sentence: str, atom: Atom) -> bool:
    """不限户籍, 不论是否……: the clause says that it does not matter."""
    before = _BREAK.split(sentence[: atom.start])[-1]
    after = _BREAK.split(sentence[atom.end :])[0]
    return bool(_WAIVED.search(before + after))


def _example(sentence: str, atom: Atom, used: Iterable[Mention]) -> bool:
    """甲、乙等重点群体5人: 甲 is an example of whom the number counts."""
    after = sentence[atom.end :]
    return after.startswith("等") and any(atom.end < m.start <= atom.end + 4 for m in used)


def _by_gender(sentence: str, atoms: Sequence[Atom]) -> list[Atom]:
    """Write 男满60周岁、女满55周岁 as one alternative, each age with its gender."""
    ages = [atom for atom in atoms if atom.columns == ("age",)]
    told = []
    for atom in ages:
        match = re.search("[男女]", sentence[max(0, atom.start - 4) : atom.start + 3])
        told.append("" if match is None else "male" if match[0] == "男" else "female")
    if sorted(told) != ["female", "male"]:
        return list(atoms)
    sides = [f"(gender = '{g}' AND {a.sql})" for g, a in zip(told, ages, strict=True)]
    start, end = min(a.start for a in ages), max(a.end for a in ages)
    merged = Atom(f"({' OR '.join(sides)})", ("gender", "age"), start, end)
    others = [a for a in atoms if a not in ages and "gender" not in a.columns]
    return [*others, merged]


def _listed_negation(sentence: str, atoms: Sequence[Atom], kind: Kind) -> list[Atom]:
    """Let 不属于甲、乙和丙 deny all three; what only keeps people out is always denied."""
    never = set(get_phrases().of(kind).never)
    made: list[Atom] = []
    for atom in atoms:
        negated = atom.negated
        if set(atom.columns) <= never:
            negated = not atom.sql.startswith("NOT ")
        elif made and made[-1].negated and made[-1].columns == atom.columns:
            negated = negated or bool(_LIST.match(sentence[made[-1].end : atom.start]))
        made.append(replace(atom, negated=negated))
    return made

"""The phrases of ``phrases.yml`` as spaCy patterns, and the places where a sentence has them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal, TypeVar

import jieba
import spacy
from pydantic import Field
from spacy.language import Language
from spacy.matcher import Matcher, PhraseMatcher
from spacy.tokens import Doc

from base.errors import ConfigurationError
from matcher.documents import Document, read_model
from matcher.importing.numbers import find_days, quantities
from matcher.predicate import parse_predicate
from matcher.profile import ATTRIBUTES, KINDS, Kind

__all__ = [
    "Lexicon",
    "Mention",
    "Phrases",
    "Place",
    "get_lexicon",
    "get_phrases",
    "keeps_out",
    "scores",
]

PATH = Path(__file__).parent / "phrases.yml"
_GAP = 12
_FREQUENCY = 50_000_000  # as common as all of jieba's words together: never cut in two

MentionKind = Literal["number", "says", "ordered"]
Words = tuple[str, ...]
Key = TypeVar("Key", bound=str)


class Place(Document):
    """What 在本市 or 在清河区 says next to one of the words ``near``."""

    near: Words = Field(min_length=1)
    city: str | None = None
    district: str | None = None


class AudiencePhrases(Document):
    """The phrases of one kind of profile, as the head of ``phrases.yml`` explains them."""

    numbers: dict[str, Words]
    says: dict[str, Words]
    ordered: dict[str, dict[str, Words]]
    never: Words
    place: tuple[Place, ...]
    default: dict[str, str]
    union: Words
    open_below: Words = ()


class Phrases(Document):
    """The whole of ``phrases.yml``."""

    enterprise: AudiencePhrases
    resident: AudiencePhrases
    negation: Words
    exclusion: Words
    topics: dict[str, Words]
    audience: dict[Kind, Words]
    themes: dict[Kind, dict[str, Words]]

    def of(self, kind: Kind) -> AudiencePhrases:
        """Return the phrases of one kind of profile."""
        return self.enterprise if kind == "enterprise" else self.resident


@dataclass(frozen=True, slots=True)
class Mention:
    """One phrase found in a sentence.

    Args:
        kind: what the phrase is: it names a number's column, says a predicate, or names a
            value of an ordered choice.
        key: the column, or the predicate.
        value: the value of an ordered choice, else empty.
        start: first character in the sentence.
        end: the character after the last.
    """

    kind: MentionKind
    key: str
    value: str
    start: int
    end: int


@cache
def get_phrases() -> Phrases:
    """Read and check ``phrases.yml``.

    Raises:
        ConfigurationError: a column, value or predicate that the profiles do not have.
    """
    phrases = read_model(PATH, Phrases)
    for kind in KINDS:
        _check(phrases.of(kind), kind)
    return phrases


def _check(phrases: AudiencePhrases, kind: Kind) -> None:
    columns = ATTRIBUTES[kind]
    ranked = {*phrases.numbers, *phrases.ordered, *phrases.never, *phrases.default.values()}
    ranked |= set(phrases.open_below)
    unknown = sorted((ranked | set(phrases.union)) - set(columns))
    if unknown:
        raise ConfigurationError(f"{PATH}: {kind} profiles have no column {', '.join(unknown)}")
    for name, values in phrases.ordered.items():
        known = {choice.value for choice in columns[name].choices}
        if not set(values) <= known:
            raise ConfigurationError(f"{PATH}: {kind}.ordered.{name}: a value is not a choice")
    for predicate in phrases.says:
        try:
            parse_predicate(predicate, kind)
        except ConfigurationError as error:
            raise ConfigurationError(f"{PATH}: {kind}.says: {error.detail}") from error


@cache
def get_lexicon(kind: Kind) -> Lexicon:
    """Return the lexicon of one kind of profile; the first call takes about two seconds."""
    return Lexicon(get_phrases().of(kind))


class Lexicon:
    """Finds the phrases of one kind of profile in a sentence.

    Words are cut by jieba with every phrase among its words, so that 物业 is not found in
    文物业务; quantities and days are tokens of their own.
    """

    def __init__(self, phrases: AudiencePhrases) -> None:
        entries = list(_entries(phrases))
        words = {word for _, phrase in entries for part in phrase for word in part}
        self._words = frozenset(words)
        self._names = tuple(
            (word, column)
            for (kind, column, _), phrase in entries
            if kind == "number" and len(phrase) == 1
            for word in phrase[0]
        )
        self._nlp: Language = spacy.blank("zh")
        self._cut = _segmenter(words)
        self._keys: dict[str, tuple[MentionKind, str, str]] = {}
        self._gapped = Matcher(self._nlp.vocab)
        self._plain = PhraseMatcher(self._nlp.vocab)
        for position, (key, phrase) in enumerate(entries):
            name = str(position)
            self._keys[name] = key
            if len(phrase) == 1:
                self._plain.add(name, [self.doc(word) for word in phrase[0]])
            else:
                self._gapped.add(name, [_pattern(phrase)])

    def doc(self, sentence: str) -> Doc:
        """Return ``sentence`` as spaCy tokens."""
        words, at = list[str](), 0
        cuts = [(q.at, q.end) for q in quantities(sentence)]
        cuts += [span for span, _ in find_days(sentence)]
        for start, end in sorted(cuts):
            if start >= at:
                words += [*self._cut.cut(sentence[at:start], HMM=False), sentence[start:end]]
                at = end
        words += self._cut.cut(sentence[at:], HMM=False)
        words = [word for word in words if word]
        return Doc(self._nlp.vocab, words=words, spaces=[False] * len(words))

    def mentions(self, sentence: str) -> list[Mention]:
        """Return the phrases in ``sentence`` by place; of two plain ones that overlap the longer.

        Names in 《》 say which document is meant, not who may apply, and are passed over.
        """
        doc = self.doc(sentence)
        titles = [match.span() for match in re.finditer("《[^》]*》", sentence)]
        plain = list(self._found(doc, self._plain(doc)))
        gapped = _shortest(self._found(doc, self._gapped(doc)))
        found = [*_longest(plain), *gapped, *self._inside(doc)]
        return sorted(
            (m for m in found if not any(low <= m.start < high for low, high in titles)),
            key=lambda mention: (mention.start, mention.end),
        )

    def _inside(self, doc: Doc) -> Iterator[Mention]:
        """Yield the names of numbers inside a longer phrase: 失业登记 in 办理失业登记."""
        for token in doc:
            for word, column in self._names_inside(token.text):
                start = token.idx + token.text.rindex(word)
                yield Mention("number", column, "", start, start + len(word))

    def _names_inside(self, token: str) -> tuple[tuple[str, str], ...]:
        if token not in self._words:
            return ()
        return tuple(
            (word, column) for word, column in self._names if word in token and word != token
        )

    def _found(self, doc: Doc, matches: Iterable[Any]) -> Iterator[Mention]:
        for name, start, end in matches:
            kind, key, value = self._keys[self._nlp.vocab.strings[name]]
            last = doc[end - 1]
            yield Mention(kind, key, value, doc[start].idx, last.idx + len(last))


def _entries(
    phrases: AudiencePhrases,
) -> Iterator[tuple[tuple[MentionKind, str, str], list[list[str]]]]:
    for column, written in phrases.numbers.items():
        for phrase in written:
            yield ("number", column, ""), _parts(phrase)
    for predicate, written in phrases.says.items():
        for phrase in written:
            yield ("says", predicate, ""), _parts(phrase)
    for column, values in phrases.ordered.items():
        for value, written in values.items():
            for phrase in written:
                yield ("ordered", column, value), _parts(phrase)


def _parts(phrase: str) -> list[list[str]]:
    return [part.split("|") for part in phrase.split(" ")]


def _pattern(phrase: list[list[str]]) -> list[dict[str, Any]]:
    pattern: list[dict[str, Any]] = []
    for part in phrase:
        if pattern:
            pattern.append({"ORTH": {"NOT_IN": ["。", "；"]}, "OP": f"{{0,{_GAP}}}"})
        pattern.append({"ORTH": {"IN": part}})
    return pattern


def _segmenter(words: Iterable[str]) -> jieba.Tokenizer:
    """A jieba of our own: no cache file in a shared folder, no word added to the global one."""
    segmenter = jieba.Tokenizer()
    segmenter.FREQ, segmenter.total = segmenter.gen_pfdict(segmenter.get_dict_file())
    segmenter.initialized = True
    for word in sorted(words):
        segmenter.add_word(word, _FREQUENCY)
    return segmenter


def _longest(mentions: list[Mention]) -> list[Mention]:
    """Drop a plain phrase inside a longer one, unless both are of one length and place."""
    return [
        one
        for one in mentions
        if not any(
            other.start <= one.start
            and one.end <= other.end
            and other.end - other.start > one.end - one.start
            for other in mentions
        )
    ]


def _shortest(mentions: Iterable[Mention]) -> list[Mention]:
    """Keep the tightest match of a phrase with gaps for each of its ends."""
    best: dict[tuple[str, str, int], Mention] = {}
    for mention in mentions:
        key = (mention.kind, mention.key, mention.end)
        if key not in best or best[key].start < mention.start:
            best[key] = mention
    starts: dict[tuple[str, str, int], Mention] = {}
    for mention in best.values():
        key = (mention.kind, mention.key, mention.start)
        if key not in starts or starts[key].end > mention.end:
            starts[key] = mention
    return list(starts.values())


def scores(words: Mapping[Key, Iterable[str]], text: str) -> dict[Key, int]:
    """Count for each key how often its words stand in ``text``."""
    return {key: sum(text.count(word) for word in listed) for key, listed in words.items()}


def keeps_out(text: str) -> bool:
    """Say whether the sentence names who may not apply."""
    return _exclusion().search(text) is not None


@cache
def _exclusion() -> re.Pattern[str]:
    return re.compile("|".join(get_phrases().exclusion))

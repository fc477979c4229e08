"""Finds entities: a linear-chain CRF over characters that sees word lists and patterns.

Chinese words have no edges, so the unit is the character. Each character's features are its
neighbourhood, its kind, the word it is cut into (jieba) with its class and its neighbours, its
place in a word of each lookup table, and its place in a match of
:mod:`bot.components.entity_rules`.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Dict, FrozenSet, Iterable, Iterator, List, Mapping, Sequence, Tuple

import jieba
import pycrfsuite

from bot.components.entity_rules import CERTAIN, PLACE_END, certain, matches

Span = Tuple[str, int, int]
"""Entity name, start and end (exclusive) in characters."""

_NUMERALS = frozenset("零〇一二三四五六七八九十百千万亿两半几俩仨")
_BEFORE_PLACE = 5
"""Characters of a name in front of the word for the kind of place."""
_OPTIMISER = "l2sgd"
"""Half as long as L-BFGS for the same F1 on names never seen (docs/adr/0005)."""
_OPTIONS = {"c2": 0.5, "feature.minfreq": 3, "calibration.samples": 1000}
_NOUNS = frozenset({"n", "nr", "nrt", "nrfg", "i", "l"})
"""Word classes of jieba's dictionary that are not kept: the bulk, read as nouns."""


class WordLists:
    """Finds the longest word of each list at every place of a text."""

    def __init__(self, lists: Mapping[str, Iterable[str]]) -> None:
        self._lists = {name: frozenset(words) for name, words in lists.items()}
        self._longest: Dict[str, Dict[str, int]] = defaultdict(dict)
        """First character of a word → list → length of its longest word that begins so."""
        for name, words in self._lists.items():
            for word in words:
                lengths = self._longest[word[:1]]
                lengths[name] = max(len(word), lengths.get(name, 0))

    def matches(self, text: str, unknown: FrozenSet[str] = frozenset()) -> List[Span]:
        """Return the longest non-overlapping matches of every list, from the left.

        Words of ``unknown`` are taken to stand in no list.
        """
        found: List[Span] = []
        free: Dict[str, int] = {}
        for start, char in enumerate(text):
            for name, longest in self._longest.get(char, {}).items():
                if start < free.get(name, 0):
                    continue
                words = self._lists[name]
                end = min(len(text), start + longest)
                while end > start and (text[start:end] not in words or text[start:end] in unknown):
                    end -= 1
                if end > start:
                    found.append((name, start, end))
                    free[name] = end
        return found


@dataclass(frozen=True)
class Example:
    """A sentence, its annotated spans (non-overlapping), and words the lists shall not find."""

    text: str
    spans: Tuple[Span, ...]
    unknown: FrozenSet[str] = frozenset()


class EntityTagger:
    """A trained tagger. ``tag`` may be called from one thread at a time."""

    def __init__(self, model: Path, lists: Mapping[str, Iterable[str]]) -> None:
        self._lists = WordLists(lists)
        self._crf = pycrfsuite.Tagger()
        self._crf.open(str(model))

    def tag(self, text: str) -> List[Tuple[str, int, int, float]]:
        """Return ``(entity, start, end, confidence)`` in order; spans do not overlap."""
        if not text:
            return []
        labels = self._crf.tag(features(text, self._lists))
        sure = certain(text)
        taken = {i for _, start, end in sure for i in range(start, end)}
        found = [(*span, 1.0) for span in sure]
        for name, start, end in spans_of(labels):
            if name not in CERTAIN and taken.isdisjoint(range(start, end)):
                confidence = min(self._crf.marginal(labels[i], i) for i in range(start, end))
                found.append((name, start, end, confidence))
        return sorted(found, key=lambda span: span[1])


def train(
    examples: Sequence[Example],
    lists: Mapping[str, Iterable[str]],
    target: Path,
    iterations: int,
) -> None:
    """Train on annotated sentences and write the CRF to ``target``.

    Args:
        examples: sentences with their spans.
        lists: words of each lookup table.
        target: file to write.
        iterations: so many times over the sentences.
    """
    words = WordLists(lists)
    trainer = pycrfsuite.Trainer(algorithm=_OPTIMISER, verbose=False)
    trainer.set_params({**_OPTIONS, "max_iterations": iterations})
    for example in examples:
        if example.text:
            trainer.append(features(example.text, words, example.unknown), labels_of(example))
    trainer.train(str(target))


def labels_of(example: Example) -> List[str]:
    """Return one BIO label a character."""
    labels = ["O"] * len(example.text)
    for name, start, end in example.spans:
        labels[start:end] = [f"B-{name}"] + [f"I-{name}"] * (end - start - 1)
    return labels


def spans_of(labels: Sequence[str]) -> List[Span]:
    """Read spans from BIO labels; an ``I`` without its ``B`` opens a span."""
    found: List[Span] = []
    for i, label in enumerate(labels):
        if label == "O":
            continue
        kind, name = label[0], label[2:]
        if kind == "I" and found and found[-1][0] == name and found[-1][2] == i:
            found[-1] = (name, found[-1][1], i + 1)
        else:
            found.append((name, i, i + 1))
    return found


def features(text: str, words: WordLists, unknown: FrozenSet[str] = frozenset()) -> List[List[str]]:
    """Return the features of every character of ``text``, as if no list held ``unknown``."""
    padded = ["<<", "<", *text, ">", ">>"]
    words_at = _words_at(text)
    kinds = ["<", "<", *map(_kind, text), ">", ">"]
    marks: List[List[str]] = [[] for _ in text]
    for prefix, found in (("l", words.matches(text, unknown)), ("r", matches(text))):
        for name, start, end in found:
            for i in range(start, end):
                marks[i].append(f"{prefix}{name}{_place(i, start, end)}")
            if start:
                marks[start - 1].append(f"{prefix}{name}>")
            if end < len(text):
                marks[end].append(f"{prefix}{name}<")
    for match in PLACE_END.finditer(text):
        for i in range(max(0, match.start() - _BEFORE_PLACE), match.end()):
            marks[i].append(f"p{max(0, match.start() - i)}")
            marks[i].append(f"q{min(3, match.end() - 1 - i)}")
    return [
        [
            "b",
            *(f"c{k}{padded[i + k]}" for k in range(5)),
            *(f"d{k}{padded[i + k]}{padded[i + k + 1]}" for k in range(4)),
            f"k{kinds[i + 1]}{kinds[i + 2]}{kinds[i + 3]}",
            f"v{words_at[i][0]}{padded[i + 1]}{padded[i + 2]}{padded[i + 3]}",
            *words_at[i][1:],
            *marks[i],
        ]
        for i in range(len(text))
    ]


def _place(i: int, start: int, end: int) -> str:
    """Return where ``i`` lies in a span: at its Beginning, its End, Inside, or it is Single."""
    if end - start == 1:
        return "S"
    return "B" if i == start else "E" if i == end - 1 else "I"


def _words_at(text: str) -> List[Tuple[str, ...]]:
    """Return for every character its place in its jieba word, then the features of that word."""
    words = ["<", *jieba.cut(text, HMM=False), ">"]
    kinds = [_word_class(word) for word in words]
    found: List[Tuple[str, ...]] = []
    for k in range(1, len(words) - 1):
        before, word, after = words[k - 1 : k + 2]
        for i in range(len(word)):
            place = _place(i, 0, len(word))
            found.append(
                (
                    place,
                    f"u{place}{word}",
                    f"x{before}",
                    f"y{after}",
                    f"g{place}{kinds[k]}",
                    f"h{place}{kinds[k - 1]}{kinds[k]}",
                    f"j{place}{kinds[k]}{kinds[k + 1]}",
                )
            )
    return found


def _word_class(word: str) -> str:
    return _word_classes().get(word) or ("n" if jieba.dt.FREQ.get(word) else "?")


@lru_cache(maxsize=1)
def _word_classes() -> Dict[str, str]:
    """Return the class of every word of jieba's dictionary that is no noun (some 110,000)."""
    return {word: kind for word, kind in dictionary() if kind not in _NOUNS}


def dictionary() -> Iterator[Tuple[str, str]]:
    """Yield every word of jieba's dictionary with its class (some 350,000)."""
    with jieba.get_dict_file() as lines:
        for line in lines:
            entry = line.decode("utf-8").split()
            if len(entry) > 2:
                yield entry[0], entry[2]


def _kind(char: str) -> str:
    if char.isdigit():
        return "9"
    if char in _NUMERALS:
        return "n"
    if char.isascii() and char.isalpha():
        return "a"
    return "h" if "一" <= char <= "鿿" else "p"

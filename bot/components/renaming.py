"""Other names in the same sentences, so that the tagger learns sentences and not names.

A city has more streets, estates, shops, matters and trades than anybody can annotate. Each
annotated utterance is therefore also seen with other names: matters, trades, groups and pollutants
from the lookup tables and the other utterances; places put together as their kind allows
(新坝河, 云龙小区3栋对面, 卧龙路和锦绣巷交叉口), their stems from the dictionary jieba ships.
"""

from __future__ import annotations

import random
from functools import lru_cache
from typing import Dict, Iterable, Mapping, Sequence

from bot.components.entity_rules import PLACE_KINDS, RELATIONS
from bot.components.entity_tagger import Example, dictionary

RENAMED = ("service_item", "pollution_type", "industry", "person_group")
"""Entities whose names are exchanged; places are composed."""

_NAMES_OF_PEOPLE_AND_PLACES = frozenset({"ns", "nr", "nz"})
_STREETS = ("路", "街", "大道", "巷", "弄", "胡同")


class Renamer:
    """Makes copies of annotated utterances with other names.

    Args:
        examples: annotated utterances, whose names are used.
        lists: words of each lookup table, used too.
        renamed: probability that a name is exchanged.
        unknown: probability that a new name is hidden from the word lists.
    """

    def __init__(
        self,
        examples: Iterable[Example],
        lists: Mapping[str, Iterable[str]],
        renamed: float = 0.8,
        unknown: float = 0.6,
    ) -> None:
        names: Dict[str, set[str]] = {name: set(lists.get(name, ())) for name in RENAMED}
        for example in examples:
            for name, start, end in example.spans:
                if name in names:
                    names[name].add(example.text[start:end])
        self._names = {name: sorted(words) for name, words in names.items()}
        self._renamed, self._unknown = renamed, unknown

    def copy(self, example: Example, rng: random.Random) -> Example:
        """Return the utterance with other names, its spans carried along."""
        text, spans, unknown, end = "", [], set(), 0
        for name, start, stop in sorted(example.spans, key=lambda span: span[1]):
            text += example.text[end:start]
            words = example.text[start:stop]
            if rng.random() < self._renamed:
                words = self._other(name, words, rng)
                if rng.random() < self._unknown:
                    unknown.add(words)
            spans.append((name, len(text), len(text) + len(words)))
            text, end = text + words, stop
        return Example(text + example.text[end:], tuple(spans), frozenset(unknown))

    def _other(self, name: str, words: str, rng: random.Random) -> str:
        if name == "location":
            return place(rng)
        return rng.choice(self._names[name]) if self._names.get(name) else words


def place(rng: random.Random) -> str:
    """Return an invented place: a name and its kind, sometimes with a number and a relation."""
    if rng.random() < 0.1:
        first, second = (_stem(rng) + rng.choice(_STREETS) for _ in range(2))
        joint, end = rng.choice(("和", "与", "跟", "")), rng.choice(("交叉口", "路口", "口"))
        return first + joint + second + end
    if rng.random() < 0.08:
        return rng.choice(_places())
    words = _stem(rng) + (rng.choice(PLACE_KINDS) if rng.random() < 0.85 else "")
    if rng.random() < 0.1:
        words = rng.choice(_places()) + words
    if rng.random() < 0.25:
        words += f"{rng.randint(1, 99)}{rng.choice(('号', '栋', '幢', '号楼', '弄'))}"
        if rng.random() < 0.3:
            words += f"{rng.randint(1, 6)}单元"
    if rng.random() < 0.35:
        words += rng.choice(RELATIONS)
    return words


def _stem(rng: random.Random) -> str:
    """Return the part of a name that is not its kind: a dictionary name, or one made of two."""
    stem = rng.choice(_stems())
    if rng.random() < 0.25:
        stem = stem[:1] + rng.choice(_stems())[-1:]
    return stem


@lru_cache(maxsize=1)
def _stems() -> Sequence[str]:
    """Names of people, places and things of two or three characters in jieba's dictionary."""
    return [
        word
        for word, kind in dictionary()
        if kind in _NAMES_OF_PEOPLE_AND_PLACES and 2 <= len(word) <= (3 if kind == "ns" else 2)
    ]


@lru_cache(maxsize=1)
def _places() -> Sequence[str]:
    """Real places: the dictionary's towns, counties and countries."""
    return [word for word, kind in dictionary() if kind == "ns" and 2 <= len(word) <= 4]

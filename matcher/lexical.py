"""Matching by spelling and by sound: n-grams of characters and of pinyin syllables.

Meaning search misses what is written alike but seldom seen (a nickname of a card) and what
speech recognition mishears (设保卡 for 社保卡). Both are caught by comparing n-grams, where
an n-gram weighs more the fewer passages use it, so that 怎么办理 counts for little.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt
import opencc
from pypinyin import lazy_pinyin
from sklearn.feature_extraction.text import CountVectorizer

__all__ = ["Comparison", "NgramIndex", "bare", "characters", "normalise", "syllables"]

Floats = npt.NDArray[np.float32]
MAX_CHARS = 300
LONGEST = 3

_NOT_WORD = re.compile(r"[\W_]+")
_POLITE = re.compile(
    r"你好|您好|请问|谢谢|麻烦(?:你|您)?|问一下|问下|咨询一?下|打扰一?下|我想知道|想了解一?下|嗯+|呃+"
)
_CONFUSED = (
    (re.compile(r"^([zcs])h"), r"\1"),
    (re.compile(r"^n(?=[aeiouv])"), "l"),
    (re.compile(r"([aei]n)g$"), r"\1"),
)
"""Sounds that much of the country says alike: zh/z ch/c sh/s, n/l, ang/an eng/en ing/in."""


@cache
def _simplifier() -> opencc.OpenCC:
    return opencc.OpenCC("t2s")


def normalise(text: str) -> str:
    """Return ``text`` in simplified, half-width, lower-case characters, at most 300."""
    folded = unicodedata.normalize("NFKC", text[: 2 * MAX_CHARS]).lower()
    return str(_simplifier().convert(folded))[:MAX_CHARS].strip()


def characters(text: str) -> list[str]:
    """Return the n-grams (1 to 3) of the characters of ``text``, without punctuation."""
    return list(_ngrams(list(bare(text))))


def syllables(text: str) -> list[str]:
    """Return the n-grams (2 to 3) of the pinyin syllables of ``text``, accents folded."""
    return list(_ngrams([_fold(syllable) for syllable in lazy_pinyin(bare(text))], shortest=2))


def bare(text: str) -> str:
    """Return normalised ``text`` without punctuation and polite words."""
    words = _NOT_WORD.sub("", text)
    return _POLITE.sub("", words) or words


def _fold(syllable: str) -> str:
    for pattern, replacement in _CONFUSED:
        syllable = pattern.sub(replacement, syllable)
    return syllable


def _ngrams(units: Sequence[str], shortest: int = 1) -> Iterator[str]:
    for length in range(shortest, LONGEST + 1):
        for start in range(len(units) - length + 1):
            yield " ".join(units[start : start + length])


@dataclass(frozen=True, slots=True)
class Comparison:
    """A text against every passage, by the n-grams they share.

    Args:
        held: ``(passages,)``, how much of the passage is in the text, 0 to 1.
        hits: ``(passages, k)``, 1 where the passage has one of the text's k known n-grams.
        weights: ``(k,)``, the share of each known n-gram in the whole weight of the text;
            less than 1 together when the text has n-grams that no passage has.
    """

    held: Floats
    hits: Floats
    weights: Floats


class NgramIndex:
    """The n-grams of passages, each weighed by its rarity (inverse document frequency).

    Args:
        passages: normalised texts.
        analyse: splits a text into n-grams.
    """

    def __init__(self, passages: Sequence[str], analyse: Callable[[str], list[str]]) -> None:
        self._analyse = analyse
        vectorizer = CountVectorizer(analyzer=analyse, binary=True)
        present = vectorizer.fit_transform(passages).tocsc()
        self._vocabulary: dict[str, int] = vectorizer.vocabulary_
        used = np.asarray(present.sum(axis=0), dtype=np.float32).ravel()
        self._rarity: Floats = np.log((1 + len(passages)) / (1 + used)).astype(np.float32) + 1
        self._unseen = float(np.log(1 + len(passages)) + 1)
        self._present = present
        self._mass: Floats = np.asarray(present @ self._rarity, dtype=np.float32).ravel()

    def compare(self, text: str) -> Comparison:
        """Compare ``text`` with every passage."""
        grams = dict.fromkeys(self._analyse(text))
        columns = [self._vocabulary[gram] for gram in grams if gram in self._vocabulary]
        rarity = self._rarity[columns]
        hits: Floats = self._present[:, columns].toarray().astype(np.float32)
        whole = float(rarity.sum()) + (len(grams) - len(columns)) * self._unseen
        held = np.divide(
            hits @ rarity, self._mass, out=np.zeros_like(self._mass), where=self._mass > 0
        )
        return Comparison(held=held, hits=hits, weights=rarity / whole if whole else rarity)

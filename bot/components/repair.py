"""Puts misheard domain terms right: 设保卡 → 社保卡, 公积金题取 → 公积金提取.

A noisy-channel corrector for known terms only. A stretch of text that sounds like a term but is
written otherwise is replaced when the sentence becomes much likelier by it under a unigram word
model (jieba's dictionary, in which the terms are words too). A correct sentence is made of likely
words already, so nothing gains from being replaced; the margin is what a replacement must gain.

The channel is :mod:`bot.components.pinyin`: equal syllables for terms of two characters, equal
folded syllables for longer ones.
"""

from __future__ import annotations

import math
from collections import defaultdict
from typing import Dict, FrozenSet, Iterable, List, Mapping, Sequence, Tuple

import jieba

from bot.components.pinyin import fold, readings

SHORTEST, LONGEST = 2, 8
_CONTEXT = 4
_TERM_COUNT = 300
"""Corpus count a term is given in the word model: that of a fairly common word."""
_MARGIN = {2: 7.0, 3: 6.0}
_LONG_MARGIN = 4.0
"""Gain in log-likelihood (nats) a replacement needs, by the length of the term."""

_DIALECT = frozenset("啱啲嘅咗嚟冇咩仲佢哋嘢喺唔乜嗰睇俾侬伊伐恁俺咱")
"""Written on purpose by those who write as they speak; no recogniser of Mandarin puts them."""

Key = Tuple[str, ...]


class Repairer:
    """Repairs sentences with the terms it was given.

    Args:
        terms: correct words of the domain; those of fewer than 2 or more than 8 characters, or
            with anything but Han characters, are ignored.
    """

    def __init__(self, terms: Iterable[str]) -> None:
        jieba.initialize()
        kept = {t for t in terms if SHORTEST <= len(t) <= LONGEST and _is_han(t)}
        self._counts: Mapping[str, int] = jieba.dt.FREQ
        self._terms: FrozenSet[str] = frozenset(kept)
        self._total = math.log(jieba.dt.total)
        self._by_sound: Dict[Key, List[str]] = defaultdict(list)
        for term in sorted(kept):
            self._by_sound[_sound(term, len(term) > SHORTEST)].append(term)
        self._lengths = sorted({len(term) for term in kept}, reverse=True)

    def repair(self, text: str) -> str:
        """Return ``text`` with misheard terms replaced; the length never changes."""
        exact, folded = _sound(text, False), _sound(text, True)
        for length in self._lengths:
            sounds, start = exact if length == SHORTEST else folded, 0
            while start + length <= len(text):
                terms = self._by_sound.get(sounds[start : start + length], ())
                better = self._better(text, start, length, terms) if terms else None
                if better is not None:
                    text = text[:start] + better + text[start + length :]
                    exact, folded = _sound(text, False), _sound(text, True)
                    sounds = exact if length == SHORTEST else folded
                    start += length
                else:
                    start += 1
        return text

    def _better(self, text: str, start: int, length: int, terms: Sequence[str]) -> str | None:
        """Return the term that the stretch most likely is, if it is one."""
        heard = text[start : start + length]
        if heard in self._terms or not _is_han(heard) or not _DIALECT.isdisjoint(heard):
            return None
        if length > SHORTEST and self._counts.get(heard):
            return None  # a word of its own: 住房补贴 is not 租房补贴 misheard
        best, gain = None, _MARGIN.get(length, _LONG_MARGIN)
        for term in terms:
            found = self._gain(text, start, term)
            if found > gain:
                best, gain = term, found
        return best

    def _gain(self, text: str, start: int, term: str) -> float:
        left, right = max(0, start - _CONTEXT), start + len(term) + _CONTEXT
        before, heard = text[left:start], text[start : start + len(term)]
        after = text[start + len(term) : right]
        return self._likelihood(before + term + after) - self._likelihood(before + heard + after)

    def _likelihood(self, text: str) -> float:
        """Log-likelihood of the best segmentation of ``text`` into words."""
        best = [0.0] + [-math.inf] * len(text)
        for end in range(1, len(text) + 1):
            for begin in range(max(0, end - LONGEST), end):
                word = text[begin:end]
                count = self._counts.get(word, 0)
                if word in self._terms:
                    count = max(count, _TERM_COUNT)
                if count == 0 and end - begin > 1:
                    continue
                best[end] = max(best[end], best[begin] + math.log(count or 1) - self._total)
        return best[-1]


def _sound(text: str, folded: bool) -> Key:
    syllables = tuple(readings(char)[0] for char in text)
    return tuple(fold(s) for s in syllables) if folded else syllables


def _is_han(text: str) -> bool:
    return all("一" <= char <= "鿿" for char in text)

"""A noise model of speech recognition: what a recogniser makes of a citizen's sentence.

Three things happen to a sentence, in this order and independently of each other:

1. **Homophones.** Each word (jieba) is replaced, with probability ``homophones``, by another
   dictionary word of the same length that sounds alike: the same syllables without tones, or,
   one time in four, the same folded syllables (:func:`bot.components.pinyin.fold`). Candidates
   are drawn by their frequency, as a recogniser's language model would prefer them.
2. **Disfluency.** A filler opens the sentence or stands between two words, and the opening word
   is said twice.
3. **Transcription.** Marks disappear and Arabic digits become Chinese ones.

The same seed gives the same text. The classifier uses it to see noisy copies of its training
utterances; ``benchmarks/nlu/make_asr.py`` uses it for the generated half of the held-out style
``asr`` (the other half is written by hand).
"""

from __future__ import annotations

import random
import re
from collections import defaultdict
from dataclasses import dataclass
from functools import lru_cache
from typing import Dict, List, Mapping, Sequence, Tuple

import jieba

from bot.components.pinyin import fold, readings

FILLERS = ("嗯", "呃", "那个", "这个", "就是", "啊", "那什么", "嗯那个", "就是说", "哎")
_OPENING = ("嗯", "呃", "喂", "那个", "哎", "喂你好", "那个那个", "嗯我说")
_DIGITS = dict(zip("0123456789", "零一二三四五六七八九"))
_MARKS = re.compile(r"[^\w\s]|_")
_HAN = re.compile(r"[一-鿿]+")
_MOST_CANDIDATES = 12

Span = Tuple[str, str]
"""Words and the entity they are annotated with ("" for none)."""


@dataclass(frozen=True)
class Noise:
    """How much of each: probabilities per word (homophones, fillers) and per sentence."""

    homophones: float = 0.12
    fillers: float = 0.06
    opening: float = 0.25
    stutter: float = 0.12
    accent: float = 0.25


def spoken(spans: Sequence[Span], rng: random.Random, noise: Noise = Noise()) -> List[Span]:
    """Return the spans of one sentence as a recogniser would write them.

    Args:
        spans: the sentence cut at the edges of its annotated entities.
        rng: source of randomness.
        noise: how noisy.
    """
    result: List[Span] = []
    for words, entity in spans:
        heard = _transcribe(_mishear(words, rng, noise, bool(entity)))
        if heard:
            result.append((heard, entity))
    if result and not result[0][1] and rng.random() < noise.stutter:
        first = next(iter(jieba.cut(result[0][0])), "")
        if len(first) <= 2 and _HAN.fullmatch(first):
            result.insert(0, (first, ""))
    if result and rng.random() < noise.opening:
        result.insert(0, (rng.choice(_OPENING), ""))
    return result


def _mishear(text: str, rng: random.Random, noise: Noise, whole: bool) -> str:
    parts: List[str] = []
    for word in jieba.cut(text):
        misheard = _HAN.fullmatch(word) and rng.random() < noise.homophones
        parts.append(_homophone(word, rng, noise) if misheard else word)
        if not whole and rng.random() < noise.fillers:
            parts.append(rng.choice(FILLERS))
    return "".join(parts)


def _homophone(word: str, rng: random.Random, noise: Noise) -> str:
    exact, folded = _lexicon()
    key = tuple(readings(char)[0] for char in word)
    if rng.random() < noise.accent:
        found = folded.get(tuple(fold(s) for s in key), ())
    else:
        found = exact.get(key, ())
    others = [(other, count) for other, count in found if other != word]
    if not others:
        return word
    return rng.choices([o for o, _ in others], [count**0.5 for _, count in others])[0]


def _transcribe(text: str) -> str:
    return _MARKS.sub("", "".join(_DIGITS.get(char, char) for char in text))


@lru_cache(maxsize=1)
def _lexicon() -> Tuple[Mapping[Tuple[str, ...], list], Mapping[Tuple[str, ...], list]]:
    """Index common words of jieba's dictionary by their syllables, plain and folded."""
    jieba.initialize()
    exact: Dict[Tuple[str, ...], List[Tuple[str, int]]] = defaultdict(list)
    folded: Dict[Tuple[str, ...], List[Tuple[str, int]]] = defaultdict(list)
    for word, count in jieba.dt.FREQ.items():
        if count < (200 if len(word) == 1 else 30) or len(word) > 3 or not _HAN.fullmatch(word):
            continue
        key = tuple(readings(char)[0] for char in word)
        exact[key].append((word, count))
        folded[tuple(fold(s) for s in key)].append((word, count))
    for index in (exact, folded):
        for words in index.values():
            words.sort(key=lambda pair: -pair[1])
            del words[_MOST_CANDIDATES:]
    return exact, folded

"""Finding place names in running text, by character, by sound and by near miss.

Speech recognition and hurried typing turn 春风里小区 into 春风李小区. Text and names are
therefore also compared as strings of toneless pinyin syllables, one private character per
syllable, so that ordinary string tools work on sounds.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from pypinyin import Style, lazy_pinyin
from rapidfuzz import fuzz
from rapidfuzz.distance import Levenshtein

MIN_SOUND_LENGTH = 3
"""Shorter names have too many homophones to be found by sound."""
MIN_CORE = 0.6
"""Share of the telling part of a name that a near miss must still have."""

_SUFFIX = re.compile(
    r"(?:地铁站|长途汽车站|火车站|菜市场|农贸市场|市场|小区|花园|家园|新村|花苑|公寓|公园|广场|大道|大街"
    r"|路|街|大桥|桥|小学|中学|医院|产业园|工业园|工业区|水库|村|镇|街道|苑|府|站|厂|园)$"
)
_ACCENT = (
    (re.compile(r"^([zcs])h"), r"\1"),
    (re.compile(r"^n(?!g)"), "l"),
    (re.compile(r"([aei])ng$"), r"\1n"),
    (re.compile(r"^hu?(?=[aeo])"), "f"),
)


@dataclass(frozen=True)
class Mention:
    """A stretch ``text[start:end]`` that names ``surface``; ``score`` 0–1."""

    surface: str
    start: int
    end: int
    score: float


@dataclass
class _Alphabet:
    """One private-use character per syllable, so that a syllable is one edit."""

    letters: dict[str, str] = field(default_factory=dict)

    def write(self, syllables: Iterable[str]) -> str:
        return "".join(
            self.letters.setdefault(syllable, chr(0xF0000 + len(self.letters)))
            for syllable in syllables
        )

    def read_only(self, syllables: Iterable[str]) -> str:
        return "".join(self.letters.get(syllable, "\0") for syllable in syllables)


class NameFinder:
    """Finds any of a fixed set of names in text."""

    def __init__(self, surfaces: Iterable[str]) -> None:
        self._surfaces = tuple(sorted(set(surfaces), key=lambda name: (-len(name), name)))
        self._pattern = re.compile(
            "(?=(" + "|".join(re.escape(name) for name in self._surfaces) + "))"
        )
        self._alphabet = _Alphabet()
        self._spoken = {
            name: self._alphabet.write(syllables(name))
            for name in self._surfaces
            if len(name) >= MIN_SOUND_LENGTH
        }
        self._accented = {
            name: self._alphabet.write(map(_flatten, syllables(name))) for name in self._spoken
        }

    def exact(self, text: str) -> tuple[Mention, ...]:
        """Names written out in ``text``: longest first choice, never overlapping, in order."""
        found = [
            Mention(match.group(1), match.start(), match.start() + len(match.group(1)), 1.0)
            for match in self._pattern.finditer(text)
        ]
        return _without_overlaps(found, key=lambda m: (m.start - m.end, m.start))

    def by_sound(self, text: str) -> tuple[Mention, ...]:
        """Names pronounced, not written, in ``text``.

        0.92 for the same syllables; for names of three, 0.9 when the tones agree as well and
        0.88 when not. When they are the same only to a southern ear (zh/z, n/l, ing/in …):
        0.88 if that is one syllable of a name of three before its generic ending, else 0.8
        (石门大街, 西门大街 and 四门大街 are too much alike).
        """
        spoken = syllables(text)
        plain = self._alphabet.read_only(spoken)
        accented = self._alphabet.read_only(map(_flatten, spoken))
        found: list[Mention] = []
        for name, code in self._spoken.items():
            start = plain.find(code)
            if start >= 0:
                score = 0.92 if len(name) > MIN_SOUND_LENGTH else 0.88
                if len(name) == MIN_SOUND_LENGTH and _same_tones(name, text, start):
                    score = 0.9
            else:
                start = accented.find(self._accented[name])
                window = plain[start : start + len(name)]
                unlike = sum(one != other for one, other in zip(window, code, strict=False))
                telling = len(name) - _generic_length(name)
                score = 0.88 if unlike == 1 and telling >= MIN_SOUND_LENGTH else 0.8
            if start >= 0:
                found.append(Mention(name, start, start + len(name), score))
        return _without_overlaps(found, key=lambda m: (m.start - m.end, -m.score, m.start))

    def by_likeness(self, text: str, limit: int) -> tuple[Mention, ...]:
        """Names nearly written or nearly pronounced in ``text``, best first, never above 0.7.

        The generic ending (小区, 路 …) counts little: 春风里小区 and 秋实里小区 are strangers.
        """
        spoken = self._alphabet.read_only(map(_flatten, syllables(text)))
        found: list[Mention] = []
        for name, code in self._accented.items():
            best = max(
                (_likeness(name, name, text), _likeness(name, code, spoken)),
                key=lambda mention: mention.score,
            )
            if best.score > 0:
                found.append(best)
        return tuple(sorted(found, key=lambda m: (-m.score, m.start))[:limit])


def syllables(text: str) -> list[str]:
    """Toneless pinyin, exactly one item a character; other characters stand for themselves."""
    apart: Any = list  # pypinyin takes a list from its error handler; its stub says str
    spoken: list[str] = lazy_pinyin(text, errors=apart)
    return spoken if len(spoken) == len(text) else [lazy_pinyin(char)[0] for char in text]


def _same_tones(name: str, text: str, start: int) -> bool:
    return _tones(name) == _tones(text[start : start + len(name)])


def _tones(text: str) -> list[str]:
    toned: list[str] = lazy_pinyin(text, style=Style.TONE3, neutral_tone_with_five=True)
    return toned


def _flatten(syllable: str) -> str:
    for pattern, replacement in _ACCENT:
        syllable = pattern.sub(replacement, syllable)
    return syllable


def _generic_length(name: str) -> int:
    """Characters of the generic ending of a name (小区, 路 …) that leaves two or more."""
    suffix = _SUFFIX.search(name)
    return len(suffix.group()) if suffix and suffix.start() >= 2 else 0


def _likeness(name: str, code: str, text: str) -> Mention:
    """Score the best window of ``text`` against ``code`` (the name in the same alphabet)."""
    alignment = fuzz.partial_ratio_alignment(code, text, score_cutoff=60)
    if alignment is None or len(text) < len(code) - 1:
        return Mention(name, 0, 0, 0.0)
    window = text[alignment.dest_start : alignment.dest_end]
    tail = _generic_length(name)
    core = code[: len(code) - tail]
    core_window = window[: max(0, len(window) - tail)]
    core_score = max(
        Levenshtein.normalized_similarity(core, core_window),
        Levenshtein.normalized_similarity(core, window),
    )
    if core_score < MIN_CORE:
        return Mention(name, 0, 0, 0.0)
    score = 0.3 * alignment.score / 100 + 0.4 * core_score
    return Mention(name, alignment.dest_start, alignment.dest_end, score)


def _without_overlaps(
    found: list[Mention], key: Callable[[Mention], tuple[float, ...]]
) -> tuple[Mention, ...]:
    chosen: list[Mention] = []
    for mention in sorted(found, key=key):
        if all(mention.end <= other.start or mention.start >= other.end for other in chosen):
            chosen.append(mention)
    return tuple(sorted(chosen, key=lambda mention: mention.start))

"""Puts misheard words of the domain right by their sound: 是保卡 → 社保卡.

Equal sounds are put right by the corrector that the understanding uses too
(:mod:`bot.components.repair`): here already, because the citizen is shown what was heard and
because it becomes the words of his complaint. A recogniser errs more freely than a writer, and
says where it was unsure. So one syllable of a longer word may also be another one that is near
(是 for 社, 民 for 明), if the recogniser was not sure of the stretch and the sentence becomes much
likelier by the change. A known word with one syllable before or after it was heard rightly as a
rule (烧烤 and 摊): that syllable changes only for one that sounds alike (烧烤烟 only rhymes).
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml

from bot.components.pinyin import fold, readings
from bot.components.repair import LONGEST, Repairer
from speech.recogniser import Transcript, Word

_SHORTEST_NEAR = 3
_UNSURE = 0.8
"""Confidence of the least sure piece of a stretch that may be changed to a word near to it."""
_NEAR_MARGIN = 9.0
"""Gain in log-likelihood (nats) such a change needs; an equal sound needs 4 to 7."""
_NEAR, _ALIKE = 1, 3
"""How near (:func:`_nearness`) the syllable must be that takes the place of another one, and of one
beside a known word."""
_INITIAL = re.compile(r"^(?:[zcs]h|[bpmfdtnlgkhjqxzcsryw])?")


class NearRepairer(Repairer):
    """Puts right also words of which one syllable was taken for one near to it."""

    def __init__(self, words: Iterable[str]) -> None:
        super().__init__(words)
        self._by_rest: dict[tuple[str, ...], list[str]] = defaultdict(list)
        for word in sorted(self._terms):
            if len(word) >= _SHORTEST_NEAR:
                for key in _keys(word):
                    self._by_rest[key].append(word)

    def near(self, text: str, unsure: Sequence[bool]) -> str:
        """Return ``text`` with such words put right; ``unsure`` tells of each character."""
        for length in range(min(LONGEST, len(text)), _SHORTEST_NEAR - 1, -1):
            start = 0
            while start + length <= len(text):
                heard = text[start : start + length]
                if any(unsure[start : start + length]) and heard not in self._terms:
                    best = self._nearest(text, start, heard)
                    if best is not None:
                        text = text[:start] + best + text[start + length :]
                start += 1
        return text

    def _nearest(self, text: str, start: int, heard: str) -> str | None:
        if self._counts.get(heard):
            return None
        found = []
        for place, key in enumerate(_keys(heard)):
            least = _ALIKE if self._is_beside_a_word(heard, place) else _NEAR
            for word in self._by_rest.get(key, ()):
                near = _nearness(heard[place], word[place])
                gain = self._gain(text, start, word) if near >= least else 0.0
                if gain > _NEAR_MARGIN:
                    found.append((near, gain, word))
        return max(found)[2] if found else None

    def _is_beside_a_word(self, heard: str, place: int) -> bool:
        """Tell whether all but the first or last character is a word, and that one is ``place``."""
        if place not in (0, len(heard) - 1):
            return False
        rest = heard[1:] if place == 0 else heard[:-1]
        return rest in self._terms or bool(self._counts.get(rest))


def _keys(word: str) -> list[tuple[str, ...]]:
    """Return the syllables of a word, each time with another one left open."""
    sounds = [readings(char)[0] for char in word]
    return [(*sounds[:at], "", *sounds[at + 1 :]) for at in range(len(sounds))]


def _nearness(one: str, other: str) -> int:
    """Return how near two characters sound: 3 alike, 2 the same initial, 1 the same final, 0."""
    pairs = [(_parts(a), _parts(b)) for a in readings(one) for b in readings(other)]
    best = 0
    for (initial, final), (other_initial, other_final) in pairs:
        alike = 2 * (initial == other_initial) + (fold(final) == fold(other_final))
        best = max(best, alike)
    return best


def _parts(syllable: str) -> tuple[str, str]:
    match = _INITIAL.match(syllable)
    cut = match.end() if match else 0
    return syllable[:cut], syllable[cut:]


class Lexicon:
    """Repairs transcripts with the words of the domain.

    Args:
        words: names as they are written; those that are not Han characters, or of fewer than two
            or more than eight of them, are left out.
    """

    def __init__(self, words: Iterable[str]) -> None:
        self.words = tuple(sorted(set(words)))
        self._repairer = NearRepairer(self.words)

    def repaired(self, transcript: Transcript) -> Transcript:
        """Return the transcript with misheard words put right.

        What was heard first stays as an alternative. Lengths never change, so each word keeps
        its place.
        """
        text = self._repairer.repair(transcript.text)
        text = self._repairer.near(text, _unsure(transcript))
        if text == transcript.text:
            return transcript
        return replace(
            transcript,
            text=text,
            words=_rewritten(transcript, text),
            alternatives=(transcript.text, *(a for a in transcript.alternatives if a != text)),
        )


def _unsure(transcript: Transcript) -> list[bool]:
    """Tell of each character whether the recogniser was unsure; of none when it does not say."""
    known = [word.confidence < _UNSURE for word in transcript.words for _ in word.text]
    return known if len(known) == len(transcript.text) else [False] * len(transcript.text)


def _rewritten(transcript: Transcript, text: str) -> tuple[Word, ...]:
    if "".join(word.text for word in transcript.words) != transcript.text:
        return ()
    words, at = [], 0
    for word in transcript.words:
        piece = text[at : at + len(word.text)]
        sure = word.confidence if piece == word.text else 1.0  # the lexicon vouches for it
        words.append(Word(piece, sure))
        at += len(word.text)
    return tuple(words)


def lookup_words(path: Path) -> list[str]:
    """Return the words of a Rasa file of lookup tables (``nlu_data/lookups.yml``)."""
    document: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return [
        line.removeprefix("- ").strip()
        for block in document["nlu"]
        for line in block["examples"].splitlines()
        if line.startswith("- ")
    ]

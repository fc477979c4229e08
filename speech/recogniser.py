"""The seam to whatever turns a recording into words."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from speech.audio import Sound


class Unheard(StrEnum):
    """Why a recording gave no words that can be used."""

    SILENCE = "silence"
    NOISE = "noise"
    FOREIGN = "foreign"
    INVENTED = "invented"


@dataclass(frozen=True)
class Word:
    """A piece of a transcript (for Chinese mostly one character) and how sure it is, 0 to 1."""

    text: str
    confidence: float


@dataclass(frozen=True)
class Transcript:
    """What was said.

    Attributes:
        text: simplified characters; empty when ``unheard`` says why.
        confidence: 0 to 1, comparable within one engine only; None when it does not say.
        words: the text in pieces with the confidence of each, as far as the engine says.
        alternatives: other readings, likeliest first, without ``text`` itself.
        engine: which recogniser it was.
        seconds: length of the recording.
        unheard: why there are no words, None when there are.
    """

    text: str
    engine: str
    seconds: float
    confidence: float | None = None
    words: tuple[Word, ...] = ()
    alternatives: tuple[str, ...] = ()
    unheard: Unheard | None = None


class Recogniser(Protocol):
    """Turns a sound into a transcript. Used by several threads at once."""

    name: str

    def recognise(self, sound: Sound) -> Transcript:
        """Return what was said; a recording without usable words gives ``unheard``.

        Raises:
            UpstreamError: ``speech_busy``, when it cannot be heard now.
            ConfigurationError: the engine or its model is missing or wrong.
        """
        ...

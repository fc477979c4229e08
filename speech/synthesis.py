"""The seam to whatever reads an answer aloud, and a memory of what was just said."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import Protocol

MAX_CHARS = 300
"""Of one piece that is read aloud: two short sentences need a third of it."""
NORMAL, SLOW = 1.0, 0.75
"""Speeds. Slow is three quarters: what phone services for the elderly call 慢速."""

_REMEMBERED_BYTES = 32 * 1024 * 1024


class Synthesiser(Protocol):
    """Turns words into sound. Used by several threads at once."""

    name: str

    def speak(self, text: str, speed: float) -> bytes:
        """Return a WAV file.

        Args:
            text: as :func:`speech.reading.read_aloud` writes it, at most :data:`MAX_CHARS`.
            speed: 1 is the voice's own.

        Raises:
            UpstreamError: ``speech_busy``, when it cannot be said now.
            ConfigurationError: the engine or its model is missing or wrong.
        """
        ...


class Remembering:
    """Says again without work what was said before: greetings and common answers.

    The sound is kept in memory only, the most recent 32 MB of it: an answer may hold what a
    citizen told.
    """

    def __init__(self, engine: Synthesiser, limit: int = _REMEMBERED_BYTES) -> None:
        self._engine = engine
        self._limit = limit
        self._said: OrderedDict[tuple[str, float], bytes] = OrderedDict()
        self._size = 0
        self._lock = threading.Lock()
        self.name = engine.name

    def speak(self, text: str, speed: float) -> bytes:
        """Return a WAV file (see :class:`Synthesiser`)."""
        key = (text, speed)
        with self._lock:
            if key in self._said:
                self._said.move_to_end(key)
                return self._said[key]
        sound = self._engine.speak(text, speed)
        with self._lock:
            if key not in self._said:
                self._said[key] = sound
                self._size += len(sound)
            while self._size > self._limit:
                _, oldest = self._said.popitem(last=False)
                self._size -= len(oldest)
        return sound

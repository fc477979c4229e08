"""The embedded recogniser on real audio (the extra ``voice``)."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from base.errors import ConfigurationError, UpstreamError
from speech import whisper
from speech.audio import RATE, Sound, decode
from speech.lexicon import Lexicon
from speech.recogniser import Unheard
from speech.whisper import WhisperRecogniser, model_files
from tests.speech.recordings import clip, encoded, music, tone, white_noise


@pytest.fixture(scope="module")
def recogniser() -> WhisperRecogniser:
    return WhisperRecogniser()


@pytest.mark.parametrize(
    ("name", "words"),
    [("complaint", ("烧烤摊", "冒烟", "窗户")), ("policy", ("我妈妈", "补贴", "领"))],
)
def test_mandarin_is_heard(
    recogniser: WhisperRecogniser, name: str, words: tuple[str, ...]
) -> None:
    heard = recogniser.recognise(decode(clip(name), 60))
    assert heard.unheard is None
    assert all(word in heard.text for word in words), heard.text
    assert heard.confidence is not None
    assert 0.5 < heard.confidence <= 1
    assert "".join(word.text for word in heard.words) == heard.text
    assert all(0 <= word.confidence <= 1 for word in heard.words)
    assert heard.text not in heard.alternatives
    assert heard.seconds == pytest.approx(decode(clip(name), 60).seconds)


def test_the_lexicon_mends_what_is_heard(recogniser: WhisperRecogniser) -> None:
    heard = recogniser.recognise(decode(clip("enquiry"), 60))
    assert "身份证" in Lexicon(["身份证", "社保卡"]).repaired(heard).text


def test_english_is_told_from_mandarin(recogniser: WhisperRecogniser) -> None:
    heard = recogniser.recognise(decode(clip("english"), 60))
    assert (heard.text, heard.unheard) == ("", Unheard.FOREIGN)


@pytest.mark.parametrize(
    ("samples", "why"),
    [
        (np.zeros(3 * RATE, np.float32), Unheard.SILENCE),
        (white_noise(3, 0.0005), Unheard.SILENCE),
        (white_noise(4), Unheard.NOISE),
        (tone(4), Unheard.NOISE),
        (music(6), Unheard.NOISE),
    ],
    ids=["silence", "hiss", "noise", "tone", "music"],
)
def test_nobody_is_heard_where_nobody_speaks(
    recogniser: WhisperRecogniser, samples: np.ndarray, why: Unheard
) -> None:
    heard = recogniser.recognise(Sound(samples))
    assert (heard.text, heard.unheard) == ("", why)


def test_a_telephone_recording_is_heard(recogniser: WhisperRecogniser) -> None:
    sound = decode(clip("policy"), 60)
    heard = recogniser.recognise(decode(encoded(sound.samples, "amr"), 60))
    assert "补贴" in heard.text


def test_speech_with_a_long_pause_is_one_message(recogniser: WhisperRecogniser) -> None:
    parts = [decode(clip(name), 60).samples for name in ("policy", "complaint")]
    pause = np.zeros(20 * RATE, np.float32)
    heard = recogniser.recognise(Sound(np.concatenate([parts[0], pause, parts[1]])))
    assert "补贴" in heard.text
    assert "烧烤摊" in heard.text


def test_a_crowd_is_told_to_wait(recogniser: WhisperRecogniser) -> None:
    sound = decode(clip("yes"), 60)
    entered = [recogniser._places.acquire(blocking=False) for _ in range(whisper._WAITING)]
    try:
        assert all(entered)
        with pytest.raises(UpstreamError) as caught:
            recogniser.recognise(sound)
        assert caught.value.code == "speech_busy"
    finally:
        for _ in entered:
            recogniser._places.release()


def test_two_threads_are_heard_one_after_the_other(recogniser: WhisperRecogniser) -> None:
    found: list[str] = []
    sound = decode(clip("yes"), 60)
    threads = [
        threading.Thread(target=lambda: found.append(recogniser.recognise(sound).text))
        for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 2
    assert found[0] == found[1]


def test_other_weights_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(whisper, "_SHA256", "0" * 64)
    with pytest.raises(ConfigurationError, match="checksum"):
        model_files()


def test_missing_weights_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(whisper, "_PARTS", ("shimin_no_such_package",))
    assert not whisper.whisper_is_installed()
    with pytest.raises(ConfigurationError, match="shimin_no_such_package"):
        model_files()

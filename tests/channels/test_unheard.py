"""Recordings that hold no request, heard by the embedded recogniser behind the real gateway.

Whatever is sent, the citizen is told kindly what to do, a person is within reach, and the
assistant is told nothing: so nothing can be filed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np
import pytest
from numpy.typing import NDArray

from speech.audio import RATE, decode
from tests.channels.conftest import Gateway, Neighbour, fine, neighbouring, running_gateway
from tests.channels.test_spoken import HUMAN, Talk, audio, payloads, replying, texts, understood
from tests.isolated import isolated
from tests.speech.recordings import clip, encoded, music, tone, white_noise
from tests.stack import free_port

TEN_MINUTES = 600


@pytest.fixture(scope="module")
def hearing_gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    rasa, actions, desk = (Neighbour(free_port(), fine) for _ in range(3))
    changes = {
        "gateway_port": free_port(),
        "rasa_port": rasa.port,
        "actions_port": actions.port,
        "dispatch_url": f"http://127.0.0.1:{desk.port}",
        "speech_recogniser": "whisper",
    }
    with (
        isolated(tmp_path_factory.mktemp("unheard"), **changes) as settings,
        neighbouring(rasa),
        neighbouring(actions),
        neighbouring(desk),
        running_gateway(settings, rasa, actions, desk) as gateway,
    ):
        yield gateway


@pytest.fixture
def talk(hearing_gateway: Gateway, request: pytest.FixtureRequest) -> Talk:
    rasa = hearing_gateway.rasa
    rasa.answer = replying({"text": "已受理。"}, **understood("report_pollution", 0.99))
    rasa.heard.clear()
    hearing_gateway.desk.heard.clear()
    return Talk(hearing_gateway, f"u-{request.node.callspec.id}")


def speech(name: str) -> NDArray[np.float32]:
    return decode(clip(name), 60).samples


def hum(seconds: float) -> NDArray[np.float32]:
    """A fridge: 50 Hz and its harmonics."""
    parts = [tone(seconds, 50 * n, 0.2 / n) for n in range(1, 8)]
    return np.sum(parts, axis=0).astype(np.float32)


def knocks(seconds: float) -> NDArray[np.float32]:
    """A hammer, twice a second."""
    blow = white_noise(0.5, 0.5) * np.exp(-60 * np.arange(RATE // 2) / RATE)
    return np.tile(blow, int(seconds * 2)).astype(np.float32)


def pink_noise(seconds: float) -> NDArray[np.float32]:
    """A street far away."""
    spectrum = np.fft.rfft(white_noise(seconds))
    spectrum[1:] /= np.sqrt(np.arange(1, len(spectrum)))
    noise = np.fft.irfft(spectrum)
    return (0.1 * noise / noise.std()).astype(np.float32)


@pytest.mark.parametrize(
    ("samples", "word"),
    [
        pytest.param(np.zeros(4 * RATE, np.float32), "没听到声音", id="silence"),
        pytest.param(white_noise(4, 0.0005), "没听到声音", id="hiss"),
        pytest.param(tone(0.1), "没听到声音", id="slip"),
        pytest.param(white_noise(4), "没听清", id="white"),
        pytest.param(pink_noise(5), "没听清", id="pink"),
        pytest.param(music(6), "没听清", id="music"),
        pytest.param(hum(4), "没听清", id="hum"),
        pytest.param(knocks(5), "没听清", id="knocks"),
        pytest.param(speech("english"), "普通话", id="english"),
    ],
)
def test_what_holds_no_words_is_answered_kindly(
    talk: Talk, samples: NDArray[np.float32], word: str
) -> None:
    sound = audio(encoded(samples, "ogg"))
    first = talk.say("", sound)
    assert word in texts(first)
    assert first["transcript"] is None
    assert payloads(first) == [HUMAN]
    assert re.search("[一-鿿]", first["replies"][0]["speech"])  # he who speaks hears it
    second = talk.say("", sound)
    assert "打字" in texts(second)
    assert "转人工" in texts(second)
    nothing_was_done(talk)


@pytest.mark.parametrize(
    "samples",
    [
        pytest.param(speech("english")[: int(1.1 * RATE)], id="two-english-words"),
        pytest.param(speech("complaint")[::-1], id="backwards"),
        pytest.param(0.2 * speech("english") + pink_noise(60)[: len(speech("english"))], id="far"),
    ],
)
def test_what_only_sounds_like_speech_is_never_acted_on(
    talk: Talk, samples: NDArray[np.float32]
) -> None:
    reply = talk.say("", audio(encoded(samples, "ogg")))
    assert HUMAN in payloads(reply)
    assert reply["transcript"] is None or "您是想说" in texts(reply)
    nothing_was_done(talk)


@pytest.mark.parametrize("kind", ["ogg", "amr"])
def test_ten_minutes_of_talk_are_refused_with_what_to_do(talk: Talk, kind: str) -> None:
    words = speech("complaint")
    long = np.tile(words, TEN_MINUTES * RATE // len(words) + 1)
    problem = refused(talk, encoded(long, kind))
    assert problem["code"] == "audio_too_long"
    assert "60秒" in problem["message"]
    assert "分几段说" in problem["message"]


@pytest.mark.parametrize(
    ("data", "code"),
    [
        pytest.param(clip("complaint")[:60], "audio_broken", id="cut-off"),
        pytest.param(b"OggS" + bytes(200), "audio_broken", id="empty-pages"),
        pytest.param(b"#!AMR\n", "audio_broken", id="only-a-head"),
        pytest.param(b"%PDF-1.7 " + bytes(200), "audio_not_audio", id="document"),
    ],
)
def test_broken_recordings_are_asked_for_again(talk: Talk, data: bytes, code: str) -> None:
    problem = refused(talk, data)
    assert problem["code"] == code
    assert "重新录" in problem["message"]
    assert "打字" in problem["message"]


def refused(talk: Talk, data: bytes) -> dict[str, str]:
    body = {"conversation_id": talk.name, "channel": "api", "attachments": [audio(data)]}
    with talk.gateway.api() as http:
        response = http.post("/api/v1/messages", json=body)
    assert 400 <= response.status_code < 500
    nothing_was_done(talk)
    found: dict[str, str] = response.json()["error"]
    return found


def nothing_was_done(talk: Talk) -> None:
    assert talk.sent == []
    assert talk.gateway.desk.heard == []

"""Servers with OpenAI's audio API, model folders, and what an installation takes by itself."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest

from base.errors import ConfigurationError, UpstreamError
from base.settings import Settings
from speech.audio import Sound, decode
from speech.endpoint import EndpointRecogniser, EndpointSynthesiser
from speech.engines import load_recogniser, load_synthesiser
from speech.kokoro import KokoroSynthesiser
from speech.recogniser import Unheard
from speech.sherpa import SherpaRecogniser, find_model
from speech.synthesis import Remembering
from tests.serving import http_server
from tests.speech.recordings import tone


@dataclass
class AudioServer:
    """A small server with OpenAI's audio API."""

    status: int = 200
    body: bytes = b"{}"
    url: str = ""
    paths: list[str] = field(default_factory=list)
    keys: list[str | None] = field(default_factory=list)
    fields: dict[str, Any] = field(default_factory=dict)


@contextmanager
def audio_server() -> Iterator[AudioServer]:
    server = AudioServer()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            kind = self.headers["Content-Type"]
            server.paths.append(self.path)
            server.keys.append(self.headers.get("Authorization"))
            if kind.startswith("multipart/"):
                parts = message_from_bytes(f"Content-Type: {kind}\r\n\r\n".encode() + body)
                server.fields = {
                    str(part.get_param("name", header="content-disposition")): part.get_payload(
                        decode=True
                    )
                    for part in parts.get_payload()  # type: ignore[union-attr]
                }
            else:
                server.fields = json.loads(body)
            self.send_response(server.status)
            self.send_header("Content-Length", str(len(server.body)))
            self.end_headers()
            self.wfile.write(server.body)

        def log_message(self, *args: Any) -> None:
            pass

    with http_server(Handler) as url:
        server.url = f"{url}/v1"
        yield server


@pytest.fixture
def server() -> Iterator[AudioServer]:
    with audio_server() as running:
        yield running


def answer(text: str, **more: Any) -> bytes:
    return json.dumps({"text": text, **more}).encode()


VOICE = Sound(tone(1))


def test_an_endpoint_hears(server: AudioServer) -> None:
    segments = [{"avg_logprob": -0.1}, {"avg_logprob": -0.5}]
    words = [{"word": "社保卡", "probability": 0.3}, {"word": "丢"}]
    server.body = answer("社保卡丟了,怎么办", segments=segments, words=words, language="chinese")
    heard = EndpointRecogniser(server.url, "asr", "secret").recognise(VOICE)
    assert heard.text == "社保卡丢了，怎么办"
    assert heard.confidence == pytest.approx(0.6065, abs=1e-3)
    assert [word.text for word in heard.words] == ["社保卡"]
    assert server.paths == ["/v1/audio/transcriptions"]
    assert server.keys == ["Bearer secret"]
    assert server.fields["model"] == b"asr"
    assert decode(server.fields["file"], 5).seconds == pytest.approx(1)


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (answer(""), Unheard.NOISE),
        (answer("。"), Unheard.NOISE),
        (answer("谢谢观看"), Unheard.INVENTED),
        (answer("Hello", language="english"), Unheard.FOREIGN),
    ],
)
def test_an_endpoint_that_heard_nothing(server: AudioServer, body: bytes, why: Unheard) -> None:
    server.body = body
    assert EndpointRecogniser(server.url, "asr", "").recognise(VOICE).unheard is why
    assert server.keys == [None]


def test_silence_does_not_leave_the_house(server: AudioServer) -> None:
    heard = EndpointRecogniser(server.url, "asr", "").recognise(Sound(tone(1, level=0)))
    assert heard.unheard is Unheard.SILENCE
    assert not server.paths


@pytest.mark.parametrize(
    ("status", "body"),
    [(500, b""), (200, b"no json"), (200, b"[]"), (200, b'{"text": 5}'), (401, b"{}")],
)
def test_an_endpoint_that_fails(server: AudioServer, status: int, body: bytes) -> None:
    server.status, server.body = status, body
    with pytest.raises(UpstreamError) as caught:
        EndpointRecogniser(server.url, "asr", "").recognise(VOICE)
    assert caught.value.code == "speech_busy"
    assert "12345" in caught.value.message


def test_an_endpoint_speaks(server: AudioServer) -> None:
    server.body = VOICE.to_wav()
    sound = EndpointSynthesiser(server.url, "tts", "xiaobei", "").speak("您好。", 0.75)
    assert sound == server.body
    assert server.paths == ["/v1/audio/speech"]
    assert server.fields == {
        "model": "tts",
        "voice": "xiaobei",
        "response_format": "wav",
        "input": "您好。",
        "speed": 0.75,
    }


@pytest.mark.parametrize(("status", "body"), [(500, b""), (200, b"no sound"), (200, b"")])
def test_an_endpoint_that_cannot_speak(server: AudioServer, status: int, body: bytes) -> None:
    server.status, server.body = status, body
    with pytest.raises(UpstreamError) as caught:
        EndpointSynthesiser(server.url, "tts", "a", "").speak("您好。", 1.0)
    assert caught.value.code == "speech_busy"


def test_what_was_said_is_not_made_again(server: AudioServer) -> None:
    server.body = VOICE.to_wav()
    size = len(server.body)
    engine = EndpointSynthesiser(server.url, "tts", "a", "")
    voice = Remembering(engine, limit=2 * size)
    for text, speed in (("一", 1.0), ("一", 1.0), ("一", 0.75), ("一", 1.0)):
        assert voice.speak(text, speed) == server.body
    assert len(server.paths) == 2
    voice.speak("二", 1.0)  # the oldest, 一 said slowly, is forgotten
    voice.speak("一", 1.0)
    assert len(server.paths) == 3
    voice.speak("一", 0.75)
    assert len(server.paths) == 4


def folder_with(folder: Path, *names: str) -> Path:
    folder.mkdir()
    for name in names:
        (folder / name).write_bytes(b"")
    return folder


@pytest.mark.parametrize(
    ("name", "files", "family"),
    [
        ("zip", ("encoder-1.onnx", "decoder-1.onnx", "joiner-1.onnx"), "zipformer"),
        ("fire", ("encoder.int8.onnx", "decoder.int8.onnx"), "fire_red_asr"),
        ("sherpa-onnx-paraformer-zh", ("model.int8.onnx",), "paraformer"),
        ("sherpa-onnx-sense-voice", ("model.onnx", "model.int8.onnx"), "sense_voice"),
    ],
)
def test_a_model_folder_is_known_by_its_files(
    tmp_path: Path, name: str, files: tuple[str, ...], family: str
) -> None:
    found = find_model(folder_with(tmp_path / name, "tokens.txt", *files))
    assert found.family == family
    assert family != "sense_voice" or found.files["model"].endswith("model.int8.onnx")


@pytest.mark.parametrize("files", [(), ("model.onnx",), ("tokens.txt",), ("tokens.txt", "x.onnx")])
def test_a_folder_without_a_model_is_named(tmp_path: Path, files: tuple[str, ...]) -> None:
    folder = folder_with(tmp_path / "empty", *files)
    with pytest.raises(ConfigurationError, match=str(folder)):
        SherpaRecogniser(folder, tuple)


@pytest.mark.parametrize(
    "files",
    [
        ("model.onnx",),
        ("encoder.onnx", "decoder.onnx"),
        ("encoder.onnx", "decoder.onnx", "joiner.onnx"),
    ],
)
def test_a_model_that_cannot_be_read_is_named(tmp_path: Path, files: tuple[str, ...]) -> None:
    pytest.importorskip("sherpa_onnx", reason="the extra `sherpa` is not installed")
    folder = folder_with(tmp_path / "broken", *files)
    for name in files:
        (folder / name).write_bytes(b"no model")
    (folder / "tokens.txt").write_text("<blk> 0\n社 1\n保 2\n卡 3\n", encoding="utf-8")
    recogniser = SherpaRecogniser(folder, lambda: ["社保卡"])
    with pytest.raises(ConfigurationError, match=str(folder)):
        recogniser.recognise(VOICE)


def test_what_an_installation_hears_with(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def engine(**changes: Any) -> str:
        found = load_recogniser(Settings(_env_file=None, **changes), tuple)
        return "none" if found is None else found.name

    assert engine(speech_recogniser="none") == "none"
    assert engine(speech_url="http://127.0.0.1:1/v1", speech_url_model="m") == "endpoint:m"
    assert engine() == "whisper-base"
    monkeypatch.setattr("speech.engines.whisper_is_installed", lambda: False)
    assert engine() == "none"
    for wrong in (
        {"speech_recogniser": "whisper"},
        {"speech_recogniser": "endpoint"},
        {"speech_recogniser": "endpoint", "speech_url": "file:///etc"},
        {"speech_recogniser": "sherpa"},
        {"speech_model_dir": tmp_path},
    ):
        with pytest.raises(ConfigurationError):
            engine(**wrong)


def test_what_an_installation_speaks_with(tmp_path: Path) -> None:
    def engine(**changes: Any) -> str:
        settings = Settings(_env_file=None, model_dir=tmp_path, **changes)
        found = load_synthesiser(settings)
        return "none" if found is None else found.name

    assert engine() == "none"
    url = "http://127.0.0.1:1/v1"
    assert engine(speech_url=url) == "none"  # only when it is named
    assert engine(speech_synthesiser="endpoint", speech_url=url) == "endpoint:tts-1"
    with pytest.raises(ConfigurationError, match=r"tools/voices\.py"):
        engine(speech_synthesiser="kokoro")


def test_a_file_that_is_no_voice_is_named(tmp_path: Path) -> None:
    pytest.importorskip("misaki", reason="the extra `kokoro` is not installed")
    (tmp_path / "zf_x.bin").write_bytes(b"1234")
    with pytest.raises(ConfigurationError, match=r"zf_x\.bin"):
        KokoroSynthesiser(tmp_path, "zf_x").speak("您好。", 1.0)

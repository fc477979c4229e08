"""The bot by webhook, against telemelya: a Bot API that others wrote."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import httpx
import pytest

from channels.telegram.webhook import PATH
from tests.channels.conftest import Gateway, Neighbour, neighbouring, replying, running_gateway
from tests.channels.photos import encoded, scene
from tests.channels.telegram.bot_api import TOKEN, message
from tests.channels.telegram.conftest import serving
from tests.isolated import isolated
from tests.serving import http_server
from tests.stack import free_port
from tests.waiting import wait_until

SECRET = "a-secret-of-the-webhook"
CHAT = 7


def interpreter() -> str | None:
    """Where telemelya is installed: here, or where ``TELEMELYA_PYTHON`` says."""
    here = importlib.util.find_spec("telemelya")
    return sys.executable if here else os.environ.get("TELEMELYA_PYTHON")


class Emulator:
    """The emulator and what a citizen does with it."""

    def __init__(self, url: str) -> None:
        headers = {"Authorization": "Bearer any"}
        self._http = httpx.Client(base_url=f"{url}/api/v1/test", headers=headers, timeout=20)
        self.url = url

    def does(self, **fields: Any) -> None:
        update = {"chat_id": CHAT, **fields}
        query = {"bot_token": TOKEN}
        sent = self._http.post("/send_update", params=query, json=update).raise_for_status().json()
        assert sent["delivery"]["status_code"] == 200, sent

    def upload(self, data: bytes) -> str:
        files = {"file": ("photo.jpg", data, "image/jpeg")}
        answer = self._http.post("/upload_media", params={"session_id": "default"}, files=files)
        return str(answer.raise_for_status().json()["file_id"])

    def responses(self, method: str = "sendMessage") -> list[dict[str, Any]]:
        found = self._http.get("/responses", params={"session_id": "default"}).json()
        rows = found["responses"] if isinstance(found, dict) else found
        return [row for row in rows if row["method"] == method]

    def says(self, count: int) -> list[str]:
        wait_until(lambda: len(self.responses()) >= count, f"{count} messages", 60)
        return [row["text"] for row in self.responses()]

    def close(self) -> None:
        self._http.close()


@contextmanager
def emulating(python: str) -> Iterator[Emulator]:
    port = free_port()
    script = Path(__file__).with_name("emulator.py")
    running = subprocess.Popen([python, str(script), str(port)])
    emulator = Emulator(f"http://127.0.0.1:{port}")

    def up() -> bool:
        assert running.poll() is None, "the emulator does not start"
        try:
            return httpx.get(emulator.url).is_success
        except httpx.HTTPError:
            return False

    try:
        wait_until(up, "the emulator", 120)
        yield emulator
    finally:
        emulator.close()
        running.terminate()
        running.wait(30)


@contextmanager
def signing(gateway_port: int) -> Iterator[str]:
    """Pass webhooks on with the secret that Telegram would send and the emulator does not."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            answer = post(gateway_port, body)
            self.send_response(answer.status_code)
            self.send_header("Content-Length", str(len(answer.content)))
            self.end_headers()
            self.wfile.write(answer.content)

        def log_message(self, *args: Any) -> None:
            pass

    with http_server(Handler) as url:
        yield url


def post(gateway_port: int, body: bytes, secret: str = SECRET) -> httpx.Response:
    headers = {"X-Telegram-Bot-Api-Secret-Token": secret}
    return httpx.post(f"http://127.0.0.1:{gateway_port}{PATH}", content=body, headers=headers)


@pytest.fixture(scope="module")
def emulator(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[Emulator, Gateway]]:
    python = interpreter()
    if python is None:
        pytest.skip("telemelya is not installed")
    rasa = Neighbour(free_port(), replying({"text": "您好"}))
    port = free_port()
    with emulating(python) as running, signing(port) as public, neighbouring(rasa):
        changes: dict[str, object] = {
            "telegram_token": TOKEN,
            "telegram_api_url": running.url,
            "telegram_mode": "webhook",
            "telegram_webhook_secret": SECRET,
            "public_url": public,
            "gateway_port": port,
            "rasa_port": rasa.port,
        }
        with (
            isolated(tmp_path_factory.mktemp("emulator"), **changes) as settings,
            running_gateway(settings, rasa, rasa, rasa) as gateway,
            serving(settings),
        ):
            registered = f"{running.url}/bot{TOKEN}/getWebhookInfo"
            url = lambda: httpx.post(registered).json()["result"]["url"]  # noqa: E731
            wait_until(url, "the webhook", 60)
            yield running, gateway


def test_a_report_from_start_to_button(emulator: tuple[Emulator, Gateway]) -> None:
    running, gateway = emulator
    running.does(command="/start")
    assert running.says(1) == ["您好"]
    buttons = [{"title": "确认提交", "payload": "/affirm"}]
    gateway.rasa.answer = replying({"text": "请核对", "buttons": buttons})
    running.does(photo_file_id=running.upload(encoded(scene())), photo_caption="楼下垃圾成堆")
    assert running.says(2)[1] == "请核对"
    markup = running.responses()[1]["reply_markup"]
    gateway.rasa.answer = replying({"text": "已受理"})
    ((button,),) = markup["inline_keyboard"]
    shown = running.responses()[1]["message_id"]
    running.does(callback_data=button["callback_data"], callback_message_id=shown)
    assert running.says(3)[2] == "已受理"
    told = [body for body in gateway.rasa.heard if "sender" in body]
    assert [body["message"] for body in told] == ["你好", "楼下垃圾成堆", "/affirm"]
    assert len(told[1]["metadata"]["photos"]) == 1
    assert {"chat_id": CHAT, "action": "typing"}.items() <= (
        running.responses("sendChatAction")[0].items()
    )
    assert running.responses("answerCallbackQuery")


def test_places_and_voice_come_by_the_same_webhook(emulator: tuple[Emulator, Gateway]) -> None:
    running, gateway = emulator
    before = len(running.responses())
    gateway.rasa.answer = replying({"text": "在这里啊"})
    place = message(501, location={"latitude": 30.5, "longitude": 120.25})
    sound = running.upload(b"OggS" + bytes(100))
    voice = {"file_id": sound, "file_unique_id": "v", "duration": 3}
    port = gateway.settings.gateway_port
    for number, update in enumerate((place, message(502, voice=voice)), 1):
        body = httpx.Request("POST", "http://x", json={"update_id": number, "message": update})
        for _ in range(2):  # Telegram pushes again what it is not sure of
            assert post(port, body.content).status_code == 200
    said = running.says(before + 2)[before:]
    assert said[0] == "在这里啊"
    assert "语音" in said[1]
    assert len(said) == 2


def test_without_the_secret_nothing_is_stored(emulator: tuple[Emulator, Gateway]) -> None:
    _, gateway = emulator
    port = gateway.settings.gateway_port
    for secret in ("", SECRET + "x", SECRET[:-1]):
        assert post(port, b'{"update_id": 1}', secret).status_code == 401
    for body in (b"", b"{", b"[" * 100_000):
        assert post(port, body).status_code == 422
    for body in (b"[]", b'{"update_id": 1, "message": {}}', b'{"update_id": 1, "poll": {}}'):
        assert post(port, body).json() == {"ok": True}  # not to be pushed again

"""telemelya in a process of its own, and what stands between it and the gateway."""

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

from channels.telegram.webhook import PATH
from tests.channels.telegram.bot_api import TOKEN
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
    """The emulator and what citizens do with it: each chat is a session of its own there."""

    def __init__(self, url: str) -> None:
        headers = {"Authorization": "Bearer any"}
        self._http = httpx.Client(base_url=f"{url}/api/v1/test", headers=headers, timeout=20)
        self.url = url

    def does(self, chat: int = CHAT, **fields: Any) -> None:
        update = {"chat_id": chat, **fields}
        query = {"bot_token": TOKEN, "session_id": chat}
        sent = self._http.post("/send_update", params=query, json=update).raise_for_status().json()
        assert sent["delivery"]["status_code"] == 200, sent

    def upload(self, data: bytes) -> str:
        files = {"file": ("photo.jpg", data, "image/jpeg")}
        answer = self._http.post("/upload_media", params={"session_id": "default"}, files=files)
        return str(answer.raise_for_status().json()["file_id"])

    def responses(self, method: str = "sendMessage", chat: int = CHAT) -> list[dict[str, Any]]:
        found = self._http.get("/responses", params={"session_id": chat}).json()
        return [row for row in found["responses"] if row["method"] == method]

    def webhook(self) -> str:
        """Where updates are pushed to; empty before the bot has said so."""
        asked = httpx.post(f"{self.url}/bot{TOKEN}/getWebhookInfo").json()
        return str(asked["result"]["url"])

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

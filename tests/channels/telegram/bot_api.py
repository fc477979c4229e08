"""A small Bot API on loopback: long polling that honours ``offset``, and Telegram's refusals.

Written from https://core.telegram.org/bots/api; it refuses what Telegram refuses: button data of
more than 64 bytes, texts of more than 4096 UTF-16 units, empty texts.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qsl, unquote

from tests.serving import http_server

TOKEN = "424242:AAE-test_token_of_the_fake_bot_api"
BOT = {"id": 424242, "is_bot": True, "first_name": "市民", "username": "shimin_bot"}
ME = {"id": 7, "is_bot": False, "first_name": "王"}
Refusal = dict[str, Any]


def refuse(code: int, description: str, **parameters: Any) -> Refusal:
    answer: Refusal = {"ok": False, "error_code": code, "description": description}
    return {**answer, "parameters": parameters} if parameters else answer


@dataclass
class BotApi:
    """The state of the server. ``trouble`` may return a refusal for a method and its fields."""

    url: str = ""
    updates: list[dict[str, Any]] = field(default_factory=list)
    files: dict[str, bytes] = field(default_factory=dict)
    calls: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    sent: list[dict[str, Any]] = field(default_factory=list)
    offset: int = 0
    trouble: Callable[[str, dict[str, Any]], Refusal | None] = lambda *_: None
    arrived: threading.Condition = field(default_factory=threading.Condition)
    closing: bool = False

    def push(self, **update: Any) -> dict[str, Any]:
        """Queue an update for the bot."""
        with self.arrived:
            number = self.updates[-1]["update_id"] + 1 if self.updates else 1000
            self.updates.append({"update_id": number, **update})
            self.arrived.notify_all()
            return self.updates[-1]

    def texts(self, chat: int = ME["id"]) -> list[str]:
        return [m["text"] for m in self.sent if m["chat_id"] == chat]

    def buttons(self, chat: int = ME["id"]) -> dict[str, str]:
        """Titles and data of the buttons of the last message of a chat."""
        last = [m for m in self.sent if m["chat_id"] == chat][-1]
        rows = last.get("reply_markup", {}).get("inline_keyboard", [])
        return {b["text"]: b["callback_data"] for row in rows for b in row}

    def named(self, method: str) -> list[dict[str, Any]]:
        return [fields for name, fields in self.calls if name == method]

    def answer(self, method: str, fields: dict[str, Any]) -> Any:
        self.calls.append((method, fields))
        return self.trouble(method, fields) or getattr(self, f"_{method}", self._done)(fields)

    def _done(self, _: dict[str, Any]) -> Any:
        return True

    def _getMe(self, _: dict[str, Any]) -> Any:
        return BOT

    def _getUpdates(self, fields: dict[str, Any]) -> Any:
        self.offset = max(self.offset, int(fields.get("offset", 0)))
        deadline = time.monotonic() + float(fields.get("timeout", 0))
        with self.arrived:
            while not self.closing:
                waiting = [u for u in self.updates if u["update_id"] >= self.offset]
                if waiting or not self.arrived.wait(deadline - time.monotonic()):
                    return waiting
        return []

    def _sendMessage(self, fields: dict[str, Any]) -> Any:
        text = fields.get("text", "")
        if not text.strip():
            return refuse(400, "Bad Request: message text is empty")
        if len(text.encode("utf-16-le")) > 2 * 4096:
            return refuse(400, "Bad Request: message is too long")
        for row in fields.get("reply_markup", {}).get("inline_keyboard", []):
            if any(len(b["callback_data"].encode()) > 64 for b in row):
                return refuse(400, "Bad Request: BUTTON_DATA_INVALID")
        self.sent.append(fields)
        chat = {"id": fields["chat_id"], "type": "private"}
        return {"message_id": 9000 + len(self.sent), "date": 1, "chat": chat, "text": text}

    def _getFile(self, fields: dict[str, Any]) -> Any:
        name = fields["file_id"]
        if name not in self.files:
            return refuse(400, "Bad Request: wrong file_id or the file is temporarily unavailable")
        return {"file_id": name, "file_unique_id": name, "file_path": f"photos/{name}"}


@contextmanager
def bot_api() -> Iterator[BotApi]:
    api = BotApi()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            method = self.path.removeprefix(f"/bot{TOKEN}/")
            if method == self.path:
                self._send(401, refuse(401, "Unauthorized"))
                return
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            result = api.answer(method, _fields(body))
            refused = isinstance(result, dict) and result.get("ok") is False
            content = result if refused else {"ok": True, "result": result}
            self._send(content.get("error_code", 200), content)

        def do_GET(self) -> None:
            data = api.files.get(unquote(self.path).removeprefix(f"/file/bot{TOKEN}/photos/"))
            self._bytes(404 if data is None else 200, data or b"")

        def _send(self, status: int, content: Any) -> None:
            self._bytes(status, json.dumps(content).encode())

        def _bytes(self, status: int, data: bytes) -> None:
            try:
                self.send_response(status)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)
            except (BrokenPipeError, ConnectionResetError):
                pass  # the bot is gone, or broke the poll off

        def log_message(self, *args: Any) -> None:
            pass

    with http_server(Handler) as api.url:
        try:
            yield api
        finally:
            with api.arrived:
                api.closing = True
                api.arrived.notify_all()


def _fields(body: bytes) -> dict[str, Any]:
    return {name: _value(value) for name, value in parse_qsl(body.decode(), True)}


def _value(value: str) -> Any:
    try:
        found = json.loads(value)
    except ValueError:
        return value
    return found if not isinstance(found, int | float) or str(found) == value else value


def message(number: int, text: str = "", **more: Any) -> dict[str, Any]:
    """A message in a private chat with :data:`ME`."""
    words = {"text": text} if text else {}
    chat = {"id": ME["id"], "type": "private"}
    fields: dict[str, Any] = {"message_id": number, "date": 1_780_000_000, "chat": chat, "from": ME}
    return {**fields, **words, **more}


def photo(name: str, size: int = 1000) -> list[dict[str, Any]]:
    """Three sizes of a photo."""
    return [
        {"file_id": f"{name}-{side}", "file_unique_id": f"{name}{side}", "width": side,
         "height": side, "file_size": size * side}
        for side in (1, 2, 3)
    ]  # fmt: skip

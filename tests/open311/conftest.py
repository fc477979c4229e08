"""Small real servers that answer whatever a test tells them to."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qsl

import pytest

from dispatch.open311 import Open311Client
from tests.serving import http_server


@dataclass
class Answer:
    status: int = 200
    body: bytes = b"[]"
    headers: dict[str, str] = field(default_factory=dict)
    promised: int | None = None
    drip_seconds: float = 0.0


@dataclass
class OddServer:
    """Answers by path (without query); records what it was sent."""

    url: str = ""
    answers: dict[str, Answer] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    forms: list[list[tuple[str, str]]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)

    def says(self, path: str, status: int, body: str | bytes, **headers: str) -> None:
        data = body.encode() if isinstance(body, str) else body
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.answers[path] = Answer(status, data, named)


@pytest.fixture
def odd() -> Iterator[OddServer]:
    state = OddServer()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._reply()

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if "urlencoded" in self.headers["Content-Type"]:
                state.forms.append(parse_qsl(body.decode(), keep_blank_values=True))
            else:
                state.forms.append([("raw", body.decode("latin-1"))])
            state.headers.append(dict(self.headers))
            self._reply()

        def _reply(self) -> None:
            state.asked.append(self.path)
            answer = state.answers.get(self.path.partition("?")[0], Answer(404, b"not here"))
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(answer.promised or len(answer.body)))
            self.end_headers()
            try:
                if answer.drip_seconds:
                    for byte in answer.body:
                        self.wfile.write(bytes([byte]))
                        time.sleep(answer.drip_seconds)
                else:
                    self.wfile.write(answer.body)
            except OSError:
                self.close_connection = True

        def log_message(self, *args: Any) -> None:
            pass

    with http_server(Handler) as state.url:
        yield state


@pytest.fixture
def client(odd: OddServer) -> Iterator[Open311Client]:
    with Open311Client(odd.url, "key", timeout=1.0) as open311:
        yield open311

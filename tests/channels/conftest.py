"""The gateway under a real uvicorn, with small real HTTP servers where Rasa and others stand."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import httpx
import pytest
import structlog
import uvicorn

from base.settings import Settings
from channels.gateway.app import create_app
from tests.channels.policy_city import DAY, NOON, City
from tests.isolated import isolated
from tests.serving import http_server, wait_started
from tests.stack import free_port

UNDERSTOOD: dict[str, Any] = {
    "intent": {"name": "greet", "confidence": 0.98},
    "entities": [],
    "intent_ranking": [],
}


@dataclass
class Neighbour:
    """A real HTTP server whose answers a test decides.

    ``answer`` takes the parsed JSON body of a POST (None for a GET) and returns a status and
    raw bytes.
    """

    port: int
    answer: Callable[[dict[str, Any] | None], tuple[int, bytes]]
    heard: list[dict[str, Any]] = field(default_factory=list)
    tokens: list[str] = field(default_factory=list)
    traces: list[str] = field(default_factory=list)


def refusal(response: httpx.Response) -> tuple[int, str]:
    """Status and code of a refusal in the one form of the Chat API."""
    body = response.json()
    assert set(body) == {"error"}
    assert set(body["error"]) == {"code", "message"}
    assert any("一" <= char <= "鿿" for char in body["error"]["message"])
    return response.status_code, body["error"]["code"]


def replying(*replies: dict[str, Any], **understood: Any) -> Callable[[Any], tuple[int, bytes]]:
    """An answer of Rasa's gateway channel."""
    body = {
        "understanding": {**UNDERSTOOD, **understood},
        "replies": [{"text": "", "buttons": [], "custom": {}, **reply} for reply in replies],
    }
    return lambda _: (200, json.dumps(body).encode())


@contextmanager
def neighbouring(neighbour: Neighbour) -> Iterator[Neighbour]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._send(*neighbour.answer(None))

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            neighbour.heard.append(body)
            neighbour.tokens.append(self.headers.get("X-Rasa-Token", ""))
            neighbour.traces.append(self.headers.get("traceparent", ""))
            self._send(*neighbour.answer(body))

        def _send(self, status: int, data: bytes) -> None:
            try:
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)
            except (BrokenPipeError, ConnectionResetError):
                pass  # the gateway gave up waiting: what a timeout test wants

        def log_message(self, *args: Any) -> None:
            pass

    with http_server(Handler, neighbour.port):
        yield neighbour


@dataclass
class Gateway:
    """A running gateway; ``rasa``, ``actions`` and ``desk`` are its neighbours."""

    settings: Settings
    server: uvicorn.Server
    rasa: Neighbour
    actions: Neighbour
    desk: Neighbour

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.settings.gateway_port}"

    def client(self, **headers: str) -> httpx.Client:
        return httpx.Client(base_url=self.url, headers=headers, timeout=20)

    def api(self) -> httpx.Client:
        return self.client(Authorization="Bearer test-api-key")

    def open_requests(self) -> int:
        return len(self.server.server_state.tasks)


def fine(_: Any) -> tuple[int, bytes]:
    return 200, b"{}"


@contextmanager
def running_gateway(settings: Settings, *neighbours: Neighbour) -> Iterator[Gateway]:
    config = uvicorn.Config(
        create_app(settings),
        host="127.0.0.1",
        port=settings.gateway_port,
        log_config=None,
        access_log=False,
        ws="none",
        server_header=False,
        timeout_graceful_shutdown=2,
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    wait_started(server, thread)
    try:
        yield Gateway(settings, server, *neighbours)
    finally:
        server.should_exit = True
        thread.join()


@pytest.fixture(scope="module", autouse=True)
def plain_logs() -> Iterator[None]:
    """Log lines as they come: structlog's default draws a picture of every traceback."""
    render = structlog.processors.KeyValueRenderer()
    structlog.configure(processors=[structlog.processors.format_exc_info, render])
    try:
        yield
    finally:
        structlog.reset_defaults()


@contextmanager
def gateway_in(folder: Path, **changes: Any) -> Iterator[Gateway]:
    """A gateway of its own under ``folder``, with changed settings."""
    rasa, actions, desk = (Neighbour(free_port(), fine) for _ in range(3))
    chosen = {
        "gateway_port": free_port(),
        "rasa_port": rasa.port,
        "actions_port": actions.port,
        "desk_port": desk.port,
        "dispatch_url": f"http://127.0.0.1:{desk.port}",
        "rasa_timeout_seconds": 1,
        "speech_recogniser": "none",
        "speech_synthesiser": "none",
        "max_photo_bytes": 300_000,
        "max_video_bytes": 500_000,
        "max_body_bytes": 2_000_000,
        "max_photos": 3,
        "max_photo_pixels": 4_000_000,
        "rate_citizen": "6000/minute",  # tests speak as one citizen, and fast
        "rate_address": "60000/minute",
        **changes,
    }
    with (
        isolated(folder, **chosen) as settings,
        neighbouring(rasa),
        neighbouring(actions),
        neighbouring(desk),
        running_gateway(settings, rasa, actions, desk) as gateway,
    ):
        yield gateway


@pytest.fixture(scope="module")
def gateway_of_module(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    with gateway_in(tmp_path_factory.mktemp("gateway")) as gateway:
        yield gateway


@pytest.fixture
def gateway(gateway_of_module: Gateway) -> Gateway:
    """The gateway of this module; its neighbours are well again."""
    gateway = gateway_of_module
    gateway.rasa.answer = replying({"text": "您好，我是市民。"})
    gateway.actions.answer = gateway.desk.answer = fine
    gateway.rasa.heard.clear()
    return gateway


@pytest.fixture
def city(tmp_path: Path) -> Iterator[City]:
    folder = tmp_path / "policies"
    folder.mkdir()
    with isolated(tmp_path, policies_dir=folder, smtp_port=free_port()) as settings:
        found = City(settings)
        found.policy("old", version=1)
        found.look(NOON - 30 * DAY)
        yield found

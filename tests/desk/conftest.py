"""A real desk on a free port, and a real receiver for its webhooks."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography.fernet import Fernet

from base import signing
from base.settings import Settings, get_settings
from dispatch.desk.app import create_app
from dispatch.open311 import Open311Client, RequestDraft
from tests.serving import app_server, http_server
from tests.waiting import wait_until

API_KEY = "desk-key-1"
PASSWORD = "dispatch-password"
SECRET = "webhook-secret-1"


@pytest.fixture(autouse=True)
def data_key(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A key for the desk's own database."""
    key = Fernet.generate_key().decode()
    monkeypatch.setenv("SHIMIN_DATA_KEY", key)
    get_settings.cache_clear()
    yield key
    get_settings.cache_clear()


@dataclass
class Receiver:
    """Stands where the gateway stands: verifies and keeps what the desk delivers."""

    port: int
    answers: list[int] = field(default_factory=list)
    taken: list[dict[str, Any]] = field(default_factory=list)
    attempts: int = 0
    refused: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def wait_for(self, count: int) -> list[dict[str, Any]]:
        wait_until(lambda: len(self.taken) >= count, f"{count} webhooks", pause=0.02)
        return list(self.taken)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def receiving(receiver: Receiver) -> Iterator[Receiver]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            receiver.attempts += 1
            try:
                assert self.path == "/webhooks/dispatch"
                signing.verify(
                    SECRET,
                    self.headers[signing.TIMESTAMP_HEADER],
                    self.headers[signing.SIGNATURE_HEADER],
                    body,
                    time.time(),
                )
            except Exception:
                receiver.refused += 1
                self._answer(401)
                return
            status = receiver.answers.pop(0) if receiver.answers else 200
            if status == 200:
                receiver.taken.append(json.loads(body))
            self._answer(status)

        def _answer(self, status: int) -> None:
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *args: Any) -> None:
            pass

    with http_server(Handler, receiver.port):
        yield receiver


@contextmanager
def serving(settings: Settings) -> Iterator[str]:
    with app_server(create_app(settings), settings.desk_host, settings.desk_port):
        yield settings.dispatch_url


SettingsFactory = Callable[..., Settings]


@pytest.fixture
def make_settings(tmp_path: Path) -> SettingsFactory:
    port, gateway = free_port(), free_port()

    def make(**changes: Any) -> Settings:
        values: dict[str, Any] = {
            "environment": "development",
            "dispatch_api_key": API_KEY,
            "desk_password": PASSWORD,
            "webhook_secret": SECRET,
            "session_key": "session-key-1",
            "desk_database_url": f"sqlite:///{tmp_path / 'desk.db'}",
            "desk_media_dir": tmp_path / "media",
            "desk_host": "127.0.0.1",
            "desk_port": port,
            "dispatch_url": f"http://127.0.0.1:{port}",
            "public_url": f"http://127.0.0.1:{gateway}",
            "relay_poll_seconds": 0.1,
        }
        return Settings(**{"_env_file": None, **values, **changes})

    return make


@pytest.fixture
def settings(make_settings: SettingsFactory) -> Settings:
    return make_settings()


@pytest.fixture
def receiver(new_receiver: Receiver) -> Iterator[Receiver]:
    """A receiver that is up from the start."""
    with receiving(new_receiver) as running:
        yield running


@pytest.fixture
def desk(settings: Settings) -> Iterator[str]:
    """The address of a running desk."""
    with serving(settings) as url:
        yield url


@pytest.fixture
def http(desk: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=desk) as client:
        yield client


@pytest.fixture(params=["json", "xml"])
def client(desk: str, request: pytest.FixtureRequest) -> Iterator[Open311Client]:
    with Open311Client(desk, API_KEY, format=request.param) as open311:
        yield open311


@pytest.fixture
def draft() -> RequestDraft:
    return RequestDraft(
        service_code="air.cooking_fume",
        lat=30.2741,
        long=120.1551,
        address_string="云东区文昌街道春风里12号",
        description="楼下餐馆每天晚上油烟很大，窗户都不敢开。",
        media_urls=("http://127.0.0.1:9/media/a.jpg", "http://127.0.0.1:9/media/b.jpg"),
    )


class Dispatcher:
    """A dispatcher at the page, as a browser without scripts."""

    def __init__(self, url: str) -> None:
        self.http = httpx.Client(base_url=url)

    def token(self, path: str) -> str:
        page = self.http.get(path)
        assert page.status_code == 200, page.text
        return page.text.split('name="csrf" value="')[1].split('"')[0]

    def login(self, password: str = PASSWORD, operator: str = "") -> httpx.Response:
        fields = {
            "csrf": self.token("/desk/login"),
            "password": password,
            "operator": operator,
        }
        return self.http.post("/desk/login", data=fields)

    def act(
        self, request_id: str, action: str, photos: tuple[bytes, ...] = (), **fields: str
    ) -> httpx.Response:
        path = f"/desk/requests/{request_id}"
        form = {"csrf": self.token(path), "action": action, **fields}
        files = [("media", (f"{number}.jpg", data)) for number, data in enumerate(photos)]
        return self.http.post(f"{path}/actions", data=form, files=files or None)

    def reads(self, path: str) -> str:
        """Open a page and return its HTML."""
        page = self.http.get(path)
        assert page.status_code == 200, page.text
        return page.text


@pytest.fixture
def dispatcher(desk: str) -> Iterator[Dispatcher]:
    person = Dispatcher(desk)
    with person.http:
        assert person.login(operator="李敏").status_code == 303
        yield person


@pytest.fixture
def visitor(desk: str) -> Iterator[Dispatcher]:
    """Somebody at the login page."""
    person = Dispatcher(desk)
    with person.http:
        yield person


@pytest.fixture
def serve() -> Callable[[Settings], AbstractContextManager[str]]:
    """Run a desk for the length of a ``with`` block."""
    return serving


@pytest.fixture
def receive() -> Callable[[Receiver], AbstractContextManager[Receiver]]:
    """Run a receiver for the length of a ``with`` block."""
    return receiving


@pytest.fixture
def new_receiver(settings: Settings) -> Receiver:
    """A receiver at the address the desk delivers to, not listening yet."""
    return Receiver(int(settings.public_url.rpartition(":")[2]))

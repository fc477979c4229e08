"""Real servers for the relay: the reference desk, a line that breaks, a server that misbehaves."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qs

import httpx

from base.settings import Settings
from dispatch.classification.categories import load_categories
from dispatch.desk.app import create_app
from dispatch.desk.database import Database
from dispatch.desk.forms import Listing
from dispatch.desk.office import Office, Step
from dispatch.desk.tables import RequestRow
from dispatch.open311.reader import parse_time
from tests.serving import app_server, http_server


class Desk:
    """The reference desk at ``settings.dispatch_url``; up inside ``with desk.up()``."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._database = Database(settings.desk_database_url)
        self._office = Office(
            self._database, load_categories(settings.categories_file), on_step=lambda: None
        )

    @contextmanager
    def up(self) -> Iterator[None]:
        settings = self._settings
        with app_server(create_app(settings), settings.desk_host, settings.desk_port):
            yield

    def requests(self) -> list[RequestRow]:
        """Everything filed, newest first."""
        moment = parse_time("2000-01-01T00:00:00Z"), parse_time("2100-01-01T00:00:00Z")
        rows = self._office.listing(Listing(start=moment[0], end=moment[1]))
        return [row for row in (self._office.request(row.request_id) for row in rows) if row]

    def act(self, request_id: str, key: str, words: str = "", agency: str | None = None) -> None:
        """Take a dispatcher's step."""
        self._office.act(request_id, Step(key, words, agency=agency))

    def other_department(self, name: str) -> str:
        """A department that is not ``name``."""
        return next(other for other in self._office.departments() if other != name)

    def close(self) -> None:
        self._database.close()


@dataclass
class Asked:
    """One request a server received."""

    method: str
    path: str
    query: dict[str, list[str]]
    fields: dict[str, list[str]]
    key: str
    traceparent: str


@dataclass(frozen=True)
class Answer:
    """What is answered; ``status`` 0 hangs up without a word."""

    status: int
    body: bytes | str = b"[]"
    headers: dict[str, str] = field(default_factory=dict)


Script = Callable[[Asked], Answer]


@dataclass
class OddServer:
    """Answers as its ``script`` says and remembers what it was asked."""

    script: Script
    url: str = ""
    asked: list[Asked] = field(default_factory=list)

    def posts(self, path: str = "/requests.json") -> list[Asked]:
        return [asked for asked in self.asked if (asked.method, asked.path) == ("POST", path)]


@contextmanager
def serving(script: Script) -> Iterator[OddServer]:
    """Run a server on a free port."""
    state = OddServer(script)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer(b"")

        def do_POST(self) -> None:
            self._answer(self.rfile.read(int(self.headers["Content-Length"])))

        def _answer(self, body: bytes) -> None:
            path, _, query = self.path.partition("?")
            key = self.headers.get("Idempotency-Key", "")
            asked = Asked(
                self.command,
                path,
                parse_qs(query),
                parse_qs(body.decode()),
                key,
                self.headers.get("traceparent", ""),
            )
            state.asked.append(asked)
            answer = state.script(asked)
            if not answer.status:
                self.close_connection = True
                return
            said = answer.body.encode() if isinstance(answer.body, str) else answer.body
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)

        def log_message(self, *args: Any) -> None:
            pass

    with http_server(Handler) as state.url:
        yield state


def bad_line(target: str, *losses: int) -> Script:
    """Pass everything on to ``target`` but lose the answers to the first POSTs.

    ``losses`` are what the sender sees in their place: a status, or 0 for a broken line.
    """
    left = list(losses)

    def passing(asked: Asked) -> Answer:
        response = httpx.request(
            asked.method,
            target + asked.path,
            params=asked.query,
            data=asked.fields or None,
            headers={"Idempotency-Key": asked.key} if asked.key else {},
        )
        if asked.method == "POST" and left:
            return Answer(left.pop(0), "lost")
        kind = {"Content-Type": response.headers["Content-Type"]}
        return Answer(response.status_code, response.content, kind)

    return passing

"""The outside of the simulated week: a mail server and robots that often fail, under real sockets.

Each notes what it took and when by the simulated clock. A fifth of the sends fail: most are
refused for now, a few are taken and then answered with an error, which no sender can tell apart.
"""

from __future__ import annotations

import email
import email.policy
import json
import random
import threading
from dataclasses import dataclass
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

from aiosmtpd.controller import Controller


@dataclass(frozen=True)
class Arrival:
    """A message that reached somebody: where, its own name, when, and what it says."""

    channel: str
    address: str
    name: str
    at: datetime
    text: str


class Clock:
    """The simulated moment, shared by everybody."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        """The simulated moment."""
        return self.now


class Outside:
    """Takes messages, fails often, and remembers."""

    def __init__(self, chance: random.Random, clock: Clock, failing: float) -> None:
        self.arrivals: list[Arrival] = []
        self.refused = 0
        self._chance = chance
        self._clock = clock
        self._failing = failing
        self._lock = threading.Lock()

    def calm(self) -> None:
        """Fail no more."""
        self._failing = 0.0

    def take(self, channel: str, address: str, name: str, text: str) -> bool:
        """Return whether the sender hears of success; what is taken is noted."""
        with self._lock:
            draw = self._chance.random()
            if draw < self._failing * 0.8:
                self.refused += 1
                return False
            self.arrivals.append(Arrival(channel, address, name, self._clock(), text))
            if draw < self._failing:
                self.refused += 1
                return False
            return True


class _Mailbox:
    def __init__(self, outside: Outside) -> None:
        self._outside = outside

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802
        message = email.message_from_bytes(envelope.content, policy=email.policy.default)
        text = message.get_content()
        taken = self._outside.take("email", envelope.rcpt_tos[0], message["Message-ID"], text)
        return "250 OK" if taken else "451 try again later"


class MailServer:
    """A real SMTP server on loopback that can be switched off and on."""

    def __init__(self, outside: Outside, port: int) -> None:
        self._outside = outside
        self.port = port
        self._controller: Controller | None = None

    def start(self) -> None:
        """Listen; a second call changes nothing."""
        if self._controller is None:
            self._controller = Controller(
                _Mailbox(self._outside), hostname="127.0.0.1", port=self.port
            )
            self._controller.start()

    def stop(self) -> None:
        """Go away; a second call changes nothing."""
        if self._controller is not None:
            self._controller.stop()
            self._controller = None


def robot_server(outside: Outside) -> ThreadingHTTPServer:
    """Return a server (to be run and shut down) that answers as the three platforms do."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            parts = urlsplit(self.path)
            if parts.path.startswith("/open-apis"):
                channel, key, text = "feishu", parts.path.rsplit("/", 1)[1], body["content"]["text"]
            else:
                channel = "wecom" if parts.path.startswith("/cgi-bin") else "dingtalk"
                key = parts.query.split("&")[0].split("=")[1]
                text = body["markdown" if channel == "wecom" else "text"]["content"]
            taken = outside.take(channel, key, text.split("号〕")[0], text)
            answer = json.dumps({"errcode": 0, "code": 0} if taken else {"errcode": 45009}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_arguments: Any) -> None:
            pass

    return ThreadingHTTPServer(("127.0.0.1", 0), Handler)

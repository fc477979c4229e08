"""Who is at the dispatcher's page: signed cookies, CSRF tokens and a limit on wrong passwords."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import asdict, dataclass

SESSION_SECONDS = 8 * 3600
COOKIE = "shimin_desk"


@dataclass(frozen=True)
class DeskSession:
    """A visitor: anonymous on the login page, an ``operator`` after it."""

    nonce: str
    issued: int
    operator: str | None = None


class SessionKeeper:
    """Signs and checks session cookies (HMAC-SHA256) and the CSRF tokens bound to them."""

    def __init__(self, key: str, clock: Callable[[], float] = time.time) -> None:
        self._key = hashlib.sha256(b"shimin-desk-session:" + key.encode()).digest()
        self._clock = clock
        self._lock = threading.Lock()
        self._ended: dict[str, int] = {}

    def issue(self, operator: str | None = None) -> DeskSession:
        """Start a session with a fresh nonce."""
        return DeskSession(secrets.token_urlsafe(18), int(self._clock()), operator)

    def cookie(self, session: DeskSession) -> str:
        """Write the cookie's value."""
        raw = json.dumps(asdict(session), separators=(",", ":")).encode()
        payload = base64.urlsafe_b64encode(raw).decode()
        return f"{payload}.{self._sign('cookie', payload)}"

    def read(self, cookie: str | None) -> DeskSession | None:
        """Return the session of a cookie; ``None`` when forged, expired or logged out."""
        payload, _, signature = (cookie or "").rpartition(".")
        if not payload or not self._same(self._sign("cookie", payload), signature):
            return None
        session = DeskSession(**json.loads(base64.urlsafe_b64decode(payload)))
        with self._lock:
            ended = session.nonce in self._ended
        expired = self._clock() - session.issued > SESSION_SECONDS
        return None if ended or expired else session

    def end(self, session: DeskSession) -> None:
        """Make a session's cookie worthless from now on."""
        oldest = self._clock() - SESSION_SECONDS
        with self._lock:
            self._ended = {
                nonce: issued for nonce, issued in self._ended.items() if issued > oldest
            }
            self._ended[session.nonce] = session.issued

    def csrf(self, session: DeskSession) -> str:
        """Return the token every form of this session carries."""
        return self._sign("csrf", session.nonce)

    def csrf_matches(self, session: DeskSession, token: str) -> bool:
        """Compare a form's token in constant time."""
        return self._same(self.csrf(session), token)

    def _sign(self, purpose: str, value: str) -> str:
        return hmac.new(self._key, f"{purpose}:{value}".encode(), hashlib.sha256).hexdigest()

    @staticmethod
    def _same(left: str, right: str) -> bool:
        return hmac.compare_digest(left.encode(), right.encode())


class LoginLimiter:
    """Refuses logins after too many wrong passwords, per address and for the whole desk.

    The second limit is for guesses spread over many addresses.
    """

    def __init__(
        self,
        per_address: int = 5,
        in_total: int = 50,
        window_seconds: float = 300.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._per_address = per_address
        self._in_total = in_total
        self._window = window_seconds
        self._clock = clock
        self._lock = threading.Lock()
        self._failures: deque[tuple[float, str]] = deque()

    def allows(self, address: str) -> bool:
        """Tell whether this address may try a password now."""
        with self._lock:
            oldest = self._clock() - self._window
            while self._failures and self._failures[0][0] <= oldest:
                self._failures.popleft()
            own = sum(1 for _, failed in self._failures if failed == address)
            return own < self._per_address and len(self._failures) < self._in_total

    def failed(self, address: str) -> None:
        """Count a wrong password."""
        with self._lock:
            self._failures.append((self._clock(), address))

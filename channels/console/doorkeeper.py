"""Who is at the console: a random cookie, its session in the store, a token in every form."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime

import structlog
from fastapi import Request, Response

from base.settings import Settings
from dispatch.desk.sessions import LoginLimiter
from store.agent_models import Agent
from store.agents import (
    agent_of,
    by_name,
    end_session,
    is_due_to_be_seen,
    may_try,
    note_failure,
    open_session,
    password_fits,
    seen,
)
from store.database import reading, unit_of_work
from store.models import utc_now

log = structlog.get_logger(__name__)

COOKIE = "shimin_console"
PATH = "/console"
_LONGEST_COOKIE = 100
_LONGEST_NAME = 40
WRONG_PER_ADDRESS, WRONG_IN_TOTAL = 20, 500
"""Wrong passwords within five minutes. A whole office may share one address, and the total only
spares the processor: an account itself rests after a few (store.agents)."""


class LoginNeededError(Exception):
    """The visitor has to log in first."""


class ForbiddenError(Exception):
    """A form that is not ours, or a page that is not for this role."""


class RefusedError(Exception):
    """A login that failed; ``message`` is what the visitor reads."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


@dataclass(frozen=True)
class Visitor:
    """Somebody at the console; ``agent`` is None before he has logged in."""

    token: str
    csrf: str
    agent: Agent | None

    @property
    def staff(self) -> Agent:
        """The one who is logged in.

        Raises:
            LoginNeededError: nobody is.
        """
        if self.agent is None:
            raise LoginNeededError
        return self.agent


class Doorkeeper:
    """Lets staff in and out."""

    def __init__(self, settings: Settings) -> None:
        self._key = settings.session_key.get_secret_value().encode()
        self._secure = settings.public_url.startswith("https://")
        self._limiter = LoginLimiter(per_address=WRONG_PER_ADDRESS, in_total=WRONG_IN_TOTAL)

    def visitor(self, request: Request) -> Visitor:
        """Return who sends a request; a visitor without a cookie gets a fresh one to be set."""
        token = request.cookies.get(COOKIE, "")
        if not token or len(token) > _LONGEST_COOKIE:
            token = secrets.token_urlsafe(32)
            return Visitor(token, self._csrf(token), None)
        now = utc_now()
        with reading() as session:
            agent = agent_of(session, token, now)
            due = agent is not None and is_due_to_be_seen(session, token, now)
        if due:
            with unit_of_work() as session:
                seen(session, token, now)
        return Visitor(token, self._csrf(token), agent)

    def check(self, visitor: Visitor, given: str) -> None:
        """Refuse a form that another page made.

        Raises:
            ForbiddenError: the token is missing or wrong.
        """
        if not hmac.compare_digest(visitor.csrf.encode(), given.encode()):
            raise ForbiddenError

    def log_in(self, request: Request, name: str, password: str) -> str:
        """Return the token of a new session.

        Raises:
            RefusedError: wrong name or password, or too many of them lately.
        """
        address = request.client.host if request.client else "unknown"
        if not self._limiter.allows(address):
            raise RefusedError(429, "口令错误次数过多，请五分钟后再试。")
        now, name = utc_now(), name.strip()[:_LONGEST_NAME]
        with reading() as session:
            found = by_name(session, name)
            open_for_him = may_try(found, now)
            kept = found.password_hash if found is not None and open_for_him else None
        if not password_fits(kept, password):
            self._limiter.failed(address)
            self._note(name, now, tried=open_for_him)
            raise RefusedError(403, "账号或口令不对，或账号暂时不能登录。")
        token = secrets.token_urlsafe(32)
        with unit_of_work() as session:
            agent = by_name(session, name, lock=True)
            if agent is None or not may_try(agent, now) or agent.password_hash != kept:
                raise RefusedError(403, "账号或口令不对，或账号暂时不能登录。")
            open_session(session, agent, token, now)
            log.info("console_login", agent=agent.id)
        return token

    def log_out(self, visitor: Visitor) -> None:
        """End a session."""
        with unit_of_work() as session:
            end_session(session, visitor.token)

    def set_cookie(self, response: Response, token: str) -> None:
        """Give the browser its token; it ends with the browser."""
        response.set_cookie(
            COOKIE, token, path=PATH, httponly=True, samesite="strict", secure=self._secure
        )

    def _note(self, name: str, now: datetime, *, tried: bool) -> None:
        log.warning("console_login_failed", counted=tried)
        if tried:
            with unit_of_work() as session:
                note_failure(session, name, now)

    def _csrf(self, token: str) -> str:
        return hmac.new(self._key, f"console-csrf:{token}".encode(), hashlib.sha256).hexdigest()

"""Who is at the console: a random cookie, its session in the store, a token in every form."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime

import structlog
from fastapi import Request, Response
from sqlalchemy.orm import Session

from base.settings import Settings
from dispatch.desk.sessions import LoginLimiter
from store.agent_models import Agent
from store.agents import (
    agent_of,
    by_name,
    end_session,
    end_sessions,
    halfway,
    is_due_to_be_seen,
    is_expired,
    may_try,
    note_failure,
    open_session,
    password_fits,
    seen,
)
from store.database import reading, unit_of_work
from store.models import utc_now
from store.second_factor import accepts, is_enrolled

log = structlog.get_logger(__name__)

COOKIE = "shimin_console"
PATH = "/console"
PASSWORD_PAGE, CODE_PAGE = "/console/me/password", "/console/me/second-factor"
"""Where somebody is led who has to do something before anything else."""
_TRY_LATER = "账号或口令不对，或账号暂时不能登录。"
_EXPIRED = "临时口令已过期，不能再用来登录。请联系管理员重置口令。"
_LONGEST_COOKIE = 100
_LONGEST_NAME = 40
WRONG_PER_ADDRESS, WRONG_IN_TOTAL = 20, 500
"""Wrong passwords within five minutes. A whole office may share one address, and the total only
spares the processor: an account itself rests after a few (store.agents)."""


class LoginNeededError(Exception):
    """The visitor has to log in first."""


class DutyFirstError(Exception):
    """Somebody has to change his password or enrol a second factor first, at ``path``."""

    def __init__(self, path: str) -> None:
        super().__init__(path)
        self.path = path


class ForbiddenError(Exception):
    """A page, a step or a field that is not for this role."""


class ForeignFormError(Exception):
    """A form without the token of its session: not one of our pages made it, or an old one."""


class RefusedError(Exception):
    """A login that failed; ``message`` is what the visitor reads."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


@dataclass(frozen=True)
class Visitor:
    """Somebody at the console; ``agent`` is None before he has logged in.

    ``duty`` is the page of what he has to do before anything else, empty when there is nothing.
    """

    token: str
    csrf: str
    agent: Agent | None
    duty: str = ""

    @property
    def staff(self) -> Agent:
        """The one who is logged in.

        Raises:
            LoginNeededError: nobody is.
        """
        if self.agent is None:
            raise LoginNeededError
        return self.agent

    def at(self, path: str) -> Agent:
        """The one who is logged in, and may be at a page.

        Raises:
            LoginNeededError: nobody is.
            DutyFirstError: something else comes first.
        """
        agent = self.staff
        if self.duty and not path.startswith(self.duty):
            raise DutyFirstError(self.duty)
        return agent

    def check(self, token: str) -> None:
        """Refuse a form that no page of this session made.

        Raises:
            ForeignFormError: the form's token is missing, or not this session's.
        """
        if not hmac.compare_digest(self.csrf.encode(), token.encode()):
            raise ForeignFormError


class Doorkeeper:
    """Lets staff in and out."""

    def __init__(self, settings: Settings) -> None:
        self._key = settings.session_key.get_secret_value().encode()
        self._secure = settings.public_url.startswith("https://")
        self.requires_code = settings.is_totp_required
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
        return Visitor(token, self._csrf(token), agent, self._duty(agent))

    def holder(self, token: str) -> Visitor:
        """Return who holds the token of a session."""
        with reading() as session:
            agent = agent_of(session, token, utc_now())
        return Visitor(token, self._csrf(token), agent, self._duty(agent))

    def log_in(self, request: Request, name: str, password: str) -> tuple[str, bool]:
        """Return the token of a new session, and whether it is whole: a code may be owed.

        Raises:
            RefusedError: wrong name or password, too many of them lately, or a temporary
                password that is over: only who knows it reads so.
        """
        address = self._let_try(request)
        now, name = utc_now(), name.strip()[:_LONGEST_NAME]
        with reading() as session:
            found = by_name(session, name)
            open_for_him = may_try(found, now)
            kept = found.password_hash if found is not None and open_for_him else None
        if not password_fits(kept, password):
            self._failed(address, name, now, tried=open_for_him)
            raise RefusedError(403, _TRY_LATER)
        token = secrets.token_urlsafe(32)
        with unit_of_work() as session:
            agent = by_name(session, name, lock=True)
            if agent is None or not may_try(agent, now) or agent.password_hash != kept:
                raise RefusedError(403, _TRY_LATER)
            if is_expired(agent, now):
                log.warning("console_password_expired", agent=agent.id)
                raise RefusedError(403, _EXPIRED)
            whole = not is_enrolled(agent)
            open_session(session, agent, token, now, whole=whole)
            log.info("console_login" if whole else "console_password", agent=agent.id)
        return token, whole

    def owes_code(self, visitor: Visitor) -> bool:
        """Tell whether a visitor has shown his password lately and still owes the code."""
        with reading() as session:
            return halfway(session, visitor.token, utc_now()) is not None

    def give_code(self, request: Request, visitor: Visitor, code: str) -> str:
        """Return the token of a whole session for one that owed a code; the old one ends.

        A wrong code counts like a wrong password.

        Raises:
            LoginNeededError: no password was shown, or too long ago.
            RefusedError: the code is wrong or used, or there were too many wrong ones.
        """
        address, now = self._let_try(request), utc_now()
        with unit_of_work() as session:
            half = halfway(session, visitor.token, now)
            agent = by_name(session, half.name, lock=True) if half is not None else None
            if agent is None or not may_try(agent, now):
                raise LoginNeededError
            if accepts(session, agent, code, now):
                token = secrets.token_urlsafe(32)
                end_session(session, visitor.token)
                open_session(session, agent, token, now)
                log.info("console_login", agent=agent.id)
                return token
            note_failure(session, agent.name, now)  # before the lock is given back
        self._limiter.failed(address)
        log.warning("console_code_failed")
        raise RefusedError(403, "动态码不对或已经用过，请等手机显示下一个再输入。")

    def confirm_password(self, request: Request, agent: Agent, password: str) -> None:
        """Make sure that it is still the account's owner who sits there.

        Raises:
            RefusedError: wrong password, or too many of them lately; it counts like at the login.
        """
        address, now = self._let_try(request), utc_now()
        with reading() as session:
            found = by_name(session, agent.name)
            kept = found.password_hash if found is not None and may_try(found, now) else None
        if not password_fits(kept, password):
            self._failed(address, agent.name, now, tried=kept is not None)
            raise RefusedError(403, "口令不对，或账号暂时不能验证，请稍后再试。")

    def begin_anew(self, session: Session, agent: Agent) -> str:
        """End every session of an account and return the token of a new one: secrets changed."""
        end_sessions(session, agent)
        token = secrets.token_urlsafe(32)
        open_session(session, agent, token, utc_now())
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

    def _duty(self, agent: Agent | None) -> str:
        if agent is None:
            return ""
        if agent.password_temporary:
            return PASSWORD_PAGE
        return CODE_PAGE if self.requires_code and not is_enrolled(agent) else ""

    def _let_try(self, request: Request) -> str:
        address = request.client.host if request.client else "unknown"
        if not self._limiter.allows(address):
            raise RefusedError(429, "口令错误次数过多，请五分钟后再试。")
        return address

    def _failed(self, address: str, name: str, now: datetime, *, tried: bool) -> None:
        self._limiter.failed(address)
        log.warning("console_login_failed", counted=tried)
        if tried:
            with unit_of_work() as session:
                note_failure(session, name, now)

    def _csrf(self, token: str) -> str:
        return hmac.new(self._key, f"console-csrf:{token}".encode(), hashlib.sha256).hexdigest()

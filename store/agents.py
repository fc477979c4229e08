"""Accounts of the console: passwords, locks and sessions."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import ColumnElement, delete, func, select
from sqlalchemy.orm import Session

from base.errors import InputError
from store.agent_models import Agent, AgentSession
from store.models import utc_now
from store.privacy import note_access

ROLES = ("agent", "dispatcher", "editor", "auditor", "admin")
SERVING = ("agent", "admin")
"""The roles that take conversations."""
SHORTEST_PASSWORD = 10
LONGEST_PASSWORD = 200
WRONG_PASSWORDS = 5
"""Wrong passwords in a row after which an account rests."""
BLOCK = timedelta(minutes=15)
SESSION = timedelta(hours=10)
"""A shift: after it one logs in again, however busy."""
IDLE = timedelta(minutes=30)
SEEN_EVERY = timedelta(seconds=30)
CODE_WAITS = timedelta(minutes=5)
"""Between the password and the code of the second factor."""

_hasher = PasswordHasher()
_one_at_a_time = threading.BoundedSemaphore(2)
"""A hash takes 64 MiB: a flood of logins waits instead of filling the memory."""


def add_agent(session: Session, name: str, password: str, role: str) -> Agent:
    """Create an account.

    Raises:
        InputError: ``agent_name_invalid``, ``agent_exists``, ``role_unknown``,
            ``password_weak``.
    """
    name = name.strip()
    if not (1 <= len(name) <= 20) or any(c.isspace() or not c.isprintable() for c in name):
        raise InputError("agent_name_invalid", "账号名应为1到20个字，不含空格。", "name")
    if role not in ROLES:
        raise InputError("role_unknown", f"角色只能是{'、'.join(ROLES)}。", f"role {role!r}")
    if by_name(session, name) is not None:
        raise InputError("agent_exists", "这个账号已经有了。", "name is taken")
    agent = Agent(name=name, password_hash=hash_password(password), role=role)
    session.add(agent)
    session.flush()
    return agent


def hash_password(password: str) -> str:
    """Return the argon2id hash of a new password (RFC 9106, the library's defaults).

    Raises:
        InputError: ``password_weak``.
    """
    if not SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD:
        raise InputError(
            "password_weak", f"口令至少{SHORTEST_PASSWORD}个字符。", f"{len(password)} characters"
        )
    return _hasher.hash(password)


def by_name(session: Session, name: str, *, lock: bool = False) -> Agent | None:
    """Return an account by its name."""
    statement = select(Agent).where(Agent.name == name)
    if lock:
        statement = statement.with_for_update().execution_options(populate_existing=True)
    return session.scalars(statement).first()


def all_agents(session: Session) -> Sequence[Agent]:
    """Return every account by name."""
    return session.scalars(select(Agent).order_by(Agent.name)).all()


def is_staffed(session: Session) -> bool:
    """Tell whether anybody could take a conversation at all."""
    found = session.scalars(select(Agent.id).where(*_serves()).limit(1))
    return found.first() is not None


def set_locked(session: Session, agent: Agent, *, locked: bool) -> None:
    """Lock an account and end its sessions, or open it again with a clean slate."""
    agent.locked_at = utc_now() if locked else None
    agent.failures, agent.blocked_until = 0, None
    if locked:
        end_sessions(session, agent)


def set_password(session: Session, agent: Agent, password: str) -> None:
    """Give an account another password, for good, and end its sessions.

    Raises:
        InputError: ``password_weak``.
    """
    agent.password_hash = hash_password(password)
    agent.password_temporary, agent.password_expires_at = False, None
    agent.failures, agent.blocked_until = 0, None
    end_sessions(session, agent)


def make_temporary(agent: Agent, until: datetime) -> None:
    """Let the password of an account open no more than its change, and nothing after ``until``."""
    agent.password_temporary, agent.password_expires_at = True, until


def is_expired(agent: Agent, now: datetime) -> bool:
    """Tell whether the password of an account was temporary and is over."""
    return agent.password_expires_at is not None and agent.password_expires_at <= now


def password_fits(password_hash: str | None, password: str) -> bool:
    """Tell whether a password is the one of a hash; no hash takes as long and never fits."""
    with _one_at_a_time:
        try:
            _hasher.verify(password_hash or _nobodys_hash(), password[:LONGEST_PASSWORD])
        except (VerificationError, InvalidHashError):
            return False
    return password_hash is not None


def may_try(agent: Agent | None, now: datetime) -> bool:
    """Tell whether an account takes passwords now: not locked, not resting."""
    if agent is None or agent.locked_at is not None:
        return False
    return agent.blocked_until is None or agent.blocked_until <= now


def note_failure(session: Session, name: str, now: datetime) -> None:
    """Count a wrong password or code; the fifth in a row lets the account rest (audited)."""
    agent = by_name(session, name, lock=True)
    if agent is None:
        return
    agent.failures += 1
    if agent.failures >= WRONG_PASSWORDS:
        agent.failures, agent.blocked_until = 0, now + BLOCK
        note_access(session, f"agent:{agent.name}", "account_rests", f"agents:{agent.id}", "login")


def open_session(
    session: Session, agent: Agent, token: str, now: datetime, *, whole: bool = True
) -> None:
    """Begin a session under a fresh random ``token``; the code is still to come unless ``whole``.

    Failures are forgotten only with a whole one: who knows a password must not get new guesses at
    the code by typing it again. Beginning a whole one is in the audit.
    """
    if whole:
        agent.failures, agent.blocked_until = 0, None
        note_access(session, f"agent:{agent.name}", "login", f"agents:{agent.id}", "session")
    session.add(
        AgentSession(id=_digest(token), agent_id=agent.id, created_at=now, seen_at=now, whole=whole)
    )


def agent_of(session: Session, token: str, now: datetime) -> Agent | None:
    """Return who is logged in with ``token``; None when the session ended or never was."""
    found = session.get(AgentSession, _digest(token))
    if found is None or not found.whole:
        return None
    if now - found.created_at > SESSION or now - found.seen_at > IDLE:
        return None
    return _unlocked(session, found)


def halfway(session: Session, token: str, now: datetime) -> Agent | None:
    """Return who has shown his password with ``token`` lately and still owes a code."""
    found = session.get(AgentSession, _digest(token))
    if found is None or found.whole or now - found.created_at > CODE_WAITS:
        return None
    return _unlocked(session, found)


def _unlocked(session: Session, found: AgentSession) -> Agent | None:
    agent = session.get_one(Agent, found.agent_id)
    return None if agent.locked_at is not None else agent


def is_due_to_be_seen(session: Session, token: str, now: datetime) -> bool:
    """Tell whether :func:`seen` has something to write."""
    found = session.get(AgentSession, _digest(token))
    return found is not None and now - found.seen_at > SEEN_EVERY


def seen(session: Session, token: str, now: datetime) -> None:
    """Note that somebody did something in his session."""
    found = session.get(AgentSession, _digest(token))
    if found is not None:
        found.seen_at = now


def end_sessions(session: Session, agent: Agent) -> None:
    """End every session of an account."""
    session.execute(delete(AgentSession).where(AgentSession.agent_id == agent.id))


def end_session(session: Session, token: str) -> None:
    """End a session."""
    session.execute(delete(AgentSession).where(AgentSession.id == _digest(token)))


def forget_sessions(session: Session, now: datetime) -> None:
    """Delete the sessions that have run out."""
    session.execute(
        delete(AgentSession).where(
            (AgentSession.created_at < now - SESSION)
            | (AgentSession.seen_at < now - IDLE)
            | (AgentSession.whole.is_(False) & (AgentSession.created_at < now - CODE_WAITS))
        )
    )


def on_duty(session: Session, now: datetime, within: timedelta) -> Sequence[Agent]:
    """Return the agents who were seen within some time, by name."""
    here = select(AgentSession.agent_id).where(
        AgentSession.whole,
        AgentSession.seen_at >= now - within,
        AgentSession.created_at >= now - SESSION,
    )
    return session.scalars(
        select(Agent).where(Agent.id.in_(here), *_serves()).order_by(Agent.name)
    ).all()


def count_on_duty(session: Session, now: datetime, within: timedelta) -> int:
    """Return how many agents were seen within some time."""
    here = func.count(AgentSession.agent_id.distinct())
    return (
        session.scalar(
            select(here)
            .join(Agent, Agent.id == AgentSession.agent_id)
            .where(
                AgentSession.whole,
                AgentSession.seen_at >= now - within,
                AgentSession.created_at >= now - SESSION,
                *_serves(),
            )
        )
        or 0
    )


def _serves() -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return Agent.locked_at.is_(None), Agent.role.in_(SERVING)


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


@cache
def _nobodys_hash() -> str:
    return _hasher.hash("nobody's password")

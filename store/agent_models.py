"""The tables of the people who work at the city's console: accounts and sessions."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from store.models import Base, utc_now
from store.privacy import Encrypted, Sealed


class Agent(Base):
    """An account of the console.

    ``role`` is one of ``store.agents.ROLES``. ``failures`` are wrong passwords and codes in a row;
    after some of them nobody gets in before ``blocked_until``. ``locked_at`` is an
    administrator's lock. A ``password_temporary`` was given by somebody else and has to be changed
    first; from ``password_expires_at`` on it lets nobody in. ``totp_step`` is the last step whose
    code was used (:mod:`base.totp`); ``totp_pending`` is a secret that waits for its first code.
    """

    __tablename__ = "agents"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(40), unique=True)
    password_hash: Mapped[str] = mapped_column(String(200))  # argon2id in PHC form
    role: Mapped[str] = mapped_column(String(10))
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    failures: Mapped[int] = mapped_column(default=0)
    blocked_until: Mapped[datetime | None]
    locked_at: Mapped[datetime | None]
    password_temporary: Mapped[bool] = mapped_column(default=False)
    password_expires_at: Mapped[datetime | None]
    totp_secret: Mapped[Sealed | None] = mapped_column(Encrypted)
    totp_pending: Mapped[Sealed | None] = mapped_column(Encrypted)
    totp_step: Mapped[int] = mapped_column(default=0)


class RecoveryCode(Base):
    """A code that stands for the second factor once; ``code_hash`` is an HMAC-SHA256."""

    __tablename__ = "agent_recovery_codes"

    id: Mapped[int] = mapped_column(primary_key=True)
    agent_id: Mapped[int] = mapped_column(ForeignKey("agents.id"), index=True)
    code_hash: Mapped[str] = mapped_column(String(64))


class AgentSession(Base):
    """Somebody logged in; ``id`` is the SHA-256 of the cookie, which is kept nowhere.

    One that is not ``whole`` has shown a password, and opens nothing but the form for the code.
    """

    __tablename__ = "agent_sessions"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    agent_id: Mapped[int] = mapped_column(ForeignKey("agents.id"), index=True)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    seen_at: Mapped[datetime] = mapped_column(default=utc_now)
    whole: Mapped[bool] = mapped_column(default=True)

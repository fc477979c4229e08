"""The tables of the people who work at the city's console: accounts and sessions."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from store.models import Base, utc_now


class Agent(Base):
    """An account of the console.

    ``role`` is ``agent`` or ``admin``. ``failures`` are wrong passwords in a row; after some of
    them nobody gets in before ``blocked_until``. ``locked_at`` is the operator's own lock.
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


class AgentSession(Base):
    """Somebody logged in; ``id`` is the SHA-256 of the cookie, which is kept nowhere."""

    __tablename__ = "agent_sessions"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    agent_id: Mapped[int] = mapped_column(ForeignKey("agents.id"), index=True)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    seen_at: Mapped[datetime] = mapped_column(default=utc_now)

"""The tables of hand-overs to a person: who waits, what was said, who is to be called back."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from store.agent_models import Agent
from store.models import Base, utc_now
from store.privacy import Encrypted, Sealed

OPEN = ("offered", "waiting", "serving", "callback")
"""States in which a hand-over is somebody's business; a citizen has at most one of them."""

_IS_OPEN = text("state IN ('offered', 'waiting', 'serving', 'callback')")


class Handover(Base):
    """One wish of a citizen to speak with a person.

    ``queued_at`` is the place in the queue: it stays when a conversation goes back there.
    ``offered_at`` is when a call-back was last offered. The states and what leads from one to
    another are in enquiries.handover.states.
    """

    __tablename__ = "handovers"
    __table_args__ = (
        Index(
            "uq_handovers_open",
            "citizen_id",
            unique=True,
            sqlite_where=_IS_OPEN,
            postgresql_where=_IS_OPEN,
        ),
        Index("ix_handovers_queue", "state", "queued_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    citizen_id: Mapped[str] = mapped_column(String(160), index=True)
    channel: Mapped[str] = mapped_column(String(30))
    topic: Mapped[str] = mapped_column(String(20))
    reason: Mapped[str] = mapped_column(String(20))
    state: Mapped[str] = mapped_column(String(10))
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    queued_at: Mapped[datetime] = mapped_column(default=utc_now)
    offered_at: Mapped[datetime | None]
    claimed_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    agent_id: Mapped[int | None] = mapped_column(ForeignKey(Agent.id), index=True)
    # a citizen whose words go to a person is told so once
    acknowledged_at: Mapped[datetime | None]
    rating: Mapped[int | None]


class HandoverMessage(Base):
    """What was said: ``{"text", "photos", "videos", "locations"}``.

    ``author`` is ``citizen``, ``bot``, ``agent``, ``system`` (told to both) or ``note`` (of an
    agent, never shown to the citizen). ``key`` names a posted form, so that none counts twice.
    """

    __tablename__ = "handover_messages"

    id: Mapped[int] = mapped_column(primary_key=True)
    handover_id: Mapped[int] = mapped_column(ForeignKey("handovers.id"), index=True)
    at: Mapped[datetime] = mapped_column(default=utc_now)
    author: Mapped[str] = mapped_column(String(10))
    agent_id: Mapped[int | None] = mapped_column(ForeignKey(Agent.id))
    body: Mapped[Sealed] = mapped_column(Encrypted)
    key: Mapped[str | None] = mapped_column(String(64), unique=True)


class CallBack(Base):
    """A call that was promised: ``contact`` is ``{"phone", "name"}``."""

    __tablename__ = "call_backs"

    id: Mapped[int] = mapped_column(primary_key=True)
    handover_id: Mapped[int] = mapped_column(ForeignKey("handovers.id"), unique=True)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    promised_at: Mapped[datetime] = mapped_column(index=True)
    contact: Mapped[Sealed | None] = mapped_column(Encrypted)
    attempts: Mapped[int] = mapped_column(default=0)
    last_attempt_at: Mapped[datetime | None]

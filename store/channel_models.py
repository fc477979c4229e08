"""The tables of channels that are pushed to: what came in, and what a button stands for."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from store.models import Base, utc_now
from store.privacy import Encrypted, Sealed


class IncomingMessage(Base):
    """Something a platform pushed, kept until it is answered.

    ``key`` is the platform's own name of it: a second one is not stored. Parts of one album are
    joined when the first of them is taken; ``joined_to`` is that row's id for every one of them.
    ``content`` is what the channel stored, in its own form; it is erased with the answer.
    """

    __tablename__ = "incoming_messages"
    __table_args__ = (
        UniqueConstraint("channel", "key", name="uq_incoming_messages"),
        Index("ix_incoming_messages_conversation", "state", "channel", "conversation_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    channel: Mapped[str] = mapped_column(String(30))
    key: Mapped[str] = mapped_column(String(100))
    conversation_id: Mapped[str] = mapped_column(String(100))
    album: Mapped[str | None] = mapped_column(String(80))
    joined_to: Mapped[int | None] = mapped_column(index=True)
    content: Mapped[Sealed | None] = mapped_column(Encrypted)
    received_at: Mapped[datetime] = mapped_column(default=utc_now)
    due_at: Mapped[datetime] = mapped_column(default=utc_now)
    state: Mapped[str] = mapped_column(String(10), default="pending")  # pending | done | dead
    attempts: Mapped[int] = mapped_column(default=0)
    last_error: Mapped[str | None] = mapped_column(String(200))


class OfferedButton(Base):
    """What a button on a platform stands for whose own names of buttons are short.

    ``token`` names it (96 random bits); only the conversation it was offered to can press it.
    """

    __tablename__ = "offered_buttons"

    token: Mapped[str] = mapped_column(String(20), primary_key=True)
    citizen_id: Mapped[str] = mapped_column(String(160), index=True)
    payload: Mapped[Sealed] = mapped_column(Encrypted)
    offered_at: Mapped[datetime] = mapped_column(default=utc_now, index=True)

    @property
    def id(self) -> str:
        """Its name in the audit."""
        return self.token

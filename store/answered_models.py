"""Messages that a channel's client may send twice, with the answer they got."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from store.models import Base, utc_now
from store.privacy import Encrypted, Sealed


class AnsweredMessage(Base):
    """One message by the id its client gave it; without ``answer`` it is being handled."""

    __tablename__ = "answered_messages"
    __table_args__ = (UniqueConstraint("citizen_id", "client_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    citizen_id: Mapped[str] = mapped_column(String(160))
    client_id: Mapped[str] = mapped_column(String(64))
    at: Mapped[datetime] = mapped_column(default=utc_now, index=True)  # of the newest claim
    answer: Mapped[Sealed | None] = mapped_column(Encrypted)

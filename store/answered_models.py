"""Messages that a channel's client may send twice, with the answer they got."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from store.models import Base, utc_now
from store.privacy import Encrypted, Sealed


class AnsweredMessage(Base):
    """One message by the id its client gave it; without ``answer`` it is being handled."""

    __tablename__ = "answered_messages"

    citizen_id: Mapped[str] = mapped_column(String(160), primary_key=True)
    client_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    at: Mapped[datetime] = mapped_column(default=utc_now, index=True)  # of the newest claim
    answer: Mapped[Sealed | None] = mapped_column(Encrypted)

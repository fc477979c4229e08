"""Conversations that are to be erased because somebody said “删除我的资料”."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from store.models import Base


class ConversationErasure(Base):
    """What was said in a conversation up to ``asked_at`` goes; ``due_at`` is the next look.

    ``erased_at`` is set by the first look that erased; the row itself goes a day after.
    """

    __tablename__ = "conversation_erasures"

    id: Mapped[int] = mapped_column(primary_key=True)
    citizen_id: Mapped[str] = mapped_column(String(160), index=True)
    asked_at: Mapped[datetime]
    due_at: Mapped[datetime] = mapped_column(index=True)
    erased_at: Mapped[datetime | None]

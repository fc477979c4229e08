"""The table of choices that were offered as numbers in a text."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from store.models import Base, utc_now
from store.privacy import Encrypted, Sealed


class OfferedChoice(Base):
    """What a number or letter stands for that a citizen may answer with.

    ``label`` is what he types, ``number`` its place among everything that is open to him, and
    ``button`` the title and payload of the button it stands for.
    """

    __tablename__ = "offered_choices"
    __table_args__ = (UniqueConstraint("citizen_id", "number", name="uq_offered_choices"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    citizen_id: Mapped[str] = mapped_column(String(160), index=True)
    number: Mapped[int]
    label: Mapped[str] = mapped_column(String(3))
    button: Mapped[Sealed] = mapped_column(Encrypted)
    offered_at: Mapped[datetime] = mapped_column(default=utc_now, index=True)

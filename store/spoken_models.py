"""The table of what is open between the assistant and somebody who speaks to it."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from store.models import Base, utc_now
from store.privacy import Encrypted, Sealed


class SpokenState(Base):
    """One citizen's: ``id`` is his.

    ``heard`` are the words that were read back and wait for his yes, ``rest`` is what of an
    answer was not read aloud yet, ``failures`` counts recordings in a row that gave no words.
    """

    __tablename__ = "spoken_states"

    id: Mapped[str] = mapped_column(String(160), primary_key=True)
    at: Mapped[datetime] = mapped_column(default=utc_now, index=True)
    heard: Mapped[Sealed | None] = mapped_column(Encrypted)
    rest: Mapped[Sealed | None] = mapped_column(Encrypted)
    failures: Mapped[int] = mapped_column(default=0)
    slow: Mapped[bool] = mapped_column(default=False)

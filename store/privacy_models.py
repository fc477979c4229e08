"""Tables of a person's rights over his data: consents, and exports he asked for."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import String, Text
from sqlalchemy.orm import Mapped, mapped_column

from store.models import Base, utc_now


class Consent(Base):
    """That a person agreed to a purpose (个人信息保护法 第十四条), until he withdrew (第十五条).

    ``told`` is what he was told when he agreed, in the words he read.
    """

    __tablename__ = "consents"

    id: Mapped[int] = mapped_column(primary_key=True)
    citizen_id: Mapped[str] = mapped_column(String(160), index=True)
    purpose: Mapped[str] = mapped_column(String(40))
    told: Mapped[str] = mapped_column(Text)
    given_at: Mapped[datetime] = mapped_column(default=utc_now)
    withdrawn_at: Mapped[datetime | None]


class DataExport(Base):
    """A link to a person's own data; ``key`` is the SHA-256 of what the link names."""

    __tablename__ = "data_exports"

    key: Mapped[str] = mapped_column(String(64), primary_key=True)
    citizen_id: Mapped[str] = mapped_column(String(160), index=True)
    expires_at: Mapped[datetime] = mapped_column(index=True)
    taken_at: Mapped[datetime | None]

"""The table of appointments at windows of halls."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from base.calendar import CITY_TIME
from store.models import Base, new_progress_token, utc_now

MAX_OPEN = 3
"""Appointments a citizen may have before him at a time."""

_OPEN = text("state = 'requested'")


class Appointment(Base):
    """A window of a hall kept for a citizen. Nobody is asked for a name or a phone for it.

    ``state`` is ``requested``, ``cancelled``, ``past`` (its time is over and nobody has said how
    it went), ``attended`` or ``missed``. While it is ``requested`` it holds one of the hall's
    windows (``seat``) and one of the citizen's ``MAX_OPEN`` places (``place``), both counted from
    0: that neither is given twice is a constraint of the table, and so overbooking is impossible
    however many book at once. ``token`` names the calendar file (192 random bits), ``sequence``
    counts the changes of its time (RFC 5545, 3.8.7.4).
    """

    __tablename__ = "appointments"
    __table_args__ = (
        CheckConstraint("seat >= 0", name="ck_appointments_seat"),
        CheckConstraint(f"place >= 0 AND place < {MAX_OPEN}", name="ck_appointments_place"),
        CheckConstraint("ends_at > starts_at", name="ck_appointments_span"),
        Index(
            "uq_appointments_seat", "hall_id", "domain", "starts_at", "seat",
            unique=True, sqlite_where=_OPEN, postgresql_where=_OPEN,
        ),
        Index(
            "uq_appointments_place", "citizen_id", "place",
            unique=True, sqlite_where=_OPEN, postgresql_where=_OPEN,
        ),
        Index(
            "uq_appointments_item", "citizen_id", "service_id",
            unique=True, sqlite_where=_OPEN, postgresql_where=_OPEN,
        ),
        Index("ix_appointments_hall", "hall_id", "starts_at"),
        Index("ix_appointments_citizen", "citizen_id", "starts_at"),
    )  # fmt: skip

    id: Mapped[int] = mapped_column(primary_key=True)
    token: Mapped[str] = mapped_column(String(32), unique=True, default=new_progress_token)
    citizen_id: Mapped[str] = mapped_column(ForeignKey("citizens.id"))
    hall_id: Mapped[str] = mapped_column(String(64))
    domain: Mapped[str] = mapped_column(String(40))
    service_id: Mapped[str] = mapped_column(String(64))
    service_name: Mapped[str] = mapped_column(String(200))
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime] = mapped_column(index=True)
    seat: Mapped[int]
    place: Mapped[int]
    state: Mapped[str] = mapped_column(String(10), default="requested")
    outcome: Mapped[str | None] = mapped_column(String(10))  # done | not_done | absent
    sequence: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    changed_at: Mapped[datetime] = mapped_column(default=utc_now)
    # None: nothing is to be sent any more
    remind_at: Mapped[datetime | None] = mapped_column(index=True)
    follow_up_at: Mapped[datetime | None] = mapped_column(index=True)

    @property
    def number(self) -> str:
        """The number a citizen reads, shows at the hall and may type: ``YY20261123000017``."""
        return f"YY{self.created_at.astimezone(CITY_TIME):%Y%m%d}{self.id:06d}"

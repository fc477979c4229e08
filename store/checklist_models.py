"""The tables of citizens' checklists."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from store.models import Base, new_progress_token, utc_now
from store.privacy import Encrypted, Sealed


class Checklist(Base):
    """What one citizen gathers for a package or a single service item.

    ``id`` names it in its link (192 random bits). ``plan`` is what he told of his case:
    :class:`enquiries.checklists.Plan` as a dict.
    """

    __tablename__ = "checklists"
    __table_args__ = (UniqueConstraint("citizen_id", "matter_id", name="uq_checklists"),)

    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_progress_token)
    citizen_id: Mapped[str] = mapped_column(ForeignKey("citizens.id"))
    matter_id: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    updated_at: Mapped[datetime] = mapped_column(default=utc_now, index=True)
    plan: Mapped[Sealed] = mapped_column(Encrypted)

    entries: Mapped[list[ChecklistEntry]] = relationship(
        order_by="ChecklistEntry.position", cascade="all, delete-orphan"
    )


class ChecklistEntry(Base):
    """A thing to bring (``material``) or an item to do (``step``), ticked or not."""

    __tablename__ = "checklist_entries"

    checklist_id: Mapped[str] = mapped_column(ForeignKey("checklists.id"), primary_key=True)
    kind: Mapped[str] = mapped_column(String(10), primary_key=True)  # material | step
    # the material's name, the step's service id
    name: Mapped[str] = mapped_column(String(100), primary_key=True)
    position: Mapped[int]
    ticked_at: Mapped[datetime | None]

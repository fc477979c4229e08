"""The tables of linked identities: which conversations are one person, and codes that link them."""

from __future__ import annotations

import secrets
from datetime import datetime

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from store.models import Base, utc_now


def new_person_id() -> str:
    """A name for a person that says nothing about him (128 bits)."""
    return secrets.token_hex(16)


class Person(Base):
    """Somebody who has linked conversations; who has not needs no row.

    Its row is what changes of the links are serialised by.
    """

    __tablename__ = "people"

    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_person_id)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


class Identity(Base):
    """One conversation of a person; ``id`` names it in buttons."""

    __tablename__ = "identities"

    id: Mapped[int] = mapped_column(primary_key=True)
    citizen_id: Mapped[str] = mapped_column(ForeignKey("citizens.id"), unique=True)
    person_id: Mapped[str] = mapped_column(ForeignKey("people.id"), index=True)
    linked_at: Mapped[datetime] = mapped_column(default=utc_now)


class LinkCode(Base):
    """The code a conversation gave out last; a new one replaces it.

    ``code_hash`` is a keyed hash. ``entered_by`` is the conversation that entered it: from then
    on the code opens nothing else, and only waits for that conversation's confirmation.
    """

    __tablename__ = "link_codes"

    citizen_id: Mapped[str] = mapped_column(ForeignKey("citizens.id"), primary_key=True)
    code_hash: Mapped[str] = mapped_column(String(64))
    expires_at: Mapped[datetime] = mapped_column(index=True)
    entered_by: Mapped[str | None] = mapped_column(String(160), index=True)


class LinkAttempt(Base):
    """A code asked for (``code``) or entered (``guess``): what the limits count."""

    __tablename__ = "link_attempts"
    __table_args__ = (
        Index("ix_link_attempts_citizen", "citizen_id", "kind", "at"),
        Index("ix_link_attempts_at", "kind", "at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    citizen_id: Mapped[str] = mapped_column(String(160))
    kind: Mapped[str] = mapped_column(String(5))
    at: Mapped[datetime] = mapped_column(default=utc_now)

"""The desk's own tables. They share nothing with the citizen side's database.

There are no migrations: :mod:`dispatch.desk.database` adds what an older database lacks. A new
column is therefore nullable or has a ``server_default``.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    DateTime,
    Float,
    ForeignKey,
    Index,
    String,
    Text,
    UniqueConstraint,
    false,
)
from sqlalchemy.engine import Dialect
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship
from sqlalchemy.types import TypeDecorator

from dispatch.desk.sealing import ClosedJson, SealedJson, SealedText
from dispatch.desk.status import Status
from store.privacy import Sealed


class UtcDateTime(TypeDecorator[datetime]):
    """Aware times in Python, naive UTC in the database, on every engine."""

    impl = DateTime
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse naive times; store UTC."""
        del dialect
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a naive time cannot be stored")
        return value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        """Return aware UTC times."""
        del dialect
        return None if value is None else value.replace(tzinfo=UTC)


class Base(DeclarativeBase):
    """Root of the desk's tables."""

    type_annotation_map = {datetime: UtcDateTime, list[str]: JSON}  # noqa: RUF012 - SQLAlchemy reads it once


class RequestRow(Base):
    """A service request, as filed and as it stands now.

    ``sender_id`` is the sender's own number; ``calls`` counts how often the sender called for it
    and ``last_call`` names the latest kind (催办, 督办 …); ``merged_into`` is the request this one
    is a duplicate of. ``limits_from`` is when the limits began anew (the last reopening).
    """

    __tablename__ = "desk_request"
    __table_args__ = (Index("ix_desk_request_listing", "status", "requested_at"),)

    pk: Mapped[int] = mapped_column(primary_key=True)
    request_id: Mapped[str] = mapped_column(String(64), unique=True)
    token: Mapped[str] = mapped_column(String(64), unique=True)
    idempotency_key: Mapped[str | None] = mapped_column(String(200), unique=True)
    service_code: Mapped[str] = mapped_column(String(64), index=True)
    service_name: Mapped[str] = mapped_column(String(100))
    status: Mapped[str] = mapped_column(String(32), default=Status.OPEN)
    status_notes: Mapped[str | None] = mapped_column(Text)
    agency: Mapped[str] = mapped_column(String(100))
    urgent: Mapped[bool] = mapped_column(default=False)
    hot_spot: Mapped[bool] = mapped_column(default=False, server_default=false())
    sender_id: Mapped[str | None] = mapped_column(String(100))
    calls: Mapped[int] = mapped_column(default=0, server_default="0")
    last_call: Mapped[str | None] = mapped_column(String(10))
    merged_into: Mapped[str | None] = mapped_column(String(64))
    description: Mapped[str] = mapped_column(SealedText, default="")
    address: Mapped[str | None] = mapped_column(String(500))
    address_id: Mapped[str | None] = mapped_column(String(100))
    latitude: Mapped[float | None] = mapped_column(Float)
    longitude: Mapped[float | None] = mapped_column(Float)
    media_urls: Mapped[list[str]]
    attributes: Mapped[dict[str, list[str]]] = mapped_column(SealedJson)
    contact: Mapped[Sealed | None] = mapped_column(ClosedJson, nullable=False)
    requested_at: Mapped[datetime] = mapped_column(index=True)
    limits_from: Mapped[datetime | None]
    updated_at: Mapped[datetime]
    respond_by: Mapped[datetime]
    resolve_by: Mapped[datetime]
    version: Mapped[int] = mapped_column()

    events: Mapped[list[EventRow]] = relationship(back_populates="request", order_by="EventRow.pk")

    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012 - SQLAlchemy reads it once


class EventRow(Base):
    """One line of a request's history: a step taken or what the sender added.

    ``call`` names a call for an overdue case (催办, 督办 …); ``former_agency`` is who held the
    request before a transfer.
    """

    __tablename__ = "desk_event"
    __table_args__ = (UniqueConstraint("request_pk", "client_update_id"),)

    pk: Mapped[int] = mapped_column(primary_key=True)
    update_id: Mapped[str] = mapped_column(String(32), unique=True)
    request_pk: Mapped[int] = mapped_column(ForeignKey("desk_request.pk"), index=True)
    client_update_id: Mapped[str | None] = mapped_column(String(200))
    actor: Mapped[str] = mapped_column(String(16))
    operator: Mapped[str | None] = mapped_column(String(40))
    title: Mapped[str] = mapped_column(String(60))
    changed: Mapped[bool]
    status: Mapped[str] = mapped_column(String(32))
    description: Mapped[str] = mapped_column(SealedText)
    agency: Mapped[str] = mapped_column(String(100))
    former_agency: Mapped[str | None] = mapped_column(String(100))
    call: Mapped[str | None] = mapped_column(String(10))
    media_urls: Mapped[list[str]]
    at: Mapped[datetime] = mapped_column(index=True)

    request: Mapped[RequestRow] = relationship(back_populates="events")


class AuditRow(Base):
    """A dispatcher has opened personal data: who, when, of which request, what for."""

    __tablename__ = "desk_audit"

    pk: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(index=True)
    operator: Mapped[str] = mapped_column(String(40))
    request_id: Mapped[str] = mapped_column(String(64), index=True)
    field: Mapped[str] = mapped_column(String(40))
    purpose: Mapped[str] = mapped_column(String(80))


class WebhookRow(Base):
    """The outbox: one row per step of the desk, kept until the citizen side has taken it."""

    __tablename__ = "desk_webhook"
    __table_args__ = (Index("ix_desk_webhook_due", "delivered_at", "due_at"),)

    pk: Mapped[int] = mapped_column(primary_key=True)
    request_pk: Mapped[int] = mapped_column(ForeignKey("desk_request.pk"), index=True)
    update_id: Mapped[str] = mapped_column(String(32), unique=True)
    body: Mapped[str] = mapped_column(Text)
    attempts: Mapped[int] = mapped_column(default=0)
    due_at: Mapped[datetime]
    delivered_at: Mapped[datetime | None]
    last_error: Mapped[str | None] = mapped_column(String(200))

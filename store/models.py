"""The tables. Personal columns are :class:`store.privacy.Encrypted`."""

from __future__ import annotations

import secrets
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import JSON, DateTime, ForeignKey, Index, String, Text
from sqlalchemy.engine import Dialect
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship
from sqlalchemy.types import TypeDecorator

from store.privacy import Encrypted, Sealed


def utc_now() -> datetime:
    """The present moment, timezone-aware."""
    return datetime.now(UTC)


def new_progress_token() -> str:
    """A name for a ticket's public progress page that nobody can guess (192 bits)."""
    return secrets.token_urlsafe(24)


class UtcDateTime(TypeDecorator[datetime]):
    """A timezone-aware moment on every database (SQLite itself keeps no zone)."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Refuse naive moments and store UTC."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("naive datetime")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Give UTC back."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Base(DeclarativeBase):
    """Declarative base of the store."""

    type_annotation_map = {datetime: UtcDateTime}  # noqa: RUF012


class Citizen(Base):
    """One conversation partner: ``<channel>:<conversation id>``."""

    __tablename__ = "citizens"

    id: Mapped[str] = mapped_column(String(160), primary_key=True)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    name: Mapped[Sealed | None] = mapped_column(Encrypted)
    phone: Mapped[Sealed | None] = mapped_column(Encrypted)
    id_number: Mapped[Sealed | None] = mapped_column(Encrypted)
    # {"enterprise": {...}, "resident": {...}}: attributes of matcher.profile
    profile: Mapped[Sealed | None] = mapped_column(Encrypted)
    # when what is known was told: {"days": {kind: {column: day}}, "birth": day or None}
    told: Mapped[Sealed | None] = mapped_column(Encrypted)
    profile_changed_at: Mapped[datetime | None]


class Ticket(Base):
    """A complaint from submission to closure (工单).

    ``kind`` is ``complaint``, or ``hot_spot`` for a warning this side raised by itself.
    ``contact`` is ``{"name", "phone"}`` as far as given; without it the complaint is anonymous.
    """

    __tablename__ = "tickets"
    __table_args__ = (
        Index("ix_tickets_citizen", "citizen_id", "created_at"),
        Index("ix_tickets_place", "latitude", "longitude"),
    )

    id: Mapped[str] = mapped_column(String(16), primary_key=True)
    citizen_id: Mapped[str] = mapped_column(ForeignKey("citizens.id"))
    draft_id: Mapped[str] = mapped_column(String(40), unique=True)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    updated_at: Mapped[datetime] = mapped_column(default=utc_now)
    kind: Mapped[str] = mapped_column(String(10), default="complaint")
    progress_token: Mapped[str] = mapped_column(String(32), unique=True, default=new_progress_token)
    status: Mapped[str] = mapped_column(String(20))
    category: Mapped[str] = mapped_column(String(40))
    severity: Mapped[str] = mapped_column(String(10))
    department: Mapped[str] = mapped_column(String(80))
    # limits given when it was filed; None: those of the category
    respond_hours: Mapped[int | None]
    resolve_hours: Mapped[int | None]
    district: Mapped[str | None] = mapped_column(String(40))
    street: Mapped[str | None] = mapped_column(String(40))
    latitude: Mapped[float | None]
    longitude: Mapped[float | None]
    address: Mapped[Sealed | None] = mapped_column(Encrypted)
    description: Mapped[Sealed] = mapped_column(Encrypted)
    occurred_at: Mapped[datetime | None]
    contact: Mapped[Sealed | None] = mapped_column(Encrypted)
    external_id: Mapped[str | None] = mapped_column(String(80), unique=True)
    external_token: Mapped[str | None] = mapped_column(String(80))
    last_update_at: Mapped[datetime | None]
    rating: Mapped[int | None]

    events: Mapped[list[TicketEvent]] = relationship(
        back_populates="ticket", order_by="TicketEvent.id"
    )
    photos: Mapped[list[Media]] = relationship(order_by="Media.created_at")
    followers: Mapped[list[TicketFollower]] = relationship(order_by="TicketFollower.joined_at")


class TicketFollower(Base):
    """Somebody else whom the same problem bothers: he hears every step of the ticket."""

    __tablename__ = "ticket_followers"

    ticket_id: Mapped[str] = mapped_column(ForeignKey("tickets.id"), primary_key=True)
    citizen_id: Mapped[str] = mapped_column(ForeignKey("citizens.id"), primary_key=True, index=True)
    joined_at: Mapped[datetime] = mapped_column(default=utc_now)
    words: Mapped[Sealed | None] = mapped_column(Encrypted)


class OpenDraft(Base):
    """That a citizen has begun a complaint; its content lies in the conversation.

    ``gap`` is what was asked last. He is reminded once; later the draft is forgotten.
    """

    __tablename__ = "open_drafts"

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    citizen_id: Mapped[str] = mapped_column(String(160), index=True)
    updated_at: Mapped[datetime] = mapped_column(default=utc_now, index=True)
    gap: Mapped[str] = mapped_column(String(10))
    reminded_at: Mapped[datetime | None]


class HotSpot(Base):
    """Many reports of one kind around one place in a short time (热点)."""

    __tablename__ = "hot_spots"

    id: Mapped[int] = mapped_column(primary_key=True)
    category: Mapped[str] = mapped_column(String(40), index=True)
    opened_at: Mapped[datetime] = mapped_column(default=utc_now)
    last_report_at: Mapped[datetime] = mapped_column(default=utc_now, index=True)
    latitude: Mapped[float]
    longitude: Mapped[float]
    district: Mapped[str | None] = mapped_column(String(40))
    street: Mapped[str | None] = mapped_column(String(40))
    # the warning to the sub-district, a ticket of kind hot_spot
    alert_id: Mapped[str | None] = mapped_column(ForeignKey("tickets.id"))

    reports: Mapped[list[HotSpotReport]] = relationship(order_by="HotSpotReport.ticket_id")


class HotSpotReport(Base):
    """A complaint that belongs to a hot spot."""

    __tablename__ = "hot_spot_reports"

    hot_spot_id: Mapped[int] = mapped_column(ForeignKey("hot_spots.id"), primary_key=True)
    ticket_id: Mapped[str] = mapped_column(ForeignKey("tickets.id"), primary_key=True, index=True)


class TicketEvent(Base):
    """One step of a ticket: append-only history."""

    __tablename__ = "ticket_events"

    id: Mapped[int] = mapped_column(primary_key=True)
    ticket_id: Mapped[str] = mapped_column(ForeignKey("tickets.id"), index=True)
    at: Mapped[datetime] = mapped_column(default=utc_now)
    actor: Mapped[str] = mapped_column(String(160))
    from_status: Mapped[str | None] = mapped_column(String(20))
    to_status: Mapped[str] = mapped_column(String(20))
    unit: Mapped[str | None] = mapped_column(String(80))
    note: Mapped[Sealed | None] = mapped_column(Encrypted)
    # update_id of the dispatch system: the same update is never applied twice
    external_update_id: Mapped[str | None] = mapped_column(String(80), unique=True)

    ticket: Mapped[Ticket] = relationship(back_populates="events")


class TicketSequence(Base):
    """Last ticket number given on a day (city time)."""

    __tablename__ = "ticket_sequences"

    day: Mapped[date] = mapped_column(primary_key=True)
    last: Mapped[int] = mapped_column(default=0)


class Media(Base):
    """A photo, video or recording; the bytes lie encrypted in the media store under ``id``.

    ``role`` is ``report`` (from a citizen) or ``after`` (from the dispatch system, once the work
    is done). ``source_url`` is where an ``after`` photo still has to be fetched from.
    ``perceptual_hash`` are 64 bits in hexadecimal.
    """

    __tablename__ = "media"
    __table_args__ = (Index("ix_media_role_size", "role", "size"),)

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    citizen_id: Mapped[str] = mapped_column(String(160), index=True)
    ticket_id: Mapped[str | None] = mapped_column(ForeignKey("tickets.id"), index=True)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    content_type: Mapped[str] = mapped_column(String(40))
    role: Mapped[str] = mapped_column(String(10), default="report")
    source_url: Mapped[str | None] = mapped_column(Text)
    size: Mapped[int]
    sha256: Mapped[str] = mapped_column(String(64))
    perceptual_hash: Mapped[str | None] = mapped_column(String(16))
    # {"latitude", "longitude", "taken_at"} read from EXIF
    evidence: Mapped[Sealed | None] = mapped_column(Encrypted)


class OutboxEntry(Base):
    """Something the dispatch system must hear, written with the change it reports."""

    __tablename__ = "outbox"
    __table_args__ = (Index("ix_outbox_due", "state", "due_at"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    ticket_id: Mapped[str] = mapped_column(ForeignKey("tickets.id"), index=True)
    kind: Mapped[str] = mapped_column(String(20))  # request | update
    idempotency_key: Mapped[str] = mapped_column(String(80), unique=True)
    body: Mapped[Sealed | None] = mapped_column(Encrypted)
    state: Mapped[str] = mapped_column(String(10), default="pending")  # pending | sent | dead
    attempts: Mapped[int] = mapped_column(default=0)
    due_at: Mapped[datetime] = mapped_column(default=utc_now)
    last_error: Mapped[str | None] = mapped_column(Text)
    traceparent: Mapped[str | None] = mapped_column(String(55))  # of the message it came from


class OutgoingMessage(Base):
    """A message to a citizen that waits for him, or is sent to where he is.

    The web page and the Chat API fetch theirs (:func:`store.people.inbox`); those of ``channel``s
    that are pushed to are carried by :mod:`store.outgoing`, which ``state`` and what follows it
    are for. ``answer_to`` is the incoming message it answers, None when nobody asked.
    """

    __tablename__ = "outgoing_messages"
    __table_args__ = (Index("ix_outgoing_messages_channel", "channel", "state", "citizen_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    citizen_id: Mapped[str] = mapped_column(String(160), index=True)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    body: Mapped[Sealed] = mapped_column(Encrypted)  # a list of replies of the Chat API
    delivered_at: Mapped[datetime | None]
    channel: Mapped[str] = mapped_column(String(30))
    # pending | held (until the citizen writes) | sent | closed (not wanted) | dead
    state: Mapped[str] = mapped_column(String(10), default="pending")
    due_at: Mapped[datetime] = mapped_column(default=utc_now)
    parts_sent: Mapped[int] = mapped_column(default=0)
    attempts: Mapped[int] = mapped_column(default=0)
    last_error: Mapped[str | None] = mapped_column(String(200))
    answer_to: Mapped[int | None] = mapped_column(index=True)


class Subscription(Base):
    """Wish to hear of policies on one channel; ended, not deleted, when one unsubscribes.

    ``channel`` is ``chat``, or the one of a :class:`store.notice_models.NoticeContact`. ``link_id``
    names it in links (192 random bits), ``consent`` says how one outside the chat was given.
    """

    __tablename__ = "subscriptions"

    citizen_id: Mapped[str] = mapped_column(ForeignKey("citizens.id"), primary_key=True)
    channel: Mapped[str] = mapped_column(String(10), primary_key=True, default="chat")
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    ended_at: Mapped[datetime | None]
    link_id: Mapped[str] = mapped_column(String(32), unique=True, default=new_progress_token)
    consent: Mapped[Sealed | None] = mapped_column(Encrypted)


class UnclearMessage(Base):
    """A message the assistant did not understand, or hardly; it names no citizen.

    ``words`` are masked (base.masking) and encrypted. ``intent`` is what it was decided to mean.
    """

    __tablename__ = "unclear_messages"

    id: Mapped[int] = mapped_column(primary_key=True)
    message_id: Mapped[str] = mapped_column(String(40), index=True)
    at: Mapped[datetime] = mapped_column(default=utc_now, index=True)
    words: Mapped[Sealed] = mapped_column(Encrypted)
    ranking: Mapped[list[dict[str, Any]]] = mapped_column(JSON)  # [{"name", "confidence"}]
    chosen: Mapped[str | None] = mapped_column(String(40))  # the button the citizen pressed
    state: Mapped[str] = mapped_column(String(10), default="open")  # open | decided | dropped
    intent: Mapped[str | None] = mapped_column(String(40))


class AuditEntry(Base):
    """A read of personal data: who, when, what, why.

    Entries are numbered without gaps and chained: ``hash`` covers the entry and the ``hash`` of
    the one before (:mod:`store.audit`).
    """

    __tablename__ = "audit"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    at: Mapped[datetime] = mapped_column(default=utc_now, index=True)
    actor: Mapped[str] = mapped_column(String(160), index=True)
    purpose: Mapped[str] = mapped_column(String(80))
    record: Mapped[str] = mapped_column(String(200), index=True)
    field: Mapped[str] = mapped_column(String(40))
    hash: Mapped[str] = mapped_column(String(64))


class AuditHead(Base):
    """Where the chain of the audit ends, and where it begins once old entries were deleted.

    The one row (``id`` 1) is locked by whoever adds to the chain. ``cut_id`` and ``cut_hash`` are
    those of the last entry that retention deleted, 0 and zeros while none was.
    """

    __tablename__ = "audit_head"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    last_id: Mapped[int]
    last_hash: Mapped[str] = mapped_column(String(64))
    cut_id: Mapped[int] = mapped_column(default=0)
    cut_hash: Mapped[str] = mapped_column(String(64))


def plain(value: Any) -> Any:
    """Mark a plain value for an encrypted column (mypy knows those columns as Sealed)."""
    return value

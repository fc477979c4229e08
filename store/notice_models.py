"""The tables of policy notices: contacts, what is known, messages and what became of them."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from store.models import Base, utc_now
from store.privacy import Encrypted, Sealed


class NoticeContact(Base):
    """An address outside the chat where policies are told: an e-mail address, a robot's URL."""

    __tablename__ = "notice_contacts"
    __table_args__ = (UniqueConstraint("citizen_id", "channel", name="uq_notice_contacts"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    citizen_id: Mapped[str] = mapped_column(ForeignKey("citizens.id"))
    channel: Mapped[str] = mapped_column(String(10))  # email | wecom | dingtalk | feishu
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    address: Mapped[Sealed] = mapped_column(Encrypted)
    secret: Mapped[Sealed | None] = mapped_column(Encrypted)


class PolicyVersion(Base):
    """A version of a policy, and when this installation first had it."""

    __tablename__ = "policy_versions"

    policy_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    first_seen_at: Mapped[datetime]


class NoticeWatch(Base):
    """When a person's policies were last looked at, with which policies, and when next.

    ``settled_at`` is the last look after which nothing was left to tell.
    """

    __tablename__ = "notice_watches"

    citizen_id: Mapped[str] = mapped_column(ForeignKey("citizens.id"), primary_key=True)
    looked_at: Mapped[datetime]
    settled_at: Mapped[datetime | None]
    fingerprint: Mapped[str] = mapped_column(String(16))
    next_at: Mapped[datetime] = mapped_column(index=True)


class NoticeDigest(Base):
    """One message about policies to one person, whatever channels it goes out on."""

    __tablename__ = "notice_digests"
    __table_args__ = (Index("ix_notice_digests_citizen", "citizen_id", "created_at"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    citizen_id: Mapped[str] = mapped_column(ForeignKey("citizens.id"))
    created_at: Mapped[datetime] = mapped_column(default=utc_now)

    notices: Mapped[list[PolicyNotice]] = relationship(order_by="PolicyNotice.id")


class PolicyNotice(Base):
    """That a person knows of a policy's version, once a ``slot``: the constraint says so.

    ``slot`` is ``match``, or ``closes_7``, ``closes_3``, ``closes_1`` for the end of the window.
    ``trigger`` is why it was told, ``known`` when he had seen it already and nothing was sent.
    ``opened_at`` is when he first asked in the chat about the policy he was told of, or pressed a
    button of the message; that a mail was read nobody can know.
    """

    __tablename__ = "policy_notices"
    __table_args__ = (
        UniqueConstraint("citizen_id", "policy_id", "version", "slot", name="uq_policy_notices"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    citizen_id: Mapped[str] = mapped_column(ForeignKey("citizens.id"))
    policy_id: Mapped[str] = mapped_column(String(64))
    version: Mapped[int]
    slot: Mapped[str] = mapped_column(String(10))
    trigger: Mapped[str] = mapped_column(String(10))
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    opened_at: Mapped[datetime | None]
    digest_id: Mapped[int | None] = mapped_column(ForeignKey("notice_digests.id"), index=True)


class NoticeDelivery(Base):
    """A digest on its way through one channel, once a channel.

    ``state`` is ``queued``, ``delivered``, ``opened`` (a button of it was pressed), ``failed``
    (given up) or ``ended`` (unsubscribed, or nothing in it is true any more).
    """

    __tablename__ = "notice_deliveries"
    __table_args__ = (
        UniqueConstraint("digest_id", "channel", name="uq_notice_deliveries"),
        Index("ix_notice_deliveries_due", "state", "due_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    digest_id: Mapped[int] = mapped_column(ForeignKey("notice_digests.id"))
    channel: Mapped[str] = mapped_column(String(10))
    state: Mapped[str] = mapped_column(String(10), default="queued")
    attempts: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    due_at: Mapped[datetime] = mapped_column(default=utc_now)
    delivered_at: Mapped[datetime | None]
    opened_at: Mapped[datetime | None]
    last_error: Mapped[str | None] = mapped_column(String(200))
    # the message in the inbox, for the channel chat
    message_id: Mapped[int | None] = mapped_column(ForeignKey("outgoing_messages.id"), index=True)


class PolicyFeedback(Base):
    """What a person said of a policy: ``applied``, ``declined`` or ``remind`` (of its end)."""

    __tablename__ = "policy_feedback"

    citizen_id: Mapped[str] = mapped_column(ForeignKey("citizens.id"), primary_key=True)
    policy_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    feedback: Mapped[str] = mapped_column(String(10))
    at: Mapped[datetime] = mapped_column(default=utc_now)

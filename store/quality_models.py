"""Tables of the quality of service answers. None of them names a citizen."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from store.models import Base, utc_now
from store.privacy import Encrypted, Sealed


class AnswerCount(Base):
    """How often an item was answered on a day, and how often a person was asked for right after."""

    __tablename__ = "answer_counts"

    service_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    answers: Mapped[int] = mapped_column(default=0)
    hand_overs: Mapped[int] = mapped_column(default=0)


class AnswerRating(Base):
    """What a citizen thought of an answer.

    ``key`` is a hash of the id of the message at which he was asked: pressing twice changes
    the rating, and nobody finds the conversation by it.
    """

    __tablename__ = "answer_ratings"

    key: Mapped[str] = mapped_column(String(64), primary_key=True)
    service_id: Mapped[str] = mapped_column(String(64), index=True)
    day: Mapped[date] = mapped_column(index=True)
    useful: Mapped[bool]
    reason: Mapped[str | None] = mapped_column(String(20))


class SettledGroup(Base):
    """A group of unanswered questions that an editor has dealt with (:mod:`store.settled_groups`).

    ``title`` is a copy of the masked words of one of its questions.
    """

    __tablename__ = "settled_groups"

    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[Sealed] = mapped_column(Encrypted)
    outcome: Mapped[str] = mapped_column(String(12))  # store.settled_groups.Outcome
    matter: Mapped[str | None] = mapped_column(String(64))
    note: Mapped[Sealed | None] = mapped_column(Encrypted)
    settled_by: Mapped[str] = mapped_column(String(160))
    settled_at: Mapped[datetime] = mapped_column(default=utc_now, index=True)


class UnansweredQuestion(Base):
    """A question about getting something done that found no answer of the city's.

    ``words`` are masked (base.masking) and encrypted; ``key`` is the hash of the message id.
    ``settled_id`` is the group it was dealt with in; such a question is on no list any more.
    """

    __tablename__ = "unanswered_questions"

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(String(64), unique=True)
    at: Mapped[datetime] = mapped_column(default=utc_now, index=True)
    kind: Mapped[str] = mapped_column(String(12))  # store.answer_quality.Kind
    words: Mapped[Sealed] = mapped_column(Encrypted)
    candidates: Mapped[list[dict[str, Any]]] = mapped_column(JSON)  # [{"id", "score"}]
    settled_id: Mapped[int | None] = mapped_column(ForeignKey(SettledGroup.id), index=True)

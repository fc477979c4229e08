"""Citizens: profiles, subscriptions, messages that wait for them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import delete, or_, select, update
from sqlalchemy.orm import Session

from base.identity import channel_of
from store.answered import forget_answers
from store.appointment_models import Appointment
from store.checklists import forget_checklists
from store.consents import withdraw
from store.database import insert_missing
from store.erasures import ask_for_erasure
from store.handover import forget_citizen
from store.identities import forget_links, mine
from store.incoming import forget_given_up
from store.models import Citizen, OutgoingMessage, Subscription, plain, utc_now
from store.notice_models import (
    NoticeContact,
    NoticeDelivery,
    NoticeDigest,
    NoticeWatch,
    PolicyFeedback,
    PolicyNotice,
)
from store.privacy import reveal
from store.privacy_models import DataExport
from store.spoken import forget_spoken
from store.tickets import city_day

CHAT = "chat"
"""The channel of the conversation itself."""


@dataclass(frozen=True)
class Told:
    """When what is known of a person was told.

    Args:
        days: the day (city time) on which a column was last told, by kind and column; columns
            told before such days were kept are missing.
        birth: the birth date, when it is known.
        since: the day the person was first seen: nothing was told earlier.
        consent: how and when somebody else's system says he agreed, and to what; None without.
    """

    days: dict[str, dict[str, date]]
    birth: date | None
    since: date
    consent: dict[str, str] | None = None


def citizen(session: Session, citizen_id: str) -> Citizen:
    """Return the citizen, created on first sight."""
    insert_missing(session, Citizen(id=citizen_id), citizen_id)
    return session.get_one(Citizen, citizen_id)


def read_profiles(
    session: Session, citizen_id: str, purpose: str, actor: str | None = None
) -> dict[str, dict[str, Any]]:
    """Return ``{"enterprise": {...}, "resident": {...}}`` as far as known (audited).

    ``actor`` is who reads, the citizen himself when nobody is named.
    """
    record = session.get(Citizen, citizen_id)
    if record is None or record.profile is None:
        return {}
    profiles: dict[str, dict[str, Any]] = reveal(
        session, record, "profile", actor=actor or f"citizen:{citizen_id}", purpose=purpose
    )
    return profiles


def read_told(session: Session, citizen_id: str, purpose: str, actor: str | None = None) -> Told:
    """Return when the citizen told what is known of him (audited, as :func:`read_profiles`)."""
    record = session.get(Citizen, citizen_id)
    if record is None:
        return Told({}, None, city_day(utc_now()))
    kept: dict[str, Any] = {}
    if record.told is not None:
        who = actor or f"citizen:{citizen_id}"
        kept = reveal(session, record, "told", actor=who, purpose=purpose)
    days = {
        kind: {name: date.fromisoformat(day) for name, day in columns.items()}
        for kind, columns in kept.get("days", {}).items()
    }
    birth = kept.get("birth")
    return Told(
        days,
        date.fromisoformat(birth) if birth else None,
        city_day(record.created_at),
        kept.get("consent"),
    )


def save_profile(  # noqa: PLR0913
    session: Session,
    citizen_id: str,
    kind: str,
    attributes: dict[str, Any],
    told: Collection[str] = (),
    now: datetime | None = None,
) -> None:
    """Store the attributes of one kind, replacing what was known of that kind.

    The day is kept with every column that changed and with those in ``told``, which were said
    (again) just now: an age is only worth something with the day it was told.
    """
    moment = now or utc_now()
    profiles = read_profiles(session, citizen_id, "profile_update")
    known = read_told(session, citizen_id, "profile_update")
    before, days = profiles.get(kind, {}), known.days.get(kind, {})
    today = city_day(moment)
    days = {
        name: today if name in told or value != before.get(name) else days[name]
        for name, value in attributes.items()
        if name in told or value != before.get(name) or name in days
    }
    record = citizen(session, citizen_id)
    record.profile = plain({**profiles, kind: attributes})
    record.told = plain(_told_row(replace(known, days={**known.days, kind: days})))
    record.profile_changed_at = moment


def save_birth(
    session: Session, citizen_id: str, birth: date | None, now: datetime | None = None
) -> None:
    """Keep the birth date of the resident the profile is about, or forget it."""
    known = read_told(session, citizen_id, "profile_update")
    record = citizen(session, citizen_id)
    record.told = plain(_told_row(replace(known, birth=birth)))
    record.profile_changed_at = now or utc_now()


def save_consent(session: Session, citizen_id: str, consent: dict[str, str]) -> None:
    """Keep how the citizen agreed to what is stored of him; the former record is replaced."""
    known = read_told(session, citizen_id, "profile_update")
    citizen(session, citizen_id).told = plain(_told_row(replace(known, consent=consent)))


def _told_row(told: Told) -> dict[str, Any]:
    days = {k: {name: day.isoformat() for name, day in c.items()} for k, c in told.days.items()}
    birth = told.birth.isoformat() if told.birth else None
    row: dict[str, Any] = {"days": days, "birth": birth}
    return row if told.consent is None else row | {"consent": told.consent}


def forget_profile(session: Session, citizen_id: str) -> bool:
    """Erase every personal column, contacts, notices, checklists and hand-overs; end subscriptions.

    Of this conversation alone: what was begun in a linked one stays there, and the link ends.
    What was said goes in both, soon after (:mod:`store.erasures`). Messages that were read go
    too, and every consent counts as withdrawn. Tell whether anything but words was there.

    Tickets stay: they are the city's record of a case (see docs/privacy.md). Appointments go but
    for those that are still to come: a window waits.
    """
    record = session.get(Citizen, citizen_id)
    ask_for_erasure(session, mine(session, citizen_id), utc_now())
    ended = forget_citizen(session, citizen_id) | unsubscribe_all(session, citizen_id)
    listed = forget_checklists(session, citizen_id) | forget_links(session, citizen_id)
    forget_spoken(session, citizen_id)
    forget_answers(session, citizen_id)
    forget_given_up(session, citizen_id)
    session.execute(
        delete(Appointment).where(
            Appointment.citizen_id == citizen_id, Appointment.state != "requested"
        )
    )
    if record is None:
        return ended or listed
    _forget_rest(session, citizen_id, utc_now())
    known = any(
        value is not None for value in (record.profile, record.name, record.phone, record.id_number)
    )
    record.profile = record.name = record.phone = record.id_number = record.told = None
    record.profile_changed_at = None
    _forget_notices(session, citizen_id)
    return known or ended or listed


def _forget_rest(session: Session, citizen_id: str, now: datetime) -> None:
    """Delete messages he has read and links to his data, and note that he agrees no more."""
    session.execute(delete(DataExport).where(DataExport.citizen_id == citizen_id))
    read = select(OutgoingMessage.id).where(
        OutgoingMessage.citizen_id == citizen_id, OutgoingMessage.delivered_at.is_not(None)
    )
    session.execute(
        update(NoticeDelivery).where(NoticeDelivery.message_id.in_(read)).values(message_id=None)
    )
    session.execute(delete(OutgoingMessage).where(OutgoingMessage.id.in_(read)))
    withdraw(session, citizen_id, now)


def _forget_notices(session: Session, citizen_id: str) -> None:
    """Delete what was told of policies and where; the records of consent stay, without words."""
    digests = select(NoticeDigest.id).where(NoticeDigest.citizen_id == citizen_id)
    session.execute(delete(NoticeDelivery).where(NoticeDelivery.digest_id.in_(digests)))
    for model in (PolicyNotice, NoticeDigest, NoticeContact, NoticeWatch, PolicyFeedback):
        session.execute(delete(model).where(model.citizen_id == citizen_id))
    session.execute(
        update(Subscription).where(Subscription.citizen_id == citizen_id).values(consent=None)
    )


def subscribe(
    session: Session,
    citizen_id: str,
    channel: str = CHAT,
    consent: str | None = None,
    now: datetime | None = None,
) -> bool:
    """Subscribe to policies on a channel; False when already subscribed there.

    Who begins anew hears of what comes from now on: see :mod:`store.notices`.
    """
    moment = now or utc_now()
    citizen(session, citizen_id)
    before = channels_of(session, citizen_id)
    found = session.get(Subscription, (citizen_id, channel))
    if channel in before:
        return False
    if found is None:
        found = Subscription(citizen_id=citizen_id, channel=channel)
        session.add(found)
    found.ended_at, found.created_at, found.consent = None, moment, plain(consent)
    if not before:
        session.execute(delete(NoticeWatch).where(NoticeWatch.citizen_id == citizen_id))
    session.flush()
    return True


def unsubscribe(
    session: Session, citizen_id: str, channel: str = CHAT, now: datetime | None = None
) -> bool:
    """End the subscription of one channel; False when there was none."""
    found = session.get(Subscription, (citizen_id, channel))
    if found is None or found.ended_at is not None:
        return False
    found.ended_at = now or utc_now()
    session.flush()
    if not channels_of(session, citizen_id):
        withdraw(session, citizen_id, found.ended_at, "policy_notices")
    return True


def unsubscribe_all(session: Session, citizen_id: str, now: datetime | None = None) -> bool:
    """End the subscriptions of every channel; False when there was none."""
    ended = [
        unsubscribe(session, citizen_id, channel, now)
        for channel in channels_of(session, citizen_id)
    ]
    return bool(ended)


def channels_of(session: Session, citizen_id: str) -> tuple[str, ...]:
    """Return the channels on which the citizen wants to hear of policies now."""
    return tuple(
        session.scalars(
            select(Subscription.channel)
            .where(Subscription.citizen_id == citizen_id, Subscription.ended_at.is_(None))
            .order_by(Subscription.channel)
        )
    )


def queue_message(
    session: Session, citizen_id: str, replies: list[dict[str, Any]], now: datetime | None = None
) -> OutgoingMessage:
    """Put replies (Chat API form) in the citizen's inbox, in the caller's transaction.

    Where the citizen is on a channel that is pushed to, they are sent to him.
    """
    moment = now or utc_now()
    message = OutgoingMessage(
        citizen_id=citizen_id,
        channel=channel_of(citizen_id),
        body=plain(replies),
        created_at=moment,
        due_at=moment,
    )
    session.add(message)
    return message


def inbox(
    session: Session, citizen_id: str, after: int, limit: int = 50
) -> list[tuple[int, list[dict[str, Any]]]]:
    """Return ``(id, replies)`` of messages with an id above ``after``, oldest first (audited).

    They count as delivered only when the client says so: see :func:`acknowledge`.
    """
    rows = session.scalars(
        select(OutgoingMessage)
        .where(OutgoingMessage.citizen_id == citizen_id, OutgoingMessage.id > after)
        .order_by(OutgoingMessage.id)
        .limit(limit)
    ).all()
    messages = []
    for row in rows:
        body = reveal(
            session, row, "body", actor=f"citizen:{citizen_id}", purpose="message_delivery"
        )
        messages.append((row.id, body))
    return messages


def acknowledge(session: Session, citizen_id: str, upto: int) -> None:
    """Mark the citizen's messages up to the id ``upto`` as delivered: the client has them."""
    now = utc_now()
    taken = session.scalars(
        update(OutgoingMessage)
        .where(
            OutgoingMessage.citizen_id == citizen_id,
            OutgoingMessage.id <= upto,
            OutgoingMessage.delivered_at.is_(None),
        )
        .values(delivered_at=now, state="sent")
        .returning(OutgoingMessage.id)
    ).all()
    note_delivered(session, taken, now)


def note_delivered(session: Session, messages: Sequence[int], now: datetime) -> None:
    """Note which policy notices arrived with these messages."""
    if messages:
        session.execute(
            update(NoticeDelivery)
            .where(NoticeDelivery.message_id.in_(messages), NoticeDelivery.state == "queued")
            .values(state="delivered", delivered_at=now)
        )


def last_message_id(session: Session, citizen_id: str) -> int:
    """Return the citizen's newest message id that a client acknowledged, 0 without one."""
    found = session.scalars(
        select(OutgoingMessage.id)
        .where(OutgoingMessage.citizen_id == citizen_id, OutgoingMessage.delivered_at.is_not(None))
        .order_by(OutgoingMessage.id.desc())
        .limit(1)
    ).first()
    return found or 0


def has_messages(session: Session, citizen_id: str, after: int) -> bool:
    """Tell whether anything waits above ``after``, without reading it."""
    return (
        session.scalars(
            select(OutgoingMessage.id)
            .where(OutgoingMessage.citizen_id == citizen_id, OutgoingMessage.id > after)
            .limit(1)
        ).first()
        is not None
    )


def is_settled(session: Session, citizen_id: str, after: int) -> bool:
    """Tell whether nothing waits above ``after`` and everything up to it is acknowledged."""
    return (
        session.scalars(
            select(OutgoingMessage.id)
            .where(
                OutgoingMessage.citizen_id == citizen_id,
                or_(OutgoingMessage.id > after, OutgoingMessage.delivered_at.is_(None)),
            )
            .limit(1)
        ).first()
        is None
    )

"""Citizens: profiles, subscriptions, messages that wait for them."""

from __future__ import annotations

from typing import Any

from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session

from store.database import insert_missing
from store.models import Citizen, OutgoingMessage, Subscription, plain, utc_now
from store.privacy import reveal


def citizen(session: Session, citizen_id: str) -> Citizen:
    """Return the citizen, created on first sight."""
    insert_missing(session, Citizen(id=citizen_id), citizen_id)
    return session.get_one(Citizen, citizen_id)


def read_profiles(session: Session, citizen_id: str, purpose: str) -> dict[str, dict[str, Any]]:
    """Return ``{"enterprise": {...}, "resident": {...}}`` as far as known (audited)."""
    record = session.get(Citizen, citizen_id)
    if record is None or record.profile is None:
        return {}
    profiles: dict[str, dict[str, Any]] = reveal(
        session, record, "profile", actor=f"citizen:{citizen_id}", purpose=purpose
    )
    return profiles


def save_profile(session: Session, citizen_id: str, kind: str, attributes: dict[str, Any]) -> None:
    """Store the attributes of one kind, replacing what was known of that kind."""
    profiles = read_profiles(session, citizen_id, "profile_update")
    citizen(session, citizen_id).profile = plain({**profiles, kind: attributes})


def forget_profile(session: Session, citizen_id: str) -> bool:
    """Erase every personal column and end the subscription; tell whether anything was there.

    Tickets stay: they are the city's record of a case (see docs/privacy.md).
    """
    record = session.get(Citizen, citizen_id)
    ended = unsubscribe(session, citizen_id)
    if record is None:
        return ended
    known = any(
        value is not None for value in (record.profile, record.name, record.phone, record.id_number)
    )
    record.profile = record.name = record.phone = record.id_number = None
    return known or ended


def subscribe(session: Session, citizen_id: str) -> bool:
    """Subscribe to new policies; False when already subscribed."""
    citizen(session, citizen_id)
    found = session.get(Subscription, citizen_id)
    if found is None:
        session.add(Subscription(citizen_id=citizen_id))
        return True
    if found.ended_at is None:
        return False
    found.ended_at, found.created_at = None, utc_now()
    return True


def unsubscribe(session: Session, citizen_id: str) -> bool:
    """End the subscription; False when there was none."""
    found = session.get(Subscription, citizen_id)
    if found is None or found.ended_at is not None:
        return False
    found.ended_at = utc_now()
    return True


def queue_message(session: Session, citizen_id: str, replies: list[dict[str, Any]]) -> None:
    """Put replies (Chat API form) in the citizen's inbox, in the caller's transaction."""
    session.add(OutgoingMessage(citizen_id=citizen_id, body=plain(replies)))


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
    session.execute(
        update(OutgoingMessage)
        .where(
            OutgoingMessage.citizen_id == citizen_id,
            OutgoingMessage.id <= upto,
            OutgoingMessage.delivered_at.is_(None),
        )
        .values(delivered_at=utc_now())
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

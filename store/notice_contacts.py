"""Addresses outside the chat where policies are told, each with its consent, and the ways out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from store.models import Subscription, plain
from store.notice_models import NoticeContact, NoticeDelivery, NoticeDigest
from store.people import CHAT, citizen, subscribe, unsubscribe


def save_contact(  # noqa: PLR0913
    session: Session,
    citizen_id: str,
    channel: str,
    address: str,
    secret: str | None,
    consent: str,
    now: datetime,
) -> None:
    """Register a checked address and the consent to it; a former address is replaced."""
    citizen(session, citizen_id)
    row = contact(session, citizen_id, channel)
    if row is None:
        row = NoticeContact(citizen_id=citizen_id, channel=channel, created_at=now)
        session.add(row)
    row.address, row.secret = plain(address), plain(secret)
    unsubscribe(session, citizen_id, channel, now)
    subscribe(session, citizen_id, channel, consent, now)


def contact(session: Session, citizen_id: str, channel: str) -> NoticeContact | None:
    """Return the address of a person on a channel, None when there is none."""
    return session.scalars(
        select(NoticeContact).where(
            NoticeContact.citizen_id == citizen_id, NoticeContact.channel == channel
        )
    ).first()


def remove_contact(session: Session, citizen_id: str, channel: str, now: datetime) -> bool:
    """Delete an address and end its subscription; False when there was none."""
    found = contact(session, citizen_id, channel)
    if found is None:
        return False
    session.delete(found)
    unsubscribe(session, citizen_id, channel, now)
    end_deliveries(session, citizen_id, [channel])
    return True


def find_contacts(session: Session) -> Sequence[tuple[NoticeContact, Subscription]]:
    """Return every contact with its subscription, in the order they were registered."""
    rows = session.execute(
        select(NoticeContact, Subscription)
        .join(
            Subscription,
            (Subscription.citizen_id == NoticeContact.citizen_id)
            & (Subscription.channel == NoticeContact.channel),
        )
        .order_by(NoticeContact.id)
    )
    return [(row[0], row[1]) for row in rows]


def link_of(session: Session, citizen_id: str, channel: str) -> str:
    """Return the name of a subscription in links."""
    return session.get_one(Subscription, (citizen_id, channel)).link_id


def end_by_link(session: Session, link_id: str, now: datetime) -> None:
    """End the subscription with this name in links, and what is on its way; unknown: nothing."""
    found = session.scalars(select(Subscription).where(Subscription.link_id == link_id)).first()
    if found is not None and unsubscribe(session, found.citizen_id, found.channel, now):
        end_deliveries(session, found.citizen_id, [found.channel])


def end_deliveries(session: Session, citizen_id: str, channels: Iterable[str]) -> None:
    """Stop what is still on its way to a person through ``channels``."""
    digests = select(NoticeDigest.id).where(NoticeDigest.citizen_id == citizen_id)
    session.execute(
        update(NoticeDelivery)
        .where(
            NoticeDelivery.digest_id.in_(digests),
            NoticeDelivery.channel.in_(tuple(channels)),
            NoticeDelivery.channel != CHAT,
            NoticeDelivery.state == "queued",
        )
        .values(state="ended")
    )

"""Photos of the result, which the dispatch system offers and which still have to be fetched."""

from __future__ import annotations

import secrets
from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from store.media import store_fetched
from store.models import Media, Ticket

SENDER = "dispatch"
"""Whose a photo is that no citizen sent."""


def expect_photo(session: Session, ticket: Ticket, source_url: str) -> Media:
    """Note that a photo of the result lies at ``source_url``, in the caller's transaction.

    Until it is fetched it has no bytes: ``size`` is 0.
    """
    photo = Media(
        id=secrets.token_hex(16),
        citizen_id=SENDER,
        ticket_id=ticket.id,
        content_type="image/jpeg",
        role="after",
        source_url=source_url,
        size=0,
        sha256="",
    )
    session.add(photo)
    return photo


def known_sources(session: Session, ticket: Ticket) -> frozenset[str]:
    """Return the addresses of a ticket's photos that are still to be fetched or were."""
    found = session.scalars(
        select(Media.source_url).where(Media.ticket_id == ticket.id, Media.role == "after")
    )
    return frozenset(url for url in found if url)


def waiting_photos(session: Session, limit: int) -> Sequence[Media]:
    """Return photos that still have to be fetched, the newest first.

    So one that fails for hours holds none up that has just been announced.
    """
    return session.scalars(
        select(Media)
        .where(Media.role == "after", Media.size == 0, Media.source_url.is_not(None))
        .order_by(Media.created_at.desc(), Media.id)
        .limit(limit)
    ).all()


def keep_photo(session: Session, media_id: str, data: bytes, content_type: str) -> bool:
    """Store the bytes of an expected photo; False when it has them already.

    They are on disk before the row says so.
    """
    photo = session.get_one(Media, media_id, with_for_update=True)
    if photo.size:
        return False
    store_fetched(session, photo, data, content_type, None)
    return True


def give_up_photo(session: Session, media_id: str) -> None:
    """Expect a photo no longer: it is neither fetched nor shown."""
    photo = session.get_one(Media, media_id)
    photo.source_url = None

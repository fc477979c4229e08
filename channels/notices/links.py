"""The signed link by which whoever has a message ends what sent it."""

from __future__ import annotations

from datetime import datetime, timedelta

from base.links import address_is_valid, signed_address
from base.settings import Settings
from store.database import unit_of_work
from store.notice_contacts import end_by_link

LINK_DAYS = 400
"""An old mail must still be able to end what it began."""


def unsubscribe_url(settings: Settings, link_id: str, now: datetime) -> str:
    """Return the address that ends one person's subscription on one channel."""
    return signed_address(settings, _path(link_id), now, timedelta(days=LINK_DAYS))


def may_unsubscribe(
    settings: Settings, link_id: str, expires: int, signature: str, now: datetime
) -> bool:
    """Tell whether a link is one of ours and has not run out."""
    return address_is_valid(settings, _path(link_id), expires, signature, now)


def unsubscribe_by_link(link_id: str, now: datetime) -> None:
    """End the subscription a valid link names; one that has ended stays so."""
    with unit_of_work() as session:
        end_by_link(session, link_id, now)


def _path(link_id: str) -> str:
    return f"/unsubscribe/{link_id}"

"""The signed link by which whoever has a message ends what sent it."""

from __future__ import annotations

from datetime import datetime, timedelta

from base.links import link_is_valid, sign_link
from base.settings import Settings
from store.database import unit_of_work
from store.notice_contacts import end_by_link

LINK_DAYS = 400
"""An old mail must still be able to end what it began."""


def unsubscribe_url(settings: Settings, link_id: str, now: datetime) -> str:
    """Return the address that ends one person's subscription on one channel."""
    secret = settings.session_key.get_secret_value()
    expires = int((now + timedelta(days=LINK_DAYS)).timestamp())
    return f"{settings.public_url.rstrip('/')}{sign_link(secret, _path(link_id), expires)}"


def may_unsubscribe(
    settings: Settings, link_id: str, expires: int, signature: str, now: datetime
) -> bool:
    """Tell whether a link is one of ours and has not run out."""
    secret = settings.session_key.get_secret_value()
    return link_is_valid(secret, _path(link_id), expires, signature, now.timestamp())


def unsubscribe_by_link(link_id: str, now: datetime) -> None:
    """End the subscription a valid link names; one that has ended stays so."""
    with unit_of_work() as session:
        end_by_link(session, link_id, now)


def _path(link_id: str) -> str:
    return f"/unsubscribe/{link_id}"

"""The signed link to a checklist's page for printing and keeping."""

from __future__ import annotations

from datetime import datetime, timedelta

from base.links import address_is_valid, signed_address
from base.settings import Settings

LINK_DAYS = 180
"""Longer than any of the matters takes; the chat gives a fresh link every time."""


def checklist_url(settings: Settings, checklist_id: str, now: datetime) -> str:
    """Return the address of a checklist's page, good for ``LINK_DAYS``."""
    return signed_address(settings, path_of(checklist_id), now, timedelta(days=LINK_DAYS))


def may_read(
    settings: Settings, checklist_id: str, expires: int, signature: str, now: datetime
) -> bool:
    """Tell whether a link is one of ours and has not run out."""
    return address_is_valid(settings, path_of(checklist_id), expires, signature, now)


def path_of(checklist_id: str) -> str:
    """Return the path that is signed; the plain-text page shares its signature."""
    return f"/checklist/{checklist_id}"

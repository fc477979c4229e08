"""What the buttons stand for that were offered on platforms with short names for them."""

from __future__ import annotations

import secrets
from datetime import datetime

from sqlalchemy import delete
from sqlalchemy.orm import Session

from store.channel_models import OfferedButton
from store.models import plain, utc_now
from store.privacy import reveal

TOKEN_CHARS = 16


def offer(session: Session, citizen_id: str, payload: str) -> str:
    """Keep what a button stands for and return its name, 16 characters of a URL."""
    token = secrets.token_urlsafe(TOKEN_CHARS * 3 // 4)
    session.add(
        OfferedButton(
            token=token, citizen_id=citizen_id, payload=plain(payload), offered_at=utc_now()
        )
    )
    return token


def pressed(session: Session, citizen_id: str, token: str) -> str | None:
    """Return what a button stands for that was offered to this citizen (audited), else None."""
    row = session.get(OfferedButton, token)
    if row is None or row.citizen_id != citizen_id:
        return None
    payload = reveal(
        session, row, "payload", actor=f"citizen:{citizen_id}", purpose="button_pressed"
    )
    return str(payload)


def forget_buttons(session: Session, before: datetime) -> None:
    """Delete buttons offered before ``before``."""
    session.execute(delete(OfferedButton).where(OfferedButton.offered_at < before))

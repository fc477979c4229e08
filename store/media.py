"""Photos and recordings: rows in the database, bytes encrypted in a folder."""

from __future__ import annotations

import hashlib
import os
import secrets
from pathlib import Path
from typing import Any

from cryptography.fernet import InvalidToken
from sqlalchemy.orm import Session

from base.errors import ConfigurationError
from base.settings import get_settings
from store.models import AuditEntry, Media, plain
from store.privacy import cipher


def save_media(
    session: Session,
    citizen_id: str,
    data: bytes,
    content_type: str,
    evidence: dict[str, Any] | None,
) -> Media:
    """Encrypt ``data`` into the media folder and add its row.

    The file is on disk (fsynced) before the row commits: a crash may leave a file without
    a row, never a row without its file.
    """
    media_id = secrets.token_hex(16)
    write_bytes(media_id, data)
    media = Media(
        id=media_id,
        citizen_id=citizen_id,
        content_type=content_type,
        size=len(data),
        sha256=hashlib.sha256(data).hexdigest(),
        evidence=plain(evidence),
    )
    session.add(media)
    return media


def write_bytes(media_id: str, data: bytes) -> None:
    """Encrypt ``data`` into the media folder under ``media_id``; on disk when it returns."""
    path = _path(media_id)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        file.write(cipher().encrypt(data))
        file.flush()
        os.fsync(file.fileno())


def read_media(session: Session, media_id: str, *, actor: str, purpose: str) -> tuple[Media, bytes]:
    """Return a media row and its decrypted bytes (audited).

    Raises:
        LookupError: no such media.
        ConfigurationError: the bytes cannot be decrypted with the present key.
    """
    media = session.get(Media, media_id)
    if media is None or not _path(media_id).is_file():
        raise LookupError(media_id)
    session.add(
        AuditEntry(actor=actor, purpose=purpose, record=f"media:{media_id}", field="content")
    )
    try:
        return media, cipher().decrypt(_path(media_id).read_bytes())
    except InvalidToken as error:
        raise ConfigurationError(f"media:{media_id} cannot be decrypted") from error


def attach_media(
    session: Session, citizen_id: str, media_ids: tuple[str, ...], ticket_id: str
) -> tuple[str, ...]:
    """Bind the citizen's own media to a ticket; foreign or unknown ids are ignored.

    Returns:
        The ids that were bound.
    """
    bound = []
    for media_id in media_ids:
        media = session.get(Media, media_id)
        if media is not None and media.citizen_id == citizen_id:
            media.ticket_id = ticket_id
            bound.append(media_id)
    return tuple(bound)


def _path(media_id: str) -> Path:
    return get_settings().media_dir / media_id[:2] / f"{media_id}.bin"

"""Photos, videos and recordings: rows in the database, bytes encrypted in the media store."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable
from datetime import timedelta
from itertools import islice, product
from typing import Any, Literal

import structlog
from sqlalchemy import delete, event, select
from sqlalchemy.orm import Session

from base.errors import StateError, UpstreamError
from store.blobs import blob_store
from store.file_cipher import open_file, seal_file
from store.models import Media, OpenDraft, plain, utc_now
from store.privacy import note_access

log = structlog.get_logger(__name__)

Copy = Literal["original", "public", "thumb"]
"""The bytes of a photo: as it came, blurred for everybody, and small."""

SAME_PICTURE = 8
"""Bits of 64 by which two copies of one photo may differ; measured in docs/photos.md."""

SAME_SHOT = 2
"""Bits within which a photo sent twice is not kept twice: two shots of one scene differ more."""

_REPEAT_WITHIN = timedelta(days=1)
_STRAY_AFTER = timedelta(days=1)
_BATCH = 500
_SUFFIX: dict[Copy, str] = {"original": "bin", "public": "public", "thumb": "thumb"}


def save_media(  # noqa: PLR0913 - one row
    session: Session,
    citizen_id: str,
    data: bytes,
    content_type: str,
    evidence: dict[str, Any] | None,
    perceptual_hash: str | None = None,
) -> Media:
    """Encrypt ``data`` into the media store and add its row.

    The bytes are kept before the row commits: a crash may leave bytes without a row (swept
    later), never a row without its bytes. Save before anything else in a unit of work: it takes
    the database's write lock with its first statement.

    Raises:
        UpstreamError: ``media_unavailable``; nothing was kept.
    """
    media = Media(
        id=secrets.token_hex(16),
        citizen_id=citizen_id,
        content_type=content_type,
        size=len(data),
        sha256=hashlib.sha256(data).hexdigest(),
        perceptual_hash=perceptual_hash,
        evidence=plain(evidence),
    )
    _put(media.id, "original", data)
    session.add(media)
    return media


def store_fetched(
    session: Session, media: Media, data: bytes, content_type: str, perceptual_hash: str | None
) -> None:
    """Give a row that only named its ``source_url`` the bytes fetched from there.

    Bytes first, row after, as in :func:`save_media`; doing it twice does no harm.

    Raises:
        UpstreamError: ``media_unavailable``; the row is as before.
    """
    _put(media.id, "original", data)
    media.content_type = content_type
    media.size = len(data)
    media.sha256 = hashlib.sha256(data).hexdigest()
    media.perceptual_hash = perceptual_hash
    session.add(media)


def read_media(
    session: Session, media_id: str, *, actor: str, purpose: str, copy: Copy = "original"
) -> tuple[Media, bytes]:
    """Return a media row and the decrypted bytes of one of its copies (audited).

    Raises:
        LookupError: no such media, or this copy has not been made yet.
        StateError: ``media_awaited``: the bytes have not been fetched from their source yet.
        UpstreamError: ``media_unavailable``.
        ConfigurationError: the bytes cannot be decrypted with the present key.
    """
    try:  # before the first statement: no lock is held while a distant store answers
        sealed = blob_store().get(_key(media_id, copy))
    except LookupError:
        sealed = None
    media = session.get(Media, media_id)
    if media is None:
        raise LookupError(media_id)
    if sealed is None:
        if copy == "original" and media.source_url:
            raise StateError("media_awaited", "照片还在取回来的路上，请过几分钟再看。", media_id)
        raise LookupError(_key(media_id, copy))
    field = "content" if copy == "original" else copy
    note_access(session, actor, purpose, f"media:{media_id}", field)
    return media, open_file(sealed, _key(media_id, copy))


def keep_copy(media_id: str, copy: Literal["public", "thumb"], data: bytes) -> None:
    """Keep a derived copy, so that it is made once; it goes with its photo.

    Raises:
        UpstreamError: ``media_unavailable``.
    """
    _put(media_id, copy, data)


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


# --- the same photo again ---------------------------------------------------------------


def hash_distance(first: str, second: str) -> int:
    """Count the bits (0 to 64) in which two perceptual hashes differ.

    Raises:
        ValueError: one of them is not hexadecimal.
    """
    return (int(first, 16) ^ int(second, 16)).bit_count()


def similar_photos(
    session: Session,
    media_ids: Iterable[str],
    ticket_ids: Iterable[str],
    within: int = SAME_PICTURE,
) -> dict[str, int]:
    """Find citizens' photos of some tickets that show the same picture as one of ``media_ids``.

    Returns:
        For each ticket with such a photo the smallest distance in bits (0 to ``within``).
    """
    hashed = select(Media.ticket_id, Media.perceptual_hash).where(
        Media.role == "report", Media.perceptual_hash.is_not(None)
    )
    wanted = session.execute(hashed.where(Media.id.in_(tuple(media_ids)))).all()
    known = session.execute(hashed.where(Media.ticket_id.in_(tuple(ticket_ids)))).all()
    found: dict[str, int] = {}
    for (_, first), (ticket_id, second) in product(wanted, known):
        distance = hash_distance(str(first), str(second))
        if distance <= min(within, found.get(str(ticket_id), within)):
            found[str(ticket_id)] = distance
    return found


def sent_before(
    session: Session, citizen_id: str, data: bytes, perceptual_hash: str | None
) -> Media | None:
    """Find the same photo or video that the citizen sent within a day, not yet on a ticket."""
    sha256 = hashlib.sha256(data).hexdigest()
    recent = session.scalars(
        select(Media)
        .where(
            Media.citizen_id == citizen_id,
            Media.ticket_id.is_(None),
            Media.role == "report",
            Media.created_at > utc_now() - _REPEAT_WITHIN,
        )
        .order_by(Media.created_at)
    )
    for media in recent:
        if media.sha256 == sha256:
            return media
        known = media.perceptual_hash
        if perceptual_hash and known and hash_distance(perceptual_hash, known) <= SAME_SHOT:
            return media
    return None


# --- forgetting -------------------------------------------------------------------------


def purge_unattached(session: Session, older_than: timedelta) -> int:
    """Delete media that no ticket took, unless their citizen has an open draft.

    The rows go with this unit of work; the bytes after it is committed, so that a crash leaves
    bytes without a row and never the reverse. :func:`sweep_strays` finds such bytes.

    Returns:
        How many rows are deleted.
    """
    gone = list(
        session.scalars(
            delete(Media)
            .where(
                Media.ticket_id.is_(None),
                Media.created_at < utc_now() - older_than,
                Media.citizen_id.not_in(select(OpenDraft.citizen_id)),
            )
            .returning(Media.id)
        )
    )
    count = len(gone)

    @event.listens_for(session, "after_commit")
    def _forget_bytes(_: Session) -> None:
        while gone and not session.in_nested_transaction():
            _forget(gone.pop())

    @event.listens_for(session, "after_soft_rollback")
    def _keep_bytes(*_: object) -> None:
        gone.clear()

    return count


def sweep_strays(session: Session) -> int:
    """Delete bytes that have lain for a day without a row: what a crash may leave behind.

    It only reads the database: give it a session of :func:`store.database.reading`, so that no
    writer waits while a large store is listed.

    Returns:
        How many blobs are deleted.

    Raises:
        UpstreamError: ``media_unavailable``.
    """
    store = blob_store()
    lying = store.keys(utc_now() - _STRAY_AFTER)
    swept = 0
    while keys := tuple(islice(lying, _BATCH)):
        ids = {key.split(".")[0] for key in keys}
        known = set(session.scalars(select(Media.id).where(Media.id.in_(ids))))
        owned = {_key(media_id, copy) for media_id in known for copy in _SUFFIX}
        for key in keys:
            if key not in owned:
                store.delete(key)
                swept += 1
    return swept


def _forget(media_id: str) -> None:
    try:
        for copy in _SUFFIX:
            blob_store().delete(_key(media_id, copy))
    except UpstreamError:
        log.warning("media_left_behind", media=media_id)  # swept later


def _put(media_id: str, copy: Copy, data: bytes) -> None:
    key = _key(media_id, copy)
    blob_store().put(key, seal_file(data, key))


def _key(media_id: str, copy: Copy) -> str:
    return f"{media_id}.{_SUFFIX[copy]}"

"""The audit of reads of personal data as a chain of hashes (docs/adr/0008).

Each entry's hash is SHA-256 over its own content and the hash of the entry before, so an entry
that is changed, removed or put in breaks the chain from there on. Writers take the lock of one
row, the head, as the last thing before they commit: there is one chain, whatever the number of
processes, and nobody who holds the lock waits for anything else.

Who can write to the database could compute a whole new chain. Against that, the head is signed
(:func:`anchor`) and kept elsewhere; a chain that does not contain it is not the old one.
"""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass
from datetime import datetime

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.orm import Session

from base.errors import ConfigurationError, InputError
from store.models import AuditEntry, AuditHead, utc_now
from store.privacy import Access, note_access, take_noted

BEGINNING = "0" * 64
"""The hash before the first entry."""

CUT = "audit_cut"
"""Purpose of the entry that says which entries retention deleted."""

_HEAD = 1
_PAGE = 1000


def write_accesses(session: Session) -> None:
    """Add the noted reads of a session to the chain; the caller commits at once."""
    accesses = take_noted(session)
    if not accesses:
        return
    session.flush()  # whatever else has to wait for a lock does it before the head is taken
    head = _locked_head(session)
    number, previous = head.last_id, head.last_hash
    now, rows = utc_now(), []
    for access in accesses:
        number += 1
        previous = entry_hash(previous, number, now, access)
        rows.append({"id": number, "at": now, "hash": previous, **vars(access)})
    session.execute(insert(AuditEntry), rows)
    session.execute(
        update(AuditHead).where(AuditHead.id == _HEAD).values(last_id=number, last_hash=previous)
    )


def entry_hash(previous: str, number: int, at: datetime, access: Access) -> str:
    """Return the hash of an entry: SHA-256, hexadecimal, of a JSON list in ASCII.

    The list is ``[previous, id, at, actor, purpose, record, field]`` without spaces, ``at`` in
    ISO 8601 with microseconds and ``+00:00``: whoever has an export can compute it again.
    """
    told = (access.actor, access.purpose, access.record, access.field)
    content = [previous, number, at.isoformat(timespec="microseconds"), *told]
    return hashlib.sha256(json.dumps(content, separators=(",", ":")).encode()).hexdigest()


# --- looking whether the chain holds ------------------------------------------------------


@dataclass(frozen=True)
class Finding:
    """What a check of the chain found.

    ``entries`` were looked at; ``broken`` is the number of the first that is wrong or missing and
    ``why`` says which, both None when the chain holds.
    """

    entries: int
    broken: int | None = None
    why: str | None = None


def verify(session: Session, known: Anchor | None = None) -> Finding:
    """Compute the whole chain again, while others go on writing to it.

    Args:
        session: of :func:`store.database.reading`.
        known: an earlier head that must be in the chain.
    """
    newest = session.scalar(select(func.max(AuditEntry.id))) or 0
    head = session.get_one(AuditHead, _HEAD)  # read after: it is never behind what was seen
    expected, previous, count = head.cut_id + 1, head.cut_hash, 0
    cut_told = head.cut_id == 0
    met = known is None or known.last_id == 0
    rows = session.scalars(
        select(AuditEntry).where(AuditEntry.id <= head.last_id).order_by(AuditEntry.id)
    ).yield_per(_PAGE)
    for row in rows:
        previous = entry_hash(previous, row.id, row.at, _access(row))
        if row.hash != previous:
            return _broken_at(row.id, expected, count)
        cut_told = cut_told or row.record == _cut_record(head.cut_id, head.cut_hash)
        if known is not None and row.id == known.last_id:
            if row.hash != known.last_hash:
                return Finding(count, row.id, "the entry is not the one the anchor knows")
            met = True
        expected, count = row.id + 1, count + 1
        session.expunge(row)
    if previous != head.last_hash:
        return Finding(count, expected, f"entries {expected} to {head.last_id} are missing")
    if newest > head.last_id:
        return Finding(count, head.last_id + 1, "entries were added behind the end of the chain")
    if not cut_told:
        return Finding(count, head.cut_id, "entries up to here were deleted without a record")
    if not met and known is not None and known.last_id > head.cut_id:
        return Finding(count, known.last_id, "the entry the anchor knows is missing")
    return Finding(count)


def verify_newest(session: Session, most: int) -> Finding:
    """Compute the newest ``most`` entries again, taking the one before them as it is.

    For a look that must not take long; what was done to older entries only :func:`verify` finds.
    """
    last = session.scalar(select(func.max(AuditEntry.id))) or 0
    head = session.get_one(AuditHead, _HEAD)
    begin = head.last_id - most
    if begin <= head.cut_id:
        return verify(session)
    previous, expected, count = "", begin, 0
    rows = session.scalars(
        select(AuditEntry)
        .where(AuditEntry.id >= begin, AuditEntry.id <= head.last_id)
        .order_by(AuditEntry.id)
    ).yield_per(_PAGE)
    for row in rows:
        if row.id == begin:
            previous = row.hash
        else:
            previous = entry_hash(previous, row.id, row.at, _access(row))
            if row.hash != previous:
                return _broken_at(row.id, expected, count)
            count += 1
        expected = row.id + 1
        session.expunge(row)
    if previous != head.last_hash:
        return Finding(count, expected, f"entries {expected} to {head.last_id} are missing")
    if last > head.last_id:
        return Finding(count, head.last_id + 1, "entries were added behind the end of the chain")
    return Finding(count)


def _access(row: AuditEntry) -> Access:
    return Access(row.actor, row.purpose, row.record, row.field)


def _broken_at(number: int, expected: int, count: int) -> Finding:
    if number > expected:
        last = number - 1
        gone = f"entry {last} is" if last == expected else f"entries {expected} to {last} are"
        return Finding(count, expected, f"{gone} missing")
    return Finding(count, number, "the entry was changed or put in")


# --- forgetting old entries ---------------------------------------------------------------


def old_entries(session: Session, before: datetime) -> int:
    """Return how many entries at the beginning of the chain are older than a moment."""
    return session.scalar(select(func.count(AuditEntry.id)).where(AuditEntry.at < before)) or 0


def cut(session: Session, before: datetime) -> int:
    """Delete the entries older than a moment; an entry says up to where, and the chain holds.

    Returns:
        How many are deleted.
    """
    _locked_head(session)  # nobody adds while the beginning moves
    first_kept = session.scalar(select(func.min(AuditEntry.id)).where(AuditEntry.at >= before))
    last = session.scalars(
        select(AuditEntry)
        .where(AuditEntry.at < before, AuditEntry.id < (first_kept or 2**31 - 1))
        .order_by(AuditEntry.id.desc())
        .limit(1)
    ).first()
    if last is None:
        return 0
    gone = session.scalar(select(func.count(AuditEntry.id)).where(AuditEntry.id <= last.id)) or 0
    session.execute(delete(AuditEntry).where(AuditEntry.id <= last.id))
    session.execute(
        update(AuditHead).where(AuditHead.id == _HEAD).values(cut_id=last.id, cut_hash=last.hash)
    )
    note_access(session, "retention", CUT, _cut_record(last.id, last.hash), "all")
    return gone


def _cut_record(number: int, digest: str) -> str:
    return f"audit:{number}:{digest}"


def _locked_head(session: Session) -> AuditHead:
    return session.scalars(
        select(AuditHead)
        .where(AuditHead.id == _HEAD)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one()


# --- heads to be kept elsewhere -----------------------------------------------------------


@dataclass(frozen=True)
class Anchor:
    """The end of the chain at a moment, signed (Ed25519, RFC 8032)."""

    last_id: int
    last_hash: str
    at: str
    public_key: str
    signature: str

    @property
    def signed(self) -> bytes:
        """The bytes under the signature."""
        return f"shimin audit:{self.last_id}:{self.last_hash}:{self.at}".encode()


def anchor(session: Session, secret: str, now: datetime) -> Anchor:
    """Sign the present end of the chain with a key derived from ``SHIMIN_AUDIT_KEY``.

    Raises:
        ConfigurationError: there is no such key.
    """
    key = _signing_key(secret)
    head = session.get_one(AuditHead, _HEAD)
    public = base64.b64encode(key.public_key().public_bytes_raw()).decode()
    bare = Anchor(head.last_id, head.last_hash, now.isoformat(timespec="seconds"), public, "")
    signature = base64.b64encode(key.sign(bare.signed)).decode()
    return Anchor(bare.last_id, bare.last_hash, bare.at, public, signature)


def read_anchor(text: str, secret: str) -> Anchor:
    """Read an anchor that :func:`anchor` made; the key must be ours, not one it brings along.

    Raises:
        InputError: ``anchor_invalid``: it is no anchor, or somebody else signed it.
        ConfigurationError: there is no ``SHIMIN_AUDIT_KEY``.
    """
    public: Ed25519PublicKey = _signing_key(secret).public_key()
    try:
        found = Anchor(**json.loads(text))
        public.verify(base64.b64decode(found.signature, validate=True), found.signed)
    except (ValueError, TypeError, InvalidSignature) as error:
        raise InputError("anchor_invalid", "这不是本系统签发的审计锚点。", "anchor") from error
    return found


def _signing_key(secret: str) -> Ed25519PrivateKey:
    if not secret:
        raise ConfigurationError("SHIMIN_AUDIT_KEY is not set; `shimin keys` generates one")
    seed = hashlib.sha256(b"shimin audit anchor:" + secret.encode()).digest()
    return Ed25519PrivateKey.from_private_bytes(seed)

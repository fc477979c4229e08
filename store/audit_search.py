"""Looking through the audit: by time, who, what, why and whose; and what checks of it found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import Session

from store.audit import Finding
from store.models import AuditEntry, Media, OutboxEntry, Ticket, TicketEvent
from store.privacy import note_access

CHECKED = "audit_checked"
"""Purpose of the entry that says what a check of the chain found."""
_HEAD_RECORD = "audit_head:1"


@dataclass(frozen=True)
class Wanted:
    """Which entries; what is empty does not narrow.

    Args:
        since: from this moment on (aware).
        until: before this moment (aware).
        actor: as the audit names it, or the name of an account.
        table: of the record.
        purpose: why.
        ticket: number of a ticket: what belongs to it, and its citizen's own data.
    """

    since: datetime
    until: datetime
    actor: str = ""
    table: str = ""
    purpose: str = ""
    ticket: str = ""


def search(
    session: Session, wanted: Wanted, limit: int, below: int | None = None
) -> Sequence[AuditEntry]:
    """Return at most ``limit`` entries, newest first; those with an id ``below`` one, for pages."""
    which = [AuditEntry.at >= wanted.since, AuditEntry.at < wanted.until]
    if wanted.actor:
        which.append(AuditEntry.actor.in_((wanted.actor, f"agent:{wanted.actor}")))
    if wanted.table:
        which.append(_of_table(wanted.table))
    if wanted.purpose:
        which.append(AuditEntry.purpose == wanted.purpose)
    if wanted.ticket:
        which.append(AuditEntry.record.in_(_records_of(session, wanted.ticket)))
    if below is not None:
        which.append(AuditEntry.id < below)
    return session.scalars(
        select(AuditEntry).where(*which).order_by(AuditEntry.id.desc()).limit(limit)
    ).all()


def _of_table(table: str) -> ColumnElement[bool]:
    named = AuditEntry.record.startswith(f"{table}:", autoescape=True)
    return or_(AuditEntry.record == table, named)


def _records_of(session: Session, ticket_id: str) -> list[str]:
    """Return what the audit calls a ticket, its parts and its citizen; empty for an unknown one."""
    ticket = session.get(Ticket, ticket_id)
    if ticket is None:
        return []
    parts = [f"tickets:{ticket.id}", f"citizens:{ticket.citizen_id}"]
    for model in (TicketEvent, Media, OutboxEntry):
        found = session.scalars(select(model.id).where(model.ticket_id == ticket.id))
        parts += [f"{model.__tablename__}:{key}" for key in found]
    return parts


@dataclass(frozen=True)
class Check:
    """What a check of the chain found, and when; ``broken`` is None when it held.

    ``whole`` is False for a check of the newest entries only.
    """

    at: datetime
    entries: int
    broken: int | None
    whole: bool


def note_check(session: Session, actor: str, found: Finding, *, whole: bool) -> None:
    """Write into the audit what a check of it found."""
    verdict = "holds" if found.broken is None else f"broken {found.broken}"
    extent = "all" if whole else "newest"
    note_access(session, actor, CHECKED, _HEAD_RECORD, f"{verdict}, {extent} {found.entries}")


def last_check(session: Session, *, whole: bool) -> Check | None:
    """Return the last check of the whole chain, or of any part of it."""
    told = select(AuditEntry).where(
        AuditEntry.record == _HEAD_RECORD, AuditEntry.purpose == CHECKED
    )
    if whole:
        told = told.where(AuditEntry.field.contains(", all "))
    row = session.scalars(told.order_by(AuditEntry.id.desc()).limit(1)).first()
    if row is None:
        return None
    verdict, _, extent = row.field.partition(", ")
    scope, _, entries = extent.partition(" ")
    _, _, broken = verdict.partition(" ")
    return Check(row.at, int(entries), int(broken) if broken else None, scope == "all")

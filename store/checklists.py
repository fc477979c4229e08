"""Checklists of citizens: what to bring and to do, and what of it is ticked."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from store.checklist_models import Checklist, ChecklistEntry
from store.database import insert_missing
from store.identities import mine
from store.models import Citizen, plain, utc_now
from store.privacy import reveal

Name = tuple[str, str]
"""Kind (``material`` or ``step``) and name of an entry."""


def start_checklist(
    session: Session,
    citizen_id: str,
    matter_id: str,
    plan: dict[str, Any],
    now: datetime | None = None,
) -> Checklist:
    """Create a checklist without entries; one there is already keeps its ticks, not its plan."""
    insert_missing(session, Citizen(id=citizen_id), citizen_id)
    found = checklist_of(session, citizen_id, matter_id)
    if found is None:
        moment = now or utc_now()
        found = Checklist(
            citizen_id=citizen_id, matter_id=matter_id, created_at=moment, updated_at=moment
        )
        found.plan = plain(plan)
        session.add(found)
        session.flush()
        return found
    save_plan(found, plan, now)
    return found


def save_plan(checklist: Checklist, plan: dict[str, Any], now: datetime | None = None) -> None:
    """Replace what the citizen told of his case."""
    checklist.plan, checklist.updated_at = plain(plan), now or utc_now()


def read_plan(session: Session, checklist: Checklist, actor: str, purpose: str) -> dict[str, Any]:
    """Return what the citizen told of his case (audited)."""
    plan: dict[str, Any] = reveal(session, checklist, "plan", actor=actor, purpose=purpose)
    return plan


def checklist_of(session: Session, citizen_id: str, matter_id: str) -> Checklist | None:
    """Return the citizen's checklist of a matter: this conversation's, else a linked one's."""
    found = [row for row in checklists_of(session, citizen_id) if row.matter_id == matter_id]
    return found[0] if found else None


def checklists_of(session: Session, citizen_id: str) -> Sequence[Checklist]:
    """Return every checklist of a citizen, the one touched last first; one of each matter.

    Where two linked conversations have the same matter, this conversation's own counts.
    """
    rows = session.scalars(
        select(Checklist)
        .where(Checklist.citizen_id.in_(mine(session, citizen_id)))
        .order_by(Checklist.updated_at.desc(), Checklist.id)
    ).all()
    chosen: dict[str, Checklist] = {}
    for row in rows:
        if row.citizen_id == citizen_id or row.matter_id not in chosen:
            chosen[row.matter_id] = row
    return [row for row in rows if chosen[row.matter_id] is row]


def sync_entries(session: Session, checklist: Checklist, names: Sequence[Name]) -> tuple[Name, ...]:
    """Make the entries those of ``names``, in their order; ticks of those that stay are kept.

    Returns the entries that vanished because the matter asks for them no longer.
    """
    known = {(entry.kind, entry.name): entry for entry in checklist.entries}
    gone = tuple(name for name in known if name not in set(names))
    for old in gone:
        checklist.entries.remove(known[old])
    for position, (kind, name) in enumerate(names):
        entry = known.get((kind, name))
        if entry is None:
            checklist.entries.append(ChecklistEntry(kind=kind, name=name, position=position))
        else:
            entry.position = position
    session.flush()
    return gone


def ticked(checklist: Checklist) -> dict[Name, datetime]:
    """Return when the ticked entries were ticked."""
    return {
        (entry.kind, entry.name): entry.ticked_at for entry in checklist.entries if entry.ticked_at
    }


def set_ticks(
    session: Session,
    checklist: Checklist,
    names: Collection[Name],
    *,
    done: bool,
    now: datetime | None = None,
) -> None:
    """Tick or untick entries; one ticked already keeps its time, an unknown one is ignored."""
    moment = now or utc_now()
    for entry in checklist.entries:
        if (entry.kind, entry.name) in names:
            entry.ticked_at = (entry.ticked_at or moment) if done else None
    checklist.updated_at = moment
    session.flush()


def drop_checklist(session: Session, citizen_id: str, matter_id: str) -> bool:
    """Delete the checklist of a matter; False when there was none."""
    found = checklist_of(session, citizen_id, matter_id)
    if found is None:
        return False
    session.delete(found)
    session.flush()
    return True


def forget_checklists(session: Session, citizen_id: str) -> bool:
    """Delete every checklist begun in this conversation; False when there was none."""
    own = select(Checklist.id).where(Checklist.citizen_id == citizen_id)
    return _delete(session, session.scalars(own).all()) > 0


def forget_untouched(session: Session, before: datetime) -> int:
    """Delete the checklists nobody touched since ``before``; return how many."""
    return _delete(
        session, session.scalars(select(Checklist.id).where(Checklist.updated_at < before)).all()
    )


def _delete(session: Session, ids: Sequence[str]) -> int:
    session.execute(delete(ChecklistEntry).where(ChecklistEntry.checklist_id.in_(ids)))
    session.execute(delete(Checklist).where(Checklist.id.in_(ids)))
    return len(ids)

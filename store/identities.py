"""Which conversations are one person's, and the codes by which he says so.

Every look at what is somebody's own goes through :func:`mine`. Rows keep the conversation they
were begun in: unlinking moves nothing.
"""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from base.errors import StateError
from store.database import insert_missing
from store.identity_models import Identity, LinkAttempt, LinkCode, Person
from store.models import Citizen
from store.privacy import note_access

MOST_LINKED = 6
"""Conversations of one person: more is no person any more."""


def mine(session: Session, citizen_id: str) -> tuple[str, ...]:
    """Return the conversations whose things are this citizen's: his own first, then the linked.

    Who has linked nothing gets his own alone. Never cache it: an unlinked conversation must be
    shut out at once.
    """
    same = select(Identity.person_id).where(Identity.citizen_id == citizen_id).scalar_subquery()
    others = session.scalars(
        select(Identity.citizen_id)
        .where(Identity.person_id == same, Identity.citizen_id != citizen_id)
        .order_by(Identity.id)
    )
    return (citizen_id, *others)


def linked_to(session: Session, citizen_id: str) -> Sequence[tuple[Identity, Citizen]]:
    """Return the other conversations of the citizen's person, as they were linked."""
    others = mine(session, citizen_id)[1:]
    rows = session.execute(
        select(Identity, Citizen)
        .join(Citizen, Citizen.id == Identity.citizen_id)
        .where(Identity.citizen_id.in_(others))
        .order_by(Identity.id)
    )
    return [(row[0], row[1]) for row in rows]


def hold_person(session: Session, citizen_id: str) -> bool:
    """Keep other workers from the citizen's person until the unit of work ends.

    Returns:
        False when another one has him just now; nothing waits, so nobody can wait for another
        in a circle. Who is linked with nobody needs no holding.
    """
    person = _person_of(session, citizen_id)
    if person is None:
        return True
    held = select(Person.id).where(Person.id == person).with_for_update(skip_locked=True)
    return session.scalars(held).first() is not None


# --- codes --------------------------------------------------------------------------------


def keep_code(session: Session, citizen_id: str, code_hash: str, expires_at: datetime) -> None:
    """Keep the hash of the code a conversation gives out; the former one opens nothing more."""
    insert_missing(session, Citizen(id=citizen_id), citizen_id)
    fresh = LinkCode(citizen_id=citizen_id, code_hash=code_hash, expires_at=expires_at)
    insert_missing(session, fresh, citizen_id)
    row = session.get_one(LinkCode, citizen_id, with_for_update=True, populate_existing=True)
    row.code_hash, row.expires_at, row.entered_by = code_hash, expires_at, None
    session.flush()


def owner_of_code(session: Session, code_hash: str, now: datetime) -> str | None:
    """Return who gave out the code, None when it is wrong, used or too old.

    Each hash is compared in constant time, and all of them are: how long it takes tells nothing.
    """
    rows = session.execute(
        select(LinkCode.citizen_id, LinkCode.code_hash).where(
            LinkCode.expires_at > now, LinkCode.entered_by.is_(None)
        )
    ).all()
    found = [row.citizen_id for row in rows if hmac.compare_digest(row.code_hash, code_hash)]
    return found[0] if len(found) == 1 else None


def claim_code(  # noqa: PLR0913
    session: Session,
    issuer: str,
    code_hash: str,
    citizen_id: str,
    now: datetime,
    until: datetime,
) -> bool:
    """Use up a code for one conversation, which may confirm it ``until`` then.

    What it had entered before waits no more. False when another conversation was faster.
    """
    claimed = session.scalars(
        update(LinkCode)
        .where(
            LinkCode.citizen_id == issuer,
            LinkCode.code_hash == code_hash,
            LinkCode.entered_by.is_(None),
            LinkCode.expires_at > now,
        )
        .values(entered_by=citizen_id, expires_at=until)
        .returning(LinkCode.citizen_id)
    ).first()
    if claimed is None:
        return False
    session.execute(
        delete(LinkCode).where(LinkCode.entered_by == citizen_id, LinkCode.citizen_id != issuer)
    )
    return True


def take_entered(session: Session, citizen_id: str, now: datetime) -> str | None:
    """Use up what the conversation has entered and return whose code it was; once."""
    row = session.execute(
        delete(LinkCode)
        .where(LinkCode.entered_by == citizen_id)
        .returning(LinkCode.citizen_id, LinkCode.expires_at)
    ).first()
    return None if row is None or row.expires_at <= now else str(row.citizen_id)


# --- limits -------------------------------------------------------------------------------


def note_attempt(session: Session, citizen_id: str, kind: str, now: datetime) -> int:
    """Note that a code is asked for or entered, before it is decided; return the note's id.

    Commit it before :func:`count_attempts`: of any number of attempts at one moment, the n-th
    noted then sees at least n.
    """
    row = LinkAttempt(citizen_id=citizen_id, kind=kind, at=now)
    session.add(row)
    session.flush()
    return row.id


def count_attempts(
    session: Session, kind: str, since: datetime, citizen_id: str | None = None
) -> int:
    """Return how many attempts were noted since a moment, by one citizen or by everybody."""
    statement = select(func.count()).where(LinkAttempt.kind == kind, LinkAttempt.at > since)
    if citizen_id is not None:
        statement = statement.where(LinkAttempt.citizen_id == citizen_id)
    return session.scalars(statement).one()


def drop_attempt(session: Session, attempt: int) -> None:
    """Take back the note of an attempt that was no guess, or that was not let through."""
    session.execute(delete(LinkAttempt).where(LinkAttempt.id == attempt))


def forget_codes(session: Session, before: datetime) -> int:
    """Delete codes that ran out, and attempts made, before a moment; return how many."""
    codes = session.scalars(
        delete(LinkCode).where(LinkCode.expires_at < before).returning(LinkCode.citizen_id)
    ).all()
    attempts = session.scalars(
        delete(LinkAttempt).where(LinkAttempt.at < before).returning(LinkAttempt.id)
    ).all()
    return len(codes) + len(attempts)


# --- linking and unlinking ----------------------------------------------------------------


def link(session: Session, issuer: str, citizen_id: str, now: datetime) -> Identity:
    """Make two conversations one person's; return the newcomer, audited.

    The newcomer is the one that was linked with nobody: the citizen, unless the issuer was alone
    and he was not.

    Raises:
        StateError: ``link_exists`` (they are one person's already), ``link_groups`` (both are
            linked with others), ``link_limit`` or ``link_changed`` (somebody was unlinked at this
            very moment); nothing is changed.
    """
    pair = sorted((issuer, citizen_id))
    for one in pair:
        insert_missing(session, Citizen(id=one), one)
    _lock(session, pair)
    theirs, his = _person_of(session, issuer), _person_of(session, citizen_id)
    if theirs is not None and theirs == his:
        raise StateError("link_exists", "这两个渠道已经关联了。", citizen_id)
    if theirs is not None and his is not None:
        raise StateError("link_groups", "两边都已经各自关联了别的渠道。", citizen_id)
    person = theirs or his
    if person is None:
        row = Person(created_at=now)
        session.add(row)
        session.flush()
        person = row.id
    elif session.get(Person, person, with_for_update=True, populate_existing=True) is None:
        raise StateError("link_changed", "另一边的关联刚刚取消了。", citizen_id)
    missing = [one for one, known in ((issuer, theirs), (citizen_id, his)) if known is None]
    members = session.scalars(select(Identity.id).where(Identity.person_id == person)).all()
    if len(members) + len(missing) > MOST_LINKED:
        raise StateError("link_limit", f"最多关联{MOST_LINKED}个渠道。", citizen_id)
    added = [Identity(citizen_id=one, person_id=person, linked_at=now) for one in missing]
    session.add_all(added)
    audit(session, citizen_id, "linked", f"people:{person}")
    session.flush()
    return added[-1]


def unlink(session: Session, citizen_id: str, identity_id: int | None = None) -> str | None:
    """Take a conversation out of the citizen's person: his own, or the linked one named.

    A person of whom one conversation is left is none any more.

    Returns:
        Which conversation left, None when there was nothing to leave.
    """
    person = _person_of(session, citizen_id)
    if person is None:
        return None
    if session.get(Person, person, with_for_update=True, populate_existing=True) is None:
        return None
    members = session.scalars(
        select(Identity)
        .where(Identity.person_id == person)
        .order_by(Identity.id)
        .execution_options(populate_existing=True)
    ).all()
    if citizen_id not in {row.citizen_id for row in members}:
        return None
    gone = next(
        (
            row
            for row in members
            if (row.citizen_id == citizen_id if identity_id is None else row.id == identity_id)
        ),
        None,
    )
    if gone is None:
        return None
    leaving = members if len(members) <= 2 else [gone]
    session.execute(delete(Identity).where(Identity.id.in_([row.id for row in leaving])))
    if len(leaving) == len(members):
        session.execute(delete(Person).where(Person.id == person))
    audit(session, citizen_id, "unlinked", f"people:{person}")
    session.flush()
    return gone.citizen_id


def forget_links(session: Session, citizen_id: str) -> bool:
    """Erase that a conversation is linked, and its codes; False when it was not linked.

    What it has tried stays until :func:`forget_codes`, or forgetting would lift its limit.
    """
    session.execute(
        delete(LinkCode).where(
            (LinkCode.citizen_id == citizen_id) | (LinkCode.entered_by == citizen_id)
        )
    )
    return unlink(session, citizen_id) is not None


def audit(session: Session, citizen_id: str, purpose: str, record: str) -> None:
    """Write who changed, or tried to change, what counts as his own."""
    note_access(session, f"citizen:{citizen_id}", purpose, record[:200], "identity")


def lock_mine(session: Session, citizen_id: str) -> tuple[str, ...]:
    """As :func:`mine`, and let one unit of work at a time act for this person."""
    found = mine(session, citizen_id)
    _lock(session, found)
    return found


def _lock(session: Session, citizen_ids: Sequence[str]) -> None:
    """Lock citizens, always in the same order."""
    session.execute(
        select(Citizen.id).where(Citizen.id.in_(citizen_ids)).order_by(Citizen.id).with_for_update()
    )


def _person_of(session: Session, citizen_id: str) -> str | None:
    return session.scalars(
        select(Identity.person_id).where(Identity.citizen_id == citizen_id)
    ).first()

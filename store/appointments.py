"""Appointments: taking, changing and giving back windows, whoever else does so meanwhile."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from base.errors import StateError
from store.appointment_models import MAX_OPEN, Appointment
from store.identities import lock_mine, mine
from store.models import Citizen
from store.people import citizen
from store.privacy import note_access, reveal

__all__ = [
    "MAX_OPEN",
    "Appointment",
    "Kept",
    "Stay",
    "Visit",
    "book",
    "by_token",
    "cancel",
    "change",
    "close",
    "close_past",
    "due_follow_ups",
    "due_reminders",
    "forget_before",
    "of_citizen",
    "open_of",
    "taken",
    "visits",
]

_TRIES = 60
"""More than windows and places together: every lost race means that one of them was taken."""


@dataclass(frozen=True)
class Kept:
    """A window that is taken: aware moments and its number from 0."""

    start: datetime
    end: datetime
    seat: int


@dataclass(frozen=True)
class Stay:
    """A slot somebody wants: aware moments, how many windows it has, when to speak to him.

    ``remind_at`` and ``follow_up_at`` are None when nothing shall be sent.
    """

    hall_id: str
    domain: str
    start: datetime
    end: datetime
    windows: int
    remind_at: datetime | None
    follow_up_at: datetime | None


@dataclass(frozen=True)
class Visit:
    """An appointment as the hall's staff may see it; ``name`` and ``phone`` as far as known."""

    appointment: Appointment
    name: str | None
    phone: str | None


def taken(
    session: Session, hall_id: str, domain: str, since: datetime, until: datetime
) -> tuple[Kept, ...]:
    """Return the windows taken in ``[since, until)``; moments are aware."""
    rows = session.execute(
        select(Appointment.starts_at, Appointment.ends_at, Appointment.seat).where(
            Appointment.hall_id == hall_id,
            Appointment.domain == domain,
            Appointment.state == "requested",
            Appointment.starts_at < until,
            Appointment.ends_at > since,
        )
    )
    return tuple(Kept(row.starts_at, row.ends_at, row.seat) for row in rows)


def book(
    session: Session,
    citizen_id: str,
    service: tuple[str, str],
    stay: Stay,
    now: datetime,
) -> Appointment:
    """Keep a window; ``service`` is the item's id and name.

    Raises:
        StateError: ``appointment_twice`` (there is one for this item), ``appointment_limit``
            (``MAX_OPEN`` are open) or ``slot_taken``.
    """
    _alone(session, citizen_id, now)
    kept = open_of(session, citizen_id)
    if any(row.service_id == service[0] for row in kept):
        raise StateError("appointment_twice", "这件事您已经约过了。", service[0])
    own = {row.place for row in kept if row.citizen_id == citizen_id}
    places = sorted(set(range(MAX_OPEN)) - own)
    if len(kept) >= MAX_OPEN:
        raise StateError("appointment_limit", f"最多同时约{MAX_OPEN}件事。", citizen_id)
    for _ in range(_TRIES):
        row = Appointment(
            citizen_id=citizen_id,
            hall_id=stay.hall_id,
            domain=stay.domain,
            service_id=service[0],
            service_name=service[1],
            starts_at=stay.start,
            ends_at=stay.end,
            seat=_free_seat(session, stay, None),
            place=places[0],
            created_at=now,
            changed_at=now,
            remind_at=stay.remind_at,
            follow_up_at=stay.follow_up_at,
        )
        try:
            with session.begin_nested():
                session.add(row)
        except IntegrityError:
            continue  # somebody was faster: look again
        return row
    raise _slot_taken(stay)


def change(
    session: Session, citizen_id: str, appointment_id: int, stay: Stay, now: datetime
) -> Appointment:
    """Move an open appointment to another slot; the old one is free at once.

    Raises:
        StateError: ``appointment_closed`` (it is not his, or not open) or ``slot_taken``; then
            the old slot stays his.
    """
    row = _open(session, citizen_id, appointment_id, now)
    for _ in range(_TRIES):
        seat = _free_seat(session, stay, appointment_id)
        try:
            with session.begin_nested():
                row.hall_id, row.domain, row.seat = stay.hall_id, stay.domain, seat
                row.starts_at, row.ends_at = stay.start, stay.end
                row.remind_at, row.follow_up_at = stay.remind_at, stay.follow_up_at
                row.sequence, row.changed_at = row.sequence + 1, now
        except IntegrityError:
            session.refresh(row)
            continue
        return row
    raise _slot_taken(stay)


def cancel(session: Session, citizen_id: str, appointment_id: int, now: datetime) -> Appointment:
    """Give the window back.

    Raises:
        StateError: ``appointment_closed``: it is not his, or not open any more.
    """
    row = _open(session, citizen_id, appointment_id, now)
    row.state, row.changed_at, row.sequence = "cancelled", now, row.sequence + 1
    row.remind_at = row.follow_up_at = None
    session.flush()
    return row


def close(session: Session, citizen_id: str, appointment_id: int, outcome: str) -> Appointment:
    """Note how a visit went: ``done``, ``not_done`` or ``absent``; the last word counts.

    Raises:
        StateError: ``appointment_closed``: it is not his, was cancelled or is still to come.
    """
    row = of_citizen(session, citizen_id, appointment_id, lock=True)
    if row is None or row.state not in ("past", "attended", "missed"):
        raise StateError("appointment_closed", "没有查到这个预约。", str(appointment_id))
    row.outcome = outcome
    row.state = "missed" if outcome == "absent" else "attended"
    session.flush()
    return row


def close_past(session: Session, now: datetime, citizen_id: str | None = None) -> int:
    """End the open appointments whose time is over (of one citizen, or all); return how many."""
    statement = (
        update(Appointment)
        .where(Appointment.state == "requested", Appointment.ends_at <= now)
        .values(state="past", remind_at=None)
        .returning(Appointment.id)
    )
    if citizen_id is not None:
        statement = statement.where(Appointment.citizen_id.in_(mine(session, citizen_id)))
    return len(session.scalars(statement.execution_options(synchronize_session="fetch")).all())


def open_of(session: Session, citizen_id: str) -> Sequence[Appointment]:
    """Return the citizen's open appointments of all linked conversations, the soonest first."""
    own = Appointment.citizen_id.in_(mine(session, citizen_id))
    return session.scalars(
        select(Appointment)
        .where(own, Appointment.state == "requested")
        .order_by(Appointment.starts_at, Appointment.id)
    ).all()


def of_citizen(
    session: Session, citizen_id: str, appointment_id: int, *, lock: bool = False
) -> Appointment | None:
    """Return the appointment if it exists and is his; nothing tells the two apart."""
    statement = select(Appointment).where(
        Appointment.id == appointment_id, Appointment.citizen_id.in_(mine(session, citizen_id))
    )
    if lock:
        statement = statement.with_for_update().execution_options(populate_existing=True)
    return session.scalars(statement).first()


def by_token(session: Session, token: str) -> Appointment | None:
    """Return the appointment of a calendar file."""
    return session.scalars(select(Appointment).where(Appointment.token == token)).first()


def due_reminders(session: Session, now: datetime, limit: int = 100) -> Sequence[Appointment]:
    """Return open appointments to be reminded of by now, locked; those of others are skipped."""
    return session.scalars(
        select(Appointment)
        .where(
            Appointment.state == "requested",
            Appointment.remind_at <= now,
            Appointment.starts_at > now,
        )
        .order_by(Appointment.starts_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    ).all()


def due_follow_ups(session: Session, now: datetime, limit: int = 100) -> Sequence[Appointment]:
    """Return visits to be asked about by now, locked; those another worker holds are skipped."""
    return session.scalars(
        select(Appointment)
        .where(Appointment.state == "past", Appointment.follow_up_at <= now)
        .order_by(Appointment.follow_up_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    ).all()


def visits(
    session: Session, hall_id: str, since: datetime, until: datetime, *, actor: str
) -> list[Visit]:
    """Return who comes to a hall in ``[since, until)``, by time; every row is audited.

    Name and phone are those the citizen has left with the assistant, if any.
    """
    rows = session.scalars(
        select(Appointment)
        .where(
            Appointment.hall_id == hall_id,
            Appointment.state != "cancelled",
            Appointment.starts_at >= since,
            Appointment.starts_at < until,
        )
        .order_by(Appointment.starts_at, Appointment.domain, Appointment.seat)
    ).all()
    return [_visit(session, row, actor) for row in rows]


def _visit(session: Session, row: Appointment, actor: str) -> Visit:
    purpose = "appointment_list"
    record = f"{Appointment.__tablename__}:{row.id}"
    note_access(session, actor, purpose, record, "visit")
    who = session.get_one(Citizen, row.citizen_id)
    read = {
        field: reveal(session, who, field, actor=actor, purpose=purpose)
        for field in ("name", "phone")
        if getattr(who, field) is not None
    }
    return Visit(row, read.get("name"), read.get("phone"))


def forget_before(session: Session, before: datetime) -> int:
    """Delete appointments that ended before ``before``; return how many."""
    gone = session.scalars(
        delete(Appointment).where(Appointment.ends_at < before).returning(Appointment.id)
    )
    return len(gone.all())


def _alone(session: Session, citizen_id: str, now: datetime) -> None:
    """Let one person book one thing at a time: his places and items are counted in peace."""
    citizen(session, citizen_id)
    lock_mine(session, citizen_id)
    close_past(session, now, citizen_id)


def _open(session: Session, citizen_id: str, appointment_id: int, now: datetime) -> Appointment:
    row = of_citizen(session, citizen_id, appointment_id, lock=True)
    if row is None or row.state != "requested" or row.starts_at <= now:
        raise StateError("appointment_closed", "这个预约已经取消或者过期了。", str(appointment_id))
    return row


def _free_seat(session: Session, stay: Stay, mine: int | None) -> int:
    """Return the first window nobody holds at any time of the slot; ``mine`` does not count."""
    held = session.scalars(
        select(Appointment.seat).where(
            Appointment.hall_id == stay.hall_id,
            Appointment.domain == stay.domain,
            Appointment.state == "requested",
            Appointment.starts_at < stay.end,
            Appointment.ends_at > stay.start,
            *(() if mine is None else (Appointment.id != mine,)),
        )
    ).all()
    free = sorted(set(range(stay.windows)) - set(held))
    if not free:
        raise _slot_taken(stay)
    return free[0]


def _slot_taken(stay: Stay) -> StateError:
    where = f"{stay.hall_id} {stay.domain} {stay.start:%Y-%m-%dT%H:%M%z}"
    return StateError("slot_taken", "这个时间刚被别人约走了。", where)

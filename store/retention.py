"""How long what is kept is kept, in one table, and the job that keeps to it.

Other data have a job where they are made (docs/privacy.md names each period): this one has what
no room forgets by itself.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, delete, func, select, update
from sqlalchemy.orm import Session

from base.settings import Settings
from store import audit
from store.models import OutgoingMessage, Ticket
from store.notice_models import NoticeDelivery
from store.privacy_models import Consent, DataExport

_OVER = ("closed", "rejected", "withdrawn")

Step = Callable[[Session, datetime], int]


@dataclass(frozen=True)
class Period:
    """What is forgotten ``days`` after its time; both functions take the moment before which."""

    name: str
    days: int
    count: Step
    forget: Step


def periods(settings: Settings) -> tuple[Period, ...]:
    """Return what is forgotten, and after how long."""
    return (
        Period("audit", settings.audit_keep_days, audit.old_entries, audit.cut),
        Period("messages", settings.message_keep_days, _count(_messages), _forget_messages),
        Period("contacts", settings.contact_keep_days, _count(_contacts), _forget_contacts),
        Period("consents", settings.audit_keep_days, _count(_consents), _delete(_consents)),
        Period("exports", 1, _count(_exports), _delete(_exports)),
    )


def forget_due(session: Session, settings: Settings, now: datetime) -> dict[str, int]:
    """Forget everything whose time is over; return how many of each."""
    return {
        period.name: period.forget(session, now - timedelta(days=period.days))
        for period in periods(settings)
    }


def due(session: Session, settings: Settings, now: datetime) -> dict[str, int]:
    """Return what :func:`forget_due` would forget, changing nothing."""
    return {
        period.name: period.count(session, now - timedelta(days=period.days))
        for period in periods(settings)
    }


Chosen = Callable[[datetime], tuple[type[Any], ColumnElement[bool]]]


def _messages(before: datetime) -> tuple[type[Any], ColumnElement[bool]]:
    """Messages that reached the citizen; one that did not waits for him."""
    return OutgoingMessage, OutgoingMessage.delivered_at < before


def _contacts(before: datetime) -> tuple[type[Any], ColumnElement[bool]]:
    """Name and phone on tickets that are over; the case itself is the city's record."""
    over = Ticket.status.in_(_OVER) & Ticket.contact.is_not(None)
    return Ticket, over & (Ticket.updated_at < before)


def _consents(before: datetime) -> tuple[type[Any], ColumnElement[bool]]:
    return Consent, Consent.withdrawn_at < before


def _exports(before: datetime) -> tuple[type[Any], ColumnElement[bool]]:
    return DataExport, DataExport.expires_at < before


def _count(chosen: Chosen) -> Step:
    def count(session: Session, before: datetime) -> int:
        model, which = chosen(before)
        return session.scalar(select(func.count()).select_from(model).where(which)) or 0

    return count


def _delete(chosen: Chosen) -> Step:
    def forget(session: Session, before: datetime) -> int:
        model, which = chosen(before)
        gone = _count(chosen)(session, before)
        session.execute(delete(model).where(which))
        return gone

    return forget


def _forget_messages(session: Session, before: datetime) -> int:
    _, which = _messages(before)
    old = select(OutgoingMessage.id).where(which)
    session.execute(
        update(NoticeDelivery).where(NoticeDelivery.message_id.in_(old)).values(message_id=None)
    )
    return _delete(_messages)(session, before)


def _forget_contacts(session: Session, before: datetime) -> int:
    _, which = _contacts(before)
    gone = _count(_contacts)(session, before)
    session.execute(update(Ticket).where(which).values(contact=None))
    return gone

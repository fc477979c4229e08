"""What anybody with the link may see of a ticket: how far it is, and nothing of the person."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from base.masking import mask
from base.settings import Settings
from dispatch.case.lifecycle import FINISHED, NEEDS_EXPLANATION, STATUS_NAMES
from dispatch.case.wording import RATINGS, after_photos, expected, is_overdue, photo_url
from dispatch.classification.categories import Categories
from store.database import reading, unit_of_work
from store.models import TicketEvent
from store.privacy import reveal
from store.tickets import by_progress_token

_PERSON = re.compile(r"[\u4e00-\u9fff](?=先生|女士|小姐|师傅|大爷|大妈|阿姨|奶奶|爷爷)")
_BY_CITIZEN = {"closed": "市民确认办结", "reopened": "市民说没有解决，要求重办"}
_NOTES_KEPT = 4096


@dataclass(frozen=True)
class Step:
    """One step of a ticket. ``note`` is the official explanation of an end, masked."""

    name: str
    at: datetime
    unit: str | None
    note: str | None


@dataclass(frozen=True)
class Progress:
    """A ticket without its citizen: no words of his, no address, no number to act with."""

    status: str
    state: str
    category: str
    district: str | None
    department: str
    expected: tuple[str, ...]
    overdue: bool
    steps: tuple[Step, ...]
    photos: tuple[str, ...]
    rating: str | None


def progress_of(
    token: str, categories: Categories, settings: Settings, now: datetime
) -> Progress | None:
    """Return what the progress page of ``token`` shows, None for an unknown one.

    Warnings this side raised by itself have no page. Reading an explanation is audited once a
    process: the history never changes.
    """
    with reading() as session:
        ticket = by_progress_token(session, token)
        if ticket is None or ticket.kind != "complaint":
            return None
    category = categories.get(ticket.category)
    promised = expected(ticket, category, now)
    rated = ticket.rating if ticket.status in FINISHED else None
    return Progress(
        status=ticket.status,
        state=STATUS_NAMES[ticket.status],
        category=category.name if category else ticket.category,
        district=ticket.district,
        department=ticket.department,
        expected=tuple(promised.values()),
        overdue=is_overdue(ticket, category, now),
        steps=tuple(
            _step(event, token) for event in ticket.events if event.from_status != event.to_status
        ),
        photos=tuple(photo_url(settings, photo) for photo in after_photos(ticket) if photo.size),
        rating=RATINGS.get(rated) if rated else None,
    )


def public_note(text: str) -> str:
    """Return an official's words as anybody may read them.

    Numbers that identify somebody are masked, and so is the name before 先生, 女士 and the like.
    """
    return _PERSON.sub("某", mask(text))


def _step(event: TicketEvent, token: str) -> Step:
    name = STATUS_NAMES[event.to_status]
    note = None
    if event.actor.startswith("citizen:"):
        note = _BY_CITIZEN.get(event.to_status)
    elif event.actor == "system" and event.to_status == "closed":
        note = "市民没有反馈，按期结案"
    elif event.actor == "dispatch" and event.to_status in NEEDS_EXPLANATION:
        note = _result_note(token, event.id) if event.note is not None else None
    return Step(name, event.at, event.unit, note)


@lru_cache(maxsize=_NOTES_KEPT)
def _result_note(token: str, event_id: int) -> str:  # noqa: ARG001 - tells stores apart
    with unit_of_work() as session:
        event = session.get_one(TicketEvent, event_id)
        words = reveal(session, event, "note", actor="progress_page", purpose="public_progress")
    return public_note(str(words))

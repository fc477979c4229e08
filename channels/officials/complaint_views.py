"""What a dispatcher reads of complaints: a line of the list, a place on the map, one case."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from base.links import sign_link
from base.settings import Settings
from channels.console.masking import Glimpse, Kind, citizen_mark, glimpse, note_opened, opened
from channels.console.masking import may_open as role_opens
from dispatch.case.lifecycle import BEING_HANDLED, STAGES, STATUS_NAMES
from dispatch.case.limits import limits
from dispatch.case.statistics import AT_HOME, CELL_DEGREES
from dispatch.case.wording import RATINGS, is_overdue
from dispatch.classification.categories import Categories, Category
from store.agent_models import Agent
from store.models import OutboxEntry, Ticket, TicketEvent

LINK_SECONDS = 3600
FIELDS: dict[str, tuple[str, str, Kind]] = {
    "name": ("contact", "name", Kind.NAME),
    "phone": ("contact", "phone", Kind.PHONE),
    "address": ("address", "", Kind.ADDRESS),
    "description": ("description", "", Kind.WORDS),
}
"""What of a case can be opened: column, key in it, kind."""
PHOTOS = "photos"
_TONES = {"发现": "new", "派单": "new", "处置": "busy", "核查": "check"}
_STAGE_OF = {status: stage for stage, statuses in STAGES.items() for status in statuses}
_FINE_DIGITS = 4
"""About eleven metres: what lies nearer together is one mark on the map."""
_PARCELS = {"request": "派单", "update": "更新"}
_STATES = {"pending": "等待发送", "sent": "已送达", "dead": "发送失败"}


@dataclass(frozen=True)
class Line:
    """A complaint in a list; nothing personal."""

    id: str
    category: str
    stage: str
    state: str
    tone: str
    area: str
    department: str
    filed: datetime
    due: datetime | None
    late: bool
    urgent: bool
    external_id: str
    followers: int


@dataclass(frozen=True)
class Place:
    """A mark on the map. ``rough``: the middle of a cell of some hundred metres."""

    latitude: float
    longitude: float
    rough: bool
    lines: tuple[Line, ...]


@dataclass(frozen=True)
class Step:
    """An entry of the history."""

    at: datetime
    state: str
    changed: bool
    who: str
    unit: str
    note: Glimpse


@dataclass(frozen=True)
class Parcel:
    """Something for the dispatch system and how far it is."""

    kind: str
    state: str
    failed: bool
    queued: datetime
    attempts: int
    error: str


@dataclass(frozen=True)
class Case:
    """Everything on the page of one complaint; ``fields`` by the keys of :data:`FIELDS`."""

    line: Line
    is_warning: bool
    group: str
    respond: datetime | None
    resolve: datetime | None
    occurred: datetime | None
    reporter: str
    fields: dict[str, Glimpse]
    photos: tuple[tuple[str, str], ...]
    photos_open: bool
    photos_may_open: bool
    videos: int
    steps: tuple[Step, ...]
    parcels: tuple[Parcel, ...]
    rating: str
    may_remind: bool
    may_resend: bool


def line_of(ticket: Ticket, categories: Categories, now: datetime) -> Line:
    """Return a ticket of :func:`store.complaints.find_complaints` as a list shows it."""
    category = categories.get(ticket.category)
    stage = _STAGE_OF[ticket.status]
    running = category is not None and ticket.status in BEING_HANDLED
    return Line(
        id=ticket.id,
        category=category.name if category else ticket.category,
        stage=stage,
        state=STATUS_NAMES[ticket.status],
        tone=_TONES.get(stage, "done"),
        area=f"{ticket.district or '未定位'}{ticket.street or ''}",
        department=ticket.department,
        filed=ticket.created_at,
        due=limits(ticket, category).resolve if running and category else None,
        late=is_overdue(ticket, category, now),
        urgent=ticket.severity == "urgent",
        external_id=ticket.external_id or "",
        followers=len(ticket.followers),
    )


def places_of(tickets: Iterable[Ticket], categories: Categories, now: datetime) -> list[Place]:
    """Put complaints on the map, those of one spot together.

    A complaint about what one suffers at home stands in the middle of its cell, as on the public
    map (:mod:`dispatch.case.statistics`): a map on a screen is seen by whoever passes by. The
    exact address is on the page of the case, where opening it is audited.
    """
    found: dict[tuple[float, float, bool], list[Line]] = defaultdict(list)
    for ticket in tickets:
        if ticket.latitude is None or ticket.longitude is None:
            continue
        rough = ticket.category.startswith(AT_HOME)
        point = tuple(_rounded(degrees, rough) for degrees in (ticket.latitude, ticket.longitude))
        found[point[0], point[1], rough].append(line_of(ticket, categories, now))
    return [Place(*spot, tuple(lines)) for spot, lines in found.items()]


def case_of(  # noqa: PLR0913
    session: Session,
    ticket: Ticket,
    parcels: Sequence[OutboxEntry],
    agent: Agent,
    categories: Categories,
    settings: Settings,
    now: datetime,
    shown: str = "",
) -> Case:
    """Return a case; what is read of persons is audited.

    Args:
        session: the open unit of work.
        ticket: with history, photos and followers.
        parcels: of the outbox, in their order.
        agent: who looks.
        categories: the city's.
        settings: for signed links and marks of citizens.
        now: the moment (aware).
        shown: the field (:data:`FIELDS`) or :data:`PHOTOS` to be opened.

    Raises:
        ForbiddenError: the role may not open it.
    """
    category = categories.get(ticket.category)
    due = limits(ticket, category) if category else None
    line = line_of(ticket, categories, now)
    pictures = [m for m in ticket.photos if m.content_type.startswith("image/") and m.size]
    if shown == PHOTOS:
        for media in pictures:
            note_opened(session, f"media:{media.id}", "original", Kind.PHOTO, agent)
    may_open = bool(pictures) and role_opens(agent.role, Kind.PHOTO)
    key = settings.session_key.get_secret_value()
    copy = "" if shown == PHOTOS else "/public"
    expires = int(now.timestamp()) + LINK_SECONDS
    return Case(
        line=line,
        is_warning=ticket.kind != "complaint",
        group=category.group if category else "",
        respond=due.respond if due else None,
        resolve=due.resolve if due else None,
        occurred=ticket.occurred_at,
        reporter=citizen_mark(key, ticket.citizen_id),
        fields=_fields(session, ticket, agent, shown),
        photos=tuple(
            (
                "处置后" if media.role == "after" else "上报",
                sign_link(key, f"/media/{media.id}{copy}", expires),
            )
            for media in pictures
        ),
        photos_open=shown == PHOTOS,
        photos_may_open=may_open,
        videos=sum(media.content_type.startswith("video/") for media in ticket.photos),
        steps=tuple(_step(session, event, ticket, agent) for event in ticket.events),
        parcels=tuple(_parcel(entry) for entry in parcels),
        rating=RATINGS.get(ticket.rating or 0, ""),
        may_remind=_may_remind(ticket, category),
        may_resend=any(entry.state == "dead" for entry in parcels),
    )


def _fields(session: Session, ticket: Ticket, agent: Agent, shown: str) -> dict[str, Glimpse]:
    found = {}
    for name, (column, part, kind) in FIELDS.items():
        look = opened if name == shown else glimpse
        found[name] = look(session, ticket, column, kind, agent, part=part)
    return found


def _may_remind(ticket: Ticket, category: Category | None) -> bool:
    taken = ticket.external_id is not None and ticket.status in BEING_HANDLED
    return category is not None and taken


def _step(session: Session, event: TicketEvent, ticket: Ticket, agent: Agent) -> Step:
    return Step(
        at=event.at,
        state=STATUS_NAMES.get(event.to_status, event.to_status),
        changed=event.from_status != event.to_status,
        who=_who(event, ticket),
        unit=event.unit or "",
        note=glimpse(session, event, "note", Kind.WORDS, agent),
    )


def _who(event: TicketEvent, ticket: Ticket) -> str:
    kind, _, name = event.actor.partition(":")
    if kind == "citizen":
        return "市民" if name == ticket.citizen_id else "关注的市民"
    return {"dispatch": "派遣系统", "agent": f"工作人员 {name}"}.get(kind, "系统")


def _parcel(entry: OutboxEntry) -> Parcel:
    return Parcel(
        kind=_PARCELS.get(entry.kind, entry.kind),
        state=_STATES.get(entry.state, entry.state),
        failed=entry.state == "dead",
        queued=entry.created_at,
        attempts=entry.attempts,
        error=entry.last_error or "",
    )


def _rounded(degrees: float, rough: bool) -> float:
    if rough:
        return round(round(degrees / CELL_DEGREES) * CELL_DEGREES, 3)
    return round(degrees, _FINE_DIGITS)


def place_json(place: Place) -> dict[str, Any]:
    """Return a mark as the map's script reads it."""
    lines = place.lines
    tone = next((tone for tone in ("new", "busy", "check") if _has(lines, tone)), "done")
    return {
        "point": [place.latitude, place.longitude],
        "rough": place.rough,
        "tone": tone,
        "late": any(line.late for line in lines),
        "items": [
            {
                "title": f"{line.category}　{line.state}",
                "about": f"{line.area}　{line.id}",
                "late": line.late,
                "href": f"/console/complaints/{line.id}",
            }
            for line in lines
        ],
    }


def _has(lines: Iterable[Line], tone: str) -> bool:
    return any(line.tone == tone for line in lines)

"""What the templates show: rows turned into words, Beijing times and badges."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from dispatch.desk.office import now_utc
from dispatch.desk.status import LABELS, Actor, Status, is_open
from dispatch.desk.tables import RequestRow
from dispatch.desk.web import origin_of
from dispatch.open311.reader import CHINA

_TONES: dict[Status, str] = {
    Status.OPEN: "new",
    Status.REOPEN: "new",
    Status.INVESTIGATING: "busy",
    Status.IN_PROGRESS: "busy",
    Status.NOT_COUNCILS_RESPONSIBILITY: "new",
    Status.FIXED: "check",
}
_CONTACT_LABELS = {"name": "联系人", "phone": "电话", "email": "邮箱"}


@dataclass(frozen=True)
class Group:
    """A tab of the list: one or several statuses under one Chinese name."""

    key: str
    title: str
    statuses: tuple[Status, ...]


_GROUPS: tuple[Group, ...] = (
    Group("open", "在办", tuple(status for status in Status if is_open(status))),
    *(
        Group(status.value, LABELS[status], (status,))
        for status in (
            Status.OPEN,
            Status.INVESTIGATING,
            Status.IN_PROGRESS,
            Status.FIXED,
            Status.REOPEN,
            Status.NOT_COUNCILS_RESPONSIBILITY,
            Status.CLOSED,
            Status.NO_FURTHER_ACTION,
            Status.DUPLICATE,
            Status.WITHDRAWN,
        )
    ),
    Group("all", "全部", ()),
)


@dataclass(frozen=True)
class Card:
    """One request in words."""

    request_id: str
    title: str
    status: str
    tone: str
    summary: str
    place: str
    agency: str
    requested: str
    deadline: str
    overdue: bool
    urgent: bool
    photos: int
    contact: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Photo:
    """A photo to show, or (``shown`` false) only to link: it lies on a site we do not embed."""

    url: str
    shown: bool


@dataclass(frozen=True)
class Entry:
    """One line of the history."""

    title: str
    who: str
    at: datetime
    words: str
    by_citizen: bool
    photos: tuple[Photo, ...]


def status_group(key: str) -> Group:
    """Return the tab with this key, the open requests for an unknown one."""
    return next((group for group in _GROUPS if group.key == key), _GROUPS[0])


def counted_groups(counts: Mapping[Status, int]) -> list[tuple[Group, int]]:
    """Return the tabs with their numbers."""
    return [
        (group, sum(counts.get(status, 0) for status in group.statuses or tuple(Status)))
        for group in _GROUPS
    ]


def card_of(row: RequestRow) -> Card:
    """Describe a request for the list and the head of its page."""
    status = Status(row.status)
    # A reopened or transferred request has its first limit behind it; the final one holds.
    first = status is Status.OPEN
    deadline = row.respond_by if first else row.resolve_by
    said = ("受理期限 " if first else "办结期限 ") + local(deadline)
    return Card(
        request_id=row.request_id,
        title=row.service_name,
        status=LABELS[status],
        tone=_TONES.get(status, "done"),
        summary=row.description or "（市民未填写描述）",
        place=row.address or _coordinates(row) or "（未填写地址）",
        agency=row.agency,
        requested=local(row.requested_at),
        deadline=said if is_open(status) else "",
        overdue=is_open(status) and status is not Status.FIXED and now_utc() > deadline,
        urgent=row.urgent,
        photos=len(row.media_urls),
        contact=_contact(row.contact),
    )


def photos_of(urls: Sequence[str], origins: Sequence[str]) -> tuple[Photo, ...]:
    """Tell which photos the page may embed."""
    return tuple(Photo(url, origin_of(url) in origins) for url in urls)


def timeline_of(row: RequestRow, origins: Sequence[str]) -> list[Entry]:
    """Return the history, newest first, ending with the citizen's report."""
    entries = [
        Entry(
            title=event.title,
            who="市民" if event.actor == Actor.CITIZEN else f"{event.agency} · {event.operator}",
            at=event.at,
            words=event.description,
            by_citizen=event.actor == Actor.CITIZEN,
            photos=photos_of(event.media_urls, origins),
        )
        for event in row.events
    ]
    filed = Entry("市民上报", "市民", row.requested_at, "", True, ())
    return [*reversed(entries), filed]


def local(moment: datetime) -> str:
    """Write a time for people: Beijing time, to the minute."""
    return moment.astimezone(CHINA).strftime("%Y-%m-%d %H:%M")


def _coordinates(row: RequestRow) -> str:
    if row.latitude is None or row.longitude is None:
        return ""
    return f"北纬{row.latitude:.5f}，东经{row.longitude:.5f}"


def _contact(contact: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    name = f"{contact.get('last_name', '')}{contact.get('first_name', '')}"
    known = {"name": name, "phone": contact.get("phone"), "email": contact.get("email")}
    return tuple((_CONTACT_LABELS[key], str(value)) for key, value in known.items() if value)


FILTERS: dict[str, Callable[..., Any]] = {"local": local, "coordinates": _coordinates}

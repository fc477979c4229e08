"""What the templates show: rows turned into words, Beijing times and badges."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from dispatch.desk.office import now_utc
from dispatch.desk.status import LABELS, Actor, Status, is_open
from dispatch.desk.tables import EventRow, RequestRow
from dispatch.desk.web import origin_of
from dispatch.open311.reader import CHINA, parse_time

_TONES: dict[Status, str] = {
    Status.OPEN: "new",
    Status.REOPEN: "new",
    Status.INVESTIGATING: "busy",
    Status.IN_PROGRESS: "busy",
    Status.NOT_COUNCILS_RESPONSIBILITY: "new",
    Status.FIXED: "check",
}
_CONTACT_LABELS = {"name": "联系人", "phone": "电话", "email": "邮箱"}
_VIDEO_SUFFIXES = (".mp4", ".m4v", ".mov", ".webm", ".3gp")
_SHOWN_ELSEWHERE = frozenset({"shimin_id", "hot_spot", "responsible_unit"})
"""Attributes the page has its own place for."""

ONLY: tuple[tuple[str, str], ...] = (
    ("overdue", "超期"),
    ("urgent", "紧急"),
    ("called", "有催办"),
    ("hot", "热点"),
)
"""The narrower lists a dispatcher may choose, by their key."""


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
    hot_spot: bool
    call: str
    photos: int


@dataclass(frozen=True)
class Photo:
    """A photo to show, or (``shown`` false) only to link.

    Linked only are videos, and whatever lies on a site we do not embed.
    """

    url: str
    shown: bool
    video: bool = False


@dataclass(frozen=True)
class Entry:
    """One line of the history."""

    title: str
    who: str
    at: datetime
    words: str
    by_citizen: bool
    photos: tuple[Photo, ...]
    call: bool = False


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
    # A transferred request has its first limit behind it; the final one holds.
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
        hot_spot=row.hot_spot,
        call=_call(row) if is_open(status) else "",
        photos=len(row.media_urls),
    )


def photos_of(urls: Sequence[str], origins: Sequence[str]) -> tuple[Photo, ...]:
    """Tell which photos the page may embed."""
    found = []
    for url in urls:
        video = _is_video(url)
        found.append(Photo(url, origin_of(url) in origins and not video, video))
    return tuple(found)


def after_photos(row: RequestRow, origins: Sequence[str]) -> tuple[Photo, ...]:
    """Return the photos of the latest step of the desk that has some (the result of the work)."""
    for event in reversed(row.events):
        if event.actor == Actor.DESK and event.media_urls:
            return photos_of(event.media_urls, origins)
    return ()


def timeline_of(row: RequestRow, origins: Sequence[str]) -> list[Entry]:
    """Return the history, newest first, ending with the citizen's report."""
    entries = [
        Entry(
            title=f"{event.title}至{event.agency}" if event.former_agency else event.title,
            who=_who(event),
            at=event.at,
            words=event.description,
            by_citizen=event.actor == Actor.CITIZEN,
            photos=photos_of(event.media_urls, origins),
            call=event.call is not None,
        )
        for event in row.events
    ]
    filed = Entry("市民上报", "市民", row.requested_at, "", True, ())
    return [*reversed(entries), filed]


def answers_of(row: RequestRow, titles: Mapping[str, str]) -> list[tuple[str, str]]:
    """Return the answered questions the page has no other place for, under their titles."""
    found = []
    for code, values in row.attributes.items():
        if code in _SHOWN_ELSEWHERE:
            continue
        moment = parse_time(values[0]) if code == "occurred_at" and values else None
        said = local(moment) if moment else "、".join(values)
        if said:
            found.append((titles.get(code, code), said))
    return found


def contact_lines(contact: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return an opened contact under its titles."""
    name = f"{contact.get('last_name', '')}{contact.get('first_name', '')}"
    known = {"name": name, "phone": contact.get("phone"), "email": contact.get("email")}
    return [(_CONTACT_LABELS[key], str(value)) for key, value in known.items() if value]


def address(path: str, **fields: str) -> str:
    """Return ``path`` with the fields that are not empty as its query."""
    query = urlencode({name: value for name, value in fields.items() if value})
    return f"{path}?{query}" if query else path


def local(moment: datetime) -> str:
    """Write a time for people: Beijing time, to the minute."""
    return moment.astimezone(CHINA).strftime("%Y-%m-%d %H:%M")


def _coordinates(row: RequestRow) -> str:
    if row.latitude is None or row.longitude is None:
        return ""
    return f"北纬{row.latitude:.5f}，东经{row.longitude:.5f}"


def _who(event: EventRow) -> str:
    if event.call is not None:
        return "市民端系统"
    if event.actor == Actor.CITIZEN:
        return "市民"
    return f"{event.former_agency or event.agency} · {event.operator}"


def _call(row: RequestRow) -> str:
    """Name the calls for a late case: 催办, 督办×3."""
    if not row.calls:
        return ""
    kind = row.last_call or "催办"
    return kind if row.calls == 1 else f"{kind}×{row.calls}"


def _is_video(url: str) -> bool:
    """Tell a video by its address: a film's suffix, or ``kind=video`` in the query."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.path.lower().endswith(_VIDEO_SUFFIXES) or "video" in parse_qs(parts.query).get(
        "kind", ()
    )


FILTERS: dict[str, Callable[..., Any]] = {"local": local, "coordinates": _coordinates}

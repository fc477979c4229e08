"""The complaints of the city: a list, the same on a map, one case, an export."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import structlog
from fastapi import Request, Response
from fastapi.responses import JSONResponse, StreamingResponse

from base.errors import InputError, StateError
from channels.console.areas import staff_of, visitor_of
from channels.console.forms import Posted
from channels.console.masking import actor_of
from channels.console.pages import HEADERS, console_of, console_router, see_other
from channels.officials.complaint_views import (
    FIELDS,
    PHOTOS,
    case_of,
    line_of,
    place_json,
    places_of,
)
from channels.officials.filters import ORDER_NAMES, Filters
from dispatch.case.deadlines import remind
from dispatch.case.hotline_record import TITLES, hotline_record, ticket_view
from dispatch.case.lifecycle import STAGES
from dispatch.classification.categories import Categories, Category
from store.complaints import (
    Wanted,
    complaints_after,
    count_complaints,
    find_complaints,
    with_everything,
)
from store.database import reading, unit_of_work
from store.models import utc_now
from store.outbox import find_entries, revive
from store.tickets import by_id

log = structlog.get_logger(__name__)

HOME = "/console/complaints"
PAGE = 50
MOST_ON_MAP = 2000
MOST_EXPORTED = 10_000
_BATCH = 200
_LAST_PAGE = 2000
_LONGEST_ID = 20

router = console_router(HOME, staff_of("complaints"))


@router.get("")
def list_page(request: Request) -> Response:
    """Show a page of the complaints."""
    categories, now = _categories(request), utc_now()
    filters = Filters.read(request.query_params, categories)
    with reading() as session:
        wanted = filters.wanted(session, categories, now)
        count = count_complaints(session, wanted)
        pages = min(max(1, -(-count // PAGE)), _LAST_PAGE)
        page = min(_page(request.query_params.get("page", "")), pages)
        found = find_complaints(session, wanted, filters.sorting, (page - 1) * PAGE, PAGE)
        lines = [line_of(ticket, categories, now) for ticket in found]
    return _listing(
        request, "complaints.html", filters, count=count, lines=lines, page=page, pages=pages
    )


@router.get("/map")
def map_page(request: Request) -> Response:
    """Show the same complaints on the map."""
    categories, now = _categories(request), utc_now()
    filters = Filters.read(request.query_params, categories)
    with reading() as session:
        count = count_complaints(session, filters.wanted(session, categories, now))
    return _listing(request, "complaints_map.html", filters, count=count, most=MOST_ON_MAP)


@router.get("/points")
def points(request: Request) -> Response:
    """Return the marks of the map, the newest complaints first."""
    categories, now = _categories(request), utc_now()
    filters = Filters.read(request.query_params, categories)
    with reading() as session:
        wanted = filters.wanted(session, categories, now)
        found = find_complaints(session, wanted, filters.sorting, 0, MOST_ON_MAP)
        marks = [place_json(place) for place in places_of(found, categories, now)]
    return JSONResponse(marks, headers=HEADERS)


@router.post("/export")
def export(request: Request, form: Posted) -> Response:
    """Return the filtered complaints as 12345 work-order records, numbers in words masked.

    Every read is audited before the rows that rest on it leave the house.
    """
    visitor = visitor_of(request)
    categories, now = _categories(request), utc_now()
    given = {name: form.one(name) for name in Filters.__dataclass_fields__}
    filters = Filters.read(given, categories)
    with reading() as session:
        wanted = filters.wanted(session, categories, now)
        count = count_complaints(session, wanted)
    if count > MOST_EXPORTED:
        raise InputError(
            "export_too_large",
            f"有{count}件，一次最多导出{MOST_EXPORTED}件，请缩小时间或区域再导出。",
        )
    actor = actor_of(visitor.staff)
    log.info("complaints_exported", by=visitor.staff.id, count=count)
    name = f"complaints-{now:%Y%m%d%H%M%S}.csv"
    headers = {**HEADERS, "Content-Disposition": f'attachment; filename="{name}"'}
    rows = _rows(wanted, categories, actor)
    return StreamingResponse(rows, media_type="text/csv; charset=utf-8", headers=headers)


@router.get("/{ticket_id}")
def case_page(request: Request, ticket_id: str) -> Response:
    """Show one complaint."""
    return _case(request, ticket_id)


@router.post("/{ticket_id}/open")
def open_field(request: Request, ticket_id: str, form: Posted) -> Response:
    """Show a personal field, or the photos as they came; this reading is audited."""
    field = form.one("field")
    if field not in (*FIELDS, PHOTOS):
        raise InputError("field_unknown", "没有这一项。", "field")
    return _case(request, ticket_id, field)


@router.post("/{ticket_id}/remind")
def remind_unit(request: Request, ticket_id: str) -> Response:
    """Call the unit's attention to a case (催办)."""
    visitor = visitor_of(request)
    with unit_of_work() as session:
        ticket = by_id(session, ticket_id[:_LONGEST_ID], lock=True)
        if ticket is None:
            raise _unknown()
        remind(session, ticket, _categories(request), actor_of(visitor.staff), utc_now())
    return _to(ticket_id)


@router.post("/{ticket_id}/resend")
def resend(request: Request, ticket_id: str) -> Response:
    """Send again what the dispatch system refused."""
    visitor = visitor_of(request)
    with unit_of_work() as session:
        refused = find_entries(session, state="dead", ticket_id=ticket_id[:_LONGEST_ID])
        if not refused:
            raise StateError("nothing_refused", "这个工单没有发送失败的内容。", ticket_id[:20])
        revive(refused, utc_now(), timedelta())
        log.info("outbox_revived", ticket=refused[0].ticket_id, by=visitor.staff.id)
    return _to(ticket_id)


def _listing(request: Request, template: str, filters: Filters, **values: Any) -> Response:
    city = request.app.state.web_city_map
    return console_of(request).page(
        visitor_of(request),
        template,
        filters=filters,
        stages=tuple(STAGES),
        groups=_grouped(_categories(request)),
        districts=[district["name"] for district in city["districts"]],
        orders=ORDER_NAMES,
        **values,
    )


def _case(request: Request, ticket_id: str, shown: str = "") -> Response:
    console, visitor = console_of(request), visitor_of(request)
    with unit_of_work() as session:
        ticket = with_everything(session, ticket_id[:_LONGEST_ID])
        if ticket is None:
            words = _unknown().message
            return console.page(visitor, "refused.html", 404, message=words)
        case = case_of(
            session,
            ticket,
            find_entries(session, ticket_id=ticket.id),
            visitor.staff,
            _categories(request),
            console.settings,
            utc_now(),
            shown,
        )
    return console.page(visitor, "complaint.html", case=case)


def _rows(wanted: Wanted, categories: Categories, actor: str) -> Iterator[str]:
    """Yield the CSV in pieces; a byte order mark lets Excel read it as UTF-8."""
    buffer = io.StringIO("\ufeff")
    buffer.seek(0, io.SEEK_END)
    writer = csv.DictWriter(buffer, TITLES, lineterminator="\r\n")
    writer.writeheader()
    last = ""
    while True:
        with unit_of_work() as session:
            views = [
                ticket_view(session, ticket, categories, actor=actor, with_contact=False)
                for ticket in complaints_after(session, wanted, last, _BATCH)
            ]
        writer.writerows(hotline_record(view).as_row() for view in views)
        yield buffer.getvalue()
        if len(views) < _BATCH:
            return
        last = views[-1].id
        buffer.seek(0)
        buffer.truncate()


def _grouped(categories: Categories) -> dict[str, list[Category]]:
    """Return the categories under their groups, both in the file's order."""
    found: dict[str, list[Category]] = {}
    for category in categories:
        found.setdefault(category.group, []).append(category)
    return found


def _unknown() -> StateError:
    return StateError("ticket_unknown", "没有这个工单，请核对工单号。", "unknown ticket")


def _page(text: str) -> int:
    return max(1, int(text)) if text.isascii() and text.isdigit() and len(text) < 7 else 1


def _categories(request: Request) -> Categories:
    categories: Categories = request.app.state.categories
    return categories


def _to(ticket_id: str) -> Response:
    return see_other(f"{HOME}/{ticket_id[:_LONGEST_ID]}")

"""The audit: who read what of whom, when and why; does its chain hold; a copy for a spreadsheet."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import Depends, Query, Request, Response
from sqlalchemy.orm import Session

from base.calendar import CITY_TIME, city_today
from base.errors import InputError
from base.sheets import cell
from channels.console.areas import staff_of, visitor_of
from channels.console.doorkeeper import Visitor
from channels.console.forms import Posted
from channels.console.masking import actor_of
from channels.console.pages import HEADERS, console_of, console_router
from channels.officials.trail import PURPOSES, SYSTEMS, TABLES, Line, line_of
from store.agents import all_agents
from store.audit import verify_newest
from store.audit_search import Wanted, last_check, note_check, search
from store.database import reading, unit_of_work
from store.models import AuditEntry
from store.privacy import note_access

HOME = "/console/audit"
PAGE = 50
MOST_EXPORTED = 20_000
MOST_VERIFIED = 20_000
"""Entries that the button looks at, 0.6 s of a core; the rest is ``shimin audit verify``'s."""
_DAYS = 30
_LONGEST = 160
_LARGEST_ID = 2**31 - 1
_READ, _EXPORTED = "audit_read", "audit_exported"
router = console_router(HOME, staff_of("audit"))


@dataclass(frozen=True)
class Asked:
    """The form as it was sent: days of the city (``YYYY-MM-DD``), the rest as typed."""

    since: str
    until: str
    who: str = ""
    what: str = ""
    why: str = ""
    ticket: str = ""

    @property
    def query(self) -> str:
        """The form as the query of an address, what is empty left out."""
        return urlencode({name: value for name, value in vars(self).items() if value})

    @property
    def summary(self) -> str:
        """The form in few words, for the entry that says it was asked."""
        more = (f"{name}={value}" for name, value in list(vars(self).items())[2:] if value)
        return " ".join((f"{self.since}..{self.until}", *more))

    @property
    def wanted(self) -> Wanted:
        """What to look for.

        Raises:
            InputError: ``days_invalid``.
        """
        try:
            first, last = date.fromisoformat(self.since), date.fromisoformat(self.until)
            begin = datetime.combine(first, time(), CITY_TIME)
            end = datetime.combine(last + timedelta(days=1), time(), CITY_TIME)
        except (ValueError, OverflowError) as error:
            raise InputError("days_invalid", "日期不对，请重新选择。", "day") from error
        return Wanted(begin, end, self.who, self.what, self.why, self.ticket)


def _asked(  # noqa: PLR0913
    since: str = "", until: str = "", who: str = "", what: str = "", why: str = "", ticket: str = ""
) -> Asked:
    today = city_today()
    return Asked(
        since=since[:10] or (today - timedelta(days=_DAYS)).isoformat(),
        until=until[:10] or today.isoformat(),
        who=who.strip()[:_LONGEST],
        what=what if what in TABLES else "",
        why=why if why in PURPOSES else "",
        ticket=ticket.strip().upper()[:20],
    )


Form = Annotated[Asked, Depends(_asked)]


@router.get("")
def page(
    request: Request,
    asked: Form,
    below: Annotated[int | None, Query(ge=1, le=_LARGEST_ID)] = None,
) -> Response:
    """Show entries, newest first; this reading is an entry too."""
    visitor = visitor_of(request)
    found: list[AuditEntry] = []
    problem = ""
    with unit_of_work() as session:
        try:
            found = list(search(session, asked.wanted, PAGE + 1, below))
        except InputError as error:
            problem = error.message
        _note(session, visitor, _READ, asked)
        shown = found[:PAGE]
        lines = _lines(request, session, shown)
        whole, newest = last_check(session, whole=True), last_check(session, whole=False)
        staff = [agent.name for agent in all_agents(session)]
    older = f"{asked.query}&below={shown[-1].id}" if len(found) > PAGE else ""
    return console_of(request).page(
        visitor,
        "audit.html",
        409 if problem else 200,
        problem=problem,
        asked=asked,
        lines=lines,
        older=older,
        is_first=below is None,
        whole=whole,
        newest=newest,
        actors=[*staff, *SYSTEMS],
        tables=TABLES,
        purposes=PURPOSES,
        most_exported=MOST_EXPORTED,
        most_verified=MOST_VERIFIED,
    )


@router.post("/verify")
def verify(request: Request) -> Response:
    """Compute the newest part of the chain again, and write down what was found."""
    console, visitor = console_of(request), visitor_of(request)
    with reading() as session:
        found = verify_newest(session, MOST_VERIFIED)
    with unit_of_work() as session:
        note_check(session, actor_of(visitor.staff), found, whole=False)
    return console.moved(f"{HOME}#chain")


@router.post("/export")
def export(request: Request, form: Posted) -> Response:
    """Give the entries of a search as CSV (RFC 4180, UTF-8 with a mark as Excel wants it)."""
    names = ("since", "until", "who", "what", "why", "ticket")
    asked = _asked(**{name: form.one(name) for name in names})
    with unit_of_work() as session:
        found = search(session, asked.wanted, MOST_EXPORTED + 1)
        lines = _lines(request, session, found[:MOST_EXPORTED])
        _note(session, visitor_of(request), _EXPORTED, asked)
    body = _csv(lines, cut_off=len(found) > MOST_EXPORTED)
    name = f"audit-{asked.since}-{asked.until}.csv"
    return Response(
        body.encode("utf-8-sig"),
        media_type="text/csv",
        headers={**HEADERS, "Content-Disposition": f'attachment; filename="{name}"'},
    )


def _csv(lines: list[Line], *, cut_off: bool) -> str:
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(["编号", "时间", "谁", "用途", "对象", "字段"])
    for line in lines:
        at = line.at.astimezone(CITY_TIME).isoformat(timespec="seconds")
        told = (line.who, line.purpose, line.what, line.field)
        writer.writerow([line.id, at, *map(cell, told)])
    if cut_off:
        writer.writerow(["", "", f"只导出了最新的{len(lines)}条，请缩小时间范围再导出其余的"])
    return out.getvalue()


def _lines(request: Request, session: Session, rows: Any) -> list[Line]:
    key = console_of(request).settings.session_key.get_secret_value()
    names = {agent.id: agent.name for agent in all_agents(session)}
    return [line_of(row, key, names) for row in rows]


def _note(session: Session, visitor: Visitor, purpose: str, asked: Asked) -> None:
    note_access(session, actor_of(visitor.staff), purpose, f"audit:{asked.summary}"[:200], "search")

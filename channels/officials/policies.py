"""Coverage of the policies: who qualifies, knows, was notified, opened and applied."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from io import StringIO

import structlog
from fastapi import Request, Response

from base.errors import ConfigurationError, StateError
from base.settings import Settings
from channels.console.areas import staff_of, visitor_of
from channels.console.masking import actor_of
from channels.console.pages import HEADERS, console_of, console_router
from channels.notices.report import COLUMNS, EVERYBODY, KIND_NAMES, Row, report
from channels.notices.report_page import write_rows
from channels.notices.shelf import Shelf
from matcher.groups import SMALLEST, WITHHELD
from store.models import utc_now

log = structlog.get_logger(__name__)

HOME = "/console/policies"
GOOD_FOR = timedelta(minutes=30)
"""So long a count is shown again: each one reads the profile of every subscriber."""

router = console_router(HOME, staff_of("policies"))


@dataclass(frozen=True)
class Counted:
    """A count of coverage; ``titles`` of the policies by id."""

    at: datetime
    rows: Sequence[Row]
    titles: Mapping[str, str]

    def wholes(self, audience: str) -> list[Row]:
        """Return each policy's figures as a whole, all policies together first."""
        return [
            row
            for row in self.rows
            if row.group.audience == audience and row.group.label == EVERYBODY
        ]

    def axes(self, policy: str) -> dict[str, list[Row]]:
        """Return the figures of a policy by group, under the name of each way of dividing."""
        found: dict[str, list[Row]] = {}
        for row in self.rows:
            if row.policy == policy and row.group.axis:
                found.setdefault(row.group.axis, []).append(row)
        return found


class CoverageDesk:
    """Counts when asked to and keeps the last count; one of it a gateway."""

    def __init__(self, settings: Settings) -> None:
        self._shelf = Shelf(settings.policies_dir)
        self._counting = threading.Lock()
        self._last: Counted | None = None

    def last(self, now: datetime) -> Counted | None:
        """Return the last count while it is good."""
        kept = self._last
        return kept if kept is not None and now - kept.at < GOOD_FOR else None

    def count(self, now: datetime, actor: str) -> Counted:
        """Return the last count, or count anew (audited under ``actor``).

        Raises:
            StateError: ``coverage_busy`` while somebody else has it counted;
                ``policies_unreadable``.
        """
        if (kept := self.last(now)) is not None:
            return kept
        if not self._counting.acquire(blocking=False):
            raise StateError("coverage_busy", "正在统计，请一分钟后再看。", "busy")
        try:
            policies = self._shelf.policies()
            rows = report(policies, now, actor)
            self._last = Counted(now, rows, {one.id: one.title for one in policies.all})
            return self._last
        except ConfigurationError as error:
            log.error("policies_unreadable", detail=error.detail)
            raise StateError(
                "policies_unreadable", "政策文件暂时读不了，请联系管理员。", error.detail
            ) from error
        finally:
            self._counting.release()


@router.get("")
def coverage_page(request: Request, policy: str = "") -> Response:
    """Show the last count, or how to have one made."""
    return _page(request, _desk(request).last(utc_now()), policy)


@router.post("")
def count(request: Request) -> Response:
    """Count and show."""
    return _page(request, _counted(request))


@router.post("/csv")
def download(request: Request) -> Response:
    """Return every figure as CSV; a byte order mark lets Excel read it as UTF-8."""
    counted = _counted(request)
    buffer = StringIO("\ufeff")
    buffer.seek(1)
    write_rows(counted.rows, counted.titles, buffer)
    name = f'attachment; filename="coverage-{counted.at:%Y%m%d}.csv"'
    headers = {**HEADERS, "Content-Disposition": name}
    return Response(buffer.getvalue(), media_type="text/csv; charset=utf-8", headers=headers)


def share(row: Row) -> str:
    """Return aware ÷ eligible, empty where one of them is not told."""
    eligible, aware = row.figures["eligible"], row.figures["aware"]
    if not (eligible.isdigit() and aware.isdigit()):
        return ""
    return f"{int(aware) / int(eligible):.0%}"


def greatest(rows: Sequence[Row]) -> int:
    """Return the greatest figure of some rows, at least 1: the length of a whole bar."""
    figures = (figure for row in rows for figure in row.figures.values())
    return max([1, *(int(figure) for figure in figures if figure.isdigit())])


def _counted(request: Request) -> Counted:
    return _desk(request).count(utc_now(), actor_of(visitor_of(request).staff))


def _page(request: Request, counted: Counted | None, policy: str = "") -> Response:
    known = counted is not None and policy in counted.titles
    return console_of(request).page(
        visitor_of(request),
        "policies.html",
        counted=counted,
        kinds=KIND_NAMES,
        columns=COLUMNS,
        policy=policy if known else "",
        share=share,
        greatest=greatest,
        smallest=SMALLEST,
        withheld=WITHHELD,
    )


def _desk(request: Request) -> CoverageDesk:
    desk: CoverageDesk = request.app.state.coverage_desk
    return desk

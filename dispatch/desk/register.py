"""What can be looked up at the desk: lists, single requests, counts, points, units."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from math import cos, radians

from sqlalchemy import ColumnElement, Select, and_, func, or_, select, true
from sqlalchemy.orm import Session, selectinload

from dispatch.classification.categories import Categories
from dispatch.desk.database import Database
from dispatch.desk.forms import Listing
from dispatch.desk.status import Actor, Status, is_open
from dispatch.desk.tables import EventRow, RequestRow
from dispatch.places.atlas import METRES_PER_DEGREE

PAGE_SIZE = 30
MAX_POINTS = 1000
NEAR_METRES = 300.0
_OPEN = tuple(status for status in Status if is_open(status))
_CLOSED = tuple(status for status in Status if not is_open(status))
_RUNNING = tuple(status for status in _OPEN if status is not Status.FIXED)
"""Statuses in which a limit runs: what is done waits only for the check."""


@dataclass(frozen=True)
class Filter:
    """What the dispatcher's list and map show; an empty field does not narrow.

    ``request_id`` is part of the desk's own number or of the sender's. ``only`` is ``overdue``,
    ``urgent``, ``called`` (somebody called for it) or ``hot`` (a hot spot).
    """

    statuses: tuple[Status, ...] = ()
    service_code: str = ""
    agency: str = ""
    request_id: str = ""
    only: str = ""
    page: int = 1


@dataclass(frozen=True)
class Page:
    """One page of the dispatcher's list."""

    rows: Sequence[RequestRow]
    total: int
    page: int
    pages: int


@dataclass(frozen=True)
class Points:
    """The requests of a map, newest first, and how many more there are."""

    rows: Sequence[RequestRow]
    left_out: int


def now_utc() -> datetime:
    """Return the present, aware, in UTC."""
    return datetime.now(UTC)


class Register:
    """Read access to the desk's requests."""

    def __init__(
        self,
        database: Database,
        categories: Categories,
        clock: Callable[[], datetime] = now_utc,
    ) -> None:
        self._database = database
        self._clock = clock
        self.categories = categories

    def request(self, request_id: str) -> RequestRow | None:
        """Return a request with its history, ``None`` when there is none."""
        statement = (
            select(RequestRow)
            .where(RequestRow.request_id == request_id)
            .options(selectinload(RequestRow.events))
        )
        with self._database.reading() as session:
            return session.scalar(statement)

    def filed(self, key: str | None) -> RequestRow | None:
        """Return the request already filed under an idempotency key."""
        with self._database.reading() as session:
            return self._by_key(session, key)

    def by_token(self, token: str) -> RequestRow | None:
        """Return the request a token stands for."""
        with self._database.reading() as session:
            return session.scalar(select(RequestRow).where(RequestRow.token == token))

    def listing(self, wanted: Listing) -> Sequence[RequestRow]:
        """Return the requests of ``GET /requests``, newest first."""
        statement = select(RequestRow).order_by(
            RequestRow.requested_at.desc(), RequestRow.pk.desc()
        )
        if wanted.request_ids:
            statement = statement.where(RequestRow.request_id.in_(wanted.request_ids))
            return self._all(statement)
        for column, low, high in (
            (RequestRow.requested_at, wanted.start, wanted.end),
            (RequestRow.updated_at, wanted.updated_after, wanted.updated_before),
        ):
            statement = statement if low is None else statement.where(column >= low)
            statement = statement if high is None else statement.where(column <= high)
        if wanted.service_codes:
            statement = statement.where(RequestRow.service_code.in_(wanted.service_codes))
        if wanted.statuses:
            allowed = [
                *(_OPEN if "open" in wanted.statuses else ()),
                *(_CLOSED if "closed" in wanted.statuses else ()),
            ]
            statement = statement.where(RequestRow.status.in_(allowed))
        skip = (wanted.page - 1) * wanted.page_size
        return self._all(statement.offset(skip).limit(wanted.page_size))

    def updates(self, start: datetime, end: datetime, limit: int) -> Sequence[EventRow]:
        """Return the desk's steps from ``start`` to ``end``, oldest first.

        What the citizen side posted is not read back to it.
        """
        statement = (
            select(EventRow)
            .where(EventRow.actor == Actor.DESK, EventRow.at.between(start, end))
            .order_by(EventRow.at, EventRow.pk)
            .limit(limit)
            .options(selectinload(EventRow.request))
        )
        with self._database.reading() as session:
            return session.scalars(statement).all()

    def page(self, wanted: Filter) -> Page:
        """Return one page of the dispatcher's list: urgent first, then the latest change."""
        where = self._where(wanted)
        with self._database.reading() as session:
            total = session.scalar(select(func.count(RequestRow.pk)).where(*where)) or 0
            pages = max(1, -(-total // PAGE_SIZE))
            page = min(max(1, wanted.page), pages)
            rows = session.scalars(
                select(RequestRow)
                .where(*where)
                .order_by(
                    RequestRow.status.in_(_CLOSED),
                    RequestRow.urgent.desc(),
                    RequestRow.updated_at.desc(),
                )
                .offset((page - 1) * PAGE_SIZE)
                .limit(PAGE_SIZE)
            ).all()
        return Page(rows, total, page, pages)

    def points(self, wanted: Filter) -> Points:
        """Return the requests of the dispatcher's map; ``wanted.page`` does not matter."""
        where = self._where(wanted)
        placed = [*where, RequestRow.latitude.is_not(None), RequestRow.longitude.is_not(None)]
        with self._database.reading() as session:
            total = session.scalar(select(func.count(RequestRow.pk)).where(*where)) or 0
            rows = session.scalars(
                select(RequestRow)
                .where(*placed)
                .order_by(RequestRow.requested_at.desc())
                .limit(MAX_POINTS)
            ).all()
        return Points(rows, total - len(rows))

    def near(self, row: RequestRow, limit: int = 5) -> Sequence[RequestRow]:
        """Return open requests of the same kind within 300 m: likely originals of a duplicate."""
        if row.latitude is None or row.longitude is None:
            return ()
        span = NEAR_METRES / METRES_PER_DEGREE
        wide = span / max(0.01, cos(radians(row.latitude)))
        statement = (
            select(RequestRow)
            .where(
                RequestRow.pk != row.pk,
                RequestRow.service_code == row.service_code,
                RequestRow.status.in_(_OPEN),
                RequestRow.latitude.between(row.latitude - span, row.latitude + span),
                RequestRow.longitude.between(row.longitude - wide, row.longitude + wide),
            )
            .order_by(RequestRow.requested_at)
            .limit(limit)
        )
        return self._all(statement)

    def merged(self, request_id: str) -> Sequence[RequestRow]:
        """Return the duplicates merged into a request, oldest first."""
        statement = select(RequestRow).where(RequestRow.merged_into == request_id)
        return self._all(statement.order_by(RequestRow.requested_at))

    def counts(self) -> dict[Status, int]:
        """Return how many requests stand in each status."""
        statement = select(RequestRow.status, func.count(RequestRow.pk)).group_by(RequestRow.status)
        with self._database.reading() as session:
            return {Status(status): count for status, count in session.execute(statement)}

    def count(self, wanted: Filter) -> int:
        """Return how many requests fit."""
        with self._database.reading() as session:
            statement = select(func.count(RequestRow.pk)).where(*self._where(wanted))
            return session.scalar(statement) or 0

    def departments(self) -> tuple[str, ...]:
        """Return the departments of the categories file, in its order, each once."""
        return tuple(dict.fromkeys(category.department for category in self.categories))

    def units(self) -> tuple[str, ...]:
        """Return every unit a request may be given to: the departments, and those seen so far."""
        with self._database.reading() as session:
            seen = session.scalars(select(RequestRow.agency).distinct()).all()
            before = session.scalars(select(EventRow.agency).distinct()).all()
        return tuple(dict.fromkeys((*self.departments(), *sorted({*seen, *before}))))

    def _where(self, wanted: Filter) -> list[ColumnElement[bool]]:
        where: list[ColumnElement[bool]] = []
        if wanted.statuses:
            where.append(RequestRow.status.in_(wanted.statuses))
        if wanted.service_code:
            where.append(RequestRow.service_code == wanted.service_code)
        if wanted.agency:
            where.append(RequestRow.agency == wanted.agency)
        if wanted.request_id:
            own = RequestRow.request_id.contains(wanted.request_id, autoescape=True)
            senders = RequestRow.sender_id.contains(wanted.request_id, autoescape=True)
            where.append(or_(own, senders))
        narrower: dict[str, ColumnElement[bool]] = {
            "urgent": RequestRow.urgent == true(),
            "called": RequestRow.calls > 0,
            "hot": RequestRow.hot_spot == true(),
            "overdue": self._overdue(),
        }
        if wanted.only in narrower:
            where.append(narrower[wanted.only])
        return where

    def _overdue(self) -> ColumnElement[bool]:
        now = self._clock()
        first = and_(RequestRow.status == Status.OPEN, RequestRow.respond_by < now)
        final = and_(RequestRow.status.in_(_RUNNING), RequestRow.resolve_by < now)
        return or_(first, final)

    def _all(self, statement: Select[RequestRow]) -> Sequence[RequestRow]:
        with self._database.reading() as session:
            return session.scalars(statement).all()

    @staticmethod
    def _by_key(session: Session, key: str | None) -> RequestRow | None:
        if key is None:
            return None
        return session.scalar(select(RequestRow).where(RequestRow.idempotency_key == key))

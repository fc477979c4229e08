"""What the desk does: takes requests, lets dispatchers and citizens act on them, looks them up."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import ColumnElement, Select, String, cast, func, or_, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, selectinload
from sqlalchemy.orm.exc import StaleDataError

from base.errors import InputError, StateError
from dispatch.categories import Categories, severity
from dispatch.desk.api_errors import ApiError
from dispatch.desk.database import Database
from dispatch.desk.forms import Listing, NewRequest, NewUpdate
from dispatch.desk.status import Action, Actor, Status, action_for, citizen_action, is_open
from dispatch.desk.tables import EventRow, RequestRow, WebhookRow
from dispatch.open311.reader import CHINA
from dispatch.open311.writer import plain, write_time

PAGE_SIZE = 30
MAX_EXPLANATION_CHARS = 1000
_TICK = timedelta(milliseconds=1)
_OPEN = tuple(status for status in Status if is_open(status))
_CLOSED = tuple(status for status in Status if not is_open(status))


@dataclass(frozen=True)
class Step:
    """A step a dispatcher asks for."""

    key: str
    explanation: str = ""
    agency: str | None = None
    operator: str | None = None


@dataclass(frozen=True)
class Filter:
    """What the dispatcher's list shows; an empty field does not narrow.

    ``request_id`` is part of the desk's own number or of the sender's (an attribute).
    """

    statuses: tuple[Status, ...] = ()
    service_code: str = ""
    request_id: str = ""
    page: int = 1


@dataclass(frozen=True)
class Page:
    """One page of the dispatcher's list."""

    rows: Sequence[RequestRow]
    total: int
    page: int
    pages: int


def now_utc() -> datetime:
    """Return the present, aware, in UTC."""
    return datetime.now(UTC)


class Office:
    """The desk's business over its database.

    ``on_step`` is called after a step with a webhook has been committed.
    """

    def __init__(
        self,
        database: Database,
        categories: Categories,
        on_step: Callable[[], None],
        clock: Callable[[], datetime] = now_utc,
    ) -> None:
        self._database = database
        self._on_step = on_step
        self._clock = clock
        self.categories = categories

    def file(self, new: NewRequest, key: str | None) -> RequestRow:
        """File a request; the same idempotency ``key`` gives the same request again.

        Raises:
            ApiError: 404 for an unknown service code.
        """
        try:
            with self._database.writing() as session:
                known = self._by_key(session, key)
                return known if known is not None else self._insert(session, new, key)
        except IntegrityError:
            # Another process filed the same key between our look and our insert.
            known = self.filed(key)
            if known is None:
                raise
            return known

    def filed(self, key: str | None) -> RequestRow | None:
        """Return the request already filed under an idempotency key."""
        with self._database.reading() as session:
            return self._by_key(session, key)

    def _by_key(self, session: Session, key: str | None) -> RequestRow | None:
        if key is None:
            return None
        return session.scalar(select(RequestRow).where(RequestRow.idempotency_key == key))

    def _insert(self, session: Session, new: NewRequest, key: str | None) -> RequestRow:
        category = self.categories.get(new.service_code)
        if category is None:
            raise ApiError(404, "service_code was not found")
        now = self._clock()
        level = severity(category, new.description)
        respond_hours, resolve_hours = category.limits(level)
        token = secrets.token_urlsafe(24)
        row = RequestRow(
            request_id=token,
            token=token,
            idempotency_key=key,
            service_code=category.code,
            service_name=category.name,
            status=Status.OPEN,
            agency=category.department,
            urgent=level == "urgent",
            description=new.description,
            address=new.address,
            address_id=new.address_id,
            latitude=new.latitude,
            longitude=new.longitude,
            media_urls=list(new.media_urls),
            attributes=dict(new.attributes),
            contact=dict(new.contact),
            requested_at=now,
            updated_at=now,
            respond_by=now + timedelta(hours=respond_hours),
            resolve_by=now + timedelta(hours=resolve_hours),
        )
        session.add(row)
        session.flush()
        row.request_id = f"YZ{now.astimezone(CHINA):%Y%m%d}{row.pk:06d}"
        return row

    def act(self, request_id: str, step: Step) -> RequestRow:
        """Take a dispatcher's step; its webhook is queued in the same transaction.

        Raises:
            StateError: ``request_unknown``, ``transition_refused``.
            InputError: ``explanation_missing``, ``explanation_too_long``, ``agency_unknown``.
        """
        try:
            with self._database.writing() as session:
                row = self._find(session, request_id)
                if row is None:
                    raise StateError("request_unknown", "没有这个工单。", request_id)
                action = action_for(step.key, Status(row.status))
                explanation = self._explanation(action, step.explanation)
                if action.agency:
                    row.agency = self._agency(step.agency)
                event = self._record(session, row, action.title, explanation)
                event.actor, event.operator = Actor.DESK, step.operator
                self._move(row, event, action)
                session.flush()
                session.add(self._webhook(row, event))
        except StaleDataError as error:
            raise StateError(
                "transition_refused", "工单刚刚被其他人处理过，请刷新后再操作。", "stale version"
            ) from error
        self._on_step()
        return row

    def add_update(self, new: NewUpdate) -> str:
        """Take a citizen's supplement or withdrawal and return the update's id.

        A status the citizen may not set now leaves the state as it is; his words are kept in
        the history all the same. The citizen side knows its own steps: no webhook is sent.

        Raises:
            ApiError: 404 for an unknown request.
        """
        with self._database.writing() as session:
            row = self._find(session, new.service_request_id)
            if row is None:
                raise ApiError(404, "service_request_id was not found")
            known = self._repeated(session, row, new.client_update_id)
            if known is not None:
                return known.update_id
            action = citizen_action(new.status, Status(row.status))
            title = action.title if action else _kept_title(new.status)
            event = self._record(session, row, title, new.description)
            event.actor, event.client_update_id = Actor.CITIZEN, new.client_update_id
            event.media_urls = list(new.media_urls)
            if action is not None:
                self._move(row, event, action)
            return event.update_id

    def _repeated(self, session: Session, row: RequestRow, key: str | None) -> EventRow | None:
        if key is None:
            return None
        return session.scalar(
            select(EventRow).where(EventRow.request_pk == row.pk, EventRow.client_update_id == key)
        )

    def _explanation(self, action: Action, text: str) -> str:
        words = plain(text).strip()
        if action.explain and not words:
            raise InputError("explanation_missing", f"请填写{action.explain}。", action.key)
        if len(words) > MAX_EXPLANATION_CHARS:
            raise InputError(
                "explanation_too_long", f"说明不能超过{MAX_EXPLANATION_CHARS}字。", action.key
            )
        return words

    def _agency(self, name: str | None) -> str:
        if name is None or name not in self.departments():
            raise InputError("agency_unknown", "请选择承办单位。", "unknown agency")
        return name

    def departments(self) -> tuple[str, ...]:
        """Return the departments of the categories file, in its order, each once."""
        return tuple(dict.fromkeys(category.department for category in self.categories))

    def _record(self, session: Session, row: RequestRow, title: str, words: str) -> EventRow:
        # Steps of one request never share a millisecond, so receivers can order them.
        row.updated_at = max(self._clock(), row.updated_at + _TICK)
        event = EventRow(
            update_id=f"U{secrets.token_hex(12)}",
            request_pk=row.pk,
            actor=Actor.DESK,
            title=title,
            changed=False,
            status=row.status,
            description=words,
            agency=row.agency,
            media_urls=[],
            at=row.updated_at,
        )
        session.add(event)
        return event

    def _move(self, row: RequestRow, event: EventRow, action: Action) -> None:
        row.status = event.status = action.target
        # The notes are readable in the open API: a citizen's own words do not go there.
        by_desk = action.actor is Actor.DESK
        row.status_notes = (event.description or None) if by_desk else action.title
        event.changed = True

    def _webhook(self, row: RequestRow, event: EventRow) -> WebhookRow:
        body = {
            "update_id": event.update_id,
            "service_request_id": row.request_id,
            "status": event.status,
            "updated_datetime": write_time(event.at),
            "description": event.description,
            "agency_responsible": event.agency,
        }
        return WebhookRow(
            request_pk=row.pk,
            update_id=event.update_id,
            body=json.dumps(body, ensure_ascii=False),
            attempts=0,
            due_at=self._clock(),
        )

    def _find(self, session: Session, request_id: str) -> RequestRow | None:
        return session.scalar(select(RequestRow).where(RequestRow.request_id == request_id))

    def request(self, request_id: str) -> RequestRow | None:
        """Return a request with its history, ``None`` when there is none."""
        statement = (
            select(RequestRow)
            .where(RequestRow.request_id == request_id)
            .options(selectinload(RequestRow.events))
        )
        with self._database.reading() as session:
            return session.scalar(statement)

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
        statement = statement.where(RequestRow.requested_at.between(wanted.start, wanted.end))
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

    def _all(self, statement: Select[RequestRow]) -> Sequence[RequestRow]:
        with self._database.reading() as session:
            return session.scalars(statement).all()

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
        """Return one page of the dispatcher's list: urgent first, then the nearest limit."""
        where: list[ColumnElement[bool]] = []
        if wanted.statuses:
            where.append(RequestRow.status.in_(wanted.statuses))
        if wanted.service_code:
            where.append(RequestRow.service_code == wanted.service_code)
        if wanted.request_id:
            own = RequestRow.request_id.contains(wanted.request_id, autoescape=True)
            senders = cast(RequestRow.attributes, String).contains(
                wanted.request_id, autoescape=True
            )
            where.append(or_(own, senders))
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

    def counts(self) -> dict[Status, int]:
        """Return how many requests stand in each status."""
        statement = select(RequestRow.status, func.count(RequestRow.pk)).group_by(RequestRow.status)
        with self._database.reading() as session:
            return {Status(status): count for status, count in session.execute(statement)}


def _kept_title(status: str) -> str:
    """Name a citizen's update that changes nothing."""
    if status == Status.WITHDRAWN:
        return "市民申请撤回（工单已办理完毕，状态不变）"
    if status == Status.REOPEN:
        return "市民要求重办（工单仍在办理，状态不变）"
    return "市民补充"

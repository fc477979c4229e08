"""What the desk does: takes requests, lets dispatchers and citizens act on them."""

from __future__ import annotations

import json
import logging
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session
from sqlalchemy.orm.exc import StaleDataError

from base.errors import InputError, StateError
from dispatch.classification.categories import Categories, Category, Level, severity
from dispatch.desk.api_errors import ApiError
from dispatch.desk.database import Database, sender_id_of
from dispatch.desk.forms import NewRequest, NewUpdate
from dispatch.desk.register import Filter, Page, Points, Register, now_utc
from dispatch.desk.sealing import unseal
from dispatch.desk.status import LABELS, Action, Actor, Status, action_for, citizen_action
from dispatch.desk.tables import AuditRow, EventRow, RequestRow, WebhookRow
from dispatch.open311.reader import CHINA
from dispatch.open311.writer import plain, write_time

__all__ = ["Filter", "Office", "Page", "Points", "Step", "now_utc"]

logger = logging.getLogger(__name__)

MAX_EXPLANATION_CHARS = 1000
MAX_UNIT_CHARS = 80
MAX_WEBHOOK_PHOTOS = 5
_TICK = timedelta(milliseconds=1)
_CALL = re.compile(r"^【(催办|督办|预警|升级)】")
_RATING = "市民评价"


@dataclass(frozen=True)
class Step:
    """A step a dispatcher asks for.

    ``agency`` is the unit of a transfer, ``main`` the request a duplicate is merged into,
    ``media_urls`` are photos of the result.
    """

    key: str
    explanation: str = ""
    agency: str | None = None
    operator: str | None = None
    main: str | None = None
    media_urls: tuple[str, ...] = ()


class Office(Register):
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
        super().__init__(database, categories, clock)
        self._on_step = on_step

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

    def _insert(self, session: Session, new: NewRequest, key: str | None) -> RequestRow:
        category = self.categories.get(new.service_code)
        if category is None:
            raise ApiError(404, "service_code was not found")
        now = self._clock()
        level = severity(category, new.description)
        respond_by, resolve_by = _limits(category, level, now)
        token = secrets.token_urlsafe(24)
        row = RequestRow(
            request_id=token,
            token=token,
            idempotency_key=key,
            service_code=category.code,
            service_name=category.name,
            status=Status.OPEN,
            agency=_agency_for(category, new),
            urgent=level == "urgent",
            hot_spot="1" in new.attributes.get("hot_spot", ()),
            sender_id=sender_id_of(new.attributes),
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
            respond_by=respond_by,
            resolve_by=resolve_by,
        )
        session.add(row)
        session.flush()
        row.request_id = f"YZ{now.astimezone(CHINA):%Y%m%d}{row.pk:06d}"
        return row

    def act(self, request_id: str, step: Step) -> RequestRow:
        """Take a dispatcher's step; its webhook is queued in the same transaction.

        Raises:
            StateError: ``request_unknown``, ``transition_refused``.
            InputError: ``explanation_missing``, ``explanation_too_long``, ``agency_unknown``,
                ``main_unknown``.
        """
        units = self.units()
        try:
            with self._database.writing() as session:
                row = self._find(session, request_id)
                if row is None:
                    raise StateError("request_unknown", "没有这个工单。", request_id)
                action = action_for(step.key, Status(row.status))
                explanation = self._explanation(action, step.explanation)
                former = row.agency
                if action.agency:
                    row.agency = _checked_unit(step.agency, units)
                if action.main:
                    self._merge(session, row, step, explanation)
                event = self._record(session, row, action.title, explanation)
                event.operator, event.media_urls = step.operator, list(step.media_urls)
                event.former_agency = former if action.agency else None
                self._move(row, event, action)
                session.flush()
                session.add(self._webhook(row, event))
        except StaleDataError as error:
            raise StateError(
                "transition_refused", "工单刚刚被其他人处理过，请刷新后再操作。", "stale version"
            ) from error
        self._on_step()
        return row

    def _merge(self, session: Session, row: RequestRow, step: Step, explanation: str) -> None:
        """Bind a duplicate to its main request and note it there; the main keeps its state."""
        wanted = (step.main or "").strip()
        main = self._find(session, wanted) if wanted else None
        if main is None or main.pk == row.pk:
            raise InputError("main_unknown", "请填写要并入的工单编号（YZ开头）。", "unknown main")
        if main.merged_into is not None:
            raise InputError(
                "main_unknown", f"{wanted}已并入{main.merged_into}，请填写后者。", "main is merged"
            )
        row.merged_into = main.request_id
        note = self._record(session, main, f"并入重复件 {row.request_id}", explanation)
        note.actor, note.operator = Actor.OFFICE, step.operator

    def add_update(self, new: NewUpdate) -> str:
        """Take what the citizen side says: words, a step of the citizen, a call for a late case.

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
            call = _CALL.match(new.description)
            action = None if call else citizen_action(new.status, Status(row.status))
            title = action.title if action else _kept_title(new, call[1] if call else None)
            event = self._record(session, row, title, new.description)
            event.actor, event.client_update_id = Actor.CITIZEN, new.client_update_id
            event.media_urls = list(new.media_urls)
            if call:
                event.call = row.last_call = call[1]
                row.calls += 1
            if action is not None:
                self._move(row, event, action)
            return event.update_id

    def contact_of(self, row: RequestRow, operator: str) -> dict[str, Any]:
        """Open the citizen's contact and write down who looked; ``{}`` when there is none."""
        if row.contact is None:
            return {}
        with self._database.writing() as session:
            session.add(
                AuditRow(
                    at=self._clock(),
                    operator=operator,
                    request_id=row.request_id,
                    field="contact",
                    purpose="办理工单",
                )
            )
        logger.info("contact of %s opened at the desk", row.request_id)
        opened: dict[str, Any] = unseal(row.contact)
        return opened

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
        category = self.categories.get(row.service_code)
        if action.target is Status.REOPEN and category is not None:
            level: Level = "urgent" if row.urgent else "normal"
            row.limits_from = event.at
            row.respond_by, row.resolve_by = _limits(category, level, event.at)

    def _webhook(self, row: RequestRow, event: EventRow) -> WebhookRow:
        body = {
            "update_id": event.update_id,
            "service_request_id": row.request_id,
            "status": event.status,
            "updated_datetime": write_time(event.at),
            "description": event.description,
            "agency_responsible": event.agency,
            "media_urls": event.media_urls[:MAX_WEBHOOK_PHOTOS],
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


def _limits(category: Category, level: Level, start: datetime) -> tuple[datetime, datetime]:
    """Return until when a request is to be accepted and to be settled."""
    respond_hours, resolve_hours = category.limits(level)
    return start + timedelta(hours=respond_hours), start + timedelta(hours=resolve_hours)


def _agency_for(category: Category, new: NewRequest) -> str:
    """Return the unit the sender names, else the category's department."""
    named = " ".join(new.attributes.get("responsible_unit", ())).strip()
    return named if 0 < len(named) <= MAX_UNIT_CHARS else category.department


def _checked_unit(name: str | None, units: tuple[str, ...]) -> str:
    if name is None or name not in units:
        raise InputError("agency_unknown", "请选择承办单位。", "unknown agency")
    return name


def _kept_title(new: NewUpdate, call: str | None) -> str:
    """Name an update of the citizen side that changes nothing."""
    if call:
        return call
    kept = {
        Status.WITHDRAWN: "市民申请撤回（工单已办理完毕，状态不变）",
        Status.REOPEN: "市民要求重办（工单仍在办理，状态不变）",
        Status.CLOSED: f"市民确认办结（仅“{LABELS[Status.FIXED]}”的工单可结案，状态不变）",
    }
    if new.status in kept:
        return kept[Status(new.status)]
    return _RATING if new.description.startswith(_RATING) else "市民补充"

"""What happens as a ticket's time limits pass.

As a limit passes, the dispatch system hears of it once a step: before its end (预警), at its
end (催办), half a limit later (督办), and at twice the limit the supervising unit is called in
(提级). From 督办 on the citizen hears of it too. A case that units pass on and on is raised
without waiting.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import structlog
from sqlalchemy.orm import Session

from base.calendar import CITY_TIME
from base.errors import StateError
from dispatch.case.lifecycle import BEING_HANDLED
from dispatch.case.limits import Limits, limit_hours, limits, started, transfers, untaken
from dispatch.case.telling import tell
from dispatch.case.wording import (
    CALL,
    LIMIT_NAMES,
    RAISED,
    URGENT_CALL,
    WARNING,
    overdue_reply,
    passed_on_reply,
    raised_reply,
)
from dispatch.classification.categories import Categories, Category
from store.complaints import LateKind, kinds_at_work
from store.models import Ticket
from store.tickets import add_event, city_day, forwarded_in, is_queued, queue_outbox

log = structlog.get_logger(__name__)

_RUNNING = {
    "respond": ("forwarded", "transferred", "reopened"),
    "resolve": BEING_HANDLED,
}
"""Statuses in which a limit still runs; whoever has not accepted has not resolved either."""
_STEPS = (("raised", 2.0), ("urged", 1.5), ("due", 1.0), ("soon", 0.8))
"""What is due at which part of the limit, the last step first."""
MAX_TRANSFERS = 3
"""So many transfers without acceptance are passing the buck (踢皮球)."""


def call_for_overdue(
    session: Session, categories: Categories, now: datetime, supervisor: str
) -> int:
    """Do what is due for every open case the dispatch system knows; return how many calls.

    ``supervisor`` is the unit that hears of what others leave undone.
    """
    calls = 0
    for ticket in forwarded_in(session, _RUNNING["resolve"]):
        category = categories.get(ticket.category)
        if category is None:
            continue
        calls += _raise_passed_on(session, ticket, category, supervisor)
        due = limits(ticket, category)
        for limit, statuses in _RUNNING.items():
            if ticket.status in statuses:
                calls += _call(session, ticket, category, limit, due, now, supervisor)
    return calls


def overdue(session: Session, categories: Categories, now: datetime) -> dict[str, int]:
    """Count the open cases past their ``respond`` and ``resolve`` limits."""
    late = dict.fromkeys(_RUNNING, 0)
    for ticket in forwarded_in(session, _RUNNING["resolve"]):
        category = categories.get(ticket.category)
        if category is None:
            continue
        due = limits(ticket, category)
        for limit, statuses in _RUNNING.items():
            late[limit] += ticket.status in statuses and now > getattr(due, limit)
    return late


def late_kinds(session: Session, categories: Categories, now: datetime) -> tuple[LateKind, ...]:
    """Return what makes an open complaint late at ``now``, for a search in the database.

    It is the rule of :func:`dispatch.case.wording.is_overdue`.
    """
    found = []
    for code, level, own in kinds_at_work(session, BEING_HANDLED):
        category = categories.get(code)
        if category is None:
            continue
        hours = limit_hours(Ticket(severity=level, resolve_hours=own), category)[1]
        found.append(LateKind(code, level, own, now - timedelta(hours=hours)))
    return tuple(found)


def remind(
    session: Session, ticket: Ticket, categories: Categories, actor: str, now: datetime
) -> None:
    """Call for a case by hand (催办), with an entry of the history; once a day.

    Args:
        session: the open unit of work.
        ticket: locked, with its history.
        categories: the city's categories.
        actor: who calls, as the history names him.
        now: the moment (aware).

    Raises:
        StateError: ``not_at_work`` when nobody works on the case, or the dispatch system has not
            taken it; ``reminded_today``.
    """
    category = categories.get(ticket.category)
    if category is None or ticket.external_id is None or ticket.status not in BEING_HANDLED:
        raise StateError(
            "not_at_work",
            "这个工单还没有派出去，或已经办完，不能催办。",
            f"{ticket.id} is {ticket.status}",
        )
    limit = "respond" if ticket.status in _RUNNING["respond"] else "resolve"
    due: datetime = getattr(limits(ticket, category), limit)
    act = LIMIT_NAMES[limit]
    passed = f"已超过{act}时限{_span(now - due)}，" if now > due else ""
    words = f"{CALL}{passed}请尽快{act}，并把进展告诉市民。"
    if not _say(session, ticket, f"reminded-{city_day(now):%Y%m%d}", words):
        raise StateError(
            "reminded_today", "今天已经催办过这个工单，请明天再催。", f"{ticket.id} was reminded"
        )
    add_event(session, ticket, ticket.status, actor=actor, note=words)
    log.info("ticket_reminded", ticket=ticket.id, by=actor)


def _call(  # noqa: PLR0913
    session: Session,
    ticket: Ticket,
    category: Category,
    limit: str,
    limits: Limits,
    now: datetime,
    supervisor: str,
) -> int:
    """Take the last step whose time has come, once; earlier ones that were missed are left."""
    start = limits.respond_start if limit == "respond" else limits.start
    due: datetime = getattr(limits, limit)
    step = next((name for name, part in _STEPS if now >= start + (due - start) * part), None)
    if step is None:
        return 0
    words = _words(ticket, limit, step, now - due, supervisor)
    if not _say(session, ticket, f"{limit}-{start:%Y%m%d%H%M%S}-{step}", words):
        return 0
    if step == "urged":
        tell(session, ticket, overdue_reply(ticket, category, limit))
    elif step == "raised":
        tell(session, ticket, raised_reply(ticket, category, limit, supervisor))
    log.warning("ticket_limit", ticket=ticket.id, limit=limit, step=step, late=str(now - due))
    return 1


def _words(ticket: Ticket, limit: str, step: str, late: timedelta, supervisor: str) -> str:
    act = LIMIT_NAMES[limit]
    if step == "soon":
        return f"{WARNING}距{act}时限还有{_span(-late)}，请按时{act}。"
    passed = f"已超过{act}时限{_span(late)}"
    if step == "raised":
        return (
            f"{RAISED}{passed}，至今没有{act}，"
            f"提请{supervisor}督促{ticket.department}。{_history(ticket)}"
        )
    return f"{URGENT_CALL if step == 'urged' else CALL}{passed}，请尽快{act}。"


def _raise_passed_on(session: Session, ticket: Ticket, category: Category, supervisor: str) -> int:
    """Raise a case that was transferred again and again and that nobody took."""
    count = untaken(ticket)
    if ticket.status != "transferred" or count < MAX_TRANSFERS:
        return 0
    words = (
        f"{RAISED}已转办{count}次，仍没有单位受理，提请{supervisor}协调确定承办单位。"
        f"{_history(ticket)}"
    )
    if not _say(session, ticket, f"passed-{started(ticket):%Y%m%d%H%M%S}", words):
        return 0
    tell(session, ticket, passed_on_reply(ticket, category, supervisor))
    log.warning("ticket_passed_on", ticket=ticket.id, transfers=count)
    return 1


def _say(session: Session, ticket: Ticket, what: str, words: str) -> bool:
    """Send words to the dispatch system; False when they were sent before."""
    key = f"shimin-{ticket.id}-{what}"
    if is_queued(session, key):
        return False
    queue_outbox(session, ticket, "update", key, {"description": words})
    return True


def _history(ticket: Ticket) -> str:
    """Tell who handed the case to whom and when; empty when nobody did."""
    moves = [
        f"{move.at.astimezone(CITY_TIME):%m月%d日}"
        f"{move.source or '未注明'}转{move.target or '未注明'}"
        for move in transfers(ticket)
    ]
    return f"转办经过：{'；'.join(moves)}。" if moves else ""


def _span(span: timedelta) -> str:
    hours = int(span.total_seconds() // 3600)
    if hours >= 48:
        return f"{hours // 24}天"
    return f"{hours}小时" if hours else f"{max(1, int(span.total_seconds() // 60))}分钟"

"""The agents' pages: the queue, a conversation, calls to make."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any

from fastapi import Path, Query, Request, Response
from fastapi.responses import HTMLResponse
from sqlalchemy.orm import Session

from base.errors import InputError, StateError
from base.settings import Settings
from channels.agents.answers import AnswerShelf, ReadyAnswer
from channels.agents.view import Row, Talk, bubbles, person_of, row_of, seen_by
from channels.console.areas import staff_of, visitor_of
from channels.console.doorkeeper import Visitor
from channels.console.forms import Posted
from channels.console.pages import HEADERS, Console, console_router, see_other
from dispatch.classification.categories import Categories
from enquiries.handover.counter import LONGEST_REPLY, Counter
from enquiries.handover.office import ON_DUTY, TOPICS, Office
from enquiries.handover.states import State
from store import handover as rows
from store.agent_models import Agent
from store.agents import on_duty
from store.database import reading, unit_of_work
from store.models import utc_now

LARGEST_ID = 2**31 - 1
"""The largest integer a database row can have as its id."""

Number = Annotated[int, Path(ge=1, le=LARGEST_ID)]
After = Annotated[int, Query(ge=0, le=LARGEST_ID)]

HOME = "/console/agents"
router = console_router(HOME, staff_of("agents"))


class AgentDesk:
    """What the pages work with; one of it a gateway."""

    def __init__(self, settings: Settings, console: Console, categories: Categories) -> None:
        self.settings = settings
        self.console = console
        self.categories = categories
        self.office = Office(settings)
        self.counter = Counter(self.office)
        self.answers = AnswerShelf(settings)

    def lists(self, session: Session, agent: Agent) -> dict[str, Any]:
        """Return the queue and the conversations; nothing personal is read."""
        mine = rows.served_by(session, agent.id)
        others = rows.served_by(session, None) if agent.role == "admin" else ()
        queue = rows.waiting(session)
        return {
            "queue": [row_of(row, place) for place, row in enumerate(queue, 1)],
            "mine": [self._led(session, row) for row in mine],
            "others": [self._led(session, row) for row in others if row.agent_id != agent.id],
            "calls": len(rows.promised_calls(session)),
            "on_duty": len(on_duty(session, utc_now(), ON_DUTY)),
        }

    def talk(self, session: Session, handover_id: int, agent: Agent) -> Talk:
        """Return a conversation with everything an agent may see (audited)."""
        row = seen_by(session, handover_id, agent)
        return Talk(
            row=self._led(session, row),
            topic_key=row.topic,
            mine=row.state == State.SERVING and row.agent_id == agent.id,
            lines=bubbles(session, row, agent, self.settings),
            person=person_of(session, row, agent, self.categories),
        )

    @staticmethod
    def _led(session: Session, row: Any) -> Row:
        name = session.get_one(Agent, row.agent_id).name if row.agent_id else ""
        said = rows.last_words(session, row.id, row.claimed_at or row.queued_at)
        return row_of(row, agent=name, unanswered=said is None or said[0] == "citizen")


@router.get("")
def queue_page(request: Request) -> Response:
    """Show who waits and who is spoken with."""
    return _queue(request, "queue.html")


@router.get("/queue")
def queue_part(request: Request) -> Response:
    """Return the lists alone, for the page that is open."""
    return _queue(request, "queue_lists.html")


def _queue(request: Request, template: str) -> Response:
    desk, visitor = _desk(request), visitor_of(request)
    with reading() as session:
        lists = desk.lists(session, visitor.staff)
    hours = desk.office.hours
    now = utc_now()
    return desk.console.page(
        visitor, template, hours=str(hours), is_open=hours.is_open(now), now=now, **lists
    )


@router.post("/{handover_id}/claim")
def claim(request: Request, handover_id: Number) -> Response:
    """Take a waiting citizen."""
    _do(request, lambda c, s, who, now: c.claim(s, handover_id, who, now))
    return see_other(f"{HOME}/{handover_id}")


@router.get("/calls")
def calls_page(request: Request) -> Response:
    """Show the calls that were promised."""
    return _calls(request, visitor_of(request))


@router.post("/calls/{handover_id}/number")
def show_number(request: Request, handover_id: Number) -> Response:
    """Show whom to call; this reading is audited."""
    desk, visitor = _desk(request), visitor_of(request)
    with unit_of_work() as session:
        contact = desk.counter.number(session, handover_id, visitor.staff)
    return _calls(request, visitor, {handover_id: contact})


@router.post("/calls/{handover_id}/reached")
def reached(request: Request, handover_id: Number) -> Response:
    """Note that the citizen was spoken with."""
    _do(request, lambda c, s, who, now: c.reached(s, handover_id, who, now))
    return see_other(f"{HOME}/calls")


@router.post("/calls/{handover_id}/missed")
def missed(request: Request, handover_id: Number) -> Response:
    """Note that nobody answered."""
    _do(request, lambda c, s, who, now: c.missed(s, handover_id, who, now))
    return see_other(f"{HOME}/calls")


def _calls(
    request: Request, visitor: Visitor, shown: dict[int, dict[str, Any]] | None = None
) -> Response:
    desk = _desk(request)
    with reading() as session:
        found = [(row_of(row), call) for row, call in rows.promised_calls(session)]
    return desk.console.page(visitor, "calls.html", calls=found, shown=shown or {}, now=utc_now())


@router.get("/{handover_id}")
def talk_page(request: Request, handover_id: Number) -> Response:
    """Show a conversation."""
    return _talk(request, handover_id)


@router.get("/{handover_id}/new")
def new_lines(request: Request, handover_id: Number, after: After = 0) -> Response:
    """Return the lines said since, as HTML; 204 when there are none. Only these are read."""
    desk, visitor = _desk(request), visitor_of(request)
    agent = visitor.staff
    with reading() as session:
        row = seen_by(session, handover_id, agent)
        if rows.last_message_id(session, handover_id) <= after:
            return Response(status_code=204, headers=HEADERS)
    with unit_of_work() as session:
        lines = bubbles(session, row, agent, desk.settings, after)
    return desk.console.page(visitor, "lines.html", lines=lines)


@router.post("/{handover_id}/reply")
def reply(request: Request, handover_id: Number, form: Posted) -> Response:
    """Say something to the citizen, or note something for colleagues."""
    desk, visitor = _desk(request), visitor_of(request)
    step = desk.counter.note if form.one("as") == "note" else desk.counter.reply
    text, key = form.one("text"), form.one("key")[:64] or secrets.token_hex(16)
    try:
        with unit_of_work() as session:
            step(session, handover_id, visitor.staff, text, key, utc_now())
    except (InputError, StateError) as error:
        return _talk(request, handover_id, problem=error.message, draft=text, status=409)
    return see_other(f"{HOME}/{handover_id}#reply")


@router.post("/{handover_id}/search")
def search(request: Request, handover_id: Number, form: Posted) -> Response:
    """Look for a ready answer, or put one into the reply that is being written."""
    desk = _desk(request)
    draft, query, chosen = form.one("text"), form.one("q"), form.one("insert")
    if chosen:
        draft = f"{draft.rstrip()}\n{desk.answers.words(chosen)}".strip()
        return _talk(request, handover_id, draft=draft)
    found = desk.answers.search(query)
    problem = "事项库暂时读不了，请联系管理员。" if found is None else ""
    return _talk(request, handover_id, draft=draft, query=query, found=found or (), problem=problem)


@router.post("/{handover_id}/end")
def end(request: Request, handover_id: Number) -> Response:
    """Give the citizen back to the assistant."""
    _do(request, lambda c, s, who, now: c.end(s, handover_id, who, now))
    return see_other(HOME)


@router.post("/{handover_id}/transfer")
def transfer(request: Request, handover_id: Number, form: Posted) -> Response:
    """Give the citizen to another agent, or back to the queue."""
    desk, visitor = _desk(request), visitor_of(request)
    to, topic, now = form.one("to"), form.one("topic"), utc_now()
    with unit_of_work() as session:
        if to == "queue":
            if topic not in TOPICS:
                raise InputError("topic_unknown", "请选择要转去的队列。", f"topic {topic!r}")
            desk.counter.requeue(session, handover_id, visitor.staff, topic, now)
        else:
            others = {a.name: a for a in on_duty(session, now, ON_DUTY)}
            if to not in others:
                raise StateError("agent_away", "这位同事现在不在线，请换一位。", "agent is away")
            desk.counter.transfer(session, handover_id, visitor.staff, others[to], now)
    return see_other(HOME)


def _talk(  # noqa: PLR0913
    request: Request,
    handover_id: int,
    *,
    problem: str = "",
    draft: str = "",
    query: str = "",
    found: tuple[ReadyAnswer, ...] | None = None,
    status: int = 200,
) -> HTMLResponse:
    desk, visitor = _desk(request), visitor_of(request)
    agent = visitor.staff
    with unit_of_work() as session:
        talk = desk.talk(session, handover_id, agent)
        here = [a.name for a in on_duty(session, utc_now(), ON_DUTY) if a.id != agent.id]
    return desk.console.page(
        visitor,
        "talk.html",
        status,
        talk=talk,
        colleagues=here,
        topics=TOPICS,
        problem=problem,
        draft=draft,
        query=query,
        found=found,
        key=secrets.token_hex(16),
        longest=LONGEST_REPLY,
    )


def _do(request: Request, step: Callable[[Counter, Session, Agent, datetime], None]) -> None:
    desk, visitor = _desk(request), visitor_of(request)
    with unit_of_work() as session:
        step(desk.counter, session, visitor.staff, utc_now())


def _desk(request: Request) -> AgentDesk:
    desk: AgentDesk = request.app.state.agent_desk
    return desk

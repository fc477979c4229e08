"""The agent's side of a hand-over: take, answer, note, give back, call."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from base.errors import InputError, StateError
from enquiries.handover import wording
from enquiries.handover.office import Office, move, push
from enquiries.handover.states import Event, State
from store import handover as rows
from store.agent_models import Agent
from store.handover_models import CallBack, Handover
from store.privacy import reveal

LONGEST_REPLY = 2000
ATTEMPTS = 3
"""Calls in vain after which nobody calls any more."""


class Counter:
    """What agents do. Every step locks the hand-over first: two never take the same citizen."""

    def __init__(self, office: Office) -> None:
        self._office = office

    def claim(self, session: Session, handover_id: int, agent: Agent, now: datetime) -> None:
        """Take a waiting citizen.

        Raises:
            StateError: ``handover_taken``; somebody else has him, or he does not wait any more.
        """
        row = _locked(session, handover_id)
        if row.state == State.SERVING and row.agent_id == agent.id:
            return  # pressed twice
        if row.state != State.WAITING:
            raise StateError(
                "handover_taken", "这位市民已被其他同事接入，或不再排队了。", f"state {row.state}"
            )
        move(row, Event.CLAIM)
        row.agent_id, row.claimed_at = agent.id, now
        _system(session, row, f"{agent.name} 接入", now)
        push(session, row, wording.joined(), now)

    def reply(  # noqa: PLR0913
        self, session: Session, handover_id: int, agent: Agent, text: str, key: str, now: datetime
    ) -> None:
        """Say something to the citizen, once for each ``key`` (of the posted form).

        Raises:
            InputError: ``reply_empty``, ``reply_too_long``.
            StateError: the conversation is not this agent's, or over.
        """
        words = _checked(text)
        row = _mine(session, handover_id, agent)
        if rows.is_posted(session, key):
            return
        rows.add_message(
            session, row.id, "agent", {"text": words}, at=now, agent_id=agent.id, key=key
        )
        push(session, row, wording.from_agent(words), now)

    def note(  # noqa: PLR0913
        self, session: Session, handover_id: int, agent: Agent, text: str, key: str, now: datetime
    ) -> None:
        """Write something down for colleagues; the citizen never sees it.

        Raises:
            InputError, StateError: as :meth:`reply`.
        """
        words = _checked(text)
        row = _mine(session, handover_id, agent)
        if not rows.is_posted(session, key):
            rows.add_message(
                session, row.id, "note", {"text": words}, at=now, agent_id=agent.id, key=key
            )

    def end(self, session: Session, handover_id: int, agent: Agent, now: datetime) -> None:
        """Give the citizen back to the assistant.

        Raises:
            StateError: the conversation is not this agent's, or over.
        """
        row = _mine(session, handover_id, agent)
        push(session, row, self._office.end(session, row, now, by_citizen=False), now)

    def requeue(
        self, session: Session, handover_id: int, agent: Agent, topic: str, now: datetime
    ) -> None:
        """Give the citizen back to the queue, at the place he had.

        Raises:
            StateError: the conversation is not this agent's, or over.
        """
        row = _mine(session, handover_id, agent)
        row.topic = topic
        give_back(session, row, f"{agent.name} 转回排队", now)

    def transfer(
        self, session: Session, handover_id: int, agent: Agent, to: Agent, now: datetime
    ) -> None:
        """Give the citizen to another agent.

        Raises:
            StateError: the conversation is not this agent's, or over.
        """
        row = _mine(session, handover_id, agent)
        move(row, Event.TRANSFER)
        row.agent_id = to.id
        _system(session, row, f"{agent.name} 转给 {to.name}", now)
        push(session, row, wording.transferred(), now)

    def number(self, session: Session, handover_id: int, agent: Agent) -> dict[str, Any]:
        """Return ``{"phone", "name"}`` of a promised call (audited).

        Raises:
            StateError: no call is promised any more.
        """
        row = _locked(session, handover_id)
        call = _call(session, row)
        contact: dict[str, Any] = reveal(
            session, call, "contact", actor=f"agent:{agent.name}", purpose="call_back"
        )
        return contact

    def reached(self, session: Session, handover_id: int, agent: Agent, now: datetime) -> None:
        """The citizen answered the call; the number is forgotten.

        Raises:
            StateError: no call is promised any more.
        """
        row = _locked(session, handover_id)
        call = _call(session, row)
        move(row, Event.REACH)
        _attempt(call, row, agent, now)
        call.contact, row.ended_at = None, now
        _system(session, row, f"{agent.name} 回电，已接通", now)

    def missed(self, session: Session, handover_id: int, agent: Agent, now: datetime) -> None:
        """Nobody answered: another call is promised, or that was the last.

        Raises:
            StateError: no call is promised any more.
        """
        row = _locked(session, handover_id)
        call = _call(session, row)
        _attempt(call, row, agent, now)
        _system(session, row, f"{agent.name} 第{call.attempts}次回电，未接通", now)
        again = self._office.promise(session, now)
        if call.attempts >= ATTEMPTS or again is None:
            move(row, Event.GIVE_UP)
            call.contact, row.ended_at = None, now
            push(session, row, wording.unreached(), now)
            return
        move(row, Event.MISS)
        call.promised_at = again
        push(session, row, wording.missed(again), now)


def give_back(session: Session, row: Handover, said: str, now: datetime) -> None:
    """Put a conversation back in the queue, at the place it had."""
    move(row, Event.REQUEUE)
    row.agent_id = row.claimed_at = row.acknowledged_at = row.offered_at = None
    row.reason = "returned"
    _system(session, row, said, now)
    session.flush()
    push(session, row, wording.back_in_queue(rows.position(session, row)), now)


def may_see(row: Handover, agent: Agent) -> bool:
    """Tell whether an agent may read a conversation: his own, or he is an admin."""
    return agent.role == "admin" or row.agent_id == agent.id


def _locked(session: Session, handover_id: int) -> Handover:
    row = rows.by_id(session, handover_id, lock=True)
    if row is None:
        raise StateError(
            "handover_unknown", "没有这条人工服务记录。", f"no hand-over {handover_id}"
        )
    return row


def _mine(session: Session, handover_id: int, agent: Agent) -> Handover:
    row = _locked(session, handover_id)
    if row.state != State.SERVING or row.agent_id != agent.id:
        raise StateError(
            "handover_not_yours",
            "这次对话已结束，或不在您这里了，刚才的操作没有执行。",
            f"state {row.state}, agent {row.agent_id}",
        )
    return row


def _call(session: Session, row: Handover) -> CallBack:
    call = rows.call_back_of(session, row.id) if row.state == State.CALLBACK else None
    if call is None:
        raise StateError(
            "call_not_promised", "这个回电已处理过，或市民已取消。", f"state {row.state}"
        )
    return call


def _attempt(call: CallBack, row: Handover, agent: Agent, now: datetime) -> None:
    call.attempts += 1
    call.last_attempt_at = now
    row.agent_id = agent.id


def _system(session: Session, row: Handover, text: str, now: datetime) -> None:
    rows.add_message(session, row.id, "system", {"text": text}, at=now)


def _checked(text: str) -> str:
    words = text.strip()
    if not words:
        raise InputError("reply_empty", "还没有输入内容。", "empty reply")
    if len(words) > LONGEST_REPLY:
        raise InputError(
            "reply_too_long",
            f"内容太长了，请控制在{LONGEST_REPLY}字以内。",
            f"{len(words)} characters",
        )
    return words

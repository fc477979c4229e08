"""What a citizen says of a handled ticket in his own words: solved, or not."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Literal

from rasa_sdk import Tracker
from rasa_sdk.events import EventType, FollowupAction, SlotSet
from rasa_sdk.executor import CollectingDispatcher
from sqlalchemy.orm import Session

from actions.resources import categories
from actions.turn import Turn, button, named_ticket, say
from base.errors import StateError
from dispatch.case.closing import Stance, confirm_solved, object_again, reopen, stance
from dispatch.case.lifecycle import STATUS_NAMES
from dispatch.case.wording import rating_buttons, reopen_button, ticket_card, verdict_buttons
from store.database import unit_of_work
from store.models import Ticket, utc_now
from store.tickets import awaiting_verdict, last_step, of_citizen, rateable

Verdict = Literal["solved", "unsolved"]

FRESH = timedelta(days=1)
"""So long a bare yes or no may be the answer to the news that a case is done."""
_ABLE = r"(?:解决|处理|整改|清理|修|弄|搞|办|改|管|治|清|好|来|动|变|停)"
_UNSOLVED = re.compile(
    rf"(?:没有?|未|不)(?:能|给|被|人|去|完全|真正|彻底|根本|得到|怎么|任何|见|把\S{{1,6}})*{_ABLE}"
    r"|还在(?!办|处理|等)|还是(?!要|想|谢)|仍然|依旧|老样子|照样|又(?:开始|在|漏|冒|响|坏|臭|堵|吵|烧|排|来|出现)"
    r"|白(?:修|弄|搞|说|跑)|糊弄|敷衍|骗人|假的|不认可|不同意|重新办|重办|返工"
)
_SOLVED = re.compile(
    r"(?:解决|处理|整改|清理|修|弄|搞|治|清|改)(?:好|完|掉|干净|到位|定)*了"
    r"|不(?:漏|冒|响|臭|堵|吵|烧|排|闪|亮)了|没有?(?:味道?|味儿|噪音|油烟|垃圾)了|搞定|干净了"
)
_ASKS = re.compile(r"[吗么？?]|了没|没有[。！!]*$|是不是|什么时候|多久|谁|几时|如果|要是|等")


def verdict_in(text: str) -> Verdict | None:
    """Tell what became of the problem by these words; None when they do not say.

    A question (解决了吗) and a condition (要是解决了) are no verdict.
    """
    if _UNSOLVED.search(text):
        return "unsolved"
    if _SOLVED.search(text) and not _ASKS.search(text):
        return "solved"
    return None


def pending(ticket: Ticket, asked: str, reason: str | None) -> EventType:
    """Remember for one message which ticket was just asked about.

    ``asked`` is what a yes means: ``solved``, or ``reopen``. ``reason`` are words that already
    say what is not solved.
    """
    kept = {"ticket_id": ticket.id, "asked": asked, "reason": reason, "for": None}
    return SlotSet("pending_verdict", kept)


def ticket_judged(session: Session, turn: Turn, tracker: Tracker) -> Ticket | None:
    """Return the citizen's ticket a verdict is about: named, just asked about, or newest."""
    kept = tracker.get_slot("pending_verdict") or {}
    named = named_ticket(turn) or kept.get("ticket_id")
    if named:
        return of_citizen(session, turn.citizen_id, named)
    return awaiting_verdict(session, turn.citizen_id) or rateable(session, turn.citizen_id)


def hear_verdict(dispatcher: CollectingDispatcher, tracker: Tracker) -> list[EventType] | None:
    """Answer a message that judges a handled ticket; None when it does not.

    “Solved” closes the ticket. “Not solved” is asked back about first: a case can be sent back
    only once.
    """
    turn = Turn.of(tracker)
    kept = tracker.get_slot("pending_verdict")
    verdict = verdict_in(turn.text)
    if kept and turn.intent in ("affirm", "deny") and (verdict is None or kept["reason"]):
        return _answer(dispatcher, tracker, turn, agreed=turn.intent == "affirm")
    if verdict is None:
        return None
    with unit_of_work() as session:
        ticket = ticket_judged(session, turn, tracker)
        if ticket is None:
            return None
        if verdict == "solved":
            if ticket.status not in ("resolved", "verified"):
                return None
            return settle_solved(dispatcher, session, ticket)
        return _hear_unsolved(dispatcher, session, ticket, turn)


def ask_again(dispatcher: CollectingDispatcher, tracker: Tracker) -> list[EventType] | None:
    """Ask what a bare yes or no meant when a case was done a short while ago; else None."""
    turn = Turn.of(tracker)
    with unit_of_work() as session:
        ticket = awaiting_verdict(session, turn.citizen_id)
        done = last_step(session, ticket, "resolved") if ticket else None
        if ticket is None or done is None or utc_now() - done.at > FRESH:
            return None
        say(dispatcher, f"工单 {ticket.id} 已经办结，问题解决了吗？", verdict_buttons(ticket.id))
        return [pending(ticket, "solved", None)]


def settle_solved(
    dispatcher: CollectingDispatcher, session: Session, ticket: Ticket
) -> list[EventType]:
    """Close the ticket by its citizen's word and ask how the handling was."""
    before = ticket.status
    try:
        confirm_solved(session, ticket.citizen_id, ticket.id, categories())
    except StateError:
        say(dispatcher, f"工单 {ticket.id} 还没有办结，办结后再请您确认。")
        return [SlotSet("ticket_id", ticket.id)]
    card = ticket_card(ticket, categories().get(ticket.category))
    thanks = "这个工单已经结案了。" if before == "closed" else f"好的，工单 {ticket.id} 已结案。"
    if before == "closed" and ticket.rating:
        say(dispatcher, thanks, None, [card])
    else:
        say(dispatcher, f"{thanks}请您给这次办理打个分：", rating_buttons(ticket.id), [card])
    return [SlotSet("ticket_id", ticket.id), SlotSet("pending_verdict", None)]


def settle_unsolved(  # noqa: PLR0913
    dispatcher: CollectingDispatcher,
    session: Session,
    ticket: Ticket,
    reason: str,
    photos: tuple[str, ...],
    message_id: str,
) -> None:
    """Send the ticket back, or pass the words on and name the hotline; say which."""
    now, me = utc_now(), ticket.citizen_id
    found = stance(ticket, now)
    if found is Stance.MAY_REOPEN:
        reopen(session, me, ticket.id, reason, photos, categories(), now)
        session.flush()
        session.expire(ticket, ["events"])
        card = ticket_card(ticket, categories().get(ticket.category))
        text = f"收到，工单 {ticket.id} 已退回{ticket.department}重新办理，您说的理由也转过去了。"
        buttons = [] if ticket.rating else rating_buttons(ticket.id)
        text += "\n刚才这次办理，您打几分？" if buttons else ""
        say(dispatcher, text, buttons, [card])
    elif found is Stance.REOPENED_BEFORE:
        object_again(session, me, ticket.id, reason, photos, message_id)
        say(
            dispatcher,
            f"您说的已转给{ticket.department}。工单 {ticket.id} 已经退回重办过一次，"
            "还没解决的话，请拨打12345，报工单号，由人工帮您督办。",
            [button("转人工", "ask_human")],
        )
    else:
        say_why_not(dispatcher, ticket, found)


def say_why_not(dispatcher: CollectingDispatcher, ticket: Ticket, found: Stance) -> None:
    """Say why a ticket cannot be sent back, and what to do instead."""
    if found is Stance.AT_WORK:
        say(
            dispatcher,
            f"工单 {ticket.id} 正在办理，还没有办结。有新情况可以补充进去。",
            [button("补充情况", "supplement_ticket", ticket_id=ticket.id)],
        )
        return
    late = "结案已经很久" if found is Stance.TOO_LATE else f"现在是“{STATUS_NAMES[ticket.status]}”"
    say(
        dispatcher,
        f"工单 {ticket.id} {late}，不能退回重办。问题还在的话，请重新反映，或者拨打12345。",
        [button("重新反映", "report_pollution"), button("转人工", "ask_human")],
    )


def _hear_unsolved(
    dispatcher: CollectingDispatcher, session: Session, ticket: Ticket, turn: Turn
) -> list[EventType] | None:
    found = stance(ticket, utc_now())
    if found is Stance.REOPENED_BEFORE:
        settle_unsolved(dispatcher, session, ticket, turn.text, (), turn.message_id)
        return [SlotSet("ticket_id", ticket.id)]
    if found is not Stance.MAY_REOPEN:
        return None
    say(
        dispatcher,
        f"您是说工单 {ticket.id} 的问题没有解决？要退回重新办理吗？您说的会作为理由转去。",
        [reopen_button(ticket.id), button("不用了", "check_ticket", ticket_id=ticket.id)],
    )
    return [SlotSet("ticket_id", ticket.id), pending(ticket, "reopen", turn.text)]


def _answer(
    dispatcher: CollectingDispatcher, tracker: Tracker, turn: Turn, *, agreed: bool
) -> list[EventType] | None:
    """Take a yes or no as the answer to what was just asked about a ticket."""
    asked = tracker.get_slot("pending_verdict")["asked"]
    if asked == "solved" and agreed:
        with unit_of_work() as session:
            ticket = ticket_judged(session, turn, tracker)
            return settle_solved(dispatcher, session, ticket) if ticket else None
    if agreed or asked == "solved":
        return [FollowupAction("reopen_form")]
    say(dispatcher, "好的，不退回。有需要随时告诉我。")
    return [SlotSet("pending_verdict", None)]

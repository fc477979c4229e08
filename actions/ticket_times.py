"""How long a ticket still takes: 什么时候能办完, right after it was filed or shown."""

from __future__ import annotations

import re

from rasa_sdk import Tracker
from rasa_sdk.events import EventType, SlotSet
from rasa_sdk.executor import CollectingDispatcher

from actions.following import followed
from actions.resources import categories
from actions.returning import is_of_before
from actions.turn import Turn, button, last_cards, say
from dispatch.case.wording import ticket_card, time_left
from store.database import unit_of_work
from store.models import utc_now
from store.tickets import of_citizen

__all__ = ["asks_when_done", "told_when_done"]

_LONGEST = 24
"""Longer words tell of more than the time."""
_WHEN = r"什么时候|啥时候|何时|几时|多久|多长时间|几天|多少天|哪天|几号"
_TICKET = re.compile(r"投诉|举报|工单|反映")
_ASKS_WHEN = re.compile(_WHEN)
_ONLY_WHEN = re.compile(
    rf"(?:{_WHEN}|请问|那|这|个|件|它|我|你们|的|投诉|举报|工单|事情|事儿?|问题|反映|刚才|大概|大约|一般|最快|最迟|最晚"
    r"|预计|还|要|得|需要|等|会|能|可以|才|就|来|去|派人|有人|人|给|到|有|个|结果|答复|回复|回应|回音|消息|说法"
    r"|受理|办理|办|处理|处置|解决|整改|弄|搞|修|管|好|完|结|掉|成|到位|下来|开始|之内|以?内|了|呢|啊|呀|吗|吧"
    r"|[，,。.！!？?\s])+"
)
"""Words about nothing but the time a matter takes: 身份证多久能办好 names one of its own."""


def asks_when_done(text: str) -> bool:
    """Tell whether a message only asks how long it takes until something is handled.

    刚才那个要多久 is about the matter before this one.
    """
    if len(text) > _LONGEST or (is_of_before(text) and not _TICKET.search(text)):
        return False
    return bool(_ASKS_WHEN.search(text) and _ONLY_WHEN.fullmatch(text))


def told_when_done(dispatcher: CollectingDispatcher, tracker: Tracker) -> list[EventType] | None:
    """Tell until when the tickets last shown should be handled; None when that is not asked.

    While a new complaint is being taken, the question is not about an earlier one.
    """
    turn = Turn.of(tracker)
    if tracker.active_loop_name == "complaint_form" or not asks_when_done(turn.text):
        return None
    shown = [str(card["id"]) for card in last_cards(tracker) if card["kind"] == "ticket"]
    citizen, now = turn.citizen_id, utc_now()
    with unit_of_work() as session:
        seen = [of_citizen(session, citizen, i) or followed(session, citizen, i) for i in shown]
        tickets = [ticket for ticket in seen if ticket is not None]
        if not tickets:
            return None
        known = [(ticket, categories().get(ticket.category)) for ticket in tickets]
        lines = [time_left(ticket, category, now) for ticket, category in known]
        cards = [ticket_card(ticket, category) for ticket, category in known]
        first = tickets[0].id
    say(dispatcher, "\n".join(lines), [button("查进度", "check_ticket", ticket_id=first)], cards)
    return [SlotSet("ticket_id", first)]

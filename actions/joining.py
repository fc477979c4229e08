"""Offering to join what others have reported nearby, and joining it.

The offer comes before the summary. Which ticket was offered lies in the slot
``offered_ticket``, never in a button, so nobody can follow a ticket that was not offered.
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError
from rasa_sdk import Tracker
from rasa_sdk.events import EventType, SlotSet
from rasa_sdk.executor import CollectingDispatcher
from sqlalchemy.orm import Session

from actions.resources import categories, duplicates
from actions.turn import Turn, button, say
from base.errors import StateError
from dispatch.case.filing import media_for_one_ticket, supplement
from dispatch.case.lifecycle import STATUS_NAMES
from dispatch.case.wording import ticket_card
from dispatch.reporting.intake import Draft
from dispatch.similar.duplicates import Similar
from dispatch.similar.joining import join
from store.database import unit_of_work
from store.drafts import drop_draft
from store.models import Ticket
from store.tickets import of_citizen

SLOT = "offered_ticket"
_ASKED_OTHERWISE = frozenset({"choose_category", "what_is_wrong"})
"""Remarks of a draft after which the form asks something else than the go-ahead."""
_ANSWERS: dict[str, Literal["join", "separate"]] = {
    "join_ticket": "join",
    "file_separately": "separate",
}
_SPOKEN: dict[str, Literal["join", "separate"]] = {"affirm": "join", "deny": "separate"}


class Offer(BaseModel):
    """What the slot holds: how a draft was compared and what was offered.

    ``compared`` is a digest of what was compared; ``shown`` are the tickets offered or
    mentioned so far, none of them twice; ``is_open`` means that a plain yes or no answers the
    offer of ``ticket_id``.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    draft_id: str
    compared: str
    ticket_id: str | None = None
    shown: tuple[str, ...] = ()
    is_open: bool = False
    answer: Literal["join", "separate"] | None = None


def offer(
    dispatcher: CollectingDispatcher, tracker: Tracker, draft: Draft
) -> tuple[list[EventType], bool]:
    """Offer a similar complaint before the draft is confirmed.

    A draft is compared once, and again when it has changed. What was handled these days is
    only mentioned.

    Returns:
        Slot events, and whether the offer takes the place of the question for the go-ahead.
    """
    if _ASKED_OTHERWISE.intersection(draft.notes):
        return [], False
    kept = _kept(tracker, draft) or Offer(draft_id=draft.id, compared="")
    if kept.compared == _digest(draft) and not kept.is_open:
        return [], False
    with unit_of_work() as session:
        found = duplicates().find(session, draft, tracker.sender_id, datetime.now(UTC))
        again = found is not None and kept.is_open and found.ticket.id == kept.ticket_id
        if found is None or (found.ticket.id in kept.shown and not again):
            closed = kept.model_copy(update={"compared": _digest(draft), "is_open": False})
            return [_slot(closed)], False
        text, buttons = _offer_words(found)
    joinable = found.relation != "handled"
    say(dispatcher, text, buttons)
    made = Offer(
        draft_id=draft.id,
        compared=_digest(draft),
        ticket_id=found.ticket.id if joinable else None,
        shown=tuple(dict.fromkeys((*kept.shown, found.ticket.id))),
        is_open=joinable,
    )
    return [_slot(made)], joinable


def answered(tracker: Tracker, turn: Turn, draft: Draft) -> Offer | None:
    """Return the offer after a message, None when there is none or the message is known.

    A message that is no answer passes the offer over; its buttons stay good.
    """
    kept = _kept(tracker, draft)
    if kept is None or kept.ticket_id is None or draft.message_id == turn.message_id:
        return None
    said = _ANSWERS.get(turn.intent) or (_SPOKEN.get(turn.intent) if kept.is_open else None)
    return kept.model_copy(update={"is_open": False, "answer": said})


def is_asking(tracker: Tracker, draft: Draft) -> bool:
    """Tell whether the offer, and not the summary, is the open question about a draft."""
    kept = _kept(tracker, draft)
    return kept is not None and kept.is_open


def offer_slots(made: Offer | None) -> list[EventType]:
    """Return the slot event that keeps an offer, none without one."""
    return [] if made is None else [_slot(made)]


def wants_to_join(tracker: Tracker, draft: Draft) -> bool:
    """Tell whether the citizen chose to join instead of filing this draft."""
    kept = _kept(tracker, draft)
    return kept is not None and kept.answer == "join"


def join_instead(dispatcher: CollectingDispatcher, tracker: Tracker, draft: Draft) -> str | None:
    """Join the offered ticket instead of filing a draft, if that was the citizen's answer.

    Returns:
        The ticket joined; None when the draft is to be filed, also because the offered case
        has ended meanwhile (then the citizen is told).
    """
    kept = _kept(tracker, draft)
    if kept is None or kept.answer != "join" or kept.ticket_id is None:
        return None
    try:
        with unit_of_work() as session:
            ticket = _add(session, kept.ticket_id, tracker.sender_id, draft)
            own = of_citizen(session, tracker.sender_id, ticket.id) is not None
            card = ticket_card(ticket, categories().get(ticket.category))
    except StateError:
        say(dispatcher, "那个工单刚刚办完，不能再加进去了。您说的我单独上报，不会漏掉。")
        return None
    buttons = [button("查进度", "check_ticket", ticket_id=ticket.id)]
    if own:
        text = f"已补充到您的工单 {ticket.id}，并转给{ticket.department}。"
    else:
        text = (
            f"好的，您已关注工单 {ticket.id}，您说的情况也转给了{ticket.department}。"
            "每一步进展都会告诉您。"
        )
        buttons.append(button("不再关注", "withdraw_ticket", ticket_id=ticket.id))
    say(dispatcher, text, buttons, [card])
    return ticket.id


def _add(session: Session, ticket_id: str, citizen_id: str, draft: Draft) -> Ticket:
    """Supplement the citizen's own ticket, or join somebody else's."""
    if of_citizen(session, citizen_id, ticket_id) is None:
        return join(session, ticket_id, citizen_id, draft).ticket
    media = media_for_one_ticket(session, citizen_id, (*draft.photos, *draft.videos))
    own = supplement(session, citizen_id, ticket_id, draft.description, media, draft.id)
    assert own is not None
    drop_draft(session, draft.id)
    return own


def _offer_words(found: Similar) -> tuple[str, list[dict[str, str]]]:
    """Return what is said of a similar complaint: nothing of what its reporter said."""
    ticket, age = found.ticket, _ago(found.age)
    category = categories().get(ticket.category)
    kind = category.name if category else ticket.category
    status = STATUS_NAMES[ticket.status]
    separate = button("不是一回事，单独上报", "file_separately")
    if found.relation == "handled":
        text = (
            f"{_near(found.metres)}有一件类似的问题（{kind}）{age}刚办结。"
            "如果问题还在，请照常提交，我们会再派人去看。"
        )
        return text, []
    if found.relation == "other":
        text = (
            f"{_near(found.metres)}已有{found.people}人反映过类似问题"
            f"（{kind}，{age}，工单状态：{status}），要一起关注吗？"
            "一起关注后每一步进展都会告诉您，您说的情况也会转给责任部门。"
        )
        return text, [button("一起关注", "join_ticket"), separate]
    whose = "您反映过" if found.relation == "own" else "您正在关注"
    text = (
        f"{whose}类似的问题（工单 {ticket.id}，{kind}，{age}，{status}）。"
        "这次说的要补充进去吗？补充后会一起转给责任部门。"
    )
    return text, [button("补充进去", "join_ticket"), separate]


def _near(metres: float) -> str:
    """Say a distance in coarse words: the exact place is its reporter's."""
    if metres <= 60:
        return "这个地方"
    return "附近100多米内" if metres <= 150 else "附近几百米内"


def _ago(age: timedelta) -> str:
    """Say an age in coarse words."""
    if age < timedelta(days=1):
        return "一天之内"
    if age < timedelta(days=3):
        return "两三天内"
    return "一周之内" if age < timedelta(days=7) else "一周以前"


def _kept(tracker: Tracker, draft: Draft) -> Offer | None:
    slot: Any = tracker.get_slot(SLOT)
    try:
        kept = Offer.model_validate(slot) if slot else None
    except ValidationError:  # kept by an earlier release
        return None
    return kept if kept is not None and kept.draft_id == draft.id else None


def _slot(made: Offer) -> EventType:
    return SlotSet(SLOT, made.model_dump(mode="json"))


def _digest(draft: Draft) -> str:
    """Return what tells whether a draft has changed since it was compared."""
    place = draft.place
    said = (
        draft.words,
        draft.photos,
        draft.category,
        (place.latitude, place.longitude) if place else None,
    )
    return hashlib.sha256(repr(said).encode()).hexdigest()[:16]

"""Snap-and-report: the form that fills a draft, and filing it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from pydantic import ValidationError
from rasa_sdk import Tracker
from rasa_sdk.events import ActionExecutionRejected, EventType, FollowupAction, SlotSet
from rasa_sdk.executor import CollectingDispatcher

from actions import complaint_replies as replies
from actions import joining
from actions.forms import COMPLAINT_INTERRUPTIONS, interrupts, rejects
from actions.registry import action
from actions.resources import categories, intake, router
from actions.returning import takes_up_again
from actions.turn import Turn, button, say
from base.calendar import CITY_TIME
from dispatch.case.filing import file_complaint
from dispatch.case.wording import ticket_card
from dispatch.reporting.answers import direct_answer
from dispatch.reporting.draft import Draft, Heard, Location, new_draft
from dispatch.reporting.drafts import is_expired
from dispatch.reporting.intake import next_problem, told_contact
from store.database import unit_of_work
from store.drafts import drop_draft, keep_draft

GAPS = {
    "words": "complaint_words",
    "place": "complaint_place",
    "confirmed": "complaint_confirmed",
}
CLEARED = ("complaint_draft", *GAPS.values(), "requested_slot", joining.SLOT)


def load_draft(tracker: Tracker) -> Draft | None:
    """Return the draft kept in the conversation, if any."""
    kept = tracker.get_slot("complaint_draft")
    try:
        return Draft.model_validate(kept) if kept else None
    except ValidationError:  # kept by an earlier release
        return None


def heard(turn: Turn, tracker: Tracker) -> Heard:
    """Translate a turn, and what was attached before, for the intake."""
    media = tracker.get_slot("pending_photos") or ()
    return Heard(
        message_id=turn.message_id,
        intent=turn.intent,
        text="" if turn.intent == "continue_complaint" else turn.text,
        places=turn.values("location"),
        photos=tuple(kept["id"] for kept in media if not kept.get("video")),
        videos=tuple(kept["id"] for kept in media if kept.get("video")),
        taken_at=_moments(said for kept in media for said in kept.get("taken_at", ())),
        locations=tuple(
            Location.model_validate(point["point"])
            for point in tracker.get_slot("pending_locations") or ()
        ),
        choices=dict(turn.entities) if turn.is_button else None,
    )


def draft_slots(draft: Draft) -> list[EventType]:
    """Return the slots that mirror a draft: a gap that is filled holds ``True``."""
    filled = {
        "words": bool(draft.words),
        "place": draft.place is not None,
        "confirmed": draft.confirmed,
    }
    events: list[EventType] = [SlotSet("complaint_draft", draft.model_dump(mode="json"))]
    events += [SlotSet(GAPS[gap], True if done else None) for gap, done in filled.items()]
    events += [SlotSet("pending_photos", None), SlotSet("pending_locations", None)]
    return events


@action
def validate_complaint_form(dispatcher: CollectingDispatcher, tracker: Tracker) -> list[EventType]:
    """Fold the message into the draft, unless it only interrupts the form.

    A new report starts a new draft; a draft left open is taken up again only by wish
    (``continue_complaint``), by a photo or place that belongs to something, or by an answer to
    what was asked; a yes then only shows the summary again. One left for too long is dropped.
    """
    turn = Turn.of(tracker)
    starting = tracker.get_slot("requested_slot") is None  # nothing has been asked yet
    draft = _draft_meant(load_draft(tracker), turn, starting=starting)
    message = heard(turn, tracker)
    if starting and (turn.intent in ("affirm", "deny") or takes_up_again(turn.text)):
        message = replace(message, text="", choices=None)
    free_text = draft.gap in ("words", "place")
    answered = direct_answer(draft, message.text)
    if answered is None and interrupts(turn, COMPLAINT_INTERRUPTIONS, free_text=free_text):
        if rejects(tracker, "complaint_form", turn):
            return [ActionExecutionRejected("complaint_form")]
        message = replace(message, text="", choices=None)
    offered = joining.answered(tracker, turn, draft)
    decided = offered is not None and offered.answer is not None
    if decided or (answered == "nothing_more" and joining.is_asking(tracker, draft)):
        message = replace(message, text="", choices=None)
    draft = intake().absorb(draft, message)
    if offered is not None and decided:
        draft = draft.model_copy(update={"confirmed": offered.answer == "join"})
    events = draft_slots(draft.without("asked_already") if starting else draft)
    return [*events, *joining.offer_slots(offered)]


@action
def action_ask_complaint_words(
    dispatcher: CollectingDispatcher, tracker: Tracker
) -> list[EventType]:
    """Ask what the problem is."""
    return _ask(dispatcher, tracker, "words")


@action
def action_ask_complaint_place(
    dispatcher: CollectingDispatcher, tracker: Tracker
) -> list[EventType]:
    """Ask where it is."""
    return _ask(dispatcher, tracker, "place")


@action
def action_ask_complaint_confirmed(
    dispatcher: CollectingDispatcher, tracker: Tracker
) -> list[EventType]:
    """Offer to join what others have reported, or show the summary and ask for the go-ahead."""
    events, asked = joining.offer(dispatcher, tracker, load_draft(tracker) or new_draft())
    return events if asked else [*events, *_ask(dispatcher, tracker, "confirmed")]


@action
def action_file_complaint(dispatcher: CollectingDispatcher, tracker: Tracker) -> list[EventType]:
    """Stores the confirmed draft as a ticket. File, tell the ticket id, and clear the draft."""
    draft = load_draft(tracker)
    if draft is None or draft.gap is not None:
        say(dispatcher, "这条投诉还没有填完，您可以重新说一遍。")
        return [SlotSet(slot, None) for slot in CLEARED]
    joined = joining.join_instead(dispatcher, tracker, draft)
    if joined is not None:
        return _done(dispatcher, tracker, draft, joined)
    with unit_of_work() as session:
        sender = tracker.sender_id
        ticket = file_complaint(session, draft, sender, categories(), router()).ticket
        category = categories()[ticket.category]
        card = ticket_card(ticket, category)  # reads the photos
    say(
        dispatcher,
        replies.filed_text(ticket, category),
        [
            button("查进度", "check_ticket", ticket_id=ticket.id),
            button("补充情况", "supplement_ticket", ticket_id=ticket.id),
        ],
        [card],
    )
    return _done(dispatcher, tracker, draft, ticket.id)


def _done(
    dispatcher: CollectingDispatcher, tracker: Tracker, draft: Draft, ticket_id: str
) -> list[EventType]:
    """Clear a draft that has become part of a ticket, and go on with what waited."""
    following = next_problem(draft)
    forgotten = (*CLEARED, "service_id", "policy_id")
    return [
        *(SlotSet(slot, None) for slot in forgotten),
        SlotSet("ticket_id", ticket_id),
        *(_begin_next(following) if following else _resume_search(dispatcher, tracker)),
    ]


@action
def action_cancel_complaint(dispatcher: CollectingDispatcher, tracker: Tracker) -> list[EventType]:
    """Drops the draft; nothing has been stored as a ticket. Say so and clear the draft.

    A problem that waited behind it is kept and offered.
    """
    draft = load_draft(tracker)
    cleared: list[EventType] = [SlotSet(slot, None) for slot in CLEARED]
    following = next_problem(draft) if draft else None
    _forget(draft)
    if following is None:
        say(dispatcher, "好的，这条没有提交，已经取消。需要时随时再说。")
        return [*cleared, *_resume_search(dispatcher, tracker)]
    say(
        dispatcher,
        f"好的，这条没有提交，已经取消。另一件还要报吗？\n“{following.description}”",
        [button("继续投诉", "continue_complaint"), button("不报了", "cancel")],
    )
    return [*cleared, *draft_slots(following)]


@action
def action_pause_complaint(dispatcher: CollectingDispatcher, tracker: Tracker) -> list[EventType]:
    """Keeps the draft for later. Say that the draft is kept."""
    say(
        dispatcher,
        "好的，您刚才说的我先留着，还没有提交。回来时点一下“继续投诉”就能接着填。",
        [button("继续投诉", "continue_complaint")],
    )
    return []


@action
def action_complaint_first(dispatcher: CollectingDispatcher, tracker: Tracker) -> list[EventType]:
    """A policy search has to wait until the complaint is filed or cancelled.

    Say so; the form asks its open question next.
    """
    say(dispatcher, "找政策的事我记着，咱们先把手上这件填完（不想填了就说“取消”）。")
    return [SlotSet("postponed_search", Turn.of(tracker).text or None)]


def _resume_search(dispatcher: CollectingDispatcher, tracker: Tracker) -> list[EventType]:
    """Offer the policy search that had to wait; its words come back with the button."""
    words = tracker.get_slot("postponed_search")
    if not words:
        return []
    say(dispatcher, f"您刚才还问了：“{words}”", [button("现在找政策", "ask_policy")])
    waiting = {"text": words, "readings": ["ask_policy"], "message_id": None, "for": None}
    return [SlotSet("postponed_search", None), SlotSet("unclear", waiting)]


def _ask(dispatcher: CollectingDispatcher, tracker: Tracker, gap: str) -> list[EventType]:
    """Say the question for a gap that fits the draft, and note that it was asked."""
    draft = load_draft(tracker) or new_draft()
    text, buttons = replies.question(draft, gap, categories())
    say(dispatcher, text, buttons)
    with unit_of_work() as session:
        keep_draft(session, draft.id, tracker.sender_id, gap, datetime.now(UTC))
    return []


def reports_problem(turn: Turn) -> bool:
    """Tell whether a message that answers no question reports a problem.

    The model reads a report that ends with a phone number as a bare piece of information.
    """
    if turn.intent in ("report_pollution", "report_city_issue"):
        return True
    return turn.intent == "inform" and intake().describes(turn.text)


def _draft_meant(draft: Draft | None, turn: Turn, *, starting: bool) -> Draft:
    """Return the draft a message belongs to: the one kept, or a new one."""
    if draft is not None and draft.message_id == turn.message_id:
        return draft
    if draft is not None and is_expired(draft, datetime.now(UTC)):
        _forget(draft)
        return new_draft().noting("draft_dropped")
    if draft is None or (starting and reports_problem(turn)):
        _forget(draft)
        return new_draft()
    return draft


def _forget(draft: Draft | None) -> None:
    """Nobody is reminded of a draft that is given up."""
    if draft is not None:
        with unit_of_work() as session:
            drop_draft(session, draft.id)


def _begin_next(following: Draft) -> list[EventType]:
    """Go on with the problem that waited behind the one just filed."""
    return [*draft_slots(following), FollowupAction("complaint_form")]


def _moments(said: Iterable[str]) -> tuple[datetime, ...]:
    """Read ISO moments; without a zone they are city time, what is no moment is left out."""
    found = []
    for text in said:
        try:
            moment = datetime.fromisoformat(text)
        except (TypeError, ValueError):
            continue
        found.append(moment if moment.tzinfo else moment.replace(tzinfo=CITY_TIME))
    return tuple(dict.fromkeys(found))


def draft_of_danger(turn: Turn, tracker: Tracker) -> list[dict[str, Any]]:
    """Return slot events that keep the words of an emergency in the open or a new draft."""
    if tracker.active_loop_name == "complaint_form":
        draft, text = told_contact(load_draft(tracker) or new_draft(), turn.text)
        told = intake().add_words(draft, text)
        return draft_slots(told.without("danger"))  # warned already
    _forget(load_draft(tracker))
    return draft_slots(intake().absorb(new_draft(), heard(turn, tracker)))

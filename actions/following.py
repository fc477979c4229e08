"""What a citizen may do with a ticket he follows: read it, and leave it."""

from __future__ import annotations

from rasa_sdk import Tracker
from rasa_sdk.events import EventType, FollowupAction
from rasa_sdk.executor import CollectingDispatcher
from sqlalchemy.orm import Session

from actions.complaints import draft_slots, load_draft
from actions.joining import answered, offer_slots
from actions.registry import action
from actions.turn import Turn, button, say
from base.calendar import CITY_TIME
from base.masking import mask
from dispatch.case.lifecycle import STATUS_NAMES
from dispatch.similar.joining import follows, leave
from store.database import unit_of_work
from store.models import Ticket
from store.privacy import reveal
from store.tickets import by_id


@action
def action_join_ticket(dispatcher: CollectingDispatcher, tracker: Tracker) -> list[EventType]:
    """Takes 一起关注 pressed outside the form. Join if the offer still stands, else say so."""
    turn, draft = Turn.of(tracker), load_draft(tracker)
    made = answered(tracker, turn, draft) if draft else None
    if draft is not None and made is not None and draft.words and draft.place:
        confirmed = draft.model_copy(update={"confirmed": True})
        return [
            *draft_slots(confirmed),
            *offer_slots(made),
            FollowupAction("action_file_complaint"),
        ]
    kept = tracker.get_slot("ticket_id")
    with unit_of_work() as session:
        following = bool(kept) and follows(session, str(kept), turn.citizen_id)
    if following:
        say(dispatcher, f"您已经在关注工单 {kept}，有进展马上告诉您。")
    else:
        again = button("重新反映", "report_pollution")
        say(dispatcher, "刚才那条已经过去了。还想反映的话，请再说一遍。", [again])
    return []


def followed(session: Session, citizen_id: str, meant: str | None) -> Ticket | None:
    """Return the ticket if the citizen follows it without having filed it."""
    if meant is None or not follows(session, meant, citizen_id):
        return None
    return by_id(session, meant)


def leave_followed(
    dispatcher: CollectingDispatcher, session: Session, citizen_id: str, ticket: Ticket
) -> None:
    """Stop following a ticket: only its reporter can withdraw it. Leave and say so."""
    leave(session, ticket.id, citizen_id)
    say(
        dispatcher,
        f"好的，不再给您发工单 {ticket.id} 的进展。这件事别的市民也反映了，会继续办理。",
    )


def not_the_owner(ticket: Ticket) -> str:
    """Return what a follower hears who wants to add to a ticket."""
    return (
        f"工单 {ticket.id} 是您关注的，不是您提交的。有新情况请重新反映一次，我会一并转给责任部门。"
    )


def followers_history(session: Session, ticket: Ticket, citizen_id: str) -> str:
    """Return a ticket's history as a follower may read it: steps and what the unit explained.

    What the reporter said is left out; numbers of people are masked.
    """
    lines = [f"您关注的工单 {ticket.id} 现在是：{STATUS_NAMES[ticket.status]}。"]
    for event in ticket.events:
        explains = event.actor == "dispatch" and event.note is not None
        if event.from_status == event.to_status and not explains:
            continue
        note = ""
        if explains:
            who = f"citizen:{citizen_id}"
            note = mask(reveal(session, event, "note", actor=who, purpose="check_followed"))
        step = "办理说明" if event.from_status == event.to_status else STATUS_NAMES[event.to_status]
        moment = event.at.astimezone(CITY_TIME).strftime("%m-%d %H:%M")
        unit = f" {event.unit}" if event.unit else ""
        lines.append(f"· {moment} {step}{unit}" + (f"：{note}" if note else ""))
    return "\n".join(lines)


def followers_buttons(ticket: Ticket) -> list[dict[str, str]]:
    """Return what a follower may do with a ticket."""
    return [button("不再关注", "withdraw_ticket", ticket_id=ticket.id)]

"""Joining somebody else's complaint (一起关注), leaving it, and who hears of a ticket.

Whoever joins has his words passed on to the desk and hears every step, but sees nothing the
reporter said: rating, withdrawing and supplementing stay the reporter's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy.orm import Session

from base.errors import StateError
from base.masking import mask
from dispatch.case.filing import media_for_one_ticket
from dispatch.case.wording import JOINED, LINK_FIELDS
from store.database import insert_missing
from store.drafts import drop_draft
from store.identities import mine
from store.media import attach_media
from store.models import Ticket, TicketFollower, plain
from store.people import citizen
from store.tickets import (
    add_event,
    by_id,
    follower_of,
    followers_of,
    is_queued,
    of_citizen,
    queue_outbox,
    remove_follower,
)

if TYPE_CHECKING:  # the relay queues messages and needs no intake
    from dispatch.reporting.intake import Draft

AT_WORK = frozenset(
    {"submitted", "forwarded", "accepted", "in_progress", "transferred", "reopened"}
)
"""Statuses in which a case can be joined. A resolved one cannot: whoever still sees the problem
then has a new complaint."""


@dataclass(frozen=True)
class Joined:
    """The ticket that was joined, and whether this call did it."""

    ticket: Ticket
    created: bool


def join(session: Session, ticket_id: str, citizen_id: str, draft: Draft) -> Joined:
    """Let a citizen follow a ticket and pass his words, photos and video on to the desk.

    Follower, media and outbox row are in the caller's transaction; the draft is then no longer
    open. The same draft joins once; a follower who comes back with another draft only adds its
    words.

    Raises:
        StateError: ``ticket_not_open`` when the case has ended meanwhile or is no complaint,
            ``ticket_is_own`` when it is the citizen's own.
    """
    ticket = by_id(session, ticket_id, lock=True)
    key = f"shimin-{ticket_id}-joined-{draft.id}"
    if ticket is not None and is_queued(session, key):
        return Joined(ticket, created=False)
    if ticket is None or ticket.kind != "complaint" or ticket.status not in AT_WORK:
        status = ticket.status if ticket else "missing"
        raise StateError("ticket_not_open", "这个工单已经办完了。", f"{ticket_id} is {status}")
    if ticket.citizen_id in mine(session, citizen_id):
        raise StateError("ticket_is_own", "这是您自己的工单。", f"{ticket_id} is the citizen's own")
    citizen(session, citizen_id)
    if follower_of(session, ticket_id, citizen_id) is None:
        words = plain(draft.description)
        follower = TicketFollower(ticket_id=ticket_id, citizen_id=citizen_id, words=words)
        insert_missing(session, follower, (ticket_id, citizen_id))
    media = media_for_one_ticket(session, citizen_id, (*draft.photos, *draft.videos))
    bound = attach_media(session, citizen_id, media, ticket_id)
    add_event(session, ticket, ticket.status, actor=f"citizen:{citizen_id}")
    body = {"description": f"{JOINED}{draft.description}", "photos": list(bound)}
    queue_outbox(session, ticket, "update", key, body)
    drop_draft(session, draft.id)
    return Joined(ticket, created=True)


def leave(session: Session, ticket_id: str, citizen_id: str) -> bool:
    """Stop following a ticket; False when the citizen did not follow it.

    What he told the desk stays with the case.
    """
    return remove_follower(session, ticket_id, citizen_id)


def follows(session: Session, ticket_id: str, citizen_id: str) -> bool:
    """Tell whether a citizen follows a ticket that somebody else filed."""
    if of_citizen(session, citizen_id, ticket_id) is not None:
        return False
    return follower_of(session, ticket_id, citizen_id) is not None


def people(ticket: Ticket) -> frozenset[str]:
    """Return who reported a problem: its reporter and all followers."""
    return frozenset({ticket.citizen_id, *(follower.citizen_id for follower in ticket.followers)})


def listeners(session: Session, ticket: Ticket) -> tuple[str, ...]:
    """Return who hears of a ticket: its reporter first, then the followers as they joined.

    A ticket that this side filed by itself has no reporter to be told.
    """
    if ticket.kind != "complaint":
        return ()
    return (ticket.citizen_id, *followers_of(session, ticket.id))


def _shown(name: str, value: Any) -> str:
    """Mask a field; an address of ours holds nobody's number, and a masked one leads nowhere."""
    return str(value) if name in LINK_FIELDS else mask(str(value))


def for_follower(reply: dict[str, Any]) -> dict[str, Any]:
    """Return a reply as a follower may read it.

    It asks him for no rating and no decision, numbers of people are masked, and it says that
    the ticket is one he follows.
    """
    text = mask(str(reply["text"])).replace("您的工单", "您关注的工单")
    buttons = [b for b in reply.get("buttons", []) if b["payload"].startswith("/check_ticket")]
    cards = [
        {**card, "fields": {name: _shown(name, value) for name, value in card["fields"].items()}}
        for card in reply.get("cards", [])
    ]
    return {**reply, "text": text, "buttons": buttons, "cards": cards}

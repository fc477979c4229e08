"""What the tests of the relay look at and do."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta

from sqlalchemy import select, update

from dispatch.outbox.relay import Relay
from store.database import unit_of_work
from store.models import OutboxEntry, Ticket, utc_now
from store.people import inbox
from tests.dispatch.servers import Answer, Asked, Script

ME = "web:1"
File = Callable[..., str]
MakeRelay = Callable[..., Relay]


def later() -> None:
    """Let every pause pass."""
    with unit_of_work() as session:
        session.execute(update(OutboxEntry).values(due_at=utc_now() - timedelta(seconds=1)))


def drain(relay: Relay) -> int:
    """Deliver until nothing is due; gives the number of deliveries tried."""
    tried = 0
    while relay.deliver_one():
        tried += 1
        assert tried < 50
    return tried


def entries() -> list[OutboxEntry]:
    with unit_of_work() as session:
        return list(session.scalars(select(OutboxEntry).order_by(OutboxEntry.id)))


def the_ticket(ticket_id: str) -> Ticket:
    with unit_of_work() as session:
        return session.get_one(Ticket, ticket_id)


def told() -> list[str]:
    with unit_of_work() as session:
        return [replies[0]["text"] for _, replies in inbox(session, ME, 0)]


def created(request_id: str) -> Answer:
    return Answer(201, json.dumps([{"service_request_id": request_id}]))


def only_posts(answer: Callable[[Asked], Answer]) -> Script:
    return lambda asked: answer(asked) if asked.method == "POST" else Answer(404, "no such page")

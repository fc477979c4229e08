from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy import update

from dispatch.categories import Categories
from dispatch.deadlines import call_for_overdue, limits
from dispatch.desk.status import Status
from dispatch.relay import Relay
from store.database import unit_of_work
from store.models import Ticket, utc_now
from store.tickets import add_event
from tests.dispatch.relaying import File, MakeRelay, drain, entries, the_ticket, told
from tests.dispatch.servers import Desk

SUPERVISOR = "市政务服务便民热线办公室"


def filed_ago(filed: File, relay: Relay, **ago: float) -> str:
    """File and forward a complaint, then let time pass."""
    ticket_id = filed()
    drain(relay)
    with unit_of_work() as session:
        session.execute(update(Ticket).values(created_at=utc_now() - timedelta(**ago)))
    return ticket_id


def call(categories: Categories, now: datetime | None = None) -> int:
    with unit_of_work() as session:
        return call_for_overdue(session, categories, now or utc_now(), SUPERVISOR)


def calls() -> list[str]:
    """Which limits were called for."""
    return [entry.idempotency_key.split("-")[2] for entry in entries()[1:]]


def step(ticket_id: str, status: str) -> None:
    with unit_of_work() as session:
        add_event(session, session.get_one(Ticket, ticket_id), status, actor="dispatch")


def hours(categories: Categories) -> tuple[int, int]:
    return categories["air.cooking_fume"].limits("normal")


def test_a_case_nobody_takes_is_called_for_once(
    desk: Desk, make_relay: MakeRelay, filed: File, categories: Categories
) -> None:
    respond, _ = hours(categories)
    with desk.up():
        relay = make_relay()
        ticket_id = filed_ago(filed, relay, hours=respond + 1)
        assert call(categories) == 1
        assert call(categories) == 0
        drain(relay)
        relay.poll()  # the desk lists our words among its updates
    (request,) = desk.requests()
    (event,) = request.events
    assert event.description == "【催办】已超过受理时限1小时，请尽快受理。"
    assert request.status == Status.OPEN
    assert the_ticket(ticket_id).status == "forwarded"
    assert len(told()) == 1  # that it was forwarded, nothing else


def test_the_citizen_hears_when_it_is_called_for_with_emphasis(
    desk: Desk, make_relay: MakeRelay, filed: File, categories: Categories
) -> None:
    respond, _ = hours(categories)
    with desk.up():
        filed_ago(filed, make_relay(), hours=respond * 1.5 + 1)
    assert call(categories) == 1
    assert call(categories) == 0
    assert "没有按时受理" in told()[-1]
    assert "督办" in told()[-1]


def test_each_limit_is_its_own(
    desk: Desk, make_relay: MakeRelay, filed: File, categories: Categories
) -> None:
    _, resolve = hours(categories)
    with desk.up():
        ticket_id = filed_ago(filed, make_relay(), hours=resolve + 1)
    step(ticket_id, "accepted")
    assert call(categories) == 1  # not for acceptance any more
    assert calls() == ["resolve"]


@pytest.mark.parametrize("status", ["resolved", "verified", "closed", "rejected", "withdrawn"])
def test_what_is_done_is_not_called_for(
    desk: Desk, make_relay: MakeRelay, filed: File, categories: Categories, status: str
) -> None:
    with desk.up():
        ticket_id = filed_ago(filed, make_relay(), days=300)
    step(ticket_id, status)
    assert call(categories) == 0


def test_what_the_desk_does_not_know_is_not_called_for(filed: File, categories: Categories) -> None:
    filed()
    assert call(categories, utc_now() + timedelta(days=300)) == 0


def test_a_reopened_case_has_its_limits_anew(
    desk: Desk, make_relay: MakeRelay, filed: File, categories: Categories
) -> None:
    with desk.up():
        ticket_id = filed_ago(filed, make_relay(), days=300)
    assert call(categories) == 2
    step(ticket_id, "reopened")
    assert call(categories) == 0
    respond, resolve = hours(categories)
    assert call(categories, utc_now() + timedelta(hours=respond, minutes=1)) == 1
    with unit_of_work() as session:
        due = limits(session.get_one(Ticket, ticket_id), categories["air.cooking_fume"])
    assert abs(due.resolve - utc_now() - timedelta(hours=resolve)) < timedelta(minutes=1)

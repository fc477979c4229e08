from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import update

from base.calendar import CITY_TIME
from dispatch.case.deadlines import call_for_overdue
from dispatch.case.limits import limit_hours, limits, transfers
from dispatch.case.wording import OUR_WORDS
from dispatch.classification.categories import Categories
from dispatch.desk.status import Status
from dispatch.outbox.relay import Relay
from store.database import unit_of_work
from store.models import OutboxEntry, Ticket, TicketEvent, utc_now
from store.privacy import reveal
from store.tickets import add_event
from tests.dispatch.relaying import File, MakeRelay, drain, entries, the_ticket, told
from tests.dispatch.servers import Desk

BEGIN = datetime(2026, 11, 18, 1, 0, tzinfo=UTC)
SUPERVISOR = "市政务服务便民热线办公室"


def filed_ago(filed: File, relay: Relay, **ago: float) -> str:
    """File and forward a complaint, then let time pass."""
    ticket_id = filed()
    drain(relay)
    with unit_of_work() as session:
        session.execute(update(Ticket).values(created_at=utc_now() - timedelta(**ago)))
        session.execute(update(TicketEvent).values(at=utc_now() - timedelta(**ago)))
    return ticket_id


def call(categories: Categories, now: datetime | None = None) -> int:
    with unit_of_work() as session:
        return call_for_overdue(session, categories, now or utc_now(), SUPERVISOR)


def calls() -> list[str]:
    """Which limits were called for."""
    return [entry.idempotency_key.split("-")[2] for entry in entries()[1:]]


def steps() -> list[str]:
    """What was called for: limit and step."""
    parts = [entry.idempotency_key.split("-")[2:] for entry in entries()[1:]]
    return [f"{limit} {rest[-1]}" for limit, *rest in parts]


def said() -> list[str]:
    """What the dispatch system is to read."""
    with unit_of_work() as session:
        rows = [session.get_one(OutboxEntry, entry.id) for entry in entries()[1:]]
        return [
            reveal(session, row, "body", actor="test", purpose="test")["description"]
            for row in rows
        ]


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


# --- a clock that moves ---------------------------------------------------------------------


@pytest.fixture
def forwarded(filed: File) -> str:
    """A ticket the dispatch system knows, filed at :data:`BEGIN` with limits of 10 and 100 h."""
    ticket_id = filed()
    with unit_of_work() as session:
        ticket = session.get_one(Ticket, ticket_id)
        ticket.created_at, ticket.external_id = BEGIN, "YZ1"
        ticket.respond_hours, ticket.resolve_hours = 10, 100
        ticket.department = "甲局"
        add_event(session, ticket, "forwarded", actor="relay", unit="甲局")
        session.flush()
        session.execute(update(TicketEvent).values(at=BEGIN))
    return ticket_id


def after(hours: float) -> datetime:
    return BEGIN + timedelta(hours=hours)


def happens(ticket_id: str, hours: float, status: str, unit: str | None = None) -> None:
    """A step of the dispatch system, ``hours`` after filing."""
    with unit_of_work() as session:
        ticket = session.get_one(Ticket, ticket_id)
        event = add_event(session, ticket, status, actor="dispatch", unit=unit)
        event.at = after(hours)
        if status == "transferred" and unit:
            ticket.department = unit


def run_to(categories: Categories, hours: float, every: float = 0.25) -> None:
    """Let the job run regularly from filing on."""
    for tick in range(int(hours / every) + 1):
        call(categories, after(tick * every))


def test_every_step_of_a_limit_comes_once_and_in_time(
    forwarded: str, categories: Categories
) -> None:
    expected = {
        7.75: [],
        8.0: ["respond soon"],
        10.0: ["respond soon", "respond due"],
        15.0: ["respond soon", "respond due", "respond urged"],
        20.0: ["respond soon", "respond due", "respond urged", "respond raised"],
        70.0: ["respond soon", "respond due", "respond urged", "respond raised"],
    }
    for hours, wanted in expected.items():
        run_to(categories, hours)
        assert steps() == wanted, hours
    assert said() == [
        "【预警】距受理时限还有2小时，请按时受理。",
        "【催办】已超过受理时限1分钟，请尽快受理。",
        "【督办】已超过受理时限5小时，请尽快受理。",
        f"【提级】已超过受理时限10小时，至今没有受理，提请{SUPERVISOR}督促甲局。",
    ]
    assert len(told()) == 2
    assert "督办" in told()[0]
    assert f"提请{SUPERVISOR}督促甲局" in told()[1]


def test_the_limit_for_settlement_goes_on_after_acceptance(
    forwarded: str, categories: Categories
) -> None:
    happens(forwarded, 5, "accepted")
    run_to(categories, 250, every=5)
    assert steps() == ["resolve soon", "resolve due", "resolve urged", "resolve raised"]
    assert said()[0] == "【预警】距办结时限还有20小时，请按时办结。"


def test_a_ticket_that_reopens_has_every_step_anew(forwarded: str, categories: Categories) -> None:
    run_to(categories, 21)
    happens(forwarded, 22, "resolved")
    happens(forwarded, 30, "reopened")
    before = len(steps())
    with unit_of_work() as session:
        ticket = session.get_one(Ticket, forwarded)
        # the citizen's words about a reopened case do not move its limits
        note = add_event(session, ticket, "reopened", actor="citizen:web:1", note="还没弄好")
        note.at = after(35)
        session.flush()
        session.refresh(ticket)
        assert limits(ticket, categories["air.cooking_fume"]).respond == after(40)
    run_to(categories, 41)
    assert steps()[before:] == ["respond soon", "respond due"]


def test_the_limit_for_acceptance_runs_anew_from_a_transfer(
    forwarded: str, categories: Categories
) -> None:
    run_to(categories, 8)
    happens(forwarded, 9, "transferred", "乙局")
    run_to(categories, 16.75)
    assert steps() == ["respond soon"]
    run_to(categories, 30)
    anew = ["respond soon", "respond due", "respond urged", "respond raised"]
    assert steps() == ["respond soon", *anew]
    with unit_of_work() as session:
        due = limits(session.get_one(Ticket, forwarded), categories["air.cooking_fume"])
    assert (due.start, due.respond_start) == (BEGIN, after(9))
    assert (due.respond, due.resolve) == (after(19), after(100))


def test_what_is_raised_tells_who_handed_it_to_whom(forwarded: str, categories: Categories) -> None:
    happens(forwarded, 2, "transferred", "乙局")
    happens(forwarded, 50, "transferred", "丙局")
    call(categories, after(71))
    day = "%m月%d日"
    assert said()[-1] == (
        f"【提级】已超过受理时限11小时，至今没有受理，提请{SUPERVISOR}督促丙局。"
        f"转办经过：{BEGIN.astimezone(CITY_TIME):{day}}甲局转乙局；"
        f"{after(50).astimezone(CITY_TIME):{day}}乙局转丙局。"
    )


def test_three_transfers_without_acceptance_are_raised_at_once(
    forwarded: str, categories: Categories
) -> None:
    for hours, unit in ((1, "乙局"), (2, "丙局")):
        happens(forwarded, hours, "transferred", unit)
    assert call(categories, after(2)) == 0
    happens(forwarded, 3, "transferred", "甲局")
    assert call(categories, after(3)) == 1
    assert call(categories, after(4)) == 0
    (words,) = said()
    assert words.startswith(
        f"【提级】已转办3次，仍没有单位受理，提请{SUPERVISOR}协调确定承办单位。"
    )
    assert "乙局转丙局" in words
    assert f"提请{SUPERVISOR}协调" in told()[-1]
    happens(forwarded, 5, "accepted")
    for hours in (6, 7):
        happens(forwarded, hours, "transferred", f"{hours}局")
    assert call(categories, after(7)) == 0  # somebody had taken it in between


def test_words_about_a_transferred_case_are_no_transfer(
    forwarded: str, categories: Categories
) -> None:
    happens(forwarded, 1, "transferred", "乙局")
    for hours in (2, 3, 4):
        happens(forwarded, hours, "transferred", "乙局")  # notes bear the status of the case
    with unit_of_work() as session:
        moves = transfers(session.get_one(Ticket, forwarded))
    assert [(move.at, move.source, move.target) for move in moves] == [(after(1), "甲局", "乙局")]
    assert call(categories, after(4)) == 0


def test_a_warning_of_our_own_has_no_citizen_to_tell(
    forwarded: str, categories: Categories
) -> None:
    with unit_of_work() as session:
        session.get_one(Ticket, forwarded).kind = "hot_spot"
    assert call(categories, after(20)) == 1
    assert told() == []


def test_the_tickets_own_hours_come_first(forwarded: str, categories: Categories) -> None:
    category = categories["air.cooking_fume"]
    with unit_of_work() as session:
        ticket = session.get_one(Ticket, forwarded)
        assert limit_hours(ticket, category) == (10, 100)
        ticket.respond_hours = ticket.resolve_hours = None  # filed by an earlier release
        assert limit_hours(ticket, category) == category.limits("normal")


def test_our_own_words_read_back_are_no_news(
    desk: Desk, make_relay: MakeRelay, filed: File, categories: Categories
) -> None:
    """Some servers list what was posted to them among their updates."""
    assert all(word in OUR_WORDS for word in ("【预警】", "【催办】", "【督办】", "【提级】"))
    respond, _ = hours(categories)
    with desk.up():
        relay = make_relay()
        filed_ago(filed, relay, hours=respond * 2 + 1)
        assert call(categories) == 1
        drain(relay)
        relay.poll()
    (request,) = desk.requests()
    assert request.events[0].description.startswith("【提级】")
    assert len(told()) == 2

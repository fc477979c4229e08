from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.orm import Session
from structlog.testing import capture_logs

from dispatch.case.filing import file_complaint
from dispatch.case.lifecycle import NEEDS_EXPLANATION, TRANSITIONS
from dispatch.case.limits import transfers
from dispatch.case.updates import Outcome, apply_update
from dispatch.classification.categories import Categories
from dispatch.open311 import RequestUpdate
from dispatch.reporting.intake import Draft
from store.database import unit_of_work
from store.models import OutgoingMessage, Ticket, TicketEvent
from store.people import inbox
from store.tickets import add_event
from tests.store.city import CityStore

START = datetime(2026, 11, 21, 1, 0, tzinfo=UTC)
UNIT = "云东区综合行政执法局"
DEPARTMENT = "市城市管理局"
File = Callable[..., str]


def news(number: int, status: str, words: str = "", unit: str | None = UNIT) -> RequestUpdate:
    """The desk's update ``number``, one minute after the one before."""
    return RequestUpdate(
        update_id=f"U{number}",
        service_request_id="YZ1",
        status=status,
        updated_datetime=START + timedelta(minutes=number),
        description=words,
        agency_responsible=unit,
    )


@pytest.fixture
def forwarded(filed: File) -> str:
    """A ticket the desk knows as YZ1."""
    ticket_id = filed()
    with unit_of_work() as session:
        ticket = session.get_one(Ticket, ticket_id)
        ticket.external_id, ticket.department = "YZ1", DEPARTMENT
        add_event(session, ticket, "forwarded", actor="relay")
    return ticket_id


@pytest.fixture
def apply(categories: Categories) -> Callable[[RequestUpdate], Outcome]:
    def one(update: RequestUpdate) -> Outcome:
        with unit_of_work() as session:
            return apply_update(session, update, categories)

    return one


Apply = Callable[[RequestUpdate], Outcome]


def ticket_in(store: CityStore) -> Ticket:
    (ticket,) = store.rows(Ticket)
    assert isinstance(ticket, Ticket)
    return ticket


def told(citizen_id: str = "web:1") -> list[str]:
    with unit_of_work() as session:
        return [replies[0]["text"] for _, replies in inbox(session, citizen_id, 0)]


def test_the_whole_way_is_told_step_by_step(
    city_store: CityStore, forwarded: str, apply: Apply
) -> None:
    steps = [
        news(1, "INVESTIGATING"),
        news(2, "IN_PROGRESS"),
        news(3, "FIXED", "已责令安装净化器"),
        news(4, "CLOSED", "现场核查通过"),
    ]
    assert [apply(step) for step in steps] == [Outcome.APPLIED] * 4
    events = city_store.rows(TicketEvent)[2:]
    assert [event.to_status for event in events] == [
        "accepted",
        "in_progress",
        "resolved",
        "verified",
        "closed",
    ]
    assert {event.unit for event in events} == {UNIT}
    messages = told()
    assert len(messages) == 4
    assert all(forwarded in message for message in messages)
    assert "已责令安装净化器" in messages[2]
    assert "现场核查通过" in messages[3]


def test_an_update_is_applied_once_by_its_id(
    city_store: CityStore, forwarded: str, apply: Apply
) -> None:
    update = news(1, "INVESTIGATING")
    assert [apply(update), apply(update)] == [Outcome.APPLIED, Outcome.REPEATED]
    assert len(told()) == 1


def test_an_older_update_changes_nothing(
    city_store: CityStore, forwarded: str, apply: Apply
) -> None:
    assert apply(news(2, "IN_PROGRESS")) is Outcome.APPLIED
    assert apply(news(1, "INVESTIGATING")) is Outcome.OUTDATED
    assert ticket_in(city_store).status == "in_progress"
    assert len(told()) == 1


@pytest.mark.parametrize("status", ["FIXED", "CLOSED", "NO_FURTHER_ACTION", "DUPLICATE"])
@pytest.mark.parametrize("words", ["", "  \n"])
def test_an_end_without_an_explanation_is_refused(
    city_store: CityStore, forwarded: str, apply: Apply, status: str, words: str
) -> None:
    assert apply(news(1, status, words)) is Outcome.REFUSED
    assert ticket_in(city_store).status == "forwarded"
    assert told() == []
    assert apply(news(2, status, "理由在此")) is Outcome.APPLIED


def test_a_step_the_table_does_not_allow_is_refused(
    city_store: CityStore, forwarded: str, apply: Apply
) -> None:
    assert apply(news(1, "REOPEN", "重开")) is Outcome.REFUSED
    assert ticket_in(city_store).last_update_at is None


def test_a_ticket_nobody_knows(city_store: CityStore, apply: Apply) -> None:
    assert apply(news(1, "INVESTIGATING")) is Outcome.UNKNOWN_TICKET
    assert city_store.rows(OutgoingMessage) == []


@pytest.mark.parametrize("status", ["", "OPEN", "open", "INVESTIGATING", "ACTION_SCHEDULED"])
def test_words_about_an_unchanged_status_are_passed_on_once(
    city_store: CityStore, forwarded: str, apply: Apply, status: str
) -> None:
    if status.startswith(("INV", "ACT")):
        apply(news(0, "INVESTIGATING"))
    stands, before = ticket_in(city_store).status, len(told())
    assert apply(news(1, status, "已联系店家")) is Outcome.APPLIED
    assert told()[before:] == [f"工单 {forwarded} 有新的办理说明：已联系店家"]
    event = city_store.rows(TicketEvent)[-1]
    assert (event.from_status, event.to_status, event.unit) == (stands, stands, UNIT)
    assert event.external_update_id == "U1"
    assert apply(news(1, status, "已联系店家")) is Outcome.REPEATED
    assert apply(news(2, status, "已联系店家")) is Outcome.NOTHING_NEW  # nothing he has not read
    assert apply(news(3, status, "店家明天停业整改")) is Outcome.APPLIED
    assert apply(news(2, status, "迟到的说明")) is Outcome.OUTDATED
    assert len(told()) == before + 2
    assert ticket_in(city_store).status == stands


def test_the_explanation_of_a_step_is_not_told_again(
    city_store: CityStore, forwarded: str, apply: Apply
) -> None:
    """Read from the request itself the same step has another id."""
    assert apply(news(1, "FIXED", "已整改")) is Outcome.APPLIED
    assert apply(news(2, "FIXED", "已整改")) is Outcome.NOTHING_NEW
    assert apply(news(3, "FIXED", "已整改，欢迎监督")) is Outcome.APPLIED
    assert len(told()) == 2


@pytest.mark.parametrize(
    ("status", "words"),
    [
        ("", ""),
        ("OPEN", " \n"),
        ("COMMENT", "已联系店家"),
        ("WITHDRAWN", "市民撤回"),
        ("OPEN", "市民补充：今天更严重了"),
        ("", "市民评价：5分"),
    ],
)
def test_no_words_unknown_words_and_his_own_words_are_no_news(
    city_store: CityStore, forwarded: str, apply: Apply, status: str, words: str
) -> None:
    assert apply(news(1, status, words)) is Outcome.NOTHING_NEW
    assert told() == []


def test_a_refusal_is_logged_unless_it_was_before(
    city_store: CityStore, forwarded: str, categories: Categories
) -> None:
    with capture_logs() as logs, unit_of_work() as session:
        for again in (True, False, False):
            apply_update(session, news(1, "FIXED"), categories, log_refusal=again)
    assert [entry["event"] for entry in logs] == ["update_refused"]


def test_a_withdrawn_ticket_stays_withdrawn(
    city_store: CityStore, forwarded: str, apply: Apply
) -> None:
    with unit_of_work() as session:
        add_event(session, session.get_one(Ticket, forwarded), "withdrawn", actor="citizen:web:1")
    assert apply(news(1, "INVESTIGATING")) is Outcome.REFUSED
    assert apply(news(2, "", "已联系店家")) is Outcome.NOTHING_NEW
    assert ticket_in(city_store).status == "withdrawn"


def test_a_transferred_ticket_goes_on_at_the_other_department(
    city_store: CityStore, forwarded: str, apply: Apply
) -> None:
    assert apply(news(1, "NOT_COUNCILS_RESPONSIBILITY", "属环保职责", "市生态环境局")) is (
        Outcome.APPLIED
    )
    ticket = ticket_in(city_store)
    assert (ticket.status, ticket.department) == ("transferred", "市生态环境局")
    assert "转到市生态环境局" in told()[-1]
    assert apply(news(2, "INVESTIGATING", unit="市生态环境局")) is Outcome.APPLIED
    assert ticket_in(city_store).status == "accepted"


@pytest.mark.parametrize("words", ["", "属水务职责", "属环保职责"])
def test_a_case_is_passed_on_as_often_as_another_unit_is_named(
    city_store: CityStore, forwarded: str, apply: Apply, words: str
) -> None:
    assert apply(news(1, "TRANSFERRED", "属环保职责", "市生态环境局")) is Outcome.APPLIED
    assert apply(news(2, "TRANSFERRED", words, "市水务局")) is Outcome.APPLIED
    assert apply(news(3, "TRANSFERRED", "", "市水务局")) is Outcome.NOTHING_NEW
    assert apply(news(4, "NOT_COUNCILS_RESPONSIBILITY", words, UNIT)) is Outcome.APPLIED
    ticket = ticket_in(city_store)
    assert (ticket.status, ticket.department) == ("transferred", UNIT)
    assert len(told()) == 3
    with unit_of_work() as session:
        moves = transfers(session.get_one(Ticket, forwarded))
    assert [move.target for move in moves] == ["市生态环境局", "市水务局", UNIT]


def test_the_department_above_the_office_in_charge_refuses_for_it(
    city_store: CityStore, forwarded: str, apply: Apply, categories: Categories
) -> None:
    """A dispatch system that knows departments only names the one above the office."""
    above = categories["air.cooking_fume"].department
    assert above != DEPARTMENT
    assert apply(news(1, "NOT_COUNCILS_RESPONSIBILITY", "不属管辖", above)) is Outcome.APPLIED
    assert ticket_in(city_store).status == "rejected"


def test_the_department_above_takes_the_case_over_from_an_office_the_system_named(
    city_store: CityStore, forwarded: str, apply: Apply, categories: Categories
) -> None:
    above = categories["air.cooking_fume"].department
    assert apply(news(1, "INVESTIGATING", unit=DEPARTMENT)) is Outcome.APPLIED
    assert apply(news(2, "NOT_COUNCILS_RESPONSIBILITY", "由市局办理", above)) is Outcome.APPLIED
    ticket = ticket_in(city_store)
    assert (ticket.status, ticket.department) == ("transferred", above)
    assert apply(news(3, "INVESTIGATING", unit=above)) is Outcome.APPLIED
    assert ticket_in(city_store).status == "accepted"


@pytest.mark.parametrize(
    ("status", "reached"),
    [("INVESTIGATING", "accepted"), ("IN_PROGRESS", "in_progress"), ("FIXED", "resolved")],
)
def test_work_on_a_rejected_case_is_told_as_its_reopening(
    city_store: CityStore, forwarded: str, apply: Apply, status: str, reached: str
) -> None:
    assert apply(news(1, "NO_FURTHER_ACTION", "不属管辖")) is Outcome.APPLIED
    assert apply(news(2, status, "现场复核后受理")) is Outcome.APPLIED
    ticket = ticket_in(city_store)
    assert ticket.status == reached
    with unit_of_work() as session:
        passed = [event.to_status for event in session.get_one(Ticket, forwarded).events]
    assert passed[-3:] == ["rejected", "reopened", reached]
    assert len(told()) == 2


@pytest.mark.parametrize("unit", [None, DEPARTMENT])
def test_not_responsible_with_nobody_else_named_is_a_refusal(
    city_store: CityStore, forwarded: str, apply: Apply, unit: str | None
) -> None:
    assert apply(news(1, "NOT_COUNCILS_RESPONSIBILITY", "不属本市管辖", unit)) is Outcome.APPLIED
    assert ticket_in(city_store).status == "rejected"


def test_a_reopened_case_is_handled_again(
    city_store: CityStore, forwarded: str, apply: Apply
) -> None:
    for number, (status, words) in enumerate(
        [("FIXED", "已处理"), ("REOPEN", "复查不合格"), ("IN_PROGRESS", ""), ("FIXED", "已整改")]
    ):
        assert apply(news(number, status, words)) is Outcome.APPLIED
    assert ticket_in(city_store).status == "resolved"


STATUSES = [
    "INVESTIGATING",
    "ACTION_SCHEDULED",
    "IN_PROGRESS",
    "FIXED",
    "CLOSED",
    "NO_FURTHER_ACTION",
    "NOT_COUNCILS_RESPONSIBILITY",
    "DUPLICATE",
    "REOPEN",
    "WITHDRAWN",
    "OPEN",
    "",
]


@st.composite
def any_order(draw: st.DrawFn) -> list[RequestUpdate]:
    """A set of updates with unique ids, in any order, each any number of times."""
    drawn = draw(
        st.lists(
            st.tuples(
                st.sampled_from(STATUSES),
                st.sampled_from(["", "已处理"]),
                st.sampled_from([UNIT, DEPARTMENT, None]),
                st.integers(0, 5),
            ),
            min_size=1,
            max_size=7,
        )
    )
    updates = [
        RequestUpdate(f"U{number}", "YZ1", status, START + timedelta(minutes=minute), words, unit)
        for number, (status, words, unit, minute) in enumerate(drawn)
    ]
    return draw(st.lists(st.sampled_from(updates), min_size=1, max_size=14))


class _UndoError(Exception):
    """Leaves nothing behind for the next example."""


def new_forwarded(session: Session, draft: Draft, categories: Categories) -> Ticket:
    ticket = file_complaint(session, draft, "web:1", categories).ticket
    ticket.external_id = "YZ1"
    add_event(session, ticket, "forwarded", actor="relay")
    return ticket


@given(updates=any_order())
@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_whatever_arrives_in_whatever_order_the_history_is_sound(
    city_store: CityStore,
    make_draft: Callable[..., Draft],
    categories: Categories,
    updates: list[RequestUpdate],
) -> None:
    with pytest.raises(_UndoError), unit_of_work() as session:
        ticket = new_forwarded(session, make_draft(), categories)
        outcomes = []
        for update in updates:
            before = ticket.status, ticket.last_update_at
            outcomes.append(apply_update(session, update, categories))
            if outcomes[-1] is Outcome.APPLIED:
                assert before[1] is None or ticket.last_update_at >= before[1]
            else:
                assert (ticket.status, ticket.last_update_at) == before
        session.flush()
        session.expire_all()
        events = ticket.events
        applied = Counter(e.external_update_id for e in events if e.external_update_id)
        assert all(count == 1 for count in applied.values())
        assert len(applied) == outcomes.count(Outcome.APPLIED)
        at = "draft"
        for event in events:
            assert event.from_status == at
            assert event.to_status in TRANSITIONS[at] or (event.to_status == at and event.note)
            if event.to_status in NEEDS_EXPLANATION:
                assert event.note is not None
            at = event.to_status
        assert ticket.status == at
        assert session.query(OutgoingMessage).count() == len(applied)
        raise _UndoError

"""One complaint from filing to closure on every database the store may live on."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

from base.errors import StateError
from dispatch.case.filing import file_complaint, rate, supplement, withdraw
from dispatch.case.updates import Outcome, apply_update
from dispatch.classification.categories import load_categories
from dispatch.open311 import RequestUpdate
from dispatch.reporting.intake import Draft, Spot, new_draft
from store.database import unit_of_work
from store.models import OutboxEntry, Ticket, TicketEvent, utc_now
from store.people import inbox
from store.tickets import add_event, claim_due, outbox_summary
from tests.store.city import CityStore

PLACE = Spot(
    address="云东区文昌路12号", district="云东区", latitude=30.27, longitude=120.15, source="text"
)


def ready() -> Draft:
    said = {"words": ("油烟太大",), "place": PLACE, "category": "air.cooking_fume"}
    return new_draft().model_copy(update={**said, "confirmed": True})


def test_the_same_draft_filed_by_many_at_once_is_one_ticket(any_store: CityStore) -> None:
    categories = load_categories(any_store.settings.categories_file)
    draft, start = ready(), threading.Barrier(8)

    def file(_worker: int) -> str:
        start.wait()
        with unit_of_work() as session:
            return file_complaint(session, draft, "web:1", categories).ticket.id

    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(file, range(8)))) == 1
    for table in (Ticket, TicketEvent, OutboxEntry):
        assert len(any_store.rows(table)) == 1


def test_the_same_update_by_webhook_and_by_polling_is_applied_once(any_store: CityStore) -> None:
    categories = load_categories(any_store.settings.categories_file)
    with unit_of_work() as session:
        ticket = file_complaint(session, ready(), "web:1", categories).ticket
        ticket.external_id = "YZ1"
        add_event(session, ticket, "forwarded", actor="relay")
        entry = claim_due(session, utc_now() + timedelta(seconds=1), timedelta(minutes=2))
        assert entry is not None
        entry.state = "sent"
    words = "已责令整改"
    update = RequestUpdate("U1", "YZ1", "FIXED", datetime.now(UTC), words, "执法局")
    start = threading.Barrier(6)

    def apply(_worker: int) -> Outcome:
        start.wait()
        with unit_of_work() as session:
            return apply_update(session, update, categories)

    with ThreadPoolExecutor(6) as pool:
        outcomes = list(pool.map(apply, range(6)))
    assert sorted(outcome.value for outcome in outcomes) == ["applied", *["repeated"] * 5]
    with unit_of_work() as session:
        assert len(inbox(session, "web:1", 0)) == 1
        assert rate(session, "web:1", ticket.id, 5) is not None
    with unit_of_work() as session:
        assert outbox_summary(session) == {"sent": 1, "pending": 1}


def test_a_ticket_is_withdrawn_once_whoever_presses_first(any_store: CityStore) -> None:
    categories = load_categories(any_store.settings.categories_file)
    with unit_of_work() as session:
        ticket_id = file_complaint(session, ready(), "web:1", categories).ticket.id
    start = threading.Barrier(6)

    def press(_worker: int) -> str:
        start.wait()
        try:
            with unit_of_work() as session:
                withdraw(session, "web:1", ticket_id)
        except StateError as error:
            return error.code
        return "withdrawn"

    with ThreadPoolExecutor(6) as pool:
        answers = sorted(pool.map(press, range(6)))
    assert answers == [*["transition_refused"] * 5, "withdrawn"]


def test_the_same_supplement_pressed_by_many_goes_out_once(any_store: CityStore) -> None:
    categories = load_categories(any_store.settings.categories_file)
    with unit_of_work() as session:
        ticket_id = file_complaint(session, ready(), "web:1", categories).ticket.id
    start = threading.Barrier(6)

    def press(_worker: int) -> bool:
        start.wait()
        with unit_of_work() as session:
            return supplement(session, "web:1", ticket_id, "还在冒", (), "m1") is not None

    with ThreadPoolExecutor(6) as pool:
        assert all(pool.map(press, range(6)))
    assert len(any_store.rows(OutboxEntry)) == 2

"""Queries around the end of a case, on every database a city may choose."""

from __future__ import annotations

from datetime import timedelta

from store.after_photos import (
    expect_photo,
    give_up_photo,
    keep_photo,
    known_sources,
    waiting_photos,
)
from store.database import reading, unit_of_work
from store.media import read_media
from store.models import Ticket, TicketEvent, plain, utc_now
from store.people import citizen
from store.statistics import (
    CellTally,
    Tally,
    cell_tallies,
    handled_since,
    open_since,
    tallies,
)
from store.tickets import (
    add_event,
    awaiting_verdict,
    by_progress_token,
    last_step,
    queue_outbox,
    unanswered,
)
from tests.store.city import CityStore

NOW = utc_now()
LONG_AGO = NOW - timedelta(days=90)


def new_ticket(number: int, status: str = "accepted", **changes: object) -> str:
    """A ticket of citizen ``web:<number>``, filed ten days ago."""
    ticket_id = f"SM20261121{number:06d}"
    values = {
        "citizen_id": f"web:{number}",
        "draft_id": f"d{number}",
        "created_at": NOW - timedelta(days=10),
        "status": "forwarded",
        "category": "waste.garbage",
        "severity": "normal",
        "department": "市城市管理局",
        "district": "云东区",
        "latitude": 30.27412,
        "longitude": 120.15488,
        "description": plain("垃圾"),
        **changes,
    }
    with unit_of_work() as session:
        citizen(session, str(values["citizen_id"]))
        ticket = Ticket(id=ticket_id, **values)
        session.add(ticket)
        session.flush()
        event = add_event(session, ticket, status, actor="dispatch", note="说明")
        event.at = NOW - timedelta(days=8)
    return ticket_id


def test_who_has_not_answered(any_store: CityStore) -> None:
    silent = new_ticket(1, "resolved")
    objected, fresh = new_ticket(2, "resolved"), new_ticket(3, "resolved")
    new_ticket(4, "resolved", kind="hot_spot")
    new_ticket(5, "closed")
    with unit_of_work() as session:
        ticket = session.get_one(Ticket, objected)
        queue_outbox(session, ticket, "update", f"shimin-{objected}-objected-m1", {})
        again = session.get_one(Ticket, fresh)
        add_event(session, again, "reopened", actor="citizen:web:3")
        add_event(session, again, "resolved", actor="dispatch")
    week = NOW - timedelta(days=7)
    with unit_of_work() as session:
        assert [ticket.id for ticket in unanswered(session, week, 10)] == [silent]
        assert unanswered(session, NOW - timedelta(days=9), 10) == []
        found = awaiting_verdict(session, "web:3")
        assert found is not None
        assert found.id == fresh
        step = last_step(session, found, "resolved")
        assert step is not None
        assert step.from_status == "reopened"


def test_the_numbers_of_the_city(any_store: CityStore) -> None:
    done, waiting = new_ticket(1, "resolved"), new_ticket(2)
    new_ticket(3, latitude=30.27388, longitude=120.15512, district=None, citizen_id="web:2")
    new_ticket(4, kind="hot_spot")
    new_ticket(5, "withdrawn")
    with unit_of_work() as session:
        session.get_one(Ticket, new_ticket(6)).created_at = LONG_AGO - timedelta(days=1)
    with reading() as session:
        assert set(tallies(session, "district", LONG_AGO)) == {
            Tally("云东区", 2, 1),
            Tally(None, 1, 0),
        }
        assert tallies(session, "category", LONG_AGO) == [Tally("waste.garbage", 3, 1)]
        assert cell_tallies(session, LONG_AGO, 0.001) == [
            CellTally(30274, 120155, "waste.garbage", 3, 2)
        ]
        ((ticket, at),) = handled_since(session, LONG_AGO)
        assert (ticket.id, at) == (done, NOW - timedelta(days=8))
        assert [event.to_status for event in ticket.events] == ["resolved"]
        assert sorted(ticket.id for ticket in open_since(session, LONG_AGO))[0] == waiting
        assert len(list(open_since(session, LONG_AGO))) == 2


def test_a_ticket_is_found_by_its_page(any_store: CityStore) -> None:
    ticket_id = new_ticket(1, "resolved")
    with unit_of_work() as session:
        token = session.get_one(Ticket, ticket_id).progress_token
    with reading() as session:
        found = by_progress_token(session, token)
        assert by_progress_token(session, token[:-1]) is None
    assert found is not None
    assert [event.to_status for event in found.events] == ["resolved"]
    assert isinstance(found.events[0], TicketEvent)
    assert found.photos == []


def test_photos_that_are_still_to_come(any_store: CityStore) -> None:
    ticket_id = new_ticket(1, "resolved")
    with unit_of_work() as session:
        ticket = session.get_one(Ticket, ticket_id)
        first, second = (expect_photo(session, ticket, f"http://d/{n}.jpg") for n in "ab")
        first.created_at = NOW - timedelta(hours=1)
    with unit_of_work() as session:
        assert [photo.id for photo in waiting_photos(session, 5)] == [second.id, first.id]
        assert keep_photo(session, first.id, b"bytes", "image/png")
        assert not keep_photo(session, first.id, b"other", "image/png")
        give_up_photo(session, second.id)
    with unit_of_work() as session:
        assert waiting_photos(session, 5) == []
        assert known_sources(session, session.get_one(Ticket, ticket_id)) == {"http://d/a.jpg"}
        photo, data = read_media(session, first.id, actor="test", purpose="test")
    assert (data, photo.content_type, photo.size) == (b"bytes", "image/png", 5)

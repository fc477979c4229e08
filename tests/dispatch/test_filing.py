from __future__ import annotations

import re
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
from sqlalchemy.orm import Session

from base.errors import InputError, StateError
from dispatch.case import filing
from dispatch.case.filing import file_complaint, rate, supplement, withdraw
from dispatch.classification.categories import Categories
from dispatch.reporting.draft import Contact, Draft, Occurred
from store.database import unit_of_work
from store.drafts import keep_draft
from store.media import read_media, save_media
from store.models import Citizen, Media, OpenDraft, OutboxEntry, Ticket, TicketEvent, TicketSequence
from store.privacy import reveal
from store.tickets import add_event
from tests.store.city import CityStore

ME, OTHER = "web:1", "web:2"
MakeDraft = Callable[..., Draft]
File = Callable[..., str]


def move(ticket_id: str, *statuses: str) -> None:
    """What the relay and the desk would have done."""
    with unit_of_work() as session:
        for status in statuses:
            add_event(session, session.get_one(Ticket, ticket_id), status, actor="dispatch")


def photo(citizen_id: str = ME) -> str:
    with unit_of_work() as session:
        return save_media(session, citizen_id, b"jpeg", "image/jpeg", None).id


def body_of(entry: OutboxEntry) -> dict[str, object]:
    with unit_of_work() as session:
        found: dict[str, object] = reveal(session, entry, "body", actor="test", purpose="test")
        return found


# --- filing -------------------------------------------------------------------------------


def test_a_draft_becomes_ticket_event_and_outbox_row(
    city_store: CityStore, make_draft: MakeDraft, categories: Categories
) -> None:
    mine = photo()
    draft = make_draft(words=("楼下餐馆油烟太大了", "每天晚上七点"), photos=(mine, photo(OTHER)))
    with unit_of_work() as session:
        filed = file_complaint(session, draft, ME, categories)
    assert filed.created
    (ticket,) = city_store.rows(Ticket)
    assert re.fullmatch(r"SM20\d{6}000001", ticket.id)
    assert (ticket.status, ticket.category, ticket.severity) == (
        "submitted",
        "air.cooking_fume",
        "normal",
    )
    assert ticket.department == categories["air.cooking_fume"].department
    assert (ticket.district, ticket.latitude, ticket.longitude) == ("云东区", 30.2741, 120.1551)
    with unit_of_work() as session:
        words = reveal(session, ticket, "description", actor="t", purpose="t")
        address = reveal(session, ticket, "address", actor="t", purpose="t")
    assert words == "楼下餐馆油烟太大了\n每天晚上七点"
    assert address == "云东区文昌街道春风里小区"
    (event,) = city_store.rows(TicketEvent)
    assert (event.from_status, event.to_status, event.actor) == (
        "draft",
        "submitted",
        f"citizen:{ME}",
    )
    (entry,) = city_store.rows(OutboxEntry)
    assert (entry.kind, entry.state, entry.attempts) == ("request", "pending", 0)
    assert ticket.id in entry.idempotency_key
    bound = {media.id: media.ticket_id for media in city_store.rows(Media)}
    assert bound.pop(mine) == ticket.id
    assert set(bound.values()) == {None}


def test_danger_in_the_words_makes_it_urgent(filed: File, city_store: CityStore) -> None:
    filed(category="air.industrial", words=("化工厂氯气泄漏，有人晕倒了",))
    assert city_store.rows(Ticket)[0].severity == "urgent"


def test_the_same_draft_is_filed_once(
    city_store: CityStore, make_draft: MakeDraft, categories: Categories
) -> None:
    draft = make_draft()
    ids, created = set(), []
    for _ in range(3):
        with unit_of_work() as session:
            filed = file_complaint(session, draft, ME, categories)
        ids.add(filed.ticket.id)
        created.append(filed.created)
    assert len(ids) == 1
    assert created == [True, False, False]
    assert len(city_store.rows(OutboxEntry)) == len(city_store.rows(TicketEvent)) == 1


def test_the_same_draft_is_filed_once_under_threads(
    city_store: CityStore, make_draft: MakeDraft, categories: Categories
) -> None:
    draft, start = make_draft(), threading.Barrier(8)

    def file(_worker: int) -> str:
        start.wait()
        with unit_of_work() as session:
            return file_complaint(session, draft, ME, categories).ticket.id

    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(file, range(8)))) == 1
    assert len(city_store.rows(OutboxEntry)) == 1


@pytest.mark.parametrize("step", ["new_ticket_id", "add_event", "attach_media", "queue_outbox"])
def test_a_failure_in_the_middle_leaves_nothing(
    city_store: CityStore,
    make_draft: MakeDraft,
    categories: Categories,
    monkeypatch: pytest.MonkeyPatch,
    step: str,
) -> None:
    def fail(session: Session, *args: object, **kwargs: object) -> None:
        session.flush()
        raise OSError("the power went out")

    draft = make_draft()
    with monkeypatch.context() as patch:
        patch.setattr(filing, step, fail)
        with pytest.raises(OSError, match="power"), unit_of_work() as session:
            file_complaint(session, draft, ME, categories)
    for table in (Ticket, TicketEvent, OutboxEntry, TicketSequence, Citizen):
        assert city_store.rows(table) == []
    with unit_of_work() as session:
        assert file_complaint(session, draft, ME, categories).created


@pytest.mark.parametrize("missing", [{"words": ()}, {"place": None}, {"category": None}])
def test_an_incomplete_draft_is_refused(
    city_store: CityStore, make_draft: MakeDraft, categories: Categories, missing: dict[str, object]
) -> None:
    with pytest.raises(InputError) as caught, unit_of_work() as session:
        file_complaint(session, make_draft(**missing), ME, categories)
    assert caught.value.code == "complaint_incomplete"
    assert city_store.rows(Ticket) == []


def test_time_contact_and_video_go_with_the_ticket(
    city_store: CityStore, make_draft: MakeDraft, categories: Categories
) -> None:
    start = datetime(2026, 11, 20, 10, tzinfo=UTC)
    occurred = Occurred(start=start, end=start, shown="11月20日晚上6点左右")
    contact = Contact(phone="13812345678", name="王")
    draft = make_draft(videos=(photo(),), occurred=occurred, contact=contact)
    with unit_of_work() as session:
        keep_draft(session, draft.id, ME, "confirmed", start)
        ticket = file_complaint(session, draft, ME, categories).ticket
        session.flush()
        session.expire_all()
        told = reveal(session, ticket, "contact", actor="test", purpose="test")
        assert told == {"phone": "13812345678", "name": "王"}
        assert ticket.occurred_at == start
        assert [media.id for media in ticket.photos] == list(draft.videos)
    assert city_store.rows(OpenDraft) == []
    assert b"13812345678" not in city_store.bytes_on_disk()


def test_a_complaint_is_anonymous_unless_he_says_otherwise(
    city_store: CityStore, make_draft: MakeDraft, categories: Categories
) -> None:
    with unit_of_work() as session:
        ticket = file_complaint(session, make_draft(), ME, categories).ticket
    assert (ticket.contact, ticket.occurred_at) == (None, None)


def test_a_photo_of_two_problems_is_kept_once_for_each(
    city_store: CityStore, make_draft: MakeDraft, categories: Categories
) -> None:
    shared = photo()
    with unit_of_work() as session:
        tickets = [
            file_complaint(session, make_draft(photos=(shared,)), ME, categories).ticket.id
            for _ in range(2)
        ]
    first, second = sorted(city_store.rows(Media), key=lambda media: media.id != shared)
    assert {first.ticket_id, second.ticket_id} == set(tickets)
    assert first.id == shared
    assert (first.sha256, first.size) == (second.sha256, second.size)
    with unit_of_work() as session:
        assert read_media(session, second.id, actor="test", purpose="test")[1] == b"jpeg"


# --- withdrawing --------------------------------------------------------------------------


def test_a_citizen_withdraws_his_own_ticket(city_store: CityStore, filed: File) -> None:
    ticket_id = filed()
    with unit_of_work() as session:
        ticket = withdraw(session, ME, ticket_id)
    assert ticket is not None
    assert city_store.rows(Ticket)[0].status == "withdrawn"
    assert [entry.kind for entry in city_store.rows(OutboxEntry)] == ["request", "update"]
    assert body_of(city_store.rows(OutboxEntry)[1])["status"] == "WITHDRAWN"


@pytest.mark.parametrize("act", ["withdraw", "supplement", "rate"])
@pytest.mark.parametrize("whose", ["somebody else's", "nobody's"])
def test_somebody_elses_ticket_is_as_good_as_none(
    city_store: CityStore, filed: File, act: str, whose: str
) -> None:
    ticket_id = filed(OTHER)
    move(ticket_id, "forwarded", "resolved")
    before = len(city_store.rows(TicketEvent)), len(city_store.rows(OutboxEntry))
    asked = ticket_id if whose == "somebody else's" else "SM20200101000001"
    with unit_of_work() as session:
        answer = {
            "withdraw": lambda: withdraw(session, ME, asked),
            "supplement": lambda: supplement(session, ME, asked, "还在冒", (), "m1"),
            "rate": lambda: rate(session, ME, asked, 5),
        }[act]()
    assert answer is None
    assert (len(city_store.rows(TicketEvent)), len(city_store.rows(OutboxEntry))) == before
    assert city_store.rows(Ticket)[0].rating is None


@pytest.mark.parametrize("done", [("forwarded", "resolved"), ("withdrawn",), ("rejected",)])
def test_a_finished_ticket_cannot_be_withdrawn(
    city_store: CityStore, filed: File, done: tuple[str, ...]
) -> None:
    ticket_id = filed()
    move(ticket_id, *done)
    with pytest.raises(StateError), unit_of_work() as session:
        withdraw(session, ME, ticket_id)
    assert city_store.rows(Ticket)[0].status == done[-1]
    assert len(city_store.rows(OutboxEntry)) == 1


# --- supplementing ------------------------------------------------------------------------


def test_a_supplement_adds_words_and_own_photos(city_store: CityStore, filed: File) -> None:
    ticket_id, mine, foreign = filed(), photo(), photo(OTHER)
    with unit_of_work() as session:
        supplement(session, ME, ticket_id, "今天更严重了", (mine, foreign), "m1")
    assert city_store.rows(Ticket)[0].status == "submitted"
    body = body_of(city_store.rows(OutboxEntry)[1])
    assert body == {"description": "市民补充：今天更严重了", "photos": [mine]}
    event = city_store.rows(TicketEvent)[1]
    with unit_of_work() as session:
        assert reveal(session, event, "note", actor="t", purpose="t") == "今天更严重了"
    assert {m.id: m.ticket_id for m in city_store.rows(Media)} == {mine: ticket_id, foreign: None}


def test_the_same_message_supplements_once(city_store: CityStore, filed: File) -> None:
    ticket_id = filed()
    for message_id in ("m1", "m1", "m2"):
        with unit_of_work() as session:
            assert supplement(session, ME, ticket_id, "还在冒", (), message_id) is not None
    assert len(city_store.rows(OutboxEntry)) == 3
    assert len(city_store.rows(TicketEvent)) == 3


@pytest.mark.parametrize("done", ["closed", "rejected", "withdrawn"])
def test_a_finished_ticket_takes_no_supplement(
    city_store: CityStore, filed: File, done: str
) -> None:
    ticket_id, mine = filed(), photo()
    with unit_of_work() as session:
        supplement(session, ME, ticket_id, "还在冒", (), "m1")
    move(ticket_id, done)
    before = len(city_store.rows(TicketEvent)), len(city_store.rows(OutboxEntry))
    with pytest.raises(StateError) as caught, unit_of_work() as session:
        supplement(session, ME, ticket_id, "今天更严重了", (mine,), "m2")
    assert caught.value.code == "transition_refused"
    assert city_store.rows(Media)[0].ticket_id is None
    with unit_of_work() as session:  # a repeated message was taken in its time
        assert supplement(session, ME, ticket_id, "还在冒", (), "m1") is not None
    assert (len(city_store.rows(TicketEvent)), len(city_store.rows(OutboxEntry))) == before


# --- rating -------------------------------------------------------------------------------


@pytest.mark.parametrize("status", ["resolved", "verified", "closed"])
def test_a_handled_ticket_is_rated_and_the_desk_hears_of_it(
    city_store: CityStore, filed: File, status: str
) -> None:
    ticket_id = filed()
    move(ticket_id, status)
    with unit_of_work() as session:
        rate(session, ME, ticket_id, 1)
    (ticket,) = city_store.rows(Ticket)
    assert (ticket.rating, ticket.status) == (1, status)
    assert body_of(city_store.rows(OutboxEntry)[1])["description"] == "市民评价：1分"


def test_a_citizen_may_change_his_mind_but_pressing_twice_counts_once(
    city_store: CityStore, filed: File
) -> None:
    ticket_id = filed()
    move(ticket_id, "closed")
    for score in (5, 5, 3, 5, 5):
        with unit_of_work() as session:
            rate(session, ME, ticket_id, score)
    assert city_store.rows(Ticket)[0].rating == 5
    updates = [e for e in city_store.rows(OutboxEntry) if e.kind == "update"]
    assert [body_of(entry)["description"] for entry in updates] == [
        "市民评价：5分",
        "市民评价：3分",
        "市民评价：5分",
    ]


@pytest.mark.parametrize("status", ["submitted", "in_progress", "rejected", "withdrawn"])
def test_an_unhandled_ticket_is_not_rated(city_store: CityStore, filed: File, status: str) -> None:
    ticket_id = filed()
    move(ticket_id, status)
    with unit_of_work() as session:
        assert rate(session, ME, ticket_id, 5) is None
    assert city_store.rows(Ticket)[0].rating is None


@pytest.mark.parametrize("score", [0, 6, -1, 100])
def test_a_score_is_one_to_five(filed: File, score: int) -> None:
    ticket_id = filed()
    with pytest.raises(InputError) as caught, unit_of_work() as session:
        rate(session, ME, ticket_id, score)
    assert caught.value.code == "rating_invalid"

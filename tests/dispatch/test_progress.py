from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatch.case.progress import Progress, progress_of, public_note
from dispatch.case.updates import apply_update
from dispatch.case.wording import progress_url
from dispatch.classification.categories import Categories
from dispatch.open311 import RequestUpdate
from store.database import unit_of_work
from store.models import AuditEntry, Media, Ticket, utc_now
from store.tickets import add_event
from tests.store.city import CityStore

File = Callable[..., str]
_SENT = iter(range(10_000))


@pytest.fixture
def ticket(filed: File) -> str:
    ticket_id = filed(words=("我叫张三，电话13812345678，春风里12号油烟大",))
    with unit_of_work() as session:
        found = session.get_one(Ticket, ticket_id)
        found.external_id = "YZ1"
        add_event(session, found, "forwarded", actor="relay", unit=found.department)
    return ticket_id


@pytest.fixture
def desk(categories: Categories) -> Callable[..., None]:
    def say(status: str, words: str = "", **more: object) -> None:
        update = RequestUpdate(f"Q{next(_SENT)}", "YZ1", status, utc_now(), words, "城管队", **more)
        with unit_of_work() as session:
            apply_update(session, update, categories)

    return say


@pytest.fixture
def shown(city_store: CityStore, categories: Categories) -> Callable[..., Progress]:
    def look(ticket_id: str, **later: float) -> Progress:
        with unit_of_work() as session:
            token = session.get_one(Ticket, ticket_id).progress_token
        now = utc_now() + timedelta(**later)
        found = progress_of(token, categories, city_store.settings, now)
        assert found is not None
        return found

    return look


def test_where_a_case_is_without_whose_it_is(
    ticket: str, desk: Callable[..., None], shown: Callable[..., Progress]
) -> None:
    desk("INVESTIGATING")
    desk("", "已联系张三，电话13812345678")  # words on the way are his alone
    desk("FIXED", "王女士家楼下已清洗，电话13912345678", media_urls=())
    found = shown(ticket)
    assert [step.name for step in found.steps] == ["已提交", "已派单", "已受理", "已办结"]
    assert found.steps[-1].note == "某女士家楼下已清洗，电话<手机号>"
    everything = repr(found)
    for secret in ("张三", "1381234", "1391234", "春风里", "油烟大", "web:1", ticket):
        assert secret not in everything
    assert (found.state, found.district, found.category) == ("已办结", "云东区", "餐饮油烟")


def test_what_is_expected_and_when_it_is_late(
    ticket: str, desk: Callable[..., None], shown: Callable[..., Progress]
) -> None:
    assert [text[-2:] for text in shown(ticket).expected] == ["受理", "办结"]
    desk("IN_PROGRESS")
    (promise,) = shown(ticket).expected
    assert promise.startswith("预计")
    late = shown(ticket, days=60)
    assert (late.expected, late.overdue) == ((), True)
    desk("FIXED", "好了")
    assert (shown(ticket, days=60).expected, shown(ticket, days=60).overdue) == ((), False)


def test_photos_are_shown_once_they_are_there(
    ticket: str, desk: Callable[..., None], shown: Callable[..., Progress], city_store: CityStore
) -> None:
    desk("FIXED", "好了", media_urls=(f"{city_store.settings.dispatch_url}/media/a.jpg",))
    assert shown(ticket).photos == ()
    with unit_of_work() as session:
        (photo,) = session.query(Media).all()
        photo.size = 9
    (url,) = shown(ticket).photos
    assert f"/media/{photo.id}/public?expires=" in url


def test_a_note_is_read_once_and_the_reading_is_recorded(
    ticket: str, desk: Callable[..., None], shown: Callable[..., Progress], city_store: CityStore
) -> None:
    desk("FIXED", "好了")
    for _ in range(5):
        shown(ticket)
    reads = [row for row in city_store.rows(AuditEntry) if row.actor == "progress_page"]
    assert [row.purpose for row in reads] == ["public_progress"]


@pytest.mark.parametrize("token", ["", "x", "nope" * 8, "'; drop table tickets--", "测试"])
def test_an_unknown_token_has_no_page(
    city_store: CityStore, categories: Categories, token: str
) -> None:
    assert progress_of(token, categories, city_store.settings, utc_now()) is None


def test_a_warning_of_this_side_has_no_page(
    ticket: str, city_store: CityStore, categories: Categories
) -> None:
    with unit_of_work() as session:
        found = session.get_one(Ticket, ticket)
        found.kind = "hot_spot"
    assert progress_of(found.progress_token, categories, city_store.settings, utc_now()) is None


def test_every_ticket_has_a_page_of_its_own(filed: File, city_store: CityStore) -> None:
    for _ in range(20):
        filed()
    rows = city_store.rows(Ticket)
    urls = {progress_url(city_store.settings, row) for row in rows}
    assert len(urls) == 20
    assert all(len(row.progress_token) == 32 for row in rows)


@given(
    st.text(alphabet="已联系王李欧阳女士先生的家，1380", max_size=30),
    st.sampled_from(["13812345678", "110101199003070011", "zhang@example.com", "0571-12345678"]),
)
def test_no_number_of_a_person_gets_through(words: str, number: str) -> None:
    assert number not in public_note(f"{words}，{number}，完")

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from base.errors import StateError
from dispatch.case.deadlines import call_for_overdue
from dispatch.case.lifecycle import TRANSITIONS
from dispatch.case.telling import tell
from dispatch.case.wording import JOINED, OUR_WORDS, status_reply, verdict_buttons
from dispatch.classification.categories import Categories
from dispatch.desk.status import Status
from dispatch.reporting.intake import Draft
from dispatch.similar.joining import AT_WORK, for_follower, join, leave, listeners
from store.database import unit_of_work
from store.media import save_media
from store.models import Citizen, Media, OutboxEntry, Ticket, TicketFollower, plain
from store.people import citizen, inbox
from store.privacy import reveal
from store.tickets import add_event, latest_visible_to, of_citizen, visible_to
from tests.dispatch.relaying import File, MakeRelay, drain
from tests.dispatch.servers import Desk
from tests.store.city import CityStore

ME, OTHER, THIRD = "web:1", "web:2", "web:3"
MakeDraft = Callable[..., Draft]


def follow(ticket_id: str, who: str, draft: Draft) -> bool:
    with unit_of_work() as session:
        return join(session, ticket_id, who, draft).created


def words_to(who: str) -> list[dict[str, Any]]:
    with unit_of_work() as session:
        return [reply for _, replies in inbox(session, who, 0) for reply in replies]


def body_of(entry: OutboxEntry) -> dict[str, Any]:
    with unit_of_work() as session:
        found: dict[str, Any] = reveal(session, entry, "body", actor="test", purpose="test")
        return found


def test_joining_keeps_follower_words_and_photos_and_tells_the_desk(
    city_store: CityStore, filed: File, make_draft: MakeDraft
) -> None:
    ticket_id = filed(ME)
    with unit_of_work() as session:
        photo = save_media(session, OTHER, b"jpeg", "image/jpeg", None).id
        foreign = save_media(session, THIRD, b"jpeg", "image/jpeg", None).id
    draft = make_draft(words=("烤串的烟灌进我家", "电话13812345678"), photos=(photo, foreign))
    assert follow(ticket_id, OTHER, draft)
    (follower,) = city_store.rows(TicketFollower)
    assert (follower.ticket_id, follower.citizen_id) == (ticket_id, OTHER)
    _request, update = city_store.rows(OutboxEntry)
    assert (update.kind, update.ticket_id) == ("update", ticket_id)
    assert draft.id in update.idempotency_key
    assert body_of(update) == {
        "description": f"{JOINED}烤串的烟灌进我家\n电话13812345678",
        "photos": [photo],
    }
    assert {m.id: m.ticket_id for m in city_store.rows(Media)} == {photo: ticket_id, foreign: None}
    assert "烤串的烟".encode() not in city_store.bytes_on_disk()
    assert city_store.rows(Ticket)[0].status == "submitted"


def test_joining_twice_changes_nothing(
    city_store: CityStore, filed: File, make_draft: MakeDraft
) -> None:
    ticket_id, draft = filed(ME), make_draft()
    assert follow(ticket_id, OTHER, draft)
    before = [len(city_store.rows(table)) for table in (TicketFollower, OutboxEntry)]
    assert not follow(ticket_id, OTHER, draft)
    assert [len(city_store.rows(table)) for table in (TicketFollower, OutboxEntry)] == before
    assert follow(ticket_id, OTHER, make_draft(words=("今天又开始了",)))  # a new statement
    assert len(city_store.rows(TicketFollower)) == 1
    assert len(city_store.rows(OutboxEntry)) == 3


def test_joining_at_the_same_moment_joins_once(
    city_store: CityStore, filed: File, make_draft: MakeDraft
) -> None:
    ticket_id, draft, start = filed(ME), make_draft(), threading.Barrier(6)

    def press(_: int) -> bool:
        start.wait()
        return follow(ticket_id, OTHER, draft)

    with ThreadPoolExecutor(6) as pool:
        assert sum(pool.map(press, range(6))) == 1
    assert len(city_store.rows(TicketFollower)) == 1


@pytest.mark.parametrize("status", sorted(TRANSITIONS))
def test_only_a_case_at_work_is_joined(
    city_store: CityStore, filed: File, make_draft: MakeDraft, status: str
) -> None:
    ticket_id = filed(ME)
    with unit_of_work() as session:
        add_event(session, session.get_one(Ticket, ticket_id), status, actor="dispatch")
    if status in AT_WORK:
        assert follow(ticket_id, OTHER, make_draft())
        return
    with pytest.raises(StateError) as caught:
        follow(ticket_id, OTHER, make_draft())
    assert caught.value.code == "ticket_not_open"
    assert city_store.rows(TicketFollower) == []
    assert len(city_store.rows(OutboxEntry)) == 1


def test_nobody_joins_his_own_ticket_a_warning_or_nothing(
    city_store: CityStore, filed: File, make_draft: MakeDraft
) -> None:
    ticket_id = filed(ME)
    with pytest.raises(StateError) as caught:
        follow(ticket_id, ME, make_draft())
    assert caught.value.code == "ticket_is_own"
    with unit_of_work() as session:
        session.get_one(Ticket, ticket_id).kind = "hot_spot"
    for asked in (ticket_id, "SM20200101000001"):
        with pytest.raises(StateError) as caught:
            follow(asked, OTHER, make_draft())
        assert caught.value.code == "ticket_not_open"
    assert city_store.rows(TicketFollower) == []


def test_a_failure_in_the_middle_leaves_nothing(
    city_store: CityStore, filed: File, make_draft: MakeDraft
) -> None:
    ticket_id = filed(ME)
    with pytest.raises(OSError, match="power"), unit_of_work() as session:
        join(session, ticket_id, OTHER, make_draft())
        session.flush()
        raise OSError("the power went out")
    assert city_store.rows(TicketFollower) == []
    assert len(city_store.rows(OutboxEntry)) == 1
    assert [row.id for row in city_store.rows(Citizen)] == [ME]


def test_everybody_hears_and_who_left_does_not(
    city_store: CityStore, filed: File, make_draft: MakeDraft
) -> None:
    ticket_id = filed(ME)
    for who in (OTHER, THIRD):
        follow(ticket_id, who, make_draft())
    with unit_of_work() as session:
        assert leave(session, ticket_id, OTHER)
        assert not leave(session, ticket_id, OTHER)
    with unit_of_work() as session:
        ticket = session.get_one(Ticket, ticket_id)
        assert listeners(session, ticket) == (ME, THIRD)
        tell(session, ticket, {"text": "工单有进展", "buttons": [], "cards": []})
    assert [len(words_to(who)) for who in (ME, OTHER, THIRD)] == [1, 0, 1]


def test_a_ticket_of_the_system_has_no_reporter_to_tell(city_store: CityStore, filed: File) -> None:
    ticket_id = filed(ME)
    with unit_of_work() as session:
        citizen(session, "system:hotspot")
        ticket = session.get_one(Ticket, ticket_id)
        ticket.kind, ticket.citizen_id = "hot_spot", "system:hotspot"
        session.flush()
        assert listeners(session, ticket) == ()
        tell(session, ticket, {"text": "x", "buttons": [], "cards": []})
    assert words_to("system:hotspot") == []


def test_a_follower_is_not_asked_to_rate_and_reads_no_number(categories: Categories) -> None:
    ticket = Ticket(
        id="SM20261121000042",
        citizen_id=ME,
        status="resolved",
        category="air.dust",
        department="市城市管理局",
        created_at=datetime(2026, 11, 20, tzinfo=UTC),
        updated_at=datetime(2026, 11, 21, tzinfo=UTC),
        description=plain("x"),
    )
    note = "已电话联系13812345678说明"
    reply = status_reply(ticket, categories["air.dust"], "resolved", None, note)
    told = for_follower(reply)
    assert "满意" not in told["text"]
    assert told["buttons"] == []
    assert "13812345678" not in str(told)
    assert "已电话联系" in told["text"]
    assert reply["buttons"] == verdict_buttons(ticket.id)  # the reporter's is untouched
    forwarded = status_reply(ticket, categories["air.dust"], "forwarded", None, None)
    assert "您关注的工单" in for_follower(forwarded)["text"]


def test_a_followers_links_are_whole() -> None:
    """A long run of digits in an address is nobody's number."""
    links = {
        "处置后照片": f"http://x/media/{'1' * 32}/public?expires=1",
        "进度页面": "http://x/13812345678",
    }
    fields = {**links, "办理说明": "电话13812345678"}
    (card,) = for_follower({"text": "", "buttons": [], "cards": [{"fields": fields}]})["cards"]
    assert card["fields"] == {**links, "办理说明": "电话<手机号>"}


def test_what_followers_see_is_not_theirs(filed: File, make_draft: MakeDraft) -> None:
    mine, other = filed(ME), filed(OTHER)
    follow(mine, OTHER, make_draft())
    with unit_of_work() as session:
        assert of_citizen(session, OTHER, mine) is None
        assert visible_to(session, OTHER, mine) is not None
        assert visible_to(session, ME, other) is None
        assert [t.id for t in latest_visible_to(session, OTHER)] == [other, mine]
        assert [t.id for t in latest_visible_to(session, ME)] == [mine]
        assert latest_visible_to(session, THIRD) == []


def test_followers_hear_every_step_from_the_desk(
    desk: Desk, make_relay: MakeRelay, filed: File, make_draft: MakeDraft
) -> None:
    ticket_id, relay = filed(ME), make_relay()
    follow(ticket_id, OTHER, make_draft(words=("另一家也闻到",)))
    with desk.up():
        drain(relay)
        request_id = desk.requests()[0].request_id
        for key, note in [("accept", ""), ("start", ""), ("resolve", "已整改"), ("close", "合格")]:
            desk.act(request_id, key, note)
        relay.poll()
        relay.poll()
        said = [event.description for event in desk.requests()[0].events]
    assert f"{JOINED}另一家也闻到" in said
    mine, theirs = words_to(ME), words_to(OTHER)
    assert len(mine) == len(theirs) == 5
    assert [reply["cards"][0]["id"] for reply in theirs] == [ticket_id] * 5
    assert all(not reply["buttons"] for reply in theirs)
    assert any(reply["buttons"] for reply in mine)
    assert JOINED in OUR_WORDS  # the desk lists it among its updates; it is no news
    assert desk.requests()[0].status == Status.CLOSED


def test_a_passed_limit_is_admitted_to_followers_as_well(
    filed: File, make_draft: MakeDraft, categories: Categories
) -> None:
    ticket_id = filed(ME)
    follow(ticket_id, OTHER, make_draft())
    with unit_of_work() as session:
        ticket = session.get_one(Ticket, ticket_id)
        ticket.external_id = "311-1"
        add_event(session, ticket, "forwarded", actor="relay")
    with unit_of_work() as session:
        call_for_overdue(session, categories, datetime.now(UTC) + timedelta(days=60), "督查室")
    assert [len(words_to(who)) for who in (ME, OTHER)] == [2, 2]

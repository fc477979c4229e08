from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from sqlalchemy import select, update
from typer.testing import CliRunner

from base.links import link_is_valid
from cli.operations import outbox
from dispatch.categories import Categories
from dispatch.desk.status import Status
from dispatch.filing import supplement, withdraw
from dispatch.open311 import Open311Client
from dispatch.relay import LEASE, LONGEST_PAUSE, Relay
from store.database import unit_of_work
from store.media import save_media
from store.models import OutboxEntry, Ticket, TicketEvent, utc_now
from store.people import inbox
from store.tickets import claim_due, open_external
from tests.dispatch.servers import Answer, Asked, Desk, Script, bad_line, serving
from tests.store.city import CityStore

ME = "web:1"
File = Callable[..., str]
MakeRelay = Callable[..., Relay]


@pytest.fixture
def make_relay(city_store: CityStore, categories: Categories) -> Iterator[MakeRelay]:
    clients = []

    def make(url: str | None = None) -> Relay:
        settings = city_store.settings
        client = Open311Client(
            url or settings.dispatch_url,
            settings.dispatch_api_key.get_secret_value(),
            format=settings.dispatch_format,
            timeout=3.0,
        )
        clients.append(client)
        return Relay(client, settings, categories)

    yield make
    for client in clients:
        client.__exit__(None, None, None)


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


# --- the desk -----------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["json", "xml"])
def test_a_complaint_reaches_the_desk(
    city_store: CityStore, desk: Desk, make_relay: MakeRelay, filed: File, form: str
) -> None:
    city_store.configure(DISPATCH_FORMAT=form)
    with unit_of_work() as session:
        photo = save_media(session, ME, b"jpeg", "image/jpeg", None).id
    ticket_id = filed(photos=(photo,), words=("楼下餐馆油烟太大了", "<b>每晚</b> & 周末"))
    with desk.up():
        assert drain(make_relay()) == 1
    (request,) = desk.requests()
    assert request.service_code == "air.cooking_fume"
    assert (request.latitude, request.longitude) == (30.2741, 120.1551)
    assert request.address == "云东区文昌街道春风里小区"
    assert "油烟太大了" in request.description
    (url,) = request.media_urls
    link = urlsplit(url)
    assert url.startswith(city_store.settings.public_url)
    query = {name: values[0] for name, values in parse_qs(link.query).items()}
    secret = city_store.settings.session_key.get_secret_value()
    assert link.path == f"/media/{photo}"
    assert link_is_valid(
        secret, link.path, int(query["expires"]), query["signature"], utc_now().timestamp()
    )
    ticket = the_ticket(ticket_id)
    assert (ticket.status, ticket.external_id) == ("forwarded", request.request_id)
    assert [entry.state for entry in entries()] == ["sent"]
    assert len(told()) == 1
    assert "已派到" in told()[0]


def test_an_urgent_matter_is_marked_for_the_desk(
    desk: Desk, make_relay: MakeRelay, filed: File
) -> None:
    filed(category="air.industrial", words=("化工厂氯气泄漏，有人晕倒了",))
    with desk.up():
        drain(make_relay())
    assert desk.requests()[0].description.startswith("【紧急】")


def test_a_desk_that_is_down_is_tried_with_growing_pauses_and_hears_it_once(
    desk: Desk, make_relay: MakeRelay, filed: File
) -> None:
    ticket_id, relay, pauses = filed(), make_relay(), []
    for attempt in range(1, 8):
        before = utc_now()
        assert drain(relay) == 1
        (entry,) = entries()
        assert (entry.state, entry.attempts) == ("pending", attempt)
        assert entry.last_error
        pauses.append((entry.due_at - before).total_seconds())
        later()
    assert all(0.5 * 2**n <= pause <= 2**n + 2 for n, pause in enumerate(pauses))
    assert the_ticket(ticket_id).status == "submitted"
    assert told() == []
    with desk.up():
        drain(relay)
        later()
        assert drain(relay) == 0
    assert len(desk.requests()) == 1
    assert the_ticket(ticket_id).status == "forwarded"
    assert entries()[0].attempts == 8


def test_the_pause_has_a_limit(make_relay: MakeRelay, filed: File) -> None:
    filed()
    with unit_of_work() as session:
        session.execute(update(OutboxEntry).values(attempts=5000))
    before = utc_now()
    drain(make_relay())
    assert timedelta(0) < entries()[0].due_at - before <= LONGEST_PAUSE + timedelta(seconds=5)


@pytest.mark.parametrize("loss", [502, 0])
def test_a_lost_answer_never_files_a_second_request(
    desk: Desk, make_relay: MakeRelay, filed: File, city_store: CityStore, loss: int
) -> None:
    ticket_id = filed()
    with desk.up(), serving(bad_line(city_store.settings.dispatch_url, loss, loss)) as line:
        relay = make_relay(line.url)
        for _ in range(3):
            drain(relay)
            later()
        assert drain(relay) == 0
        assert len(line.posts()) == 3
        assert len({post.key for post in line.posts()}) == 1
    (request,) = desk.requests()
    assert the_ticket(ticket_id).external_id == request.request_id
    assert len(told()) == 1


def test_a_lost_answer_never_adds_a_supplement_twice(
    desk: Desk, make_relay: MakeRelay, filed: File, city_store: CityStore
) -> None:
    ticket_id = filed()
    with desk.up():
        drain(make_relay())
        with unit_of_work() as session:
            supplement(session, ME, ticket_id, "今天更严重了", (), "m1")
        with serving(bad_line(city_store.settings.dispatch_url, 504, 0)) as line:
            relay = make_relay(line.url)
            for _ in range(3):
                drain(relay)
                later()
            assert len(line.posts("/servicerequestupdates.json")) == 3
    (request,) = desk.requests()
    assert [event.description for event in request.events] == ["市民补充：今天更严重了"]
    assert [entry.state for entry in entries()] == ["sent", "sent"]


def test_a_relay_that_dies_with_an_entry_in_hand_loses_nothing(
    desk: Desk, make_relay: MakeRelay, filed: File
) -> None:
    filed()
    with unit_of_work() as session:
        assert claim_due(session, utc_now(), LEASE) is not None
    with desk.up():
        assert drain(make_relay()) == 0  # the dead relay's lease still runs
        with unit_of_work() as session:
            entry = session.scalars(select(OutboxEntry)).one()
            assert timedelta(0) < entry.due_at - utc_now() <= LEASE
        later()
        assert drain(make_relay()) == 1
    assert len(desk.requests()) == 1


def test_two_relays_do_not_send_twice(desk: Desk, make_relay: MakeRelay, filed: File) -> None:
    for _ in range(4):
        filed()
    with desk.up():
        relays = [make_relay(), make_relay()]
        with ThreadPoolExecutor(2) as pool:
            assert sum(pool.map(drain, relays)) == 4
    assert len(desk.requests()) == 4
    assert [entry.attempts for entry in entries()] == [1] * 4


def test_a_complaint_withdrawn_before_it_left_ends_withdrawn_on_both_sides(
    desk: Desk, make_relay: MakeRelay, filed: File
) -> None:
    ticket_id = filed()
    with unit_of_work() as session:
        withdraw(session, ME, ticket_id)
    with desk.up():
        assert drain(make_relay()) == 2
    (request,) = desk.requests()
    assert request.status == Status.WITHDRAWN
    ticket = the_ticket(ticket_id)
    assert ticket.status == "withdrawn"
    assert ticket.external_id == request.request_id
    assert told() == []  # he is not told that it was forwarded


def test_the_request_goes_before_its_updates(
    desk: Desk, make_relay: MakeRelay, filed: File
) -> None:
    ticket_id, relay = filed(), make_relay()
    with unit_of_work() as session:
        supplement(session, ME, ticket_id, "补充一", (), "m1")
        supplement(session, ME, ticket_id, "补充二", (), "m2")
    assert drain(relay) == 1  # the desk is down: only the request is tried
    assert [entry.attempts for entry in entries()] == [1, 0, 0]
    later()
    with desk.up():
        assert drain(relay) == 3
    (request,) = desk.requests()
    assert [event.description for event in request.events] == [
        "市民补充：补充一",
        "市民补充：补充二",
    ]


# --- news from the desk -------------------------------------------------------------------


def test_the_desks_steps_come_back_once_and_in_order(
    desk: Desk, make_relay: MakeRelay, filed: File
) -> None:
    ticket_id, relay = filed(), make_relay()
    with desk.up():
        drain(relay)
        request_id = desk.requests()[0].request_id
        for key, words in [("accept", ""), ("start", ""), ("resolve", "已整改"), ("close", "合格")]:
            desk.act(request_id, key, words)
        relay.poll()
        relay.poll()
        make_relay().poll()  # after a restart everything is read again
    assert the_ticket(ticket_id).status == "closed"
    with unit_of_work() as session:
        statuses = session.scalars(select(TicketEvent.to_status).order_by(TicketEvent.id)).all()
    assert statuses == [
        "submitted",
        "forwarded",
        "accepted",
        "in_progress",
        "resolved",
        "verified",
        "closed",
    ]
    assert len(told()) == 5


def test_a_transfer_at_the_desk_does_not_end_the_case(
    desk: Desk, make_relay: MakeRelay, filed: File
) -> None:
    ticket_id, relay = filed(), make_relay()
    other = desk.other_department(the_ticket(ticket_id).department)
    with desk.up():
        drain(relay)
        request_id = desk.requests()[0].request_id
        desk.act(request_id, "transfer", "属其他单位职责", agency=other)
        relay.poll()
        assert the_ticket(ticket_id).status == "transferred"
        desk.act(request_id, "accept")
        relay.poll()
    ticket = the_ticket(ticket_id)
    assert (ticket.status, ticket.department) == ("accepted", other)


def test_polling_a_desk_that_is_down_does_no_harm(
    desk: Desk, make_relay: MakeRelay, filed: File
) -> None:
    ticket_id, relay = filed(), make_relay()
    relay.poll()
    with desk.up():
        drain(relay)
        desk.act(desk.requests()[0].request_id, "accept")
        relay.poll()
    relay.poll()
    assert the_ticket(ticket_id).status == "accepted"


# --- servers that are not ours ------------------------------------------------------------


def only_posts(answer: Callable[[Asked], Answer]) -> Script:
    return lambda asked: answer(asked) if asked.method == "POST" else Answer(404, "no such page")


@pytest.mark.parametrize("status", [400, 403, 404, 422, 302])
def test_a_refusal_is_kept_as_a_dead_letter_until_an_operator_retries(
    make_relay: MakeRelay, filed: File, status: int
) -> None:
    ticket_id, answers = filed(), [Answer(status, '[{"code":"x","description":"category closed"}]')]
    run = CliRunner()
    with serving(only_posts(lambda _: answers[0])) as server:
        relay = make_relay(server.url)
        drain(relay)
        later()
        assert drain(relay) == 0
        (entry,) = entries()
        assert (entry.state, entry.attempts) == ("dead", 1)
        assert str(status) in (entry.last_error or "")
        listed = run.invoke(outbox, ["list"])
        assert f"dead {entry.id} request ticket={ticket_id}" in listed.output
        assert the_ticket(ticket_id).status == "submitted"
        answers[0] = created("R-1")
        assert run.invoke(outbox, ["retry", str(entry.id)]).exit_code == 0
        assert drain(relay) == 1
        assert len({post.key for post in server.posts()}) == 1
    assert run.invoke(outbox, ["retry", str(entry.id)]).exit_code == 2
    assert (the_ticket(ticket_id).external_id, entries()[0].state) == ("R-1", "sent")


def test_an_update_of_a_refused_request_is_kept_too(make_relay: MakeRelay, filed: File) -> None:
    ticket_id = filed()
    with unit_of_work() as session:
        withdraw(session, ME, ticket_id)
    with serving(only_posts(lambda _: Answer(400))) as server:
        drain(make_relay(server.url))
        assert len(server.asked) == 1
    assert [entry.state for entry in entries()] == ["dead", "dead"]


def test_an_answer_that_makes_no_sense_is_left_to_the_operator(
    make_relay: MakeRelay, filed: File
) -> None:
    filed()
    with serving(only_posts(lambda _: Answer(200, "<html>Welcome to the hotel</html>"))) as server:
        drain(make_relay(server.url))
    assert entries()[0].state == "dead"


@pytest.mark.parametrize(("asked_for", "expected"), [("120", 120), ("99999", 600)])
def test_a_busy_server_is_left_alone_as_long_as_it_asks(
    make_relay: MakeRelay, filed: File, asked_for: str, expected: int
) -> None:
    filed()
    busy = Answer(429, "", {"Retry-After": asked_for})
    with serving(only_posts(lambda _: busy)) as server:
        before = utc_now()
        drain(make_relay(server.url))
    (entry,) = entries()
    assert entry.state == "pending"
    assert expected <= (entry.due_at - before).total_seconds() <= expected + 5


def test_a_token_becomes_an_id_later(make_relay: MakeRelay, filed: File) -> None:
    ticket_id, known = filed(), []

    def script(asked: Asked) -> Answer:
        if asked.method == "POST":
            return Answer(200, '[{"token": "T-7"}]')
        assert asked.path == "/tokens/T-7.json"
        answer = {"token": "T-7", "service_request_id": known[0]} if known else {"token": "T-7"}
        return Answer(200, json.dumps([answer]))

    with serving(script) as server:
        relay = make_relay(server.url)
        drain(relay)
        ticket = the_ticket(ticket_id)
        assert (ticket.status, ticket.external_token, ticket.external_id) == (
            "submitted",
            "T-7",
            None,
        )
        later()
        drain(relay)  # not yet
        known.append("R-7")
        later()
        drain(relay)
        assert len(server.posts()) == 1
    ticket = the_ticket(ticket_id)
    assert (ticket.status, ticket.external_id) == ("forwarded", "R-7")
    assert [entry.state for entry in entries()] == ["sent"]


def test_a_server_that_gives_two_complaints_one_id_does_not_stop_the_relay(
    make_relay: MakeRelay, filed: File
) -> None:
    filed()
    filed()
    third = filed("web:2")
    answers = iter([created("R-1"), created("R-1"), created("R-2")])
    with serving(only_posts(lambda _: next(answers))) as server:
        drain(make_relay(server.url))
    assert [entry.state for entry in entries()] == ["sent", "dead", "sent"]
    assert "R-1" in (entries()[1].last_error or "")
    assert the_ticket(third).external_id == "R-2"


class PlainServer:
    """Files requests and tells their state; has no servicerequestupdates."""

    def __init__(self, missing: int = 404) -> None:
        self.missing = missing
        self.requests: dict[str, dict[str, str]] = {}
        self.gone: set[str] = set()

    def __call__(self, asked: Asked) -> Answer:
        if asked.path == "/servicerequestupdates.json":
            return Answer(self.missing, "no such resource")
        if asked.method == "POST":
            number = f"R-{len(self.requests) + 1}"
            self.requests[number] = {
                "service_request_id": number,
                "status": "open",
                "requested_datetime": "2026-11-21T09:00:00+08:00",
                "updated_datetime": "2026-11-21T09:00:00+08:00",
            }
            return created(number)
        number = asked.path.removeprefix("/requests/").removesuffix(".json")
        if number in self.gone:
            return Answer(404, "[]")
        return Answer(200, json.dumps([self.requests[number]]))

    def close(self, number: str, notes: str, minute: int = 30) -> None:
        self.requests[number] |= {
            "status": "closed",
            "status_notes": notes,
            "updated_datetime": f"2026-11-21T10:{minute}:00+08:00",
        }


@pytest.mark.parametrize("missing", [404, 400, 405, 501])
def test_without_the_extension_each_open_request_is_asked_for(
    make_relay: MakeRelay, filed: File, missing: int
) -> None:
    first, second = filed(), filed()
    city = PlainServer(missing)
    with serving(city) as server:
        relay = make_relay(server.url)
        drain(relay)
        relay.poll()
        assert the_ticket(first).status == "forwarded"
        city.close("R-2", "已清运")
        relay.poll()
        relay.poll()
        asked = [one.path for one in server.asked if one.method == "GET"]
    assert the_ticket(first).status == "forwarded"
    assert the_ticket(second).status == "resolved"
    assert sum("已清运" in text for text in told()) == 1
    assert asked.count("/servicerequestupdates.json") == 1  # it is not asked again


def test_one_request_the_server_lost_does_not_hide_the_others(
    make_relay: MakeRelay, filed: File
) -> None:
    filed()
    second = filed()
    city = PlainServer()
    with serving(city) as server:
        relay = make_relay(server.url)
        drain(relay)
        city.gone.add("R-1")
        city.close("R-2", "已清运")
        relay.poll()
    assert the_ticket(second).status == "resolved"


def test_a_closure_without_notes_stays_open_until_there_are_some(
    make_relay: MakeRelay, filed: File
) -> None:
    ticket_id, city = filed(), PlainServer()
    with serving(city) as server:
        relay = make_relay(server.url)
        drain(relay)
        city.close("R-1", "")
        relay.poll()
        assert the_ticket(ticket_id).status == "forwarded"
        city.close("R-1", "已清运", minute=45)
        relay.poll()
    assert the_ticket(ticket_id).status == "resolved"
    with unit_of_work() as session:
        assert open_external(session) == [(ticket_id, "R-1")]


def test_a_long_list_of_updates_is_read_to_its_end(make_relay: MakeRelay, filed: File) -> None:
    tickets = [filed(f"web:{number}") for number in range(7)]
    begin = datetime.now(UTC) - timedelta(hours=2)
    numbers = iter(range(7))
    log = [
        {
            "update_id": f"U{n}",
            "service_request_id": f"R-{n}",
            "status": "INVESTIGATING",
            "updated_datetime": (begin + timedelta(minutes=n)).isoformat(),
            "description": "",
        }
        for n in range(7)
    ]

    def script(asked: Asked) -> Answer:
        if asked.method == "POST":
            return created(f"R-{next(numbers)}")
        since = datetime.fromisoformat(asked.query["start_date"][0])
        page = [u for u in log if datetime.fromisoformat(u["updated_datetime"]) >= since][:3]
        return Answer(200, json.dumps(page))

    with serving(script) as server:
        relay = make_relay(server.url)
        drain(relay)
        relay.poll()
    assert [the_ticket(ticket).status for ticket in tickets] == ["accepted"] * 7


def test_a_broken_line_while_polling_is_tried_again(make_relay: MakeRelay, filed: File) -> None:
    ticket_id, city, down = filed(), PlainServer(), [True]

    def script(asked: Asked) -> Answer:
        if asked.method == "GET" and down[0]:
            return Answer(503 if "updates" in asked.path else 0)
        return city(asked)

    with serving(script) as server:
        relay = make_relay(server.url)
        drain(relay)
        city.close("R-1", "已清运")
        relay.poll()
        assert the_ticket(ticket_id).status == "forwarded"
        down[0] = False
        relay.poll()
    assert the_ticket(ticket_id).status == "resolved"

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from types import SimpleNamespace
from urllib.parse import parse_qs, urlsplit

import pytest
from cryptography.fernet import Fernet
from sqlalchemy import select, update
from sqlalchemy.exc import OperationalError
from structlog.testing import capture_logs
from typer.testing import CliRunner

from base.links import link_is_valid
from cli.outbox import app as outbox
from dispatch.case.filing import supplement, withdraw
from dispatch.desk.status import Status
from dispatch.outbox import relay as relay_module
from dispatch.outbox.delivery import LEASE, LONGEST_PAUSE
from store.database import unit_of_work
from store.media import save_media
from store.models import OutboxEntry, utc_now
from store.tickets import claim_due
from tests.dispatch.relaying import (
    ME,
    File,
    MakeRelay,
    created,
    drain,
    entries,
    later,
    only_posts,
    the_ticket,
    told,
)
from tests.dispatch.servers import Answer, Asked, Desk, bad_line, serving
from tests.store.city import CityStore

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
    desk: Desk, make_relay: MakeRelay, filed: File, city_store: CityStore
) -> None:
    city_store.configure(BREAKER_FAILURES="100")
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


# --- servers that are not ours ------------------------------------------------------------


@pytest.mark.parametrize("status", [400, 405, 409, 422, 302])
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
        assert "category closed" not in (entry.last_error or "")
        listed = run.invoke(outbox, ["list"])
        assert f"dead {entry.id} request ticket={ticket_id}" in listed.output
        assert the_ticket(ticket_id).status == "submitted"
        answers[0] = created("R-1")
        assert run.invoke(outbox, ["retry", str(entry.id)]).exit_code == 0
        assert drain(relay) == 1
        assert len({post.key for post in server.posts()}) == 1
    assert run.invoke(outbox, ["retry", str(entry.id)]).exit_code == 2
    assert (the_ticket(ticket_id).external_id, entries()[0].state) == ("R-1", "sent")


@pytest.mark.parametrize("status", [401, 403, 404])
def test_a_wrong_key_or_address_only_makes_complaints_wait(
    make_relay: MakeRelay, filed: File, status: int
) -> None:
    ticket_id, answers, pauses = filed(), [Answer(status)], []
    with serving(only_posts(lambda _: answers[0])) as server:
        relay = make_relay(server.url)
        with capture_logs() as logs:
            for _ in range(6):
                before = utc_now()
                assert drain(relay) == 1
                pauses.append((entries()[0].due_at - before).total_seconds())
                later()
        assert {(log["event"], log["log_level"]) for log in logs} == {("outbox_shut_out", "error")}
        (entry,) = entries()
        assert (entry.state, entry.attempts) == ("pending", 6)
        assert entry.last_error == f"HTTP {status}"
        assert all(30 <= pause <= 602 for pause in pauses)
        assert pauses[-1] >= 300
        answers[0] = created("R-1")
        assert drain(relay) == 1
    assert (the_ticket(ticket_id).external_id, entries()[0].state) == ("R-1", "sent")


def test_every_dead_letter_is_sent_again_at_once(make_relay: MakeRelay, filed: File) -> None:
    tickets, answers, run = [filed(), filed()], [Answer(400)], CliRunner()
    with unit_of_work() as session:
        supplement(session, ME, tickets[0], "还在冒", (), "m1")
    numbers = iter(["R-1", "R-2"])

    def script(asked: Asked) -> Answer:
        if answers:
            return answers[0]
        return created(next(numbers)) if asked.path == "/requests.json" else Answer(200)

    with serving(script) as server:
        relay = make_relay(server.url)
        drain(relay)
        assert [entry.state for entry in entries()] == ["dead"] * 3
        answers.clear()
        for wrong in ([], ["1", "--all"]):
            assert run.invoke(outbox, ["retry", *wrong]).exit_code == 2
        assert drain(relay) == 0
        done = run.invoke(outbox, ["retry", "--all", "--over", "0"])
        assert (done.exit_code, done.output) == (0, "3 entries will be sent again\n")
        assert drain(relay) == 3
    assert [entry.state for entry in entries()] == ["sent"] * 3
    assert run.invoke(outbox, ["retry", "--all"]).output == "0 entries will be sent again\n"


def test_one_complaint_that_cannot_be_read_does_not_stop_the_others(
    city_store: CityStore, desk: Desk, make_relay: MakeRelay, filed: File
) -> None:
    key = city_store.settings.data_key.get_secret_value()
    city_store.configure(DATA_KEY=Fernet.generate_key().decode())
    unreadable = filed()
    city_store.configure(DATA_KEY=key)
    readable = filed()
    with desk.up(), capture_logs() as logs:
        assert drain(make_relay()) == 2
    first, second = entries()
    assert (first.state, first.last_error, first.attempts) == ("dead", "ConfigurationError", 1)
    assert second.state == "sent"
    assert the_ticket(unreadable).status == "submitted"
    assert the_ticket(readable).status == "forwarded"
    (dead,) = [log for log in logs if log["event"] == "outbox_dead"]
    assert (dead["ticket"], dead["exc_info"]) == (unreadable, True)


def test_a_store_that_is_away_makes_no_dead_letters(
    make_relay: MakeRelay, filed: File, monkeypatch: pytest.MonkeyPatch
) -> None:
    filed()

    def away(*_: object, **__: object) -> None:
        raise OperationalError("SELECT", {}, OSError("connection lost"))

    relay = make_relay()
    with monkeypatch.context() as patch:
        patch.setattr("dispatch.outbox.parcel.reveal", away)
        with pytest.raises(OperationalError):
            relay.deliver_one()
    assert entries()[0].state == "pending"


def test_an_unexpected_failure_does_not_end_the_relay(
    make_relay: MakeRelay, monkeypatch: pytest.MonkeyPatch
) -> None:
    relay, pauses = make_relay(), []

    def sleep(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 4:
            raise KeyboardInterrupt

    def fail() -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(relay, "poll", fail)
    monkeypatch.setattr(relay_module, "time", SimpleNamespace(monotonic=lambda: 0.0, sleep=sleep))
    with capture_logs() as logs, pytest.raises(KeyboardInterrupt):
        relay.run()
    assert [log["event"] for log in logs] == ["relay_trip_failed"] * 2


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


@pytest.mark.parametrize("refusal", [400, 422])
def test_a_server_that_knows_no_withdrawal_hears_no_further_action(
    make_relay: MakeRelay, filed: File, refusal: int
) -> None:
    ticket_id = filed()
    with unit_of_work() as session:
        withdraw(session, ME, ticket_id)

    def script(asked: Asked) -> Answer:
        if asked.path == "/requests.json":
            return created("R-1")
        return Answer(refusal if asked.fields["status"] == ["WITHDRAWN"] else 200)

    with serving(script) as server:
        drain(make_relay(server.url))
        posts = server.posts("/servicerequestupdates.json")
    assert [post.fields["status"] for post in posts] == [["WITHDRAWN"], ["NO_FURTHER_ACTION"]]
    assert len({post.key for post in posts}) == 2
    assert [entry.state for entry in entries()] == ["sent", "sent"]


def test_a_refused_supplement_is_not_sent_as_something_else(
    make_relay: MakeRelay, filed: File
) -> None:
    ticket_id = filed()
    with unit_of_work() as session:
        supplement(session, ME, ticket_id, "还在冒", (), "m1")
    refuse = only_posts(
        lambda asked: created("R-1") if asked.path == "/requests.json" else Answer(422)
    )
    with serving(refuse) as server:
        drain(make_relay(server.url))
        assert len(server.posts("/servicerequestupdates.json")) == 1
    assert [entry.state for entry in entries()] == ["sent", "dead"]


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

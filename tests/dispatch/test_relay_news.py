from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session
from structlog.testing import capture_logs

from dispatch.case.filing import rate, supplement
from dispatch.case.updates import Outcome, apply_update
from dispatch.desk.status import Status
from dispatch.open311 import RequestUpdate
from dispatch.outbox import polling
from dispatch.outbox.polling import POLL_OVERLAP
from store.database import unit_of_work
from store.models import OutboxEntry, Ticket, TicketEvent, utc_now
from store.tickets import open_external
from tests.dispatch.relaying import (
    ME,
    File,
    MakeRelay,
    created,
    drain,
    later,
    the_ticket,
    told,
)
from tests.dispatch.servers import Answer, Asked, Desk, bad_line, serving
from tests.store.city import CityStore

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


def test_a_comment_bears_the_status_the_case_has_and_changes_nothing(
    desk: Desk, make_relay: MakeRelay, filed: File, city_store: CityStore
) -> None:
    ticket_id = filed()
    steps = [("accept", ""), ("start", ""), ("resolve", "已整改"), ("close", "合格")]
    with desk.up(), serving(bad_line(city_store.settings.dispatch_url)) as line:
        relay = make_relay(line.url)
        drain(relay)
        request_id = desk.requests()[0].request_id
        for number, (key, words) in enumerate(steps):
            with unit_of_work() as session:
                supplement(session, ME, ticket_id, f"补充{number}", (), f"m{number}")
            drain(relay)
            desk.act(request_id, key, words)
            relay.poll()
        before = desk.requests()[0].status
        with unit_of_work() as session:
            assert rate(session, ME, ticket_id, 5) is not None
        drain(relay)
        sent = [post.fields["status"][0] for post in line.posts("/servicerequestupdates.json")]
    assert sent == ["OPEN", "INVESTIGATING", "IN_PROGRESS", "FIXED", "CLOSED"]
    assert before == desk.requests()[0].status == Status.CLOSED
    assert the_ticket(ticket_id).status == "closed"


def test_a_comment_bears_the_status_of_the_moment_it_leaves(
    desk: Desk, make_relay: MakeRelay, filed: File, city_store: CityStore
) -> None:
    ticket_id = filed()
    with desk.up(), serving(bad_line(city_store.settings.dispatch_url)) as line:
        relay = make_relay(line.url)
        drain(relay)
        with unit_of_work() as session:
            supplement(session, ME, ticket_id, "还在冒", (), "m1")
        desk.act(desk.requests()[0].request_id, "accept")
        relay.poll()
        drain(relay)
        (post,) = line.posts("/servicerequestupdates.json")
    assert post.fields["status"] == ["INVESTIGATING"]


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


def test_a_missing_list_is_asked_for_again_later(
    make_relay: MakeRelay, filed: File, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A gateway that is being restarted answers 404 as well."""
    filed()
    moment = [1000.0]
    monkeypatch.setattr(polling, "time", SimpleNamespace(monotonic=lambda: moment[0]))
    city = PlainServer()
    with serving(city) as server:
        relay = make_relay(server.url)

        def asked_for_updates() -> int:
            relay.poll()
            return sum(one.path == "/servicerequestupdates.json" for one in server.asked)

        assert [asked_for_updates(), asked_for_updates()] == [1, 1]
        moment[0] += polling.EXTENSION_PAUSE_SECONDS - 1
        assert asked_for_updates() == 1
        moment[0] += 2
        assert asked_for_updates() == 2


def test_words_about_an_open_request_are_passed_on(make_relay: MakeRelay, filed: File) -> None:
    ticket_id, city = filed(), PlainServer()
    with serving(city) as server:
        relay = make_relay(server.url)
        drain(relay)
        city.requests["R-1"] |= {"status_notes": "周三派人查看"}
        relay.poll()
        relay.poll()
        # a server that keeps no time of its updates
        city.requests["R-1"] |= {"status": "closed", "status_notes": "已清运"}
        relay.poll()
    assert the_ticket(ticket_id).status == "resolved"
    assert [text for text in told() if "周三派人查看" in text] == [
        f"工单 {ticket_id} 有新的办理说明：周三派人查看"
    ]


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


class ListServer:
    """Files requests as R-1, R-2 … and lists ``log``; remembers from when it was asked."""

    def __init__(self) -> None:
        self.log: list[dict[str, str]] = []
        self.since: list[datetime] = []
        self._filed = 0

    def __call__(self, asked: Asked) -> Answer:
        if asked.method == "POST":
            self._filed += 1
            return created(f"R-{self._filed}")
        since = datetime.fromisoformat(asked.query["start_date"][0])
        self.since.append(since)
        return Answer(
            200,
            json.dumps(
                [u for u in self.log if datetime.fromisoformat(u["updated_datetime"]) >= since]
            ),
        )

    def say(self, number: int, status: str, moment: datetime, words: str = "") -> None:
        self.log.append(
            {
                "update_id": f"U{len(self.log)}",
                "service_request_id": f"R-{number}",
                "status": status,
                "updated_datetime": moment.isoformat(),
                "description": words,
            }
        )


def test_only_the_last_minutes_are_read_again(make_relay: MakeRelay, filed: File) -> None:
    filed()
    city, now = ListServer(), datetime.now(UTC).replace(microsecond=0)
    newest = now - timedelta(hours=1)
    with serving(city) as server:
        relay = make_relay(server.url)
        drain(relay)
        city.say(1, "INVESTIGATING", newest)
        relay.poll()
        city.since.clear()
        relay.poll()
        assert city.since[0] == newest - POLL_OVERLAP
        assert timedelta(0) < POLL_OVERLAP <= timedelta(minutes=10)
        city.say(1, "IN_PROGRESS", now + timedelta(days=300))  # a clock that is wrong
        relay.poll()
        city.since.clear()
        relay.poll()
        assert city.since[0] <= datetime.now(UTC) - POLL_OVERLAP


def test_news_older_than_our_record_of_its_request_are_found(
    make_relay: MakeRelay, filed: File
) -> None:
    """The desk may go ahead while its answer to the filing is lost on the way."""
    filed("web:2")
    late = filed()
    hours = timedelta(hours=1)
    with unit_of_work() as session:
        session.execute(
            update(Ticket).where(Ticket.id == late).values(created_at=utc_now() - 5 * hours)
        )
        session.execute(
            update(OutboxEntry)
            .where(OutboxEntry.ticket_id == late)
            .values(due_at=utc_now() + hours)
        )
    city = ListServer()
    with serving(city) as server:
        relay = make_relay(server.url)
        drain(relay)
        city.say(2, "INVESTIGATING", utc_now() - 4 * hours)
        city.say(1, "INVESTIGATING", utc_now())
        relay.poll()
        assert the_ticket(late).status == "submitted"
        later()
        drain(relay)
        relay.poll()
    assert the_ticket(late).status == "accepted"


def test_what_is_refused_is_logged_once_and_tried_again(make_relay: MakeRelay, filed: File) -> None:
    ticket_id, city = filed(), ListServer()
    moment = datetime.now(UTC)
    with serving(city) as server:
        relay = make_relay(server.url)
        drain(relay)
        city.say(1, "REOPEN", moment + timedelta(seconds=1), "重办")
        with capture_logs() as logs:
            relay.poll()
            relay.poll()
        assert [log["event"] for log in logs] == ["update_refused"]
        city.say(1, "FIXED", moment, "已整改")  # listed late
        relay.poll()
    assert the_ticket(ticket_id).status == "reopened"


def test_one_update_that_cannot_be_applied_does_not_hide_the_others(
    make_relay: MakeRelay, filed: File, monkeypatch: pytest.MonkeyPatch
) -> None:
    filed()
    second, city = filed(), ListServer()
    moment = datetime.now(UTC)

    def breaking(session: Session, update: RequestUpdate, *args: Any, **kwargs: Any) -> Outcome:
        if update.service_request_id == "R-1":
            raise ZeroDivisionError
        return apply_update(session, update, *args, **kwargs)

    monkeypatch.setattr(polling, "apply_update", breaking)
    with serving(city) as server:
        relay = make_relay(server.url)
        drain(relay)
        city.say(1, "INVESTIGATING", moment)
        city.say(2, "INVESTIGATING", moment)
        with capture_logs() as logs:
            relay.poll()
            relay.poll()
    assert the_ticket(second).status == "accepted"
    failed = [log for log in logs if log["event"] == "update_failed"]
    assert [(log["update"], log["exc_info"]) for log in failed] == [("U0", True)]


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

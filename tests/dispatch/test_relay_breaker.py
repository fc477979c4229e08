from __future__ import annotations

import json
import threading
from datetime import datetime, timedelta, tzinfo

import pybreaker
import pytest
from structlog.testing import capture_logs

from dispatch.desk.status import Status
from dispatch.open311 import DispatchRejectedError, DispatchUnreachableError
from dispatch.outbox import line as line_module
from dispatch.outbox.line import Line
from dispatch.outbox.relay import Relay
from tests.dispatch.relaying import (
    File,
    MakeRelay,
    created,
    drain,
    entries,
    later,
    only_posts,
    the_ticket,
)
from tests.dispatch.servers import Answer, Asked, Desk, bad_line, serving
from tests.store.city import CityStore
from tests.waiting import wait_until

REST = 600.0
"""Seconds: nothing here is so slow that the line's rest ends by itself."""


class Clock(datetime):
    """The time that lines go by."""

    moved = timedelta()

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]
        return datetime.now(tz) + cls.moved


@pytest.fixture(autouse=True)
def clock(city_store: CityStore, monkeypatch: pytest.MonkeyPatch) -> None:
    city_store.configure(BREAKER_FAILURES="3", BREAKER_REST_SECONDS=str(REST))
    monkeypatch.setattr(Clock, "moved", timedelta())
    for module in (pybreaker, line_module):
        monkeypatch.setattr(module, "datetime", Clock)


def wait_out() -> None:
    """Let the rest of every line be over."""
    Clock.moved += timedelta(seconds=REST)


def test_a_system_that_is_down_is_called_a_few_times_only(
    desk: Desk, make_relay: MakeRelay, filed: File, city_store: CityStore
) -> None:
    tickets = [filed(f"web:{n}") for n in range(10)]
    broken = [True]
    through = bad_line(city_store.settings.dispatch_url)

    def script(asked: Asked) -> Answer:
        return Answer(503) if broken[0] else through(asked)

    with desk.up(), serving(script) as server:
        relay = make_relay(server.url)
        assert drain(relay) == 3
        before = [(entry.attempts, entry.due_at) for entry in entries()]
        for _ in range(20):
            assert not relay.deliver_one()
            relay.poll()
        assert len(server.asked) == 3
        after = [(entry.attempts, entry.due_at) for entry in entries()]
        assert before == after  # nobody's turn was spent
        assert sorted(attempts for attempts, _ in after) == [0] * 7 + [1] * 3

        for tries in (4, 5):  # one call shows that it is still down
            wait_out()
            assert drain(relay) == 1
            assert len(server.asked) == tries

        broken[0] = False
        wait_out()
        later()
        assert drain(relay) == 10
        assert drain(relay) == 0
    assert len(desk.requests()) == 10
    assert {the_ticket(ticket).status for ticket in tickets} == {"forwarded"}
    assert [entry.state for entry in entries()] == ["sent"] * 10


def test_a_line_that_hangs_up_is_cut_as_well(make_relay: MakeRelay, filed: File) -> None:
    for n in range(5):
        filed(f"web:{n}")
    with serving(lambda _: Answer(0)) as server:
        relay = make_relay(server.url)
        assert drain(relay) == 3
        assert len(server.asked) == 3


def test_news_go_over_the_same_line(desk: Desk, make_relay: MakeRelay, filed: File) -> None:
    ticket_id, relay = filed(), make_relay()
    with desk.up():
        drain(relay)
        desk.act(desk.requests()[0].request_id, "accept")
    with capture_logs() as logs:
        for _ in range(10):
            relay.poll()
    assert [log["event"] for log in logs].count("poll_failed") == 3
    filed()
    assert not relay.deliver_one()  # polling found out that nobody is there
    assert entries()[1].attempts == 0
    with desk.up():
        wait_out()
        relay.poll()
        assert the_ticket(ticket_id).status == "accepted"
        assert drain(relay) == 1
    assert {row.status for row in desk.requests()} == {Status.OPEN, Status.INVESTIGATING}


def test_a_refusal_shows_that_the_system_is_there(make_relay: MakeRelay, filed: File) -> None:
    for n in range(6):
        filed(f"web:{n}")
    answers = iter([503, 503, 400, 503, 503, 422])
    with serving(only_posts(lambda _: Answer(next(answers)))) as server:
        assert drain(make_relay(server.url)) == 6
        assert len(server.posts()) == 6
    assert sorted(entry.state for entry in entries()) == ["dead"] * 2 + ["pending"] * 4


def test_the_change_of_state_is_logged(make_relay: MakeRelay, filed: File) -> None:
    for n in range(4):
        filed(f"web:{n}")
    answers = [Answer(503)]
    numbers = iter(range(10))

    def script(_: Asked) -> Answer:
        return answers[0] if answers else created(f"R-{next(numbers)}")

    with serving(only_posts(script)) as server, capture_logs() as logs:
        relay = make_relay(server.url)
        drain(relay)
        answers.clear()
        wait_out()
        later()
        drain(relay)
    told = [
        (log["event"], log["log_level"]) for log in logs if log["event"].startswith("dispatch_line")
    ]
    assert told == [
        ("dispatch_line_cut", "error"),
        ("dispatch_line_tried", "info"),
        ("dispatch_line_restored", "info"),
    ]
    (cut,) = [log for log in logs if log["event"] == "dispatch_line_cut"]
    assert (cut["detail"], cut["rest_seconds"]) == ("HTTP 503", REST)


def test_a_relay_that_runs_delivers_all_once_the_system_is_back(
    desk: Desk, make_relay: MakeRelay, filed: File, city_store: CityStore
) -> None:
    """Delivering and polling by turns, as the loop of the process does."""
    city_store.configure(
        RELAY_POLL_SECONDS="0.05", STATUS_POLL_SECONDS="0.2", BREAKER_REST_SECONDS="0.5"
    )
    for n in range(6):
        filed(f"web:{n}")
    stop = threading.Event()
    relay: Relay = make_relay()

    def work() -> None:
        while not stop.is_set():
            relay.deliver_one()
            relay.poll()
            stop.wait(0.05)

    thread = threading.Thread(target=work)
    thread.start()
    try:
        wait_until(lambda: any(entry.attempts for entry in entries()), "a try in vain")
        with desk.up():
            wait_until(lambda: all(entry.state == "sent" for entry in entries()), "all delivered")
    finally:
        stop.set()
        thread.join()
    assert len(desk.requests()) == 6


# --- the line itself ----------------------------------------------------------------------


def test_the_line_lets_one_call_through_after_its_rest() -> None:
    line, calls = Line(2, REST), []

    def call(error: Exception | None = None) -> str:
        calls.append(error)
        if error:
            raise error
        return "ok"

    away = DispatchUnreachableError("away", status=503)
    for _ in range(2):
        with pytest.raises(DispatchUnreachableError, match="away"):
            line.call(call, away)
    assert line.rests
    with pytest.raises(DispatchUnreachableError, match="rests"):
        line.call(call)
    assert len(calls) == 2
    wait_out()
    assert not line.rests
    with pytest.raises(DispatchUnreachableError, match="away"):
        line.call(call, away)
    assert line.rests  # one failure is enough now
    wait_out()
    with pytest.raises(DispatchRejectedError):  # an answer, if not the one hoped for
        line.call(call, DispatchRejectedError("no", status=400))
    assert not line.rests
    assert line.call(call) == "ok"


def test_what_is_wrong_on_our_side_does_not_cut_the_line() -> None:
    line = Line(1, 60)
    for _ in range(3):
        with pytest.raises(json.JSONDecodeError):
            line.call(json.loads, "{")
    assert not line.rests

"""A short fault run over the real product, and proof that the run would notice a loss."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler
from typing import Any

import httpx
import pytest

from benchmarks.faults.citizen import Citizen, Complaint
from benchmarks.faults.drill import Drill, Paths, Plan, faulty_paths
from benchmarks.faults.evidence import DeskCase, DeskEvent, Letter, TicketRow
from benchmarks.faults.faults import Fault, FaultPlan
from benchmarks.faults.killer import Pace
from benchmarks.faults.proxy import FaultProxy
from benchmarks.faults.verdict import Evidence, judge
from tests.serving import http_server
from tests.stack import Stack

REWIRED = ("gateway", "actions", "desk", "relay")
"""Whoever was told of the proxies, by the test or when the drill started it anew."""
PLAN = Plan(
    complaints=20,
    seed=20261121,
    at_once=8,
    pace=Pace(alive=(1.0, 3.0), dead=(0.1, 0.5), together=0.5),
    trouble_limit=45.0,
    settle_limit=120.0,
    hurry=True,
)


@pytest.fixture
def failing(stack: Stack) -> Iterator[tuple[Stack, Paths]]:
    """The running product with faulty networks; afterwards it is as it was."""
    try:
        with faulty_paths(stack, PLAN) as paths:
            _restart(stack)
            yield stack, paths
    finally:
        _restart(stack)


def _restart(stack: Stack) -> None:
    for name in REWIRED:
        if name in stack.processes:
            stack.stop(name)
        stack.start(name)
    stack.wait_healthy()


@pytest.mark.e2e
def test_nothing_is_lost_or_doubled_while_everything_fails(failing: tuple[Stack, Paths]) -> None:
    stack, paths = failing
    outcome = Drill(stack, paths, PLAN, print).run()
    assert outcome.verdict.failures == []
    assert outcome.verdict.counts["acknowledged to the citizen"] == PLAN.complaints
    assert outcome.verdict.counts["status events received"] >= PLAN.complaints
    assert all(outcome.killer.kills[name] for name in PLAN.victims)
    assert paths.to_desk.plan.drawn.total() > 0
    assert paths.to_gateway.plan.drawn.total() > 0


# --- the run notices what it is there to notice -------------------------------------------


def reply(text: str, status: str = "处置中") -> dict[str, Any]:
    return {"text": text, "cards": [{"id": "SM1", "fields": {"状态": status}}]}


def evidence(**changes: Any) -> Evidence:
    """One complaint that went well, with ``changes``."""
    inbox = [
        (1, [reply("派", "已派单")]),
        (2, [reply("一（记号1。）")]),
        (3, [reply("二（记号2。）")]),
    ]
    inbox = changes.pop("inbox", inbox)
    chance = random.Random(1)
    citizen = Citizen(Complaint("c", "很吵", ()), httpx.Client(), chance, 1.0, ["SM1"])
    citizen.inbox = inbox
    citizen.http.close()
    good = Evidence(
        citizens=[citizen],
        tickets=[TicketRow("SM1", "api:c", "closed", "YZ1")],
        cases=[DeskCase("YZ1", "SM1", "CLOSED")],
        events=[
            DeskEvent("YZ1", "IN_PROGRESS", "一（记号1。）", delivered=True),
            DeskEvent("YZ1", "CLOSED", "二（记号2。）", delivered=True),
        ],
        letters=[],
        revived=[],
        stored={"c": inbox},
        crashes=[],
    )
    return replace(good, **changes)


def test_a_good_run_keeps_every_promise() -> None:
    assert judge(evidence()).failures == []


FORWARDED = (1, [reply("派", "已派单")])
FIRST, SECOND = (2, [reply("一（记号1。）")]), (3, [reply("二（记号2。）")])


@pytest.mark.parametrize(
    ("changes", "broken"),
    [
        ({"cases": []}, "acknowledged but not at the desk"),
        (
            {"cases": [DeskCase("YZ1", "SM1", "CLOSED"), DeskCase("YZ2", "SM1", "CLOSED")]},
            "at the desk more than once",
        ),
        ({"cases": [DeskCase("YZ9", None, "CLOSED")]}, "desk cases without a ticket"),
        ({"tickets": []}, "shown a ticket that does not exist"),
        (
            {"tickets": [TicketRow(t, "api:c", "closed", "YZ1") for t in ("SM1", "SM2")]},
            "complaints that became two tickets",
        ),
        (
            {"tickets": [TicketRow("SM1", "api:c", "accepted", "YZ1")]},
            "not ended, or ended differently on the two sides",
        ),
        ({"inbox": [FORWARDED, FIRST]}, "status events missing"),
        ({"inbox": [FORWARDED, FIRST, SECOND, (4, SECOND[1])]}, "status events received twice"),
        ({"inbox": [FORWARDED, SECOND, FIRST]}, "tickets with status events out of order"),
        ({"inbox": [FIRST, SECOND]}, "not told exactly once that it was passed on"),
        ({"stored": {"c": []}}, "inboxes that changed between two readings"),
        (
            {"letters": [Letter(1, "SM1", "request", "pending", 3, None)]},
            "outbox entries still waiting",
        ),
        ({"letters": [Letter(1, "SM1", "request", "dead", 3, "no")]}, "dead letters"),
        (
            {"revived": [Letter(1, "SM1", "request", "dead", 3, "HTTP 400")]},
            "of these not for an answer that made no sense",
        ),
        ({"crashes": ["relay"]}, "processes that ended by themselves"),
    ],
)
def test_a_broken_promise_is_noticed(changes: dict[str, Any], broken: str) -> None:
    assert any(failure.startswith(broken) for failure in judge(evidence(**changes)).failures)


# --- the faults are real -------------------------------------------------------------------


@pytest.fixture
def server() -> Iterator[tuple[int, list[bytes]]]:
    """A server that keeps what arrives whole and echoes it."""
    taken: list[bytes] = []

    class Echo(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers["Content-Length"])
            body = self.rfile.read(length)
            if len(body) == length:
                taken.append(body)
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *arguments: Any) -> None:
            pass

    with http_server(Echo) as url:
        yield int(url.rpartition(":")[2]), taken


BODY = json.dumps({"words": "很吵" * 40}).encode()
LOST = "lost"


@pytest.mark.parametrize(
    ("fault", "arrived", "heard"),
    [
        (None, [BODY], BODY),
        (Fault.ERROR_BEFORE, [], "5xx"),
        (Fault.ERROR_AFTER, [BODY], "5xx"),
        (Fault.DROP_BEFORE, [], LOST),
        (Fault.DROP_AFTER, [BODY], LOST),
        (Fault.LOST_ANSWER, [BODY], LOST),
        (Fault.SLOW_REQUEST, [BODY], BODY),
        (Fault.SLOW_ANSWER, [BODY], BODY),
        (Fault.TWICE, [BODY, BODY], BODY),
        (Fault.TWICE_AT_ONCE, [BODY, BODY], BODY),
        (Fault.CUT_REQUEST, [], LOST),
        (Fault.SHORT_REQUEST, [BODY[: len(BODY) // 2]], BODY[: len(BODY) // 2]),
        (Fault.CUT_ANSWER, [BODY], LOST),
        (Fault.SHORT_ANSWER, [BODY], BODY[: len(BODY) // 2]),
    ],
)
def test_a_fault_does_what_it_says(
    server: tuple[int, list[bytes]], fault: Fault | None, arrived: list[bytes], heard: bytes | str
) -> None:
    port, taken = server
    plan = FaultPlan(1, {fault: 1.0} if fault else {Fault.TWICE: 1.0}, 1.0 if fault else 0.0)
    proxy = FaultProxy(port, plan)
    proxy.start()
    try:
        response = httpx.post(f"{proxy.url}/x", content=BODY, timeout=9)
        said: bytes | str = "5xx" if response.status_code >= 500 else response.content
    except httpx.TransportError:
        said = LOST
    finally:
        proxy.stop()
    assert said == heard
    assert taken == arrived

"""Any process may die at any moment: nothing is lost, nothing arrives twice, nothing leaks."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import time
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from base.signing import SIGNATURE_HEADER, TIMESTAMP_HEADER, sign
from tests.e2e.driver import ANSWER_SECONDS, Citizen, Desk, jpeg, photo
from tests.stack import Stack
from tests.waiting import WAIT_SECONDS, wait_until

pytestmark = pytest.mark.e2e
PROCESSES = ("rasa", "actions", "gateway", "desk", "relay")


@pytest.fixture
def stack(stack: Stack) -> Iterator[Stack]:
    """The running stack; whatever a test has stopped runs again afterwards."""
    yield stack
    for name in PROCESSES:
        if name not in stack.processes:
            stack.start(name)
    stack.wait_healthy()


@pytest.fixture
def mark() -> str:
    """Words nobody else uses, to find a complaint again."""
    return f"记号{uuid.uuid4().hex[:8]}"


def restart(stack: Stack, *names: str) -> None:
    """Start processes again and wait until everything answers."""
    for name in names:
        stack.start(name)
    stack.wait_healthy()


def query(stack: Stack, sql: str, *values: Any) -> list[tuple[Any, ...]]:
    """Read (or change) the store directly, as an operator would."""
    connection = sqlite3.connect(stack.folder / "shimin.db", timeout=WAIT_SECONDS)
    try:
        with connection:
            return connection.execute(sql, values).fetchall()
    finally:
        connection.close()


# --- the desk is away -------------------------------------------------------------------


def test_a_complaint_waits_for_a_stopped_desk_and_arrives_once(
    stack: Stack, citizen: Citizen, desk: Desk, mark: str
) -> None:
    stack.stop("desk")
    ticket = citizen.file_complaint(f"楼上天天半夜放音响，{mark}")
    assert citizen.say(f"查一下工单{ticket}").card("ticket")["fields"]["状态"] == "已提交"
    tried = wait_until(
        lambda: query(
            stack, "SELECT attempts FROM outbox WHERE ticket_id = ? AND attempts > 0", ticket
        ),
        "a failed attempt",
    )
    assert tried
    health = httpx.get(f"{stack.url}/api/v1/health", timeout=WAIT_SECONDS)
    assert (health.status_code, health.json()["status"]) == (200, "degraded")

    restart(stack, "desk")
    desk.wait_request(mark)
    assert ticket in citizen.wait_news("已派到")["text"]
    assert citizen.say(f"查一下工单{ticket}").card("ticket")["fields"]["状态"] == "已派单"
    assert len(desk.requests(mark)) == 1


def test_a_relay_killed_before_it_noted_a_delivery_delivers_once(
    stack: Stack, citizen: Citizen, desk: Desk, mark: str
) -> None:
    frozen = stack.processes["desk"].pid
    os.killpg(frozen, signal.SIGSTOP)
    try:
        ticket = citizen.file_complaint(f"楼上天天半夜放音响，{mark}")
        soon = (datetime.now(UTC) + timedelta(seconds=60)).strftime("%Y-%m-%d %H:%M:%S")
        in_flight = "SELECT id FROM outbox WHERE ticket_id = ? AND due_at > ?"
        wait_until(lambda: query(stack, in_flight, ticket, soon), "a delivery in flight")
        # The desk will take the request, but the relay cannot write down that it did.
        lock = sqlite3.connect(
            stack.folder / "shimin.db", timeout=WAIT_SECONDS, isolation_level=None
        )
        lock.execute("BEGIN IMMEDIATE")
    finally:
        os.killpg(frozen, signal.SIGCONT)
    try:
        first = desk.wait_request(mark)["service_request_id"]
        stack.stop("relay", signal.SIGKILL)
    finally:
        lock.rollback()
        lock.close()
    assert query(stack, "SELECT state FROM outbox WHERE ticket_id = ?", ticket) == [("pending",)]

    expire_leases(stack)
    restart(stack, "relay")
    citizen.wait_news("已派到")
    assert [r["service_request_id"] for r in desk.requests(mark)] == [first]
    assert query(stack, "SELECT external_id FROM tickets WHERE id = ?", ticket) == [(first,)]
    assert [r for r in citizen.news() if "已派到" in r["text"]] == []


def test_a_relay_killed_again_and_again_delivers_everything_once(
    stack: Stack, citizen: Citizen, desk: Desk, mark: str
) -> None:
    stack.stop("relay", signal.SIGKILL)
    tickets = {citizen.file_complaint(f"楼上天天半夜放音响，{mark}第{n}次") for n in range(4)}
    for goal in range(1, len(tickets) + 1):
        stack.start("relay")
        wait_until(lambda least=goal: len(desk.requests(mark)) >= least, "one more delivery")
        stack.stop("relay", signal.SIGKILL)
        expire_leases(stack)
    restart(stack, "relay")
    unsent = "SELECT id FROM outbox WHERE state = 'pending'"
    wait_until(lambda: not query(stack, unsent), "an empty outbox")
    assert len(desk.requests(mark)) == len(tickets)
    told = [reply["text"] for reply in citizen.news() if "已派到" in reply["text"]]
    assert {t for t in tickets for text in told if t in text} == tickets
    assert len(told) == len(tickets)


def expire_leases(stack: Stack) -> None:
    """Let the leases of a dead relay run out (two minutes) now."""
    query(stack, "UPDATE outbox SET due_at = '2026-01-01 00:00:00' WHERE state = 'pending'")


# --- our own processes die --------------------------------------------------------------


def test_a_conversation_survives_the_death_of_every_process(
    stack: Stack, citizen: Citizen, desk: Desk, mark: str
) -> None:
    words = f"楼下垃圾成堆，{mark}"
    place = "文昌路88号"
    citizen.say(words, photo(jpeg()))
    names = ("gateway", "actions", "rasa")
    for name in names:
        stack.stop(name, signal.SIGKILL)
    restart(stack, *names)
    confirmation = citizen.say(place)
    assert words in confirmation.text
    assert place in confirmation.text
    assert "照片：1张" in confirmation.text
    ticket = citizen.confirm().card("ticket")["id"]
    assert desk.wait_request(mark)
    citizen.wait_news("已派到")
    assert ticket
    assert_nothing_readable(stack, mark, place)


def test_a_dead_assistant_is_said_and_the_next_message_works(
    stack: Stack, citizen: Citizen
) -> None:
    citizen.say("身份证丢了怎么补办")
    stack.stop("rasa", signal.SIGKILL)
    refused = citizen.post("多少钱")
    assert refused.status_code == 503
    error = refused.json()["error"]
    assert error["code"] == "assistant_unavailable"
    assert "12345" in error["message"]
    assert httpx.get(f"{stack.url}/api/v1/health", timeout=WAIT_SECONDS).status_code == 503
    restart(stack, "rasa")
    assert citizen.say("多少钱").card("service")["id"] == "id_card_replace"


def test_a_dead_action_server_is_said_and_the_next_message_works(
    stack: Stack, citizen: Citizen
) -> None:
    citizen.say("楼下垃圾成堆没人清运")
    stack.stop("actions", signal.SIGKILL)
    refused = citizen.post("学府名城")
    assert refused.status_code == 503, refused.text
    assert refused.json()["error"]["code"] == "assistant_unavailable"
    restart(stack, "actions")
    confirmation = citizen.say("学府名城")
    assert "学府名城" in confirmation.text
    assert "楼下垃圾成堆没人清运" in confirmation.text


def assert_nothing_readable(stack: Stack, *phrases: str) -> None:
    """Search the citizen side's files and logs for phrases in any usual encoding."""
    needles = {
        needle
        for phrase in phrases
        for needle in (
            phrase.encode(),
            json.dumps(phrase).strip('"').encode(),
            phrase.encode("utf-16-le"),
            phrase.encode("gb18030"),
        )
    }
    files = [
        path
        for path in stack.folder.rglob("*")
        if path.is_file() and not path.name.startswith("desk") and "desk-media" not in path.parts
    ]
    names = {path.name for path in files}
    assert {"shimin.db", "rasa.db", "gateway.log", "actions.log", "rasa.log"} <= names
    for path in files:
        content = path.read_bytes()
        for needle in needles:
            assert needle not in content, f"{needle!r} is readable in {path.name}"
        if "media" in path.parts:
            assert b"\xff\xd8\xff" not in content, "a photo lies in the clear"


# --- news from the desk -----------------------------------------------------------------


def signed(stack: Stack, body: dict[str, Any], *, age: int = 0) -> httpx.Response:
    """Deliver an update as the desk does."""
    raw = json.dumps(body).encode()
    moment = int(time.time()) - age
    secret = stack.settings["SHIMIN_WEBHOOK_SECRET"]
    headers = {TIMESTAMP_HEADER: str(moment), SIGNATURE_HEADER: sign(secret, moment, raw)}
    return httpx.post(
        f"{stack.url}/webhooks/dispatch", content=raw, headers=headers, timeout=WAIT_SECONDS
    )


def desk_updates(stack: Stack, case: str) -> list[dict[str, Any]]:
    """Read the desk's own list of updates of one request."""
    listed = httpx.get(f"{stack.desk_url}/servicerequestupdates.json", timeout=WAIT_SECONDS).json()
    return [update for update in listed if update["service_request_id"] == case]


def test_a_webhook_with_a_wrong_signature_changes_nothing(
    stack: Stack, citizen: Citizen, desk: Desk, mark: str
) -> None:
    ticket = citizen.file_complaint(f"楼上天天半夜放音响，{mark}")
    case = desk.wait_request(mark)["service_request_id"]
    citizen.wait_news("已派到")
    body = {
        "update_id": f"forged-{mark}",
        "service_request_id": case,
        "status": "FIXED",
        "updated_datetime": datetime.now(UTC).isoformat(),
        "description": "已处理",
    }
    raw = json.dumps(body).encode()
    now = int(time.time())
    url = f"{stack.url}/webhooks/dispatch"
    for headers in (
        {},
        {TIMESTAMP_HEADER: str(now), SIGNATURE_HEADER: "sha256=" + "0" * 64},
        {TIMESTAMP_HEADER: str(now), SIGNATURE_HEADER: sign("another secret", now, raw)},
        {TIMESTAMP_HEADER: "soon", SIGNATURE_HEADER: sign("", now, raw)},
    ):
        response = httpx.post(url, content=raw, headers=headers, timeout=WAIT_SECONDS)
        assert response.status_code == 401
        assert response.json()["error"]["code"] == "signature_invalid"
    assert signed(stack, body, age=3600).status_code == 401, "a replay from an hour ago"
    assert citizen.say(f"查一下工单{ticket}").card("ticket")["fields"]["状态"] == "已派单"
    assert citizen.news() == []


def test_an_update_by_webhook_and_by_polling_is_applied_once(
    stack: Stack, citizen: Citizen, desk: Desk, mark: str
) -> None:
    ticket = citizen.file_complaint(f"楼上天天半夜放音响，{mark}")
    case = desk.wait_request(mark)["service_request_id"]
    citizen.wait_news("已派到")
    desk.act(case, "accept", "马上安排人员")
    citizen.wait_news("已受理您的工单")
    (update,) = desk_updates(stack, case)
    body = {
        "update_id": update["update_id"],
        "service_request_id": case,
        "status": update["status"],
        "updated_datetime": update["updated_datetime"],
        "description": update["description"],
    }
    for _ in range(2):
        answer = signed(stack, body)
        assert (answer.status_code, answer.json()) == (200, {"outcome": "repeated"})
    older = {**body, "update_id": "older", "status": "IN_PROGRESS"}
    older["updated_datetime"] = "2026-01-01T00:00:00Z"
    assert signed(stack, older).json() == {"outcome": "outdated"}
    mute = {**body, "update_id": "mute", "status": "FIXED", "description": " "}
    mute["updated_datetime"] = datetime.now(UTC).isoformat()
    assert signed(stack, mute).json() == {"outcome": "refused"}, "an end without explanation"
    assert signed(stack, {**body, "service_request_id": "nobody"}).status_code == 404
    assert signed(stack, {"status": "FIXED"}).status_code == 422

    # A second step proves that at least one more polling round has passed without an echo.
    desk.act(case, "start")
    texts = [citizen.wait_news("正在处置")["text"], *(r["text"] for r in citizen.news())]
    assert len(texts) == 1
    history = citizen.say(f"查一下工单{ticket}").text
    assert history.count("马上安排人员") == 1


def test_a_step_taken_while_the_gateway_is_down_is_told_once(
    stack: Stack, citizen: Citizen, desk: Desk, mark: str
) -> None:
    ticket = citizen.file_complaint(f"楼上天天半夜放音响，{mark}")
    case = desk.wait_request(mark)["service_request_id"]
    citizen.wait_news("已派到")
    stack.stop("gateway", signal.SIGKILL)
    desk.act(case, "accept")
    # The webhook cannot arrive; the relay's polling brings it.
    status = "SELECT id FROM tickets WHERE id = ? AND status = 'accepted'"
    wait_until(lambda: query(stack, status, ticket), "the step by polling")
    restart(stack, "gateway")
    # The desk goes on trying its webhook until it is taken (and found to be known).
    desk_log = "SELECT delivered_at FROM desk_webhook WHERE update_id = ?"
    (update,) = desk_updates(stack, case)
    wait_until(
        lambda: delivered(stack, desk_log, update["update_id"]), "the webhook", ANSWER_SECONDS
    )
    told = [r for r in citizen.news() if "已受理您的工单" in r["text"]]
    assert len(told) == 1


def delivered(stack: Stack, sql: str, update_id: str) -> bool:
    """Tell whether the desk has delivered an update."""
    connection = sqlite3.connect(stack.folder / "desk.db", timeout=WAIT_SECONDS)
    try:
        row = connection.execute(sql, (update_id,)).fetchone()
    finally:
        connection.close()
    return row is not None and row[0] is not None

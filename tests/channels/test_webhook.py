from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from base.signing import SIGNATURE_HEADER, TIMESTAMP_HEADER, sign
from dispatch.case.filing import file_complaint
from dispatch.case.updates import apply_update
from dispatch.open311 import RequestUpdate
from dispatch.reporting.intake import Draft, Spot, new_draft
from store.database import unit_of_work
from store.models import Ticket
from store.people import inbox
from store.tickets import add_event
from tests.channels.conftest import Gateway

SECRET = "test-webhook-secret"
NOW = datetime.now(UTC).replace(microsecond=0)


def draft() -> Draft:
    spot = Spot(
        address="云东区文昌路18号",
        district="云东区",
        latitude=30.2741,
        longitude=120.1551,
        source="text",
    )
    return new_draft().model_copy(
        update={"words": ("油烟太大",), "place": spot, "category": "air.cooking_fume"}
    )


@pytest.fixture
def ticket(gateway: Gateway) -> str:
    """A ticket the dispatch system knows under ``ext-<id>``; its citizen is ``web:<id>``."""
    categories = gateway.server.config.app.state.categories  # type: ignore[union-attr]
    filed = draft()
    with unit_of_work() as session:
        found = file_complaint(session, filed, f"web:{filed.id}", categories).ticket
        add_event(session, found, "forwarded", actor="relay")
        found.external_id = f"ext-{found.id}"
        return found.id


def update(ticket: str, number: str = "1", status: str = "FIXED", **changes: Any) -> bytes:
    body = {
        "update_id": f"{ticket}-{number}",
        "service_request_id": f"ext-{ticket}",
        "status": status,
        "updated_datetime": NOW.isoformat(),
        "description": "已要求加装净化器。",
        "agency_responsible": "市城市管理局",
        **changes,
    }
    return json.dumps(body).encode()


def deliver(
    gateway: Gateway, body: bytes, secret: str = SECRET, age: int = 0, **headers: str
) -> httpx.Response:
    stamp = int(time.time()) - age
    signed = {TIMESTAMP_HEADER: str(stamp), SIGNATURE_HEADER: sign(secret, stamp, body)}
    with gateway.client(**{**signed, **headers}) as http:
        return http.post("/webhooks/dispatch", content=body)


def state(ticket: str) -> tuple[str, int, int]:
    """Status, number of history rows, number of messages to the citizen."""
    with unit_of_work() as session:
        found = session.get(Ticket, ticket)
        assert found is not None
        return found.status, len(found.events), len(inbox(session, found.citizen_id, 0))


def test_an_update_is_applied_once(gateway: Gateway, ticket: str) -> None:
    first = deliver(gateway, update(ticket))
    assert (first.status_code, first.json()) == (200, {"outcome": "applied"})
    applied = state(ticket)
    assert (applied[0], applied[2]) == ("resolved", 1)
    again = deliver(gateway, update(ticket))
    assert (again.status_code, again.json()) == (200, {"outcome": "repeated"})
    assert state(ticket) == applied


def test_the_same_update_from_many_sides_is_applied_once(gateway: Gateway, ticket: str) -> None:
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: deliver(gateway, update(ticket)), range(8)))
    outcomes = sorted(answer.json()["outcome"] for answer in answers)
    assert outcomes == ["applied"] + ["repeated"] * 7
    assert state(ticket)[2] == 1


def test_pushed_and_polled_it_is_applied_once(gateway: Gateway, ticket: str) -> None:
    """The webhook and the poll carry one update id: whichever comes first is the only one."""
    categories = gateway.server.config.app.state.categories  # type: ignore[union-attr]
    for number, status, pushed_first in (("1", "INVESTIGATING", True), ("2", "FIXED", False)):
        moment = NOW + timedelta(minutes=int(number))
        photos = ["http://desk/media/a.jpg"]
        body = update(
            ticket, number, status, updated_datetime=moment.isoformat(), media_urls=photos
        )
        polled = RequestUpdate(
            update_id=f"{ticket}-{number}",
            service_request_id=f"ext-{ticket}",
            status=status,
            updated_datetime=moment,
            description="已要求加装净化器。",
            agency_responsible="市城市管理局",
            media_urls=tuple(photos),
        )

        def poll(news: RequestUpdate = polled) -> str:
            with unit_of_work() as session:
                return apply_update(session, news, categories).value

        def push(news: bytes = body) -> str:
            outcome: str = deliver(gateway, news).json()["outcome"]
            return outcome

        ways = (push, poll) if pushed_first else (poll, push)
        assert [way() for way in ways] == ["applied", "repeated"]
    status, _, messages = state(ticket)
    assert (status, messages) == ("resolved", 2)


def test_the_citizen_reads_who_and_why(gateway: Gateway, ticket: str) -> None:
    deliver(gateway, update(ticket))
    with unit_of_work() as session:
        found = session.get(Ticket, ticket)
        assert found is not None
        ((_, replies),) = inbox(session, found.citizen_id, 0)
    assert ticket in replies[0]["text"]
    assert "市城市管理局" in replies[0]["text"]
    assert "已要求加装净化器。" in replies[0]["text"]


def test_an_older_update_changes_nothing(gateway: Gateway, ticket: str) -> None:
    deliver(gateway, update(ticket))
    before = state(ticket)
    older = (NOW - timedelta(hours=1)).isoformat()
    late = deliver(gateway, update(ticket, "0", "IN_PROGRESS", updated_datetime=older))
    assert (late.status_code, late.json()) == (200, {"outcome": "outdated"})
    assert state(ticket) == before


def test_an_end_without_words_is_refused(gateway: Gateway, ticket: str) -> None:
    for number, words in enumerate(("", "  \n")):
        answer = deliver(gateway, update(ticket, str(number), description=words))
        assert (answer.status_code, answer.json()) == (200, {"outcome": "refused"})
    assert state(ticket)[0] == "forwarded"


def test_an_unknown_request_is_to_be_sent_again(gateway: Gateway, ticket: str) -> None:
    answer = deliver(gateway, update(ticket, service_request_id="never-heard-of"))
    assert (answer.status_code, answer.json()) == (404, {"outcome": "unknown_ticket"})


@pytest.mark.parametrize(
    "headers",
    [
        {SIGNATURE_HEADER: ""},
        {SIGNATURE_HEADER: "sha256=" + "0" * 64},
        {SIGNATURE_HEADER: "é"},
        {TIMESTAMP_HEADER: ""},
        {TIMESTAMP_HEADER: "now"},
        {TIMESTAMP_HEADER: "0"},
        {TIMESTAMP_HEADER: str(int(time.time()) + 3600)},
        {TIMESTAMP_HEADER: "-1"},
        {TIMESTAMP_HEADER: "9" * 30},
    ],
)
def test_a_wrong_signature_is_refused(
    gateway: Gateway, ticket: str, headers: dict[str, str]
) -> None:
    encoded: Any = {name: value.encode("latin-1") for name, value in headers.items()}
    answer = deliver(gateway, update(ticket), **encoded)
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "signature_invalid")
    assert state(ticket)[0] == "forwarded"


def test_another_secret_and_a_replay_are_refused(gateway: Gateway, ticket: str) -> None:
    for answer in (
        deliver(gateway, update(ticket), secret="another"),
        deliver(gateway, update(ticket), secret=""),
        deliver(gateway, update(ticket), age=400),
        deliver(gateway, update(ticket), age=-400),
    ):
        assert (answer.status_code, answer.json()["error"]["code"]) == (401, "signature_invalid")
    assert state(ticket)[0] == "forwarded"


def test_the_signature_covers_the_body(gateway: Gateway, ticket: str) -> None:
    stamp = int(time.time())
    headers = {
        TIMESTAMP_HEADER: str(stamp),
        SIGNATURE_HEADER: sign(SECRET, stamp, update(ticket, "1", "IN_PROGRESS")),
    }
    with gateway.client(**headers) as http:
        answer = http.post("/webhooks/dispatch", content=update(ticket, "1", "FIXED"))
    assert answer.status_code == 401


@pytest.mark.parametrize(
    "changes",
    [
        {"updated_datetime": "2026-11-20T08:30:00"},  # no zone
        {"updated_datetime": "yesterday"},
        {"update_id": ""},
        {"update_id": None},
        {"status": "x" * 41},
        {"description": "长" * 4001},
        {"media_urls": ["http://desk/media/a.jpg"] * 6},
        {"media_urls": ["http://desk/" + "a" * 2000]},
        {"media_urls": "http://desk/media/a.jpg"},
    ],
)
def test_a_signed_but_wrong_update_is_a_422(
    gateway: Gateway, ticket: str, changes: dict[str, Any]
) -> None:
    answer = deliver(gateway, update(ticket, **changes))
    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "update_invalid")


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"\xff", b"null"])
def test_a_signed_but_unreadable_update_is_a_422(gateway: Gateway, body: bytes) -> None:
    answer = deliver(gateway, body)
    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "update_invalid")


def test_photos_of_the_result_come_with_the_update(gateway: Gateway, ticket: str) -> None:
    base = gateway.settings.dispatch_url
    body = update(ticket, media_urls=[f"{base}/media/{number}.jpg" for number in range(5)])
    assert deliver(gateway, body).json() == {"outcome": "applied"}
    with unit_of_work() as session:
        photos = session.get_one(Ticket, ticket).photos
        assert [photo.source_url for photo in photos if photo.role == "after"] == [
            f"{base}/media/{number}.jpg" for number in range(5)
        ]


@pytest.mark.parametrize(
    "urls",
    [["http://d/x"] * 6, ["http://d/" + "x" * 500], [""], "http://d/x", [1], [None], {"a": "b"}],
)
def test_odd_lists_of_photos_are_refused(gateway: Gateway, ticket: str, urls: Any) -> None:
    refused = deliver(gateway, update(ticket, media_urls=urls))
    assert refused.status_code == 422
    assert state(ticket)[0] == "forwarded"

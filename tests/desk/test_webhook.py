"""Status changes reach the citizen side: signed, in order, whatever goes down in between."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any

import httpx
import pytest

from base.errors import StateError
from base.settings import Settings
from dispatch.classification.categories import load_categories
from dispatch.desk.courier import LEASE, Backlog, Courier, wait_after
from dispatch.desk.database import Database
from dispatch.desk.forms import parse_request
from dispatch.desk.office import Filter, Office, Step, now_utc
from dispatch.open311 import Open311Client, RequestDraft
from tests.waiting import wait_until

Serve = Callable[[Settings], AbstractContextManager[str]]
Receive = Callable[[Any], AbstractContextManager[Any]]


def file_one(desk: str, draft: RequestDraft, key: str = "key-1") -> str:
    with Open311Client(desk, "desk-key-1") as client:
        request_id = client.create(draft, key).service_request_id
    assert request_id
    return request_id


def test_every_step_is_delivered_signed_and_in_order(
    receiver: Any, desk: str, dispatcher: Any, draft: RequestDraft
) -> None:
    request_id = file_one(desk, draft)
    steps = [
        ("accept", "", "INVESTIGATING"),
        ("start", "已联系执法人员", "IN_PROGRESS"),
        ("resolve", "餐馆已安装净化器", "FIXED"),
        ("close", "现场核查通过", "CLOSED"),
    ]
    for action, words, _ in steps:
        assert dispatcher.act(request_id, action, explanation=words).status_code == 303
    taken = receiver.wait_for(4)
    assert [item["status"] for item in taken] == [status for _, _, status in steps]
    assert [item["description"] for item in taken] == [words for _, words, _ in steps]
    assert {item["service_request_id"] for item in taken} == {request_id}
    assert all(item["agency_responsible"] for item in taken)
    assert len({item["update_id"] for item in taken}) == 4
    moments = [datetime.fromisoformat(item["updated_datetime"]) for item in taken]
    assert all(moment.utcoffset() is not None for moment in moments)
    assert moments == sorted(set(moments))
    assert receiver.refused == 0
    with Open311Client(desk, "desk-key-1", format="xml") as client:
        polled = client.updates()
        assert [update.update_id for update in polled] == [item["update_id"] for item in taken]
        assert [update.updated_datetime for update in polled] == moments
        assert client.updates(since=moments[2]) == polled[2:]
        request = client.request(request_id)
    assert (request.status, request.detailed_status) == ("closed", "CLOSED")
    assert request.status_notes == "现场核查通过"


def test_a_citizens_own_step_is_not_sent_back(
    receiver: Any, desk: str, dispatcher: Any, draft: RequestDraft, http: httpx.Client
) -> None:
    request_id = file_one(desk, draft)
    fields = {
        "api_key": "desk-key-1",
        "service_request_id": request_id,
        "status": "WITHDRAWN",
        "description": "市民撤回",
    }
    assert http.post("/servicerequestupdates.json", data=fields).status_code == 200
    other = file_one(desk, draft, "key-2")
    dispatcher.act(other, "accept")
    assert [item["service_request_id"] for item in receiver.wait_for(1)] == [other]
    wait_until(lambda: not http.get("/health").json()["webhooks_waiting"], "an empty queue", 10)


def test_a_receiver_that_is_down_gets_it_later(
    new_receiver: Any, receive: Receive, desk: str, dispatcher: Any, draft: RequestDraft
) -> None:
    request_id = file_one(desk, draft)
    dispatcher.act(request_id, "accept")
    wait_until(
        lambda: httpx.get(f"{desk}/health").json()["webhooks_failing"], "a failing webhook", 10
    )
    assert "尚未送达" in dispatcher.http.get("/desk").text
    with receive(new_receiver):
        (taken,) = new_receiver.wait_for(1)
    assert taken["status"] == "INVESTIGATING"


def test_a_failing_receiver_is_retried_in_order(
    receiver: Any, desk: str, dispatcher: Any, draft: RequestDraft
) -> None:
    receiver.answers = [500, 503]
    request_id = file_one(desk, draft)
    dispatcher.act(request_id, "accept")
    dispatcher.act(request_id, "start")
    taken = receiver.wait_for(2)
    assert [item["status"] for item in taken] == ["INVESTIGATING", "IN_PROGRESS"]
    assert receiver.attempts >= 4


def test_what_was_not_delivered_survives_a_restart(
    settings: Settings, serve: Serve, new_receiver: Any, receive: Receive, draft: RequestDraft
) -> None:
    with serve(settings) as url:
        request_id = file_one(url, draft)
        with httpx.Client(base_url=url) as http:
            csrf = _csrf(http, "/desk/login")
            http.post("/desk/login", data={"csrf": csrf, "password": "dispatch-password"})
            path = f"/desk/requests/{request_id}"
            form = {"csrf": _csrf(http, path), "action": "accept"}
            assert http.post(f"{path}/actions", data=form).status_code == 303
    with receive(new_receiver), serve(settings):
        (taken,) = new_receiver.wait_for(1)
    assert taken["service_request_id"] == request_id


def _csrf(http: httpx.Client, path: str) -> str:
    return http.get(path).text.split('name="csrf" value="')[1].split('"')[0]


def test_without_a_secret_nothing_is_sent_and_nothing_is_lost(
    make_settings: Callable[..., Settings],
    serve: Serve,
    new_receiver: Any,
    receive: Receive,
    draft: RequestDraft,
) -> None:
    with receive(new_receiver), serve(make_settings(webhook_secret="")) as url:
        request_id = file_one(url, draft)
        with httpx.Client(base_url=url) as http:
            csrf = _csrf(http, "/desk/login")
            http.post("/desk/login", data={"csrf": csrf, "password": "dispatch-password"})
            path = f"/desk/requests/{request_id}"
            http.post(f"{path}/actions", data={"csrf": _csrf(http, path), "action": "accept"})
            time.sleep(0.5)
            assert http.get("/health").json()["webhooks_waiting"] == 1
    assert new_receiver.attempts == 0


@pytest.mark.parametrize("error", ["ConnectError", "HTTP 500", "HTTP 404"])
def test_waits_grow_and_stay_bounded(error: str) -> None:
    for attempts in range(1, 60):
        assert 1.0 <= wait_after(attempts, error) <= 375.0
    assert wait_after(1, error) < wait_after(5, error) < wait_after(12, error) * 1.3
    assert wait_after(2, "HTTP 404") > wait_after(1, "HTTP 500")


class KilledCourier(Courier):
    """Dies after the row is leased and before it is sent."""

    def _send(self, parcel: Any) -> str | None:
        raise KeyboardInterrupt


def waiting_step(settings: Settings) -> Database:
    """Fill a desk database with one request and one undelivered step."""
    database = Database(settings.desk_database_url)
    office = Office(database, load_categories(settings.categories_file), on_step=lambda: None)
    fields = {"service_code": ["city.other"], "address_string": ["人民路"]}
    row = office.file(parse_request(fields), None)
    office.act(row.request_id, Step("accept"))
    return database


def test_a_kill_between_lease_and_delivery_loses_nothing(receiver: Any, settings: Settings) -> None:
    database = waiting_step(settings)
    url = f"{receiver.url}/webhooks/dispatch"
    killed = KilledCourier(database, url, "webhook-secret-1", 1.0)
    with pytest.raises(KeyboardInterrupt):
        killed.deliver_due()
    soon = Courier(database, url, "webhook-secret-1", 1.0)
    assert soon.deliver_due() == 0  # still leased
    later = Courier(database, url, "webhook-secret-1", 1.0, clock=lambda: now_utc() + LEASE * 1.1)
    assert later.deliver_due() == 1
    assert later.backlog() == Backlog(waiting=0, failing=0)
    for courier in (killed, soon, later):
        courier.stop()
    database.close()
    assert len(receiver.taken) == 1


def test_two_couriers_share_one_outbox(receiver: Any, settings: Settings) -> None:
    database = waiting_step(settings)
    url = f"{receiver.url}/webhooks/dispatch"
    couriers = [Courier(database, url, "webhook-secret-1", 1.0) for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        arrived = list(pool.map(lambda courier: courier.deliver_due(), couriers))
    for courier in couriers:
        courier.stop()
    database.close()
    assert sorted(arrived) == [0, 0, 0, 1]
    assert len(receiver.taken) == 1


def test_two_dispatchers_at_once_take_one_step(settings: Settings) -> None:
    database = waiting_step(settings)
    office = Office(database, load_categories(settings.categories_file), on_step=lambda: None)
    (row,) = office.page(Filter()).rows

    def start(_: int) -> bool:
        try:
            office.act(row.request_id, Step("start"))
        except StateError:
            return False
        return True

    with ThreadPoolExecutor(6) as pool:
        assert sum(pool.map(start, range(6))) == 1
    database.close()

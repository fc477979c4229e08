from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from channels.web.session import COOKIE
from store.database import unit_of_work
from store.people import queue_message
from tests.channels.conftest import Gateway
from tests.waiting import wait_until

GUARD = {"X-Shimin-Web": "1"}


@pytest.fixture
def page(gateway: Gateway) -> Iterator[httpx.Client]:
    """A browser with an open session."""
    with gateway.client() as http:
        assert http.post("/web/session", headers=GUARD).status_code == 200
        yield http


def conversation(page: httpx.Client) -> str:
    return str(page.post("/web/session", headers=GUARD).json()["conversation_id"])


def code(response: httpx.Response) -> tuple[int, str]:
    return response.status_code, response.json()["error"]["code"]


def test_a_session_is_a_hidden_cookie(gateway: Gateway) -> None:
    with gateway.client() as http:
        response = http.post("/web/session", headers=GUARD)
    assert response.json()["conversation_id"].startswith("web-")
    cookie = response.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    assert "Max-Age=2592000" in cookie


def test_opening_again_keeps_the_conversation(page: httpx.Client, gateway: Gateway) -> None:
    assert conversation(page) == conversation(page)
    with gateway.client() as other:
        assert conversation(other) != conversation(page)


def test_a_message_of_the_page(page: httpx.Client, gateway: Gateway) -> None:
    answer = page.post("/web/messages", json={"text": "你好"}, headers=GUARD)
    assert answer.status_code == 200
    assert answer.json()["replies"][0]["text"] == "您好，我是市民。"
    heard = gateway.rasa.heard[0]
    assert (heard["sender"], heard["channel"]) == (f"web:{conversation(page)}", "web")


def test_the_guard_header_is_needed(page: httpx.Client) -> None:
    for headers in ({}, {"X-Shimin-Web": "0"}, {"X-Shimin-Web": ""}):
        answer = page.post("/web/messages", json={"text": "你好"}, headers=headers)
        assert code(answer) == (403, "forbidden_origin")
        assert code(page.post("/web/session", headers=headers)) == (403, "forbidden_origin")


def test_the_page_cannot_choose_its_conversation(page: httpx.Client, gateway: Gateway) -> None:
    body = {"text": "你好", "conversation_id": "web-of-someone-else"}
    assert code(page.post("/web/messages", json=body, headers=GUARD)) == (422, "request_invalid")
    assert not gateway.rasa.heard


def forged(page: httpx.Client) -> list[str]:
    name, _, signature = page.cookies[COOKIE].rpartition(".")
    return [
        "",
        ".",
        name,
        f"{name}.",
        f"{name}x.{signature}",
        f"{name}.{signature[:-1]}{'0' if signature[-1] != '0' else '1'}",
        f"web-another.{signature}",
        f".{signature}",
    ]


def test_a_forged_cookie_is_no_session(page: httpx.Client, gateway: Gateway) -> None:
    for cookie in forged(page):
        with gateway.client(Cookie=f"{COOKIE}={cookie}") as http:
            answer = http.post("/web/messages", json={"text": "你好"}, headers=GUARD)
            assert code(answer) == (401, "session_missing"), cookie
            assert code(http.get("/web/events")) == (401, "session_missing")
    with gateway.client() as http:
        answer = http.post("/web/messages", json={"text": "你好"}, headers=GUARD)
        assert code(answer) == (401, "session_missing")


# --- server-sent events -----------------------------------------------------------------


def push(name: str, text: str) -> None:
    with unit_of_work() as session:
        queue_message(session, f"web:{name}", [{"text": text, "buttons": [], "cards": []}])


def events(lines: Iterator[str], count: int) -> list[dict[str, Any]]:
    """Read ``count`` events; the id of each is the one in its data."""
    found: list[dict[str, Any]] = []
    number = ""
    while len(found) < count:
        line = next(lines)
        if line.startswith("id: "):
            number = line.removeprefix("id: ")
        if line.startswith("data: "):
            data = json.loads(line.removeprefix("data: "))
            assert str(data["id"]) == number
            found.append(data)
    return found


def texts(found: list[dict[str, Any]]) -> list[str]:
    return [event["replies"][0]["text"] for event in found]


def test_news_is_pushed_and_resumed(page: httpx.Client) -> None:
    name = conversation(page)
    with page.stream("GET", "/web/events") as stream:
        assert stream.headers["Content-Type"].startswith("text/event-stream")
        assert stream.headers["Cache-Control"] == "no-store"
        lines = stream.iter_lines()
        assert next(lines) == ": connected"
        threading.Timer(0.2, push, (name, "已受理")).start()
        first = events(lines, 1)
        assert texts(first) == ["已受理"]
        assert first[0]["replies"][0]["speech"] == "已受理。"
    push(name, "处置中")
    push(name, "已办结")
    with page.stream(
        "GET", "/web/events", headers={"Last-Event-ID": str(first[0]["id"])}
    ) as stream:
        second = events(stream.iter_lines(), 2)
        assert texts(second) == ["处置中", "已办结"]
    again = str(second[0]["id"])
    with page.stream("GET", "/web/events", headers={"Last-Event-ID": again}) as stream:
        assert texts(events(stream.iter_lines(), 1)) == ["已办结"]


def heard(page: httpx.Client, count: int, path: str = "/web/events", **headers: str) -> Any:
    with page.stream("GET", path, headers=headers) as stream:
        return events(stream.iter_lines(), count)


def test_news_lost_on_the_way_is_sent_again(page: httpx.Client) -> None:
    """Written to the socket is not shown: only the page knows what it has."""
    name = conversation(page)
    push(name, "已派单")
    (lost,) = heard(page, 1)
    push(name, "已受理")
    assert texts(heard(page, 2)) == ["已派单", "已受理"]
    assert texts(heard(page, 2, "/web/events?after=0")) == ["已派单", "已受理"]
    assert texts(heard(page, 1, f"/web/events?after={lost['id']}")) == ["已受理"]
    assert texts(heard(page, 1)) == ["已受理"]  # the first is confirmed now


def test_the_header_of_a_reconnecting_browser_wins(page: httpx.Client) -> None:
    name = conversation(page)
    for text in ("一", "二", "三"):
        push(name, text)
    first, second, _ = (event["id"] for event in heard(page, 3))
    stale = f"/web/events?after={first}"
    assert texts(heard(page, 1, stale, **{"Last-Event-ID": str(second)})) == ["三"]
    assert texts(heard(page, 1)) == ["三"]
    again = heard(page, 3, stale, **{"Last-Event-ID": "0"})
    assert texts(again) == ["一", "二", "三"]


def test_a_page_confirms_only_its_own_news(page: httpx.Client, gateway: Gateway) -> None:
    with gateway.client() as other:
        name = conversation(other)
        push(name, "别人的")
        (theirs,) = heard(other, 1)
        push(conversation(page), "我的")
        heard(page, 1)
        with page.stream("GET", f"/web/events?after={theirs['id'] + 1000}") as stream:
            assert next(stream.iter_lines()) == ": connected"
        assert texts(heard(other, 1)) == ["别人的"]


@pytest.mark.parametrize("last", ["x", "-1", "9" * 30, "9" * 5000, ""])
def test_an_odd_last_id_starts_afresh(page: httpx.Client, last: str) -> None:
    push(conversation(page), "新消息")
    assert texts(heard(page, 1, **{"Last-Event-ID": last})) == ["新消息"]
    assert texts(heard(page, 1, f"/web/events?after={last}")) == ["新消息"]


def test_nobody_hears_anothers_news(page: httpx.Client, gateway: Gateway) -> None:
    push("web-someone-else", "不是给您的")
    push(conversation(page), "给您的")
    with page.stream("GET", "/web/events", headers={"Last-Event-ID": "0"}) as stream:
        assert texts(events(stream.iter_lines(), 1)) == ["给您的"]


def test_the_stream_ends_when_the_page_goes(page: httpx.Client, gateway: Gateway) -> None:
    with page.stream("GET", "/web/events") as stream:
        assert next(stream.iter_lines()) == ": connected"
        wait_until(gateway.open_requests, "an open stream", pause=0.05)
    wait_until(lambda: not gateway.open_requests(), "no open stream", pause=0.05)

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from opencc import OpenCC

from base.errors import ConfigurationError
from base.settings import Settings
from channels.web.embedding import embed_origins
from channels.web.session import COOKIE
from channels.web.shell import STATIC
from store.database import unit_of_work
from store.people import forget_profile, queue_message
from tests.channels.conftest import Gateway, replying
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


# --- repeated messages -------------------------------------------------------------------


def say(page: httpx.Client, text: str, client_id: str) -> httpx.Response:
    body = {"text": text, "client_id": client_id}
    return page.post("/web/messages", json=body, headers=GUARD)


def said(gateway: Gateway) -> list[str]:
    return [body["metadata"]["text"] for body in gateway.rasa.heard]


def test_a_repeated_message_gets_the_first_answer(page: httpx.Client, gateway: Gateway) -> None:
    first = say(page, "你好", "client-0001")
    gateway.rasa.answer = replying({"text": "另一个回答"})
    assert say(page, "你好", "client-0001").json() == first.json()
    assert said(gateway) == ["你好"]
    assert say(page, "你好", "client-0002").json()["replies"][0]["text"] == "另一个回答"
    with unit_of_work() as session:
        forget_profile(session, f"web:{conversation(page)}")
    assert say(page, "你好", "client-0001").json()["replies"][0]["text"] == "另一个回答"


def test_another_citizens_ids_are_his_own(page: httpx.Client, gateway: Gateway) -> None:
    say(page, "我的话", "client-0001")
    with gateway.client() as other:
        other.post("/web/session", headers=GUARD)
        say(other, "别人的话", "client-0001")
    assert said(gateway) == ["我的话", "别人的话"]


def test_a_refused_message_may_come_again(page: httpx.Client, gateway: Gateway) -> None:
    well = gateway.rasa.answer
    gateway.rasa.answer = lambda _: (500, b"")
    assert code(say(page, "你好", "client-0003")) == (503, "assistant_unavailable")
    assert code(say(page, "", "client-0004")) == (422, "message_empty")
    gateway.rasa.answer = well
    assert say(page, "你好", "client-0003").status_code == 200
    assert say(page, "你好", "client-0004").status_code == 200


def test_a_repetition_waits_for_the_answer_on_its_way(page: httpx.Client, gateway: Gateway) -> None:
    well, go = gateway.rasa.answer, threading.Event()

    def slowly(body: Any) -> tuple[int, bytes]:
        assert go.wait(20)
        return well(body)

    gateway.rasa.answer = slowly
    with ThreadPoolExecutor(3) as pool:
        answers = [pool.submit(say, page, "你好", "client-0005") for _ in range(3)]
        wait_until(lambda: gateway.rasa.heard, "the message at Rasa", pause=0.05)
        go.set()
        texts = {answer.result().json()["replies"][0]["text"] for answer in answers}
    assert texts == {"您好，我是市民。"}
    assert len(gateway.rasa.heard) == 1


@pytest.mark.parametrize("odd", ["short", "x" * 41, "with space", "../../etc", 7])
def test_an_odd_client_id_is_refused(page: httpx.Client, gateway: Gateway, odd: Any) -> None:
    assert code(say(page, "你好", odd)) == (422, "request_invalid")
    assert not gateway.rasa.heard


# --- the session in frames, and its end --------------------------------------------------


def test_ending_the_session_begins_another_conversation(page: httpx.Client) -> None:
    before = conversation(page)
    assert code(page.post("/web/session/end")) == (403, "forbidden_origin")
    assert conversation(page) == before
    assert page.post("/web/session/end", headers=GUARD).status_code == 204
    assert COOKIE not in page.cookies
    assert conversation(page) != before


def test_no_embedded_cookie_where_frames_are_not_allowed(gateway: Gateway) -> None:
    with gateway.client() as http:
        answer = http.post("/web/session", json={"embedded": True}, headers=GUARD)
        assert answer.headers["Set-Cookie"].startswith(f"{COOKIE}=")
        assert "frame-ancestors 'none'" in http.get("/").headers["Content-Security-Policy"]


@pytest.mark.parametrize(
    "origins", ["http://city.gov.cn", "*", "https://a.cn/path", "https://a.cn; script-src *"]
)
def test_only_whole_origins_may_hold_the_page(origins: str) -> None:
    with pytest.raises(ConfigurationError, match="SHIMIN_EMBED_ORIGINS"):
        embed_origins(Settings(embed_origins=f"https://ok.gov.cn,{origins}"))


def test_a_foreign_page_may_not_open_the_stream(page: httpx.Client) -> None:
    for site in ("cross-site", "same-site"):
        answer = page.get("/web/events?after=99", headers={"Sec-Fetch-Site": site})
        assert code(answer) == (403, "forbidden_origin")


# --- the page as files -------------------------------------------------------------------


def test_the_languages_say_the_same() -> None:
    """The same keys with the same values in them; Traditional is Simplified in other characters."""
    words = {
        path.stem: json.loads(path.read_text(encoding="utf-8"))
        for path in (STATIC / "i18n").glob("*.json")
    }
    assert set(words) == {"zh-Hans", "zh-Hant", "en"}
    places = {
        language: {key: sorted(re.findall(r"{(\w+)}", text)) for key, text in texts.items()}
        for language, texts in words.items()
    }
    assert places["en"].keys() == places["zh-Hans"].keys() == places["zh-Hant"].keys()
    for key, wanted in places["zh-Hans"].items():
        for language in ("zh-Hant", "en"):
            if "manual" not in wanted:
                assert places[language][key] == wanted, (language, key)
    simplify, convert = OpenCC("t2s"), OpenCC("s2t")
    for key, simplified in words["zh-Hans"].items():
        traditional = words["zh-Hant"][key].replace("「", "“").replace("」", "”")
        if key != "help.language":  # each says of its own language what the answers are in
            assert simplify.convert(traditional) == simplified, key
        assert traditional != simplified or convert.convert(simplified) == simplified, key


def test_every_word_the_page_uses_is_there() -> None:
    known = json.loads((STATIC / "i18n" / "en.json").read_text(encoding="utf-8"))
    page = (STATIC / "index.html").read_text(encoding="utf-8")
    scripts = "".join(p.read_text(encoding="utf-8") for p in (STATIC / "js").glob("*.js"))
    used = set(re.findall(r'data-t(?:-label|-placeholder)?="([^"]+)"', page))
    used |= set(re.findall(r'\bt\("([^"]+)"', scripts))
    assert len(used) > 100
    assert used <= known.keys()


def test_the_worker_knows_the_shell(gateway: Gateway) -> None:
    with gateway.client() as http:
        worker = http.get("/worker.js")
        assert worker.headers["Content-Type"].startswith("text/javascript")
        listed = re.search(r"const SHELL = (\[.*\]);", worker.text)
        assert listed is not None
        files = json.loads(listed.group(1))
        assert files[0] == "/"
        assert "/static/js/main.js" in files
        for path in files:
            assert http.get(path).status_code == 200, path


def test_the_map_of_the_city(gateway: Gateway) -> None:
    with gateway.client() as http:
        city = http.get("/web/city.json").json()
    assert city["name"] == "云州市"
    garden = next(place for place in city["places"] if place["name"] == "文昌花园")
    assert garden["area"] == "云东区文昌街道"
    assert 30.2 < garden["point"][0] < 30.3
    assert {"boundary", "districts", "roads", "rivers"} <= city.keys()


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
            lines = stream.iter_lines()  # kept: httpx hangs up when the iterator is dropped
            assert next(lines) == ": connected"
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
        lines = stream.iter_lines()  # kept: httpx hangs up when the iterator is dropped
        assert next(lines) == ": connected"
        wait_until(gateway.open_requests, "an open stream", pause=0.05)
    wait_until(lambda: not gateway.open_requests(), "no open stream", pause=0.05)

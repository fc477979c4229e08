"""Bad input is refused in Chinese with the fitting status, and the conversation goes on."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from PIL import Image

from tests.e2e.driver import OUTSIDE, Attachment, Citizen, jpeg, location, photo
from tests.stack import Stack
from tests.waiting import WAIT_SECONDS

pytestmark = pytest.mark.e2e
MEGABYTE = 1024 * 1024


def _png(width: int, height: int) -> bytes:
    output = io.BytesIO()
    Image.new("1", (width, height)).save(output, "PNG")
    return output.getvalue()


def _audio(data: bytes) -> Attachment:
    return {
        "type": "audio",
        "content_type": "audio/wav",
        "data": base64.b64encode(data).decode(),
    }


REFUSED: dict[str, tuple[str, Callable[[], list[Attachment]], int, str]] = {
    "a photo of 30 MB": (
        "楼下垃圾成堆",
        lambda: [photo(jpeg() + bytes(30 * MEGABYTE))],
        413,
        "photo_too_large",
    ),
    "a photo of a hundred million pixels": (
        "",
        lambda: [photo(_png(10_000, 10_000), "image/png")],
        413,
        "photo_too_large",
    ),
    "a text file named .jpg": ("", lambda: [photo(b"hello, world\n" * 50)], 415, "photo_not_image"),
    "a program named .jpg": ("", lambda: [photo(b"\x7fELF" + bytes(4096))], 415, "photo_not_image"),
    "a truncated JPEG": ("", lambda: [photo(jpeg()[:4000])], 422, "photo_broken"),
    "an empty photo": ("", lambda: [photo(b"")], 422, "photo_broken"),
    "a photo that is not base64": (
        "",
        lambda: [{"type": "photo", "content_type": "image/jpeg", "data": "###"}],
        422,
        "photo_broken",
    ),
    "ten photos": ("", lambda: [photo()] * 10, 422, "too_many_photos"),
    "a latitude of 91": ("", lambda: [location(91.0, 120.0)], 422, "location_out_of_range"),
    "a longitude of -181": ("", lambda: [location(30.2, -181.0)], 422, "location_out_of_range"),
    "a location without longitude": (
        "",
        lambda: [{"type": "location", "latitude": 30.2}],
        422,
        "request_invalid",
    ),
    "an unknown attachment": ("", lambda: [{"type": "virus", "data": ""}], 422, "request_invalid"),
    "ten thousand characters": ("油烟" * 5000, list, 413, "text_too_long"),
    "an empty message": ("", list, 422, "message_empty"),
    "blanks only": (" \n\t　", list, 422, "message_empty"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused_messages_say_why_and_break_nothing(citizen: Citizen, case: str) -> None:
    text, attachments, status, code = REFUSED[case]
    citizen.say("身份证丢了怎么补办")
    response = citizen.post(text, attachments())
    check_refusal(response, status, code)
    assert citizen.say("多少钱").card("service")["id"] == "id_card_replace"


def test_a_photo_is_refused_with_its_message_not_half_taken(citizen: Citizen) -> None:
    """What comes with a refused photo is not kept: the citizen sends all of it again."""
    check_refusal(citizen.post("楼下垃圾成堆", [photo(b"x")]), 415, "photo_not_image")
    assert "还没有提交过工单" in citizen.say("查一下我的投诉").text
    confirmation = citizen.say("楼下垃圾成堆", photo(), location())
    assert confirmation.text.count("楼下垃圾成堆") == 1


def test_a_point_outside_the_city_gets_help(citizen: Citizen) -> None:
    citizen.say("楼下垃圾成堆没人清运")
    heard = citizen.say("", location(*OUTSIDE))
    assert "不在云州市范围内" in heard.text
    assert "12345" in heard.text
    assert "学府名城" in citizen.say("学府名城").text


@pytest.mark.parametrize("text", ["😀", "👍👍👍", "…", "？", "\u200b", "1", "a"])
def test_hardly_a_message_is_answered(citizen: Citizen, text: str) -> None:
    heard = citizen.say(text)
    assert heard.text
    assert not heard.cards("ticket")
    assert citizen.say("护照怎么办").card("service")["id"] == "passport"


@pytest.mark.parametrize(
    "text",
    [
        "'; DROP TABLE tickets; --",
        "<script>alert(1)</script>油烟太大",
        "{{7*7}} ${jndi:ldap://x}",
        "\x00\x01\x02 油烟太大",
        "油烟太大" + "\u202e" + "了",
        "/affirm{" + '"a":' * 50,
        "/restart",
    ],
)
def test_hostile_words_are_only_words(citizen: Citizen, text: str) -> None:
    heard = citizen.say(text)
    assert "<script" not in json.dumps(heard.body["understanding"]["entities"])
    assert not heard.cards("ticket")
    assert citizen.say("护照怎么办").card("service")["id"] == "passport"


def test_an_unknown_ticket_and_someone_elses_get_the_same_sentence(
    new_citizen: Callable[[], Citizen],
) -> None:
    ticket = new_citizen().file_complaint("楼上天天半夜放音响，吵得睡不着")
    stranger = new_citizen()
    answers = {stranger.say(f"查工单{t}").text for t in (ticket, "SM20261121999999")}
    assert len(answers) == 1
    assert "没有查到这个工单" in answers.pop()


# --- the door itself --------------------------------------------------------------------


@pytest.fixture
def door(stack: Stack) -> Iterator[httpx.Client]:
    """A client without a key."""
    with httpx.Client(base_url=stack.url, timeout=WAIT_SECONDS) as client:
        yield client


@pytest.fixture
def key(stack: Stack) -> dict[str, str]:
    return {"Authorization": f"Bearer {stack.settings['SHIMIN_API_KEY']}"}


@pytest.mark.parametrize("body", [b"{", b"", b"not json", b"\xff\xfe", b'{"text": "a"'])
def test_malformed_json(door: httpx.Client, key: dict[str, str], body: bytes) -> None:
    headers = {**key, "Content-Type": "application/json"}
    response = door.post("/api/v1/messages", content=body, headers=headers)
    assert response.status_code in ((400, 422) if body == b"" else (400,))
    check_refusal(response, response.status_code)


@pytest.mark.parametrize(
    "body",
    [
        {},
        [],
        {"conversation_id": "", "channel": "api", "text": "你好"},
        {"conversation_id": "a b", "channel": "api", "text": "你好"},
        {"conversation_id": "a" * 101, "channel": "api", "text": "你好"},
        {"conversation_id": "a", "channel": "API:x", "text": "你好"},
        {"conversation_id": "a", "channel": "api", "text": 5},
        {"conversation_id": "a", "channel": "api", "text": "你好", "admin": True},
        {"conversation_id": "a", "channel": "api", "attachments": [{}] * 21},
    ],
)
def test_json_of_another_shape(door: httpx.Client, key: dict[str, str], body: Any) -> None:
    check_refusal(door.post("/api/v1/messages", json=body, headers=key), 422, "request_invalid")


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Bearer wrong"},
        {"Authorization": "Bearer"},
        {"Authorization": "Basic x"},
    ],
    ids=["no key", "wrong key", "empty key", "another scheme"],
)
def test_without_the_key_nothing_is_answered(door: httpx.Client, headers: dict[str, str]) -> None:
    body = {"conversation_id": "c-1", "channel": "api", "text": "你好"}
    check_refusal(door.post("/api/v1/messages", json=body, headers=headers), 401, "unauthorized")
    listing = door.get("/api/v1/messages", params={"conversation_id": "c-1"}, headers=headers)
    check_refusal(listing, 401, "unauthorized")


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("PUT", "/api/v1/messages", 405),
        ("DELETE", "/api/v1/messages", 405),
        ("GET", "/api/v1/nothing", 404),
        ("GET", "/api/v2/messages", 404),
        ("GET", "/.env", 404),
        ("GET", "/static/../app.py", 404),
        ("GET", "/static/%2e%2e/%2e%2e/settings.py", 404),
        ("GET", "/docs", 404),
        ("GET", "/openapi.json", 404),
        ("GET", "/media/" + "0" * 32, 403),
    ],
)
def test_wrong_methods_and_paths(
    door: httpx.Client, key: dict[str, str], method: str, path: str, status: int
) -> None:
    check_refusal(door.request(method, path, headers=key), status)


@pytest.mark.parametrize("announced", [True, False], ids=["length announced", "chunked"])
def test_a_body_of_100_megabytes(
    door: httpx.Client, key: dict[str, str], citizen: Citizen, announced: bool
) -> None:
    def chunks() -> Iterator[bytes]:
        for _ in range(100):
            yield b"x" * MEGABYTE

    headers = {**key, "Content-Type": "application/json"}
    if announced:
        headers["Content-Length"] = str(100 * MEGABYTE)
    try:
        response = door.post("/api/v1/messages", content=chunks(), headers=headers)
    except (httpx.WriteError, httpx.RemoteProtocolError, httpx.ReadError):
        # The server answered and closed while the rest was still being sent.
        response = None
    if response is not None:
        check_refusal(response, 413, "body_too_large")
    assert citizen.say("护照怎么办").card("service")["id"] == "passport"


def check_refusal(response: httpx.Response, status: int, code: str | None = None) -> None:
    """Check status, code and that the message is Chinese and tells nothing of our insides."""
    assert response.status_code == status, response.text
    error = response.json()["error"]
    assert set(error) == {"code", "message"}
    if code is not None:
        assert error["code"] == code
    assert any("\u4e00" <= character <= "\u9fff" for character in error["message"]), error
    for inside in ("Traceback", "Error:", "pydantic", "/work", ".py"):
        assert inside not in response.text

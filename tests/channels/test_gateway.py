from __future__ import annotations

import random
import time
from collections.abc import Iterator
from typing import Any

import pytest
from PIL import Image
from sqlalchemy import select

from base.errors import ConfigurationError
from channels.gateway.app import CONTENT_SECURITY_POLICY, create_app
from store.database import unit_of_work
from store.models import Media
from store.people import last_message_id, queue_message
from store.privacy import reveal
from tests.channels.clips import mp4
from tests.channels.conftest import Gateway, refusal, replying
from tests.channels.photos import attachment, b64, dms, encoded, exif, scene

CITIZEN = "api:c-1"
RAW = b'{"conversation_id": "c-1", "channel": "api", "text": "%s"}'


def said(text: str = "你好", *attachments: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return {
        "conversation_id": "c-1",
        "channel": "api",
        "text": text,
        "attachments": list(attachments),
        **changes,
    }


def clip(data: bytes) -> dict[str, str]:
    return {"type": "video", "content_type": "video/mp4", "data": b64(data)}


def test_an_answer_has_the_form_of_the_contract(gateway: Gateway) -> None:
    card = {"kind": "service", "id": "passport", "title": "护照", "fields": {"费用": "120元"}}
    gateway.rasa.answer = replying(
        {"text": "要带：\n1. 身份证", "buttons": [{"title": "多少钱", "payload": "/ask_fee"}]},
        {"custom": {"cards": [card]}},
        intent={"name": "ask_materials", "confidence": 0.97},
        entities=[{"entity": "service_item", "value": "护照", "start": 0, "end": 2}],
    )
    with gateway.api() as http:
        response = http.post("/api/v1/messages", json=said("护照要带什么"))
    assert response.status_code == 200
    assert response.json() == {
        "conversation_id": "c-1",
        "transcript": None,
        "understanding": {
            "intent": "ask_materials",
            "confidence": 0.97,
            "entities": [{"entity": "service_item", "value": "护照"}],
            "category": None,
        },
        "replies": [
            {
                "text": "要带：\n1. 身份证",
                "speech": "要带：第一，身份证。",
                "buttons": [{"title": "多少钱", "payload": "/ask_fee"}],
                "cards": [],
            },
            {"text": "", "speech": "", "buttons": [], "cards": [card]},
        ],
    }
    heard = gateway.rasa.heard[0]
    assert (heard["sender"], heard["channel"]) == (CITIZEN, "api")
    assert heard["message"] == heard["metadata"]["text"] == "护照要带什么"
    assert gateway.rasa.tokens[-1] == "test-rasa-token"


def test_a_described_problem_has_a_category(gateway: Gateway) -> None:
    told = {"name": "report_pollution", "confidence": 0.9}
    gateway.rasa.answer = replying({"text": "在什么地方？"}, intent=told)
    with gateway.api() as http:
        answer = http.post("/api/v1/messages", json=said("楼下餐馆油烟太大了")).json()
        assert answer["understanding"]["category"] == "air.cooking_fume"
        answer = http.post("/api/v1/messages", json=said("/report_pollution")).json()
        assert answer["understanding"]["category"] is None


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("/affirm", "/affirm"),
        ("/restart", "restart"),
        ("/session_start", "session_start"),
        ("//affirm", "affirm"),
        ("？？？", "/nlu_fallback"),
        ("/", "/nlu_fallback"),
        ("  你好  ", "你好"),
    ],
)
def test_what_rasa_is_told(gateway: Gateway, text: str, told: str) -> None:
    with gateway.api() as http:
        assert http.post("/api/v1/messages", json=said(text)).status_code == 200
    assert gateway.rasa.heard[0]["message"] == told


def test_photos_and_points_reach_the_actions(gateway: Gateway) -> None:
    written = exif((dms(30, 16, 26.76), "N"), (dms(120, 9, 18.36), "E"))
    point = {"type": "location", "latitude": 30.2, "longitude": 120.1}
    body = said("", attachment(encoded(scene(), exif=written)), point)
    with gateway.api() as http:
        assert http.post("/api/v1/messages", json=body).status_code == 200
    heard = gateway.rasa.heard[0]
    assert heard["message"] == "/attach"
    shared, photo = heard["metadata"]["locations"]
    assert shared == {"latitude": 30.2, "longitude": 120.1, "source": "shared"}
    assert photo["source"] == "photo"
    assert photo["latitude"] == pytest.approx(30.2741, abs=1e-6)
    assert len(heard["metadata"]["photos"]) == 1
    assert (heard["metadata"]["videos"], heard["metadata"]["taken_at"]) == ([], [])


def test_words_are_read_while_their_photo_is_looked_at(gateway: Gateway) -> None:
    with gateway.api() as http:
        photo = attachment(encoded(scene()))
        assert http.post("/api/v1/messages", json=said("烟很呛", photo)).status_code == 200
        ahead, message = gateway.rasa.heard
        assert ahead == {"message": "烟很呛"}
        assert message["message"] == "烟很呛"
        gateway.rasa.heard.clear()
        for body in (said("烟很呛"), said("/affirm", attachment(encoded(scene(2))))):
            assert http.post("/api/v1/messages", json=body).status_code == 200
    assert all("sender" in body for body in gateway.rasa.heard)


def test_an_assistant_that_cannot_read_ahead_still_answers(gateway: Gateway) -> None:
    answer = replying({"text": "收到。"})
    gateway.rasa.answer = lambda body: answer(body) if "sender" in (body or {}) else (404, b"{}")
    with gateway.api() as http:
        response = http.post(
            "/api/v1/messages", json=said("路灯坏了", attachment(encoded(scene(3))))
        )
    assert response.json()["replies"][0]["text"] == "收到。"


def test_a_video_and_the_time_of_a_photo_reach_the_actions(gateway: Gateway) -> None:
    video = {"type": "video", "content_type": "video/webm", "data": b64(mp4())}
    picture = encoded(scene(80, 50), exif=exif(taken="2026:11:20 08:30:00"))
    with gateway.api() as http:
        answer = http.post("/api/v1/messages", json=said("", attachment(picture), video))
    assert answer.status_code == 200
    metadata = gateway.rasa.heard[0]["metadata"]
    assert metadata["taken_at"] == ["2026-11-20T08:30:00+08:00"]
    assert (len(metadata["photos"]), len(metadata["videos"])) == (1, 1)
    with unit_of_work() as session:
        media = session.get_one(Media, metadata["videos"][0])
        assert (media.content_type, media.perceptual_hash) == ("video/mp4", None)
        photo = session.get_one(Media, metadata["photos"][0])
        assert photo.perceptual_hash is not None
        evidence = reveal(session, photo, "evidence", actor="test", purpose="test")
    assert evidence == {"taken_at": "2026-11-20T08:30:00+08:00"}


def test_the_same_photo_again_is_the_same_photo(gateway: Gateway) -> None:
    """Sent twice, once smaller and without its place: one photo, which keeps its place."""
    picture = smoke()
    place = exif((dms(30, 16, 26.76), "N"), (dms(120, 9, 18.36), "E"))
    small = encoded(picture.resize((300, 200)), quality=60)
    whole = encoded(picture, quality=95, exif=place)
    with gateway.api() as http:
        for parts in ((small,), (whole, small), (encoded(picture.rotate(180)),)):
            body = said("", *map(attachment, parts), conversation_id="c-again")
            assert http.post("/api/v1/messages", json=body).status_code == 200
        other = said("", attachment(small), conversation_id="c-other")
        assert http.post("/api/v1/messages", json=other).status_code == 200
    first, again, turned, others = (heard["metadata"]["photos"] for heard in gateway.rasa.heard)
    assert first == again
    assert len({*first, *turned, *others}) == 3
    with unit_of_work() as session:
        media = session.get_one(Media, first[0])
        assert reveal(session, media, "evidence", actor="t", purpose="t")["latitude"] > 30


def smoke() -> Image.Image:
    """A picture with something in it: soft random shapes."""
    noise = Image.frombytes("L", (12, 8), random.Random(7).randbytes(96))
    return noise.resize((600, 400), Image.Resampling.BICUBIC).convert("RGB")


def test_a_store_that_is_away_is_told_and_nothing_is_half_kept(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    body = said("", attachment(encoded(scene(90, 60))), conversation_id="c-full")
    with gateway.api() as http:
        with monkeypatch.context() as context:
            context.setattr("store.blobs.os.fsync", full)
            response = http.post("/api/v1/messages", json=body)
        assert refusal(response) == (503, "media_unavailable")
        assert not gateway.rasa.heard
        with unit_of_work() as session:
            rows = select(Media).where(Media.citizen_id == "api:c-full")
            assert session.scalars(rows).all() == []
        assert http.post("/api/v1/messages", json=body).status_code == 200


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (said(""), 422, "message_empty"),
        (said("  "), 422, "message_empty"),
        (said("长" * 2001), 413, "text_too_long"),
        (said("", attachment(b"no photo")), 415, "photo_not_image"),
        (said("", attachment(encoded(scene(640, 480))[:3000])), 422, "photo_broken"),
        (said("", attachment(bytes(300_100))), 413, "photo_too_large"),
        (said("", *[attachment(encoded(scene()))] * 4), 422, "too_many_photos"),
        (
            said("", {"type": "location", "latitude": 91, "longitude": 0}),
            422,
            "location_out_of_range",
        ),
        (
            said("", {"type": "audio", "content_type": "audio/wav", "data": b64(b"RIFF")}),
            422,
            "speech_unavailable",
        ),
        (
            said("", {"type": "audio", "content_type": "audio/wav", "data": "?"}),
            422,
            "audio_broken",
        ),
        (said("", clip(b"no video")), 415, "video_not_video"),
        (said("", clip(mp4()[:-1])), 422, "video_broken"),
        (said("", clip(bytes(500_100))), 413, "video_too_large"),
        (said("", clip(mp4()), clip(mp4())), 422, "too_many_videos"),
        (said(conversation_id="a b"), 422, "request_invalid"),
        (said(channel="a:b"), 422, "request_invalid"),
        (said(extra=1), 422, "request_invalid"),
        (said(text=5), 422, "request_invalid"),
        (said("", {"type": "video", "data": ""}), 422, "request_invalid"),
        ([], 422, "request_invalid"),
        ("你好", 422, "request_invalid"),
    ],
)
def test_refusals(gateway: Gateway, body: Any, status: int, code: str) -> None:
    with gateway.api() as http:
        assert refusal(http.post("/api/v1/messages", json=body)) == (status, code)
    assert not gateway.rasa.heard


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (b"{", (400, "json_malformed")),
        (b"", (422, "request_invalid")),
        (RAW % b"\xff", (400, "request_refused")),
    ],
)
def test_malformed_bodies(gateway: Gateway, raw: bytes, expected: tuple[int, str]) -> None:
    with gateway.api() as http:
        response = http.post(
            "/api/v1/messages", content=raw, headers={"Content-Type": "application/json"}
        )
    assert refusal(response) == expected


def test_half_an_emoji_does_not_lose_the_message(gateway: Gateway) -> None:
    """JavaScript cuts strings between surrogates; no encoding carries the half that is left."""
    raw = RAW % "油烟太大".encode()
    with gateway.api() as http:
        response = http.post(
            "/api/v1/messages",
            content=raw.replace(b'"}', b'\\ud83d"}'),
            headers={"Content-Type": "application/json"},
        )
    assert response.status_code == 200
    assert gateway.rasa.heard[0]["message"] == "油烟太大"


@pytest.mark.parametrize(
    "given",
    [None, "", "Bearer", "Bearer wrong", "test-api-key", "bearer test-api-key", "Bearer é"],
)
def test_the_api_wants_its_key(gateway: Gateway, given: str | None) -> None:
    headers = {} if given is None else {"Authorization": given.encode("latin-1")}
    with gateway.client() as http:
        for method in ("GET", "POST"):
            response = http.request(method, "/api/v1/messages", json=said(), headers=headers)
            assert refusal(response) == (401, "unauthorized")
    assert not gateway.rasa.heard


def broken(status: int, data: bytes) -> Any:
    return lambda _: (status, data)


def slow(_: Any) -> tuple[int, bytes]:
    time.sleep(1.6)
    return 200, b"{}"


@pytest.mark.parametrize(
    "answer",
    [
        broken(500, b"{}"),
        broken(401, b"{}"),
        broken(200, b"<html>"),
        broken(200, b""),
        broken(200, b"[]"),
        broken(200, b"null"),
        broken(200, b'{"replies": []}'),
        broken(200, b'{"replies": {}, "understanding": {}}'),
        broken(302, b""),
        replying(),
        slow,
    ],
    ids=[
        "500",
        "401",
        "html",
        "empty",
        "list",
        "null",
        "half",
        "odd",
        "redirect",
        "silent",
        "slow",
    ],
)
def test_a_failing_rasa_is_a_503(gateway: Gateway, answer: Any) -> None:
    gateway.rasa.answer = answer
    with gateway.api() as http:
        started = time.monotonic()
        response = http.post("/api/v1/messages", json=said())
        assert refusal(response) == (503, "assistant_unavailable")
        assert time.monotonic() - started < 5
        gateway.rasa.answer = replying({"text": "您好"})
        assert http.post("/api/v1/messages", json=said()).status_code == 200


def test_an_unexpected_error_is_a_500_that_says_nothing(gateway: Gateway) -> None:
    gateway.rasa.answer = replying({"custom": {"cards": [{"kind": "secret-detail"}]}})
    with gateway.api() as http:
        response = http.post("/api/v1/messages", json=said())
    assert refusal(response) == (500, "unexpected")
    assert "secret-detail" not in response.text
    assert response.headers["Content-Security-Policy"] == CONTENT_SECURITY_POLICY
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert len(response.headers["X-Trace-Id"]) == 32


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/", 200),
        ("GET", "/static/js/main.js", 200),
        ("GET", "/static/js/none.js", 404),
        ("GET", "/static/../routes.py", 404),
        ("GET", "/static/%2e%2e/routes.py", 404),
        ("GET", "/api/v1/health", 200),
        ("GET", "/api/v1/messages?conversation_id=c-1", 401),
        ("GET", "/nothing", 404),
        ("GET", "/docs", 404),
        ("GET", "/openapi.json", 404),
        ("DELETE", "/api/v1/messages", 405),
        ("POST", "/web/session", 403),
        ("GET", "/web/events", 401),
        ("POST", "/webhooks/dispatch", 401),
        ("GET", "/media/" + "0" * 32, 403),
        ("GET", "/media/x", 422),
        ("GET", "/media/" + "0" * 32 + "/public", 403),
        ("GET", "/media/" + "0" * 32 + "/original", 422),
    ],
)
def test_every_answer_carries_the_security_headers(
    gateway: Gateway, method: str, path: str, status: int
) -> None:
    with gateway.client() as http:
        response = http.request(method, path)
    assert response.status_code == status
    assert response.headers["Content-Security-Policy"] == CONTENT_SECURITY_POLICY
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Referrer-Policy"] == "no-referrer"
    assert "geolocation=(self)" in response.headers["Permissions-Policy"]
    assert "server" not in response.headers
    if status >= 400:
        refusal(response)


def test_the_page_needs_no_exception_from_its_policy(gateway: Gateway) -> None:
    with gateway.client() as http:
        page = http.get("/").text
    assert "unsafe" not in CONTENT_SECURITY_POLICY
    assert "<style" not in page
    assert " style=" not in page
    assert " onclick=" not in page
    assert "<script>" not in page


def chunks(size: int) -> Iterator[bytes]:
    yield b'{"conversation_id": "c-1", "channel": "api", "text": "'
    for _ in range(size // 10_000):
        yield b"x" * 10_000
    yield b'"}'


@pytest.mark.parametrize("path", ["/api/v1/messages", "/web/messages", "/webhooks/dispatch"])
def test_a_body_is_cut_off_while_it_arrives(gateway: Gateway, path: str) -> None:
    """Chunked: no Content-Length says beforehand how much is coming."""
    with gateway.api() as http:
        response = http.post(
            path, content=chunks(2_500_000), headers={"Content-Type": "application/json"}
        )
    assert refusal(response) == (413, "body_too_large")
    assert response.headers["Content-Security-Policy"] == CONTENT_SECURITY_POLICY


def test_a_declared_body_is_refused_at_once(gateway: Gateway) -> None:
    with gateway.api() as http:
        response = http.post("/api/v1/messages", content=b"x" * 2_000_001)
    assert refusal(response) == (413, "body_too_large")
    with gateway.api() as http:
        response = http.post("/api/v1/messages", content=chunks(1_000_000))
    assert refusal(response)[0] in (413, 422)
    assert refusal(response)[1] != "body_too_large"


# --- health -----------------------------------------------------------------------------


def test_health_of_a_well_installation(gateway: Gateway) -> None:
    with gateway.client() as http:
        response = http.get("/api/v1/health")
    assert response.status_code == 200
    assert response.json() == {
        "status": "ok",
        "rasa": "ok",
        "actions": "ok",
        "store": "ok",
        "dispatch": "ok",
        "outbox": {},
        "channels": {},
        "speech": {"recogniser": "none", "synthesiser": "none"},
    }


@pytest.mark.parametrize(
    ("part", "name", "status", "word"),
    [
        ("rasa", "rasa", 503, "down"),
        ("actions", "actions", 503, "down"),
        ("desk", "dispatch", 200, "degraded"),
    ],
)
def test_health_names_what_is_down(
    gateway: Gateway, part: str, name: str, status: int, word: str
) -> None:
    getattr(gateway, part).answer = broken(500, b"")
    with gateway.client() as http:
        response = http.get("/api/v1/health")
    assert response.status_code == status
    body = response.json()
    assert body["status"] == word
    assert [key for key, value in body.items() if value == "down" and key != "status"] == [name]


# --- messages with a name ----------------------------------------------------------------


def test_a_message_may_be_named_by_its_sender(gateway: Gateway) -> None:
    message = {"channel": "api", "text": "你好"}
    with gateway.api() as http:
        for conversation in ("c-1", "c-1", "c-2"):
            named = {**message, "conversation_id": conversation, "message_id": "message-1"}
            assert http.post("/api/v1/messages", json=named).status_code == 200
        http.post("/api/v1/messages", json={**message, "conversation_id": "c-1"})
        wrong = {**message, "conversation_id": "c-1", "message_id": "a b"}
        assert refusal(http.post("/api/v1/messages", json=wrong))[0] == 422
    told = [(body["named"], body["metadata"]["message_id"]) for body in gateway.rasa.heard]
    assert [named for named, _ in told] == [True, True, True, False]
    first, again, other, unnamed = (name for _, name in told)
    assert first == again
    assert len({first, other, unnamed}) == 3  # nobody's names are in another's way


# --- pushed messages over the API -------------------------------------------------------


def test_pushed_messages_are_fetched_by_id(gateway: Gateway) -> None:
    with unit_of_work() as session:
        for text in ("一", "二"):
            queue_message(session, "api:c-news", [{"text": text, "buttons": [], "cards": []}])
    with gateway.api() as http:
        query: dict[str, Any] = {"conversation_id": "c-news", "channel": "api"}
        messages = http.get("/api/v1/messages", params=query).json()["messages"]
        assert [m["replies"][0]["text"] for m in messages] == ["一", "二"]
        assert messages[0]["replies"][0]["speech"] == "一。"
        after = http.get("/api/v1/messages", params={**query, "after": messages[0]["id"]}).json()
        assert [m["id"] for m in after["messages"]] == [messages[1]["id"]]
        other = http.get("/api/v1/messages", params={**query, "channel": "cli"}).json()
        assert other["messages"] == []
        for bad in (-1, 2**63, 10**30, "x"):
            response = http.get("/api/v1/messages", params={**query, "after": bad})
            assert refusal(response) == (422, "request_invalid")


def test_messages_are_delivered_when_the_client_says_so(gateway: Gateway) -> None:
    with unit_of_work() as session:
        for text in ("一", "二"):
            queue_message(session, "api:c-ack", [{"text": text, "buttons": [], "cards": []}])

    def confirmed() -> int:
        with unit_of_work() as session:
            return last_message_id(session, "api:c-ack")

    with gateway.api() as http:

        def ask(after: int) -> list[int]:
            query: dict[str, Any] = {"conversation_id": "c-ack", "after": after}
            answer = http.get("/api/v1/messages", params=query).json()
            return [message["id"] for message in answer["messages"]]

        first, second = ask(0)
        assert confirmed() == 0
        assert ask(first) == [second]
        assert confirmed() == first
        assert ask(second) == []
        assert confirmed() == second
        assert ask(0) == [first, second]  # a client that lost its place asks again


# --- configuration ----------------------------------------------------------------------


@pytest.mark.parametrize("name", ["api_key", "data_key", "session_key", "webhook_secret"])
def test_no_gateway_without_its_secrets(gateway: Gateway, name: str) -> None:
    empty = type(getattr(gateway.settings, name))("")
    with pytest.raises(ConfigurationError, match=f"SHIMIN_{name.upper()}"):
        create_app(gateway.settings.model_copy(update={name: empty}))

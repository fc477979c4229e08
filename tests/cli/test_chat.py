"""``shimin chat`` as a process, talking to a real HTTP server."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Run
from tests.serving import http_server

CARD = {"kind": "service", "id": "passport", "title": "护照", "fields": {"费用": "120元"}}
BUTTONS = [
    {"title": "要带什么", "payload": '/ask_materials{"service_id": "passport"}'},
    {"title": "转人工", "payload": "/ask_human"},
]


class Api:
    """Keeps what it is sent; ``answers`` are given in turn, then the last one again."""

    def __init__(self) -> None:
        self.sent: list[dict[str, Any]] = []
        self.keys: set[str] = set()
        self.answers: list[tuple[int, bytes]] = [
            reply(text="您好", speech="您好。", buttons=BUTTONS, cards=[CARD])
        ]
        self.news: list[dict[str, Any]] = []
        self.url = ""


def reply(**given: Any) -> tuple[int, bytes]:
    return 200, json.dumps({"conversation_id": "c", "replies": [given]}).encode()


@pytest.fixture
def api() -> Iterator[Api]:
    kept = Api()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            kept.sent.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            kept.keys.add(self.headers["Authorization"])
            self._send(*(kept.answers.pop(0) if len(kept.answers) > 1 else kept.answers[0]))

        def do_GET(self) -> None:
            after = int(self.path.rsplit("after=", 1)[1])
            waiting = [message for message in kept.news if message["id"] > after]
            self._send(200, json.dumps({"messages": waiting}).encode())

        def _send(self, status: int, data: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *args: Any) -> None:
            pass

    with http_server(Handler) as kept.url:
        yield kept


def talk(shimin: Run, api: Api, *lines: str) -> str:
    typed = "\n".join(lines) + "\n"
    done = shimin("chat", "--url", api.url, "--conversation", "c-9", typed=typed)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_words_buttons_and_cards(shimin: Run, api: Api) -> None:
    output = talk(shimin, api, "护照怎么办", "1", "7", "", "/quit", "没有发出去")
    assert [body["text"] for body in api.sent] == ["护照怎么办", BUTTONS[0]["payload"], "7"]
    assert all(body["conversation_id"] == "c-9" for body in api.sent)
    assert all(body["channel"] == "cli" for body in api.sent)
    assert api.keys == {"Bearer test-api-key"}
    assert "市民：您好" in output
    assert "[护照] 费用：120元" in output
    assert "[1]要带什么  [2]转人工" in output


def test_photos_and_places(shimin: Run, api: Api, tmp_path: Path) -> None:
    photo = tmp_path / "a.png"
    photo.write_bytes(b"\x89PNG")
    output = talk(
        shimin,
        api,
        f"/photo {photo} 油烟太大",
        f"/photo {tmp_path}/none.jpg",
        "/place 30.2741 120.1551 就在这里",
        "/place 30,-120.5",
        "/place 1.2.3 4",
    )
    with_photo, here, there, words = api.sent
    assert with_photo["text"] == "油烟太大"
    (attached,) = with_photo["attachments"]
    assert (attached["type"], attached["content_type"]) == ("photo", "image/png")
    assert base64.b64decode(attached["data"]) == b"\x89PNG"
    assert "找不到文件" in output
    point = {"type": "location", "latitude": 30.2741, "longitude": 120.1551}
    assert (here["text"], here["attachments"]) == ("就在这里", [point])
    assert there["attachments"][0]["longitude"] == -120.5
    assert (words["text"], words.get("attachments")) == ("/place 1.2.3 4", None)


def test_news_is_shown_once(shimin: Run, api: Api) -> None:
    news = {"text": "您的工单已办结。", "buttons": [], "cards": []}
    api.news = [{"id": 4, "replies": [news]}]
    output = talk(shimin, api, "/news", "/news", "你好")
    assert output.count("您的工单已办结。") == 1
    assert len(api.sent) == 1


def test_trouble_is_told_and_the_talk_goes_on(shimin: Run, api: Api) -> None:
    error = {"error": {"code": "assistant_unavailable", "message": "系统正忙，请稍后。"}}
    api.answers = [(503, json.dumps(error).encode()), (502, b"<html>"), *api.answers]
    output = talk(shimin, api, "你好", "你好", "你好")
    assert "市民：系统正忙，请稍后。" in output
    assert "连接不上" in output
    assert "市民：您好" in output


def test_nobody_there(shimin: Run) -> None:
    done = shimin("chat", "--url", "http://127.0.0.1:9", typed="你好\n")
    assert done.returncode == 0, done.stderr
    assert "连接不上" in done.stdout

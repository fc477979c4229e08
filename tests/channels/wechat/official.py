"""The platform's HTTP side, written from its documentation, and what its servers push.

It is strict: a call with a wrong token, an unknown field or a text that is too long gets the
error code the documentation gives for it.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from threading import Lock
from typing import Any
from urllib.parse import parse_qs, urlsplit
from xml.sax.saxutils import escape

import httpx
from defusedxml.ElementTree import fromstring
from wechatpy.crypto import WeChatCrypto

from tests.serving import http_server

APP_ID, SECRET, TOKEN = "wx1234567890abcdef", "s" * 32, "citytoken"
AES_KEY = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"
ACCOUNT = "gh_0123456789ab"
MENU_LIMITS = (3, 5, 16, 60)
"""Entries, entries below one, bytes of a name there and there."""


class Official:
    """State of the stand-in; tests read and change it."""

    def __init__(self) -> None:
        self.url = ""
        self.lock = Lock()
        self.tokens = 0
        self.token = ""
        self.forced = 0
        self.good_for = 7200
        self.sent: list[tuple[str, str]] = []
        self.notices: list[dict[str, Any]] = []
        self.menus: list[dict[str, Any]] = []
        self.media: dict[str, tuple[str, bytes]] = {}
        self.errors: list[int] = []
        """Codes of the next customer-service messages; 0 takes one."""
        self.notice_error = 0
        self.before_send: Callable[[], None] = lambda: None

    def texts(self, openid: str) -> list[str]:
        return [text for to, text in self.sent if to == openid]

    # --- calls ----------------------------------------------------------------------------

    def stable_token(self, body: dict[str, Any]) -> dict[str, Any]:
        if set(body) != {"grant_type", "appid", "secret", "force_refresh"}:
            return _error(44002)
        if body["grant_type"] != "client_credential":
            return _error(40002)
        if (body["appid"], body["secret"]) != (APP_ID, SECRET):
            return _error(40013 if body["appid"] != APP_ID else 40125)
        with self.lock:
            self.tokens += 1
            self.forced += body["force_refresh"]
            if not self.token or body["force_refresh"]:
                self.token = f"token-{self.tokens}-{time.monotonic_ns()}"
            return {"access_token": self.token, "expires_in": self.good_for}

    def send(self, body: dict[str, Any]) -> dict[str, Any]:
        self.before_send()
        if set(body) != {"touser", "msgtype", "text"} or body["msgtype"] != "text":
            return _error(40008)
        text = body["text"]["content"]
        if not text:
            return _error(44004)
        if len(text.encode()) > 2048:
            return _error(45002)
        with self.lock:
            code = self.errors.pop(0) if self.errors else 0
            if code == 0:
                self.sent.append((body["touser"], text))
        return _error(code)

    def notify(self, body: dict[str, Any]) -> dict[str, Any]:
        if not {"touser", "template_id", "data"} <= set(body) <= {
            "touser", "template_id", "data", "page", "miniprogram",
        }:  # fmt: skip
            return _error(47003)
        for name, field in body["data"].items():
            if set(field) != {"value"} or not _fits(name, field["value"]):
                return _error(47003)
        if self.notice_error:
            return _error(self.notice_error)
        with self.lock:
            self.notices.append(body)
        return _error(0)

    def create_menu(self, body: dict[str, Any]) -> dict[str, Any]:
        most, below, short, long = MENU_LIMITS
        buttons = body["button"]
        if not 1 <= len(buttons) <= most:
            return _error(40016)
        for button in buttons:
            entries = button.get("sub_button", [])
            leaves = entries or [button]
            if len(entries) > below:
                return _error(40023)
            if len(button["name"].encode()) > short or any(
                len(leaf["name"].encode()) > long for leaf in leaves
            ):
                return _error(40018)
            if any(leaf["type"] != "click" or len(leaf["key"]) > 128 for leaf in leaves):
                return _error(40019)
        self.menus.append(body)
        return _error(0)


def _fits(name: str, value: str) -> bool:
    kind = name.rstrip("0123456789")
    if not value or "\n" in value:
        return False
    longest = {"thing": 20, "character_string": 32, "phrase": 5, "number": 32, "name": 10}
    if kind in ("character_string", "number") and not value.isascii():
        return False
    return kind in ("time", "date") or len(value) <= longest[kind]


def _error(code: int) -> dict[str, Any]:
    return {"errcode": code, "errmsg": "ok" if code == 0 else "error"}


@contextmanager
def official_platform() -> Iterator[Official]:
    official = Official()
    calls = {
        "/cgi-bin/message/custom/send": official.send,
        "/cgi-bin/message/subscribe/bizsend": official.notify,
        "/cgi-bin/menu/create": official.create_menu,
    }

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            parts = urlsplit(self.path)
            raw = self.rfile.read(int(self.headers["Content-Length"]))
            body = json.loads(raw)
            if b"\\u" in raw:
                self._json(_error(40033))  # 不合法的请求字符，不能包含\uxxxx格式的字符
            elif parts.path == "/cgi-bin/stable_token":
                self._json(official.stable_token(body))
            elif parts.path not in calls:
                self._json(_error(40066))
            elif self._token(parts.query) != official.token:
                self._json(_error(40001))
            else:
                self._json(calls[parts.path](body))

        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            if parts.path.startswith("/films/"):
                self._give("video/mp4", official.media[parts.path][1])
                return
            assert parts.path == "/cgi-bin/media/get"
            media_id = parse_qs(parts.query)["media_id"][0]
            if self._token(parts.query) != official.token:
                self._json(_error(42001))
            elif media_id not in official.media:
                self._json(_error(40007))
            else:
                self._give(*official.media[media_id])

        def _token(self, query: str) -> str:
            return parse_qs(query).get("access_token", [""])[0]

        def _json(self, body: dict[str, Any]) -> None:
            self._give("application/json; encoding=utf-8", json.dumps(body).encode())

        def _give(self, kind: str, data: bytes) -> None:
            try:
                self.send_response(200)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)
            except (BrokenPipeError, ConnectionResetError):
                pass  # a file that is too large is not read to its end

        def log_message(self, *args: Any) -> None:
            pass

    with http_server(Handler) as url:
        official.url = url
        yield official


def wechat_settings(official: Official, aes_key: str = AES_KEY) -> dict[str, str]:
    """Environment of an installation that this account belongs to."""
    values = {
        "APP_ID": APP_ID, "APP_SECRET": SECRET, "TOKEN": TOKEN, "AES_KEY": aes_key,
        "API_URL": official.url,
    }  # fmt: skip
    return {f"SHIMIN_WECHAT_{name}": value for name, value in values.items()}


class Servers:
    """The platform's servers, which push: in plain form, or encrypted with a key.

    A message's id is never used again, whichever of them pushes it.
    """

    _ids = itertools.count(6_000_000_000_000_000)

    def __init__(self, gateway: str, aes_key: str = "") -> None:
        self._url = f"{gateway}/webhooks/wechat"
        self._crypto = WeChatCrypto(TOKEN, aes_key, APP_ID) if aes_key else None

    def message(self, openid: str, kind: str, **fields: Any) -> str:
        """The XML of a message with an id of its own."""
        return self._xml(openid, kind, MsgId=next(self._ids), **fields)

    def event(self, openid: str, event: str, **fields: Any) -> str:
        return self._xml(openid, "event", Event=event, **fields)

    def _xml(self, openid: str, kind: str, **fields: Any) -> str:
        fields = {
            "ToUserName": ACCOUNT, "FromUserName": openid, "CreateTime": int(time.time()),
            "MsgType": kind, **fields,
        }  # fmt: skip
        nodes = "".join(f"<{name}>{escape(str(value))}</{name}>" for name, value in fields.items())
        return f"<xml>{nodes}</xml>"

    def push(self, xml: str, **query: str) -> httpx.Response:
        """Push; ``query`` overrides what belongs in the address."""
        stamp, nonce = str(int(time.time())), str(next(self._ids))[-9:]
        signed = {"timestamp": stamp, "nonce": nonce, "signature": sign(stamp, nonce)}
        if self._crypto is not None:
            outer = fromstring(self._crypto.encrypt_message(xml, nonce, stamp))
            signed |= {"encrypt_type": "aes", "msg_signature": outer.findtext("MsgSignature")}
            xml = f"<xml><ToUserName>{ACCOUNT}</ToUserName>"
            xml += f"<Encrypt>{outer.findtext('Encrypt')}</Encrypt></xml>"
        return self.post(xml.encode(), {**signed, **query})

    def post(self, body: bytes, query: dict[str, str]) -> httpx.Response:
        return httpx.post(self._url, params=query, content=body, timeout=90)

    def said(self, response: httpx.Response) -> str | None:
        """The text of a passive reply; None for ``success``. Anything else is no answer."""
        assert response.status_code == 200, response.text
        if response.text == "success":
            return None
        xml = response.text
        if self._crypto is not None:
            outer = fromstring(xml)
            found = {name: outer.findtext(name) for name in ("MsgSignature", "TimeStamp", "Nonce")}
            xml = self._crypto.decrypt_message(
                {"Encrypt": outer.findtext("Encrypt")},
                found["MsgSignature"], found["TimeStamp"], found["Nonce"],
            )  # fmt: skip
        reply = fromstring(xml)
        assert reply.findtext("MsgType") == "text"
        assert reply.findtext("FromUserName") == ACCOUNT
        text = reply.findtext("Content")
        assert text and len(text.encode()) <= 2048
        return str(text)


def sign(stamp: str, nonce: str, token: str = TOKEN) -> str:
    return hashlib.sha1("".join(sorted([token, stamp, nonce])).encode()).hexdigest()

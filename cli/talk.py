"""``shimin chat``: talk to a running assistant in the terminal."""

from __future__ import annotations

import base64
import mimetypes
import re
import secrets
from pathlib import Path
from typing import Annotated, Any

import httpx
import typer

from base.settings import get_settings

_HELP = """输入文字就能聊。按钮前有编号，输入编号就等于按按钮。
  /photo 文件路径 [文字]     发照片
  /place 纬度 经度 [文字]    发位置
  /news                      看有没有进展通知
  /quit                      退出"""
_PLACE = re.compile(r"^/place\s+(-?\d+(?:\.\d+)?)[\s,，]+(-?\d+(?:\.\d+)?)(?:\s+(.*))?$")
_PHOTO = re.compile(r"^/photo\s+(\S+)\s*(.*)$")


def chat(
    url: Annotated[str, typer.Option(help="Base URL of the gateway.")] = "",
    conversation: Annotated[str, typer.Option(help="Continue this conversation.")] = "",
) -> None:
    """Chat in the terminal through the Chat API."""
    settings = get_settings()
    base = url or f"http://{settings.gateway_host}:{settings.gateway_port}"
    key = settings.api_key.get_secret_value()
    with httpx.Client(
        base_url=base, headers={"Authorization": f"Bearer {key}"}, timeout=60
    ) as http:
        _Terminal(http, conversation or f"cli-{secrets.token_hex(4)}").run()


class _Terminal:
    """One terminal conversation."""

    def __init__(self, http: httpx.Client, conversation: str) -> None:
        self._http = http
        self._conversation = conversation
        self._buttons: list[dict[str, str]] = []
        self._seen = 0

    def run(self) -> None:
        """Read lines until the end of input or ``/quit``."""
        typer.echo(f"会话 {self._conversation}\n{_HELP}")
        while True:
            try:
                line = input("\n您：").strip()
            except (EOFError, KeyboardInterrupt):
                break
            if line == "/quit":
                break
            if line and line != "/news":
                self._send(line)
            self._news()

    def _send(self, line: str) -> None:
        body = self._body(line)
        if body is None:
            return
        try:
            response = self._http.post("/api/v1/messages", json=body)
            answer = response.json()
        except (httpx.HTTPError, ValueError) as error:
            typer.echo(f"连接不上（{type(error).__name__}），请确认 make run 已经启动。")
            return
        if "error" in answer:
            typer.echo(f"市民：{answer['error']['message']}")
            return
        self._show(answer["replies"])

    def _body(self, line: str) -> dict[str, Any] | None:
        body: dict[str, Any] = {"conversation_id": self._conversation, "channel": "cli"}
        if line.isdecimal() and 0 < int(line) <= len(self._buttons):
            return {**body, "text": self._buttons[int(line) - 1]["payload"]}
        if place := _PLACE.match(line):
            point = {
                "type": "location",
                "latitude": float(place[1]),
                "longitude": float(place[2]),
            }
            return {**body, "text": place[3] or "", "attachments": [point]}
        if photo := _PHOTO.match(line):
            path = Path(photo[1]).expanduser()
            if not path.is_file():
                typer.echo(f"找不到文件：{path}")
                return None
            kind = mimetypes.guess_type(path.name)[0] or "image/jpeg"
            data = base64.b64encode(path.read_bytes()).decode()
            attachment = {"type": "photo", "content_type": kind, "data": data}
            return {**body, "text": photo[2], "attachments": [attachment]}
        return {**body, "text": line}

    def _news(self) -> None:
        query: dict[str, str | int] = {
            "conversation_id": self._conversation,
            "channel": "cli",
            "after": self._seen,
        }
        try:
            messages = self._http.get("/api/v1/messages", params=query).json()["messages"]
        except (httpx.HTTPError, ValueError, KeyError):
            return
        for message in messages:
            self._seen = message["id"]
            self._show(message["replies"])

    def _show(self, replies: list[dict[str, Any]]) -> None:
        for reply in replies:
            typer.echo(f"市民：{reply['text']}")
            for card in reply["cards"]:
                fields = "；".join(f"{k}：{v}" for k, v in card["fields"].items())
                typer.echo(f"  [{card['title']}] {fields}")
            if reply["buttons"]:
                self._buttons = reply["buttons"]
                choices = "  ".join(f"[{i}]{b['title']}" for i, b in enumerate(self._buttons, 1))
                typer.echo(f"  {choices}")

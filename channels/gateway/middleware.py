"""Two ASGI layers around the application: a body limit and security headers."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from channels.gateway.errors import refusal

_MESSAGE = "发送的内容太大了，请减少照片数量或压缩后再发。"


class _BodyTooLargeError(Exception):
    pass


class BodyLimit:
    """Refuses bodies above ``limit`` bytes while they arrive: 413 ``body_too_large``."""

    def __init__(self, app: ASGIApp, limit: int) -> None:
        self._app = app
        self._limit = limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, counting its body."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        declared = dict(scope["headers"]).get(b"content-length", b"0")
        if declared.isdigit() and int(declared) > self._limit:
            await refusal(413, "body_too_large", _MESSAGE)(scope, receive, send)
            return
        seen = 0
        started = False

        async def counted() -> Message:
            nonlocal seen
            message = await receive()
            seen += len(message.get("body", b""))
            if seen > self._limit:
                raise _BodyTooLargeError
            return message

        async def held_back(message: Message) -> None:
            """Drop what the application makes of a broken-off body (FastAPI: a 400)."""
            nonlocal started
            if seen <= self._limit:
                started = True
                await send(message)

        with suppress(_BodyTooLargeError):
            await self._app(scope, counted, held_back)
        if seen > self._limit and not started:
            await refusal(413, "body_too_large", _MESSAGE)(scope, receive, send)


class SecurityHeaders:
    """Adds ``headers`` to every response that does not set them itself."""

    def __init__(self, app: ASGIApp, headers: Mapping[str, str]) -> None:
        self._app = app
        self._headers = headers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on and complete the head of the response."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def completed(message: Message) -> None:
            if message["type"] == "http.response.start":
                present = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    present.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, completed)

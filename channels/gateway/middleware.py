"""ASGI layers around the application: a body limit, security headers, times for Prometheus."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping
from contextlib import suppress

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from base.metrics import REQUEST_SECONDS
from channels.gateway.errors import refusal

_MESSAGE = "发送的内容太大了，请减少照片数量或压缩后再发。"


class _BodyTooLargeError(Exception):
    pass


class BodyLimit:
    """Refuses bodies while they arrive: 413 ``body_too_large``.

    Args:
        app: what comes next.
        limit: bytes of a body on the paths in ``large``, which take photos.
        small: bytes of a body anywhere else.
        large: the paths that take photos.
    """

    def __init__(
        self, app: ASGIApp, limit: int, small: int | None = None, large: Collection[str] = ()
    ) -> None:
        self._app = app
        self._limit = limit
        self._small = limit if small is None else small
        self._large = frozenset(large)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, counting its body."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        limit = self._limit if scope["path"] in self._large else self._small
        declared = dict(scope["headers"]).get(b"content-length", b"0")
        if declared.isdigit() and int(declared) > limit:
            await refusal(413, "body_too_large", _MESSAGE)(scope, receive, send)
            return
        seen = 0
        started = False

        async def counted() -> Message:
            nonlocal seen
            message = await receive()
            seen += len(message.get("body", b""))
            if seen > limit:
                raise _BodyTooLargeError
            return message

        async def held_back(message: Message) -> None:
            """Drop what the application makes of a broken-off body (FastAPI: a 400)."""
            nonlocal started
            if seen <= limit:
                started = True
                await send(message)

        with suppress(_BodyTooLargeError):
            await self._app(scope, counted, held_back)
        if seen > limit and not started:
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
                if present.get("content-type", "").startswith("application/json"):
                    present.setdefault("Cache-Control", "no-store")
            await send(message)

        await self._app(scope, receive, completed)


class Measure:
    """Observes how long each request waits for the head of its answer.

    The route's pattern is the label, never the path: paths carry names that nobody may guess,
    and anybody can ask for any number of them.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on and observe it; one without an answer counts as 500."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = time.perf_counter()
        observed = False

        def observe(status: int) -> None:
            nonlocal observed
            observed = True
            route = getattr(scope.get("route"), "path", "unmatched")
            method = scope["method"] if route != "unmatched" else "any"
            taken = time.perf_counter() - began
            REQUEST_SECONDS.labels(method, route, str(status)).observe(taken)

        async def watched(message: Message) -> None:
            if message["type"] == "http.response.start":
                observe(message["status"])
            await send(message)

        try:
            await self._app(scope, receive, watched)
        finally:
            if not observed:
                observe(500)

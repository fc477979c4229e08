"""Small ASGI middlewares and the form reader shared by the API and the pages."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from fastapi import HTTPException, Request
from starlette.datastructures import MutableHeaders, UploadFile
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dispatch.desk.forms import MAX_MEDIA

logger = logging.getLogger(__name__)

_MAX_FIELDS = 400
_FORM_TYPES = frozenset({"application/x-www-form-urlencoded", "multipart/form-data"})


@dataclass(frozen=True)
class PostedForm:
    """The text fields of a form, and the bytes of its files."""

    fields: Mapping[str, list[str]]
    files: tuple[bytes, ...] = field(default=(), repr=False)

    def one(self, name: str) -> str:
        """Return a field's first value, empty when it was not sent."""
        values = self.fields.get(name)
        return values[0] if values else ""


async def read_form(request: Request) -> PostedForm:
    """Read an urlencoded or multipart body.

    Raises:
        HTTPException: 415 for another content type, 400 for a malformed or overfull body, 413
            for one that is too large.
    """
    kind = request.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if kind not in _FORM_TYPES:
        raise HTTPException(415, "the body must be form-urlencoded or multipart")
    fields: dict[str, list[str]] = {}
    files: list[bytes] = []
    async with request.form(max_files=MAX_MEDIA, max_fields=_MAX_FIELDS) as form:
        for name, value in form.multi_items():
            if isinstance(value, UploadFile):
                if value.size:
                    files.append(await value.read())
            else:
                fields.setdefault(name, []).append(value)
    return PostedForm(fields, tuple(files))


def query_fields(request: Request) -> dict[str, list[str]]:
    """Return the query parameters with all their values."""
    fields: dict[str, list[str]] = {}
    for name, value in request.query_params.multi_items():
        fields.setdefault(name, []).append(value)
    return fields


def origin_of(url: str) -> str:
    """Return the origin (scheme, host and port) of an address."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


class BodyLimit:
    """Refuses bodies over ``max_bytes`` with 413, also when their length was not announced."""

    def __init__(self, app: ASGIApp, max_bytes: int) -> None:
        self._app = app
        self._max_bytes = max_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one ASGI connection."""
        taken = 0

        async def counted() -> Message:
            nonlocal taken
            message = await receive()
            taken += len(message.get("body", b""))
            if taken > self._max_bytes:
                raise HTTPException(413, f"the body is larger than {self._max_bytes} bytes")
            return message

        await self._app(scope, counted, send)


class SecurityHeaders:
    """Adds the headers that keep a page from loading, leaking or being framed by others.

    Args:
        app: the application within.
        image_origins: origins besides our own that photos may come from.
    """

    def __init__(self, app: ASGIApp, image_origins: tuple[str, ...]) -> None:
        self._app = app
        images = " ".join(dict.fromkeys(("'self'", *image_origins)))
        self._headers = {
            "Content-Security-Policy": (
                f"default-src 'none'; style-src 'self'; img-src {images}; form-action 'self'; "
                "base-uri 'none'; frame-ancestors 'none'"
            ),
            "X-Content-Type-Options": "nosniff",
            "X-Frame-Options": "DENY",
            "Referrer-Policy": "same-origin",
            "Cross-Origin-Opener-Policy": "same-origin",
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one ASGI connection."""

        async def secured(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    headers.setdefault(name, value)
                headers.setdefault("Cache-Control", "no-store")
            await send(message)

        await self._app(scope, receive, secured)


class AccessLog:
    """One line per request: method, route, status, milliseconds.

    The route's pattern is logged, not the path: paths and queries carry tokens and filters.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one ASGI connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        status = 500

        async def watched(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, watched)
        finally:
            route = getattr(scope.get("route"), "path", "unmatched")
            took = (time.perf_counter() - started) * 1000
            logger.info("%s %s %d %.0fms", scope["method"], route, status, took)

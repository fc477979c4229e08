"""HTTP to and from a GeoReport server: sizes and times bounded, every failure named."""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import urlencode

import httpx

from dispatch.open311 import reader
from dispatch.open311.errors import (
    DispatchNotFoundError,
    DispatchRejectedError,
    DispatchUnreachableError,
    DispatchUnreadableError,
)
from dispatch.open311.json_format import Node
from dispatch.open311.models import Upload
from dispatch.open311.writer import Format

MAX_ANSWER_BYTES = 5 * 1024 * 1024
_MAX_CODE_CHARS = 100
_RETRYABLE = frozenset({408, 425, 429})
_MISSING = frozenset({404, 410})

Pairs = list[tuple[str, str]]


class Transport:
    """Sends one request and returns the tree of a successful answer.

    Both methods raise the errors of :mod:`dispatch.open311.errors`.
    """

    def __init__(self, http: httpx.Client, base_url: str, form: Format, timeout: float) -> None:
        self._http = http
        self._base_url = base_url.rstrip("/")
        self._form = form
        self._timeout = timeout

    def get(self, path: str, query: Pairs) -> Node:
        """GET ``{base}/{path}.{format}``."""
        suffix = f"?{urlencode(query)}" if query else ""
        return self._send("GET", path, suffix=suffix)

    def post(
        self,
        path: str,
        fields: Pairs,
        headers: Mapping[str, str],
        uploads: tuple[Upload, ...] = (),
    ) -> Node:
        """POST form fields; as multipart with ``media`` parts when there are ``uploads``."""
        if uploads:
            parts: list[tuple[str, tuple[str | None, bytes, str | None]]] = [
                (name, (None, value.encode(), None)) for name, value in fields
            ]
            parts += [("media", (item.filename, item.data, item.content_type)) for item in uploads]
            multipart = httpx.Request("POST", self._base_url, files=parts)
            content, kind = multipart.read(), multipart.headers["Content-Type"]
        else:
            content = urlencode(fields).encode()
            kind = "application/x-www-form-urlencoded; charset=utf-8"
        return self._send("POST", path, content=content, headers={**headers, "Content-Type": kind})

    def _send(
        self,
        method: str,
        path: str,
        *,
        suffix: str = "",
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Node:
        url = f"{self._base_url}/{path}.{self._form}{suffix}"
        try:
            with self._http.stream(
                method,
                url,
                content=content,
                headers=headers,
                timeout=self._timeout,
                follow_redirects=False,
            ) as response:
                body = self._body(response)
        except httpx.DecodingError as error:
            raise DispatchUnreadableError(f"{method} /{path}: damaged compression") from error
        except httpx.HTTPError as error:
            problem = f"{method} /{path}: {type(error).__name__}: {error}"
            raise DispatchUnreachableError(problem) from error
        if not response.is_success:
            raise _refusal(response, body)
        return reader.read_tree(body, response.headers.get("Content-Type", ""))

    def _body(self, response: httpx.Response) -> bytes:
        deadline = time.monotonic() + self._timeout
        chunks: list[bytes] = []
        size = 0
        for chunk in response.iter_bytes():
            size += len(chunk)
            if size > MAX_ANSWER_BYTES:
                if not response.is_success:
                    return b""  # the status alone says enough
                raise DispatchUnreadableError(
                    f"answer is larger than {MAX_ANSWER_BYTES} bytes", status=response.status_code
                )
            if time.monotonic() > deadline:
                raise DispatchUnreachableError(f"answer took longer than {self._timeout} s")
            chunks.append(chunk)
        return b"".join(chunks)


def _refusal(
    response: httpx.Response, body: bytes
) -> DispatchRejectedError | DispatchUnreachableError:
    """Turn an answer that is not a success into the error it means.

    Its detail is logged and kept as it is, so of the answer only the error codes go there:
    servers repeat the citizen's words in their descriptions.
    """
    status = response.status_code
    codes = ""
    try:
        errors = reader.read_errors(
            reader.read_tree(body, response.headers.get("Content-Type", ""))
        )
        known = ("", str(status))
        codes = "; ".join(error.code for error in errors if error.code not in known)
    except DispatchUnreadableError as error:
        codes = error.detail
    detail = f"HTTP {status}: {codes[:_MAX_CODE_CHARS]}" if codes else f"HTTP {status}"
    if response.is_redirect:
        detail = f"HTTP {status}: moved to {response.headers.get('Location', '')[:200]}"
    if status >= 500 or status in _RETRYABLE:
        wait = retry_after(response.headers.get("Retry-After"))
        return DispatchUnreachableError(detail, status=status, retry_after=wait)
    if status in _MISSING:
        return DispatchNotFoundError(detail, status=status)
    return DispatchRejectedError(detail, status=status)


def retry_after(header: str | None) -> float | None:
    """Read Retry-After (RFC 9110, 10.2.3), seconds or an HTTP date, as seconds from now."""
    if header is None:
        return None
    if header.isascii() and header.isdigit():
        return float(header[:9])
    try:
        moment = parsedate_to_datetime(header)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, (moment - datetime.now(UTC)).total_seconds())

"""Posted forms: read once, of limited size, and made by our own pages only."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import parse_qs

from fastapi import Depends, Request

from channels.console.areas import visitor_of

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
"""Methods of requests that change nothing (RFC 9110, 9.2.1)."""
_LARGEST_FORM = 100_000
_MOST_FIELDS = 80


class Form:
    """The fields of a posted form."""

    def __init__(self, fields: dict[str, list[str]]) -> None:
        self._fields = fields

    def one(self, name: str) -> str:
        """Return a field, empty when it was not sent."""
        return self._fields.get(name, [""])[0]


async def own_form(request: Request) -> Form:
    """Return what was posted, once it carries the token that its session's pages carry.

    Every route of the console depends on this, after the dependency that says who may come
    (``channels.console.pages.console_router``). A request that changes nothing has no form.

    Raises:
        ForeignFormError: the token is missing, or another session's.
    """
    if request.method in SAFE_METHODS:
        return Form({})
    form = await _read(request)
    visitor_of(request).check(form.one("csrf"))
    return form


Posted = Annotated[Form, Depends(own_form)]
"""The form in a handler: the one that :func:`own_form` has read for its router."""


async def _read(request: Request) -> Form:
    """Read an urlencoded body of at most 100 kB; anything else is an empty form."""
    raw = b""
    async for chunk in request.stream():
        raw += chunk
        if len(raw) > _LARGEST_FORM:
            return Form({})
    try:
        text = raw.decode("ascii")
        fields = parse_qs(text, keep_blank_values=True, max_num_fields=_MOST_FIELDS)
    except ValueError:
        return Form({})
    return Form(fields)

"""JSON bytes to the neutral tree (dict, list, str, number, bool, None)."""

from __future__ import annotations

import json

from dispatch.open311.errors import DispatchUnreadableError

Node = dict[str, "Node"] | list["Node"] | str | int | float | bool | None
"""What both formats are read into before any field is looked at."""


def read_json(body: bytes, charset: str | None = None) -> Node:
    """Parse a JSON answer; ``charset`` is the one the server declared, used when not UTF-8.

    Raises:
        DispatchUnreadableError: not text in a known charset, not JSON, or nested absurdly deep.
    """
    try:
        tree: Node = json.loads(_decode(body, charset))
    except (ValueError, RecursionError) as error:
        raise DispatchUnreadableError(f"not JSON: {str(error)[:120]}") from error
    return tree


def _decode(body: bytes, charset: str | None) -> str:
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError:
        if charset is None or charset.lower() in {"utf-8", "utf8"}:
            raise
    try:
        return body.decode(charset)
    except LookupError as error:
        raise ValueError(f"unknown charset {charset[:40]!r}") from error

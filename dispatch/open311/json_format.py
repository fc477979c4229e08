"""JSON bytes to the neutral tree (dict, list, str, number, bool, None)."""

from __future__ import annotations

import json
import re

from dispatch.open311.errors import DispatchUnreadableError

Node = dict[str, "Node"] | list["Node"] | str | int | float | bool | None
"""What both formats are read into before any field is looked at."""


# The specification's own examples write numbers JSON does not know ("service_code":001). Texts
# are matched first and kept, so only a bare number is put between quotes.
_TEXT_OR_PADDED = re.compile(r'("(?:[^"\\]|\\.)*")|(?<![\w.+-])(0\d+)(?![\w.])')


def read_json(body: bytes, charset: str | None = None) -> Node:
    """Parse a JSON answer; ``charset`` is the one the server declared, used when not UTF-8.

    A number with leading zeros, as in the specification's examples, is read as text.

    Raises:
        DispatchUnreadableError: not text in a known charset, not JSON, or nested absurdly deep.
    """
    try:
        tree: Node = _parse(_decode(body, charset))
    except (ValueError, RecursionError) as error:
        raise DispatchUnreadableError(f"not JSON: {str(error)[:120]}") from error
    return tree


def _parse(text: str) -> Node:
    try:
        tree: Node = json.loads(text)
    except json.JSONDecodeError:
        mended = _TEXT_OR_PADDED.sub(lambda found: found[1] or f'"{found[2]}"', text)
        if mended == text:
            raise
        tree = json.loads(mended)
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

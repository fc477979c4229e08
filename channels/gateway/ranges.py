"""A part of a file, as players of videos ask for it (RFC 9110, 14)."""

from __future__ import annotations

import re
from collections.abc import Mapping

from fastapi.responses import Response

_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")


def ranged(data: bytes, asked: str, media_type: str, headers: Mapping[str, str]) -> Response:
    """Return ``data``, or the one part that a ``Range`` header asks for.

    Args:
        data: the whole file.
        asked: the header's value; one that cannot be understood, or names several parts, is
            ignored as the standard allows.
        media_type: content type of the file.
        headers: further headers of the answer.

    Returns:
        200 with everything, 206 with a part, or 416 when the part lies outside.
    """
    given = {**headers, "Accept-Ranges": "bytes"}
    match = _RANGE.fullmatch(asked.strip())
    if match is None or match.groups() == ("", ""):
        return Response(data, media_type=media_type, headers=given)
    first, last = match.groups()
    if first:
        start, stop = int(first), min(int(last) + 1 if last else len(data), len(data))
        if last and int(last) < int(first):
            return Response(data, media_type=media_type, headers=given)
    else:
        start, stop = max(0, len(data) - int(last)), len(data)
    if start >= stop:
        return Response(status_code=416, headers={"Content-Range": f"bytes */{len(data)}"})
    given["Content-Range"] = f"bytes {start}-{stop - 1}/{len(data)}"
    return Response(data[start:stop], 206, media_type=media_type, headers=given)

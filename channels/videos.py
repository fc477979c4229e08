"""Short videos: telling their kind, checking that they are whole, removing their metadata.

MP4 and QuickTime (ISO 14496-12) are trees of boxes. A box that says where, when or with what a
video was taken is turned into a ``free`` box of the same length filled with zeros, so nothing
else moves. WebM and Matroska are recognised, but not rewritten.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

_EBML = b"\x1a\x45\xdf\xa3"
_DOCTYPE = b"\x42\x82"
_STILL = (b"hei", b"hev", b"mif", b"msf", b"avi", b"M4A", b"M4B")  # brands: pictures, sound
_METADATA = frozenset({b"udta", b"meta", b"uuid", b"free", b"skip"})
_TIMED = frozenset({b"mvhd", b"tkhd", b"mdhd"})
_SHOWN = frozenset({b"vide", b"soun"})
_PARENTS = frozenset({b"moov", b"trak", b"mdia", b"minf", b"stbl", b"moof", b"traf"})
_DEPTH = 8


@dataclass(frozen=True)
class _Box:
    """A box: ``start`` of its head, ``body`` behind it, ``end``, as positions in the file."""

    kind: bytes
    start: int
    body: int
    end: int


def video_type(data: bytes) -> str | None:
    """Return the content type of an MP4, QuickTime, WebM or Matroska file, else None."""
    if data[4:8] == b"ftyp":
        brand = data[8:12]
        if brand[:3] in _STILL:
            return None
        return "video/quicktime" if brand == b"qt  " else "video/mp4"
    if data.startswith(_EBML):
        at = data.find(_DOCTYPE, 4, 64)
        name = data[at + 3 : at + 11] if at > 0 else b""
        if name.startswith(b"webm"):
            return "video/webm"
        return "video/x-matroska" if name.startswith(b"matroska") else None
    return None


def without_metadata(data: bytes, content_type: str) -> bytes:
    """Return an MP4 or QuickTime file without place, times, device and metadata tracks.

    Picture and sound stay as they are, byte for byte; WebM and Matroska come back unchanged.

    Raises:
        ValueError: the boxes do not fit together (a truncated file).
    """
    if content_type not in {"video/mp4", "video/quicktime"}:
        return data
    bare = bytearray(data)
    try:
        boxes = list(_boxes(data, 0, len(data)))
        if not {b"moov", b"mdat"} <= {box.kind for box in boxes}:
            raise ValueError("no moov or no mdat")
        for box in boxes:
            _clean(bare, box, 0)
    except (struct.error, IndexError) as error:
        raise ValueError(f"malformed box: {error}") from error
    return bytes(bare)


def _boxes(data: bytes | bytearray, start: int, end: int) -> Iterator[_Box]:
    while start + 8 <= end:
        size, kind = struct.unpack_from(">I4s", data, start)
        body = start + 8
        if size == 1:
            (size,) = struct.unpack_from(">Q", data, body)
            body += 8
        stop = end if size == 0 else start + size
        if stop < body or stop > end:
            raise ValueError(f"box {kind!r} at {start} leaves its place")
        yield _Box(kind, start, body, stop)
        start = stop


def _clean(data: bytearray, box: _Box, depth: int) -> None:
    if depth > _DEPTH:
        raise ValueError("boxes are nested too deeply")
    if box.kind in _METADATA:
        _blank(data, box)
    elif box.kind == b"trak" and _handler(data, box) not in _SHOWN:
        _erase_samples(data, box)
        _blank(data, box)
    elif box.kind in _TIMED:
        width = 16 if data[box.body] == 1 else 8  # creation and modification time
        if box.body + 4 + width > box.end:
            raise ValueError("a header box is too short")
        data[box.body + 4 : box.body + 4 + width] = bytes(width)
    elif box.kind in _PARENTS:
        for child in list(_boxes(data, box.body, box.end)):
            _clean(data, child, depth + 1)


def _blank(data: bytearray, box: _Box) -> None:
    data[box.start + 4 : box.start + 8] = b"free"
    data[box.body : box.end] = bytes(box.end - box.body)


def _find(data: bytearray, box: _Box, *path: bytes) -> _Box | None:
    for kind in path:
        found = [child for child in _boxes(data, box.body, box.end) if child.kind == kind]
        if not found:
            return None
        box = found[0]
    return box


def _handler(data: bytearray, track: _Box) -> bytes:
    box = _find(data, track, b"mdia", b"hdlr")
    return b"" if box is None else bytes(data[box.body + 8 : box.body + 12])


def _erase_samples(data: bytearray, track: _Box) -> None:
    """Fill with zeros what a metadata track (GPS of a dash camera) says, chunk by chunk."""
    table = _find(data, track, b"mdia", b"minf", b"stbl")
    boxes = {} if table is None else {b.kind: b for b in _boxes(data, table.body, table.end)}
    if b"stsz" not in boxes or b"stsc" not in boxes:
        return
    sizes = _sizes(data, boxes[b"stsz"])
    place, form = (boxes.get(b"co64"), "Q") if b"co64" in boxes else (boxes.get(b"stco"), "I")
    chunks = [] if place is None else _table(data, place, form)
    runs = _table(data, boxes[b"stsc"], "III")
    firsts = [*runs[::3], len(chunks) + 1]
    sample = 0
    for (first, following), count in zip(pairwise(firsts), runs[1::3], strict=True):
        for chunk in chunks[first - 1 : following - 1]:
            length = sum(sizes[sample : sample + count])
            sample += count
            stop = min(len(data), chunk + length)
            if chunk < stop:
                data[chunk:stop] = bytes(stop - chunk)


def _sizes(data: bytearray, box: _Box) -> list[int]:
    same, count = struct.unpack_from(">II", data, box.body + 4)
    if same:
        return [same] * min(count, len(data))
    return _table(data, box, "I", skip=8)


def _table(data: bytearray, box: _Box, form: str, skip: int = 4) -> list[int]:
    """Read ``count`` entries of ``form`` behind version, flags and ``skip`` bytes."""
    (count,) = struct.unpack_from(">I", data, box.body + skip)
    if count * struct.calcsize(f">{form}") > box.end - box.body:
        raise ValueError(f"table {box.kind!r} is longer than its box")
    return list(struct.unpack_from(f">{form * count}", data, box.body + skip + 4))

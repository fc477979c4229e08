"""Small videos, box by box: no picture in them, but everything a container has."""

from __future__ import annotations

import struct

PLACE = b"+30.2741+120.1551/"
GPS = b"$GPRMC,083000,A,3016.44,N"
PICTURE = b"picture and sound, as they were"


def box(kind: bytes, *parts: bytes) -> bytes:
    body = b"".join(parts)
    return struct.pack(">I4s", 8 + len(body), kind) + body


def full(kind: bytes, *parts: bytes, version: int = 0) -> bytes:
    return box(kind, bytes((version, 0, 0, 0)), *parts)


def track(handler: bytes, offset: int, sizes: list[int], wide: bool) -> bytes:
    chunk = (
        full(b"co64", struct.pack(">IQ", 1, offset))
        if wide
        else full(b"stco", struct.pack(">II", 1, offset))
    )
    table = box(
        b"stbl",
        full(b"stsc", struct.pack(">IIII", 1, 1, len(sizes), 1)),
        full(b"stsz", struct.pack(f">II{len(sizes)}I", 0, len(sizes), *sizes)),
        chunk,
    )
    media = box(
        b"mdia",
        full(b"mdhd", struct.pack(">IIIIHH", 3_800_000_000, 3_800_000_000, 600, 600, 0, 0)),
        full(b"hdlr", bytes(4), handler, bytes(12), b"Core Media\0"),
        box(b"minf", table),
    )
    times = struct.pack(">QQ", 3_800_000_000, 3_800_000_000)
    return box(b"trak", full(b"tkhd", times, bytes(72), version=1), media)


def mp4(brand: bytes = b"mp42", wide: bool = False) -> bytes:
    """A film with a picture track, a GPS track, and the place in three kinds of boxes."""
    head = box(b"ftyp", brand, bytes(4), brand)
    media = box(b"mdat", PICTURE, GPS[:10], GPS[10:])
    first = len(head) + 8
    moov = box(
        b"moov",
        full(b"mvhd", struct.pack(">II", 3_800_000_000, 3_800_000_000), bytes(88)),
        track(b"vide", first, [len(PICTURE)], wide),
        track(b"meta", first + len(PICTURE), [10, len(GPS) - 10], wide),
        box(b"udta", box(b"\xa9xyz", PLACE)),
        full(b"meta", b"TestPhone", PLACE),
    )
    return head + media + moov + box(b"uuid", bytes(16), b"<x:xmpmeta>", PLACE)


def webm(doctype: bytes = b"webm") -> bytes:
    name = b"\x42\x82" + bytes((0x80 | len(doctype),)) + doctype
    return b"\x1a\x45\xdf\xa3" + bytes((0x80 | len(name),)) + name + b"\x18\x53\x80\x67\x80"

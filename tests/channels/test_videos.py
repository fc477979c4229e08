from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.videos import video_type, without_metadata
from tests.channels.clips import GPS, PICTURE, PLACE, box, full, mp4, track, webm

ENDLESS = track(b"meta", 0, [1] * 3, False).replace(b"\0\0\0\3", b"\xff" * 4)


@pytest.mark.parametrize("wide", [False, True], ids=["stco", "co64"])
def test_place_time_device_and_the_gps_track_are_gone(wide: bool) -> None:
    data = mp4(wide=wide)
    assert data.count(PLACE) == 3
    assert GPS in data
    bare = without_metadata(data, "video/mp4")
    for word in (PLACE, b"TestPhone", b"xmpmeta", GPS[:10], GPS[10:], b"udta", b"uuid"):
        assert word not in bare, word
    assert (3_800_000_000).to_bytes(4, "big") not in bare


def test_picture_and_sound_stay_where_they_were() -> None:
    data = mp4()
    bare = without_metadata(data, "video/mp4")
    assert len(bare) == len(data)
    assert bare.index(PICTURE) == data.index(PICTURE)
    assert (bare.count(b"trak"), bare.count(b"vide"), bare.count(b"stco")) == (1, 1, 1)
    assert without_metadata(bare, "video/mp4") == bare


def test_webm_comes_back_as_it_is() -> None:
    assert without_metadata(webm(), "video/webm") == webm()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        mp4()[:-1],
        box(b"ftyp", b"mp42"),
        box(b"ftyp", b"mp42") + box(b"mdat") + box(b"moov", full(b"mvhd")),
        box(b"mdat") + box(b"moov", b"\xff\xff\xff\xfftrak"),
        box(b"mdat")
        + box(b"moov", track(b"meta", 0, [1] * 3, False).replace(b"\0\0\0\3", b"\xff" * 4)),
    ],
    ids=["empty", "cut", "no film", "short header", "too long a child", "endless table"],
)
def test_boxes_that_do_not_fit_are_refused(data: bytes) -> None:
    with pytest.raises(ValueError):
        without_metadata(data, "video/mp4")


@given(st.integers(0, 2**32), st.integers(1, 30))
def test_any_damage_is_refused_or_keeps_the_length(seed: int, count: int) -> None:
    chance = random.Random(seed)
    data = bytearray(mp4())
    for _ in range(count):
        data[chance.randrange(len(data))] = chance.choice((0, 1, 8, 255, chance.randrange(256)))
    try:
        bare = without_metadata(bytes(data), "video/mp4")
    except ValueError:
        return
    assert len(bare) == len(data)


@given(st.binary(max_size=100))
def test_any_bytes_have_a_kind_or_none(data: bytes) -> None:
    kinds = {None, "video/mp4", "video/quicktime", "video/webm", "video/x-matroska"}
    assert video_type(data) in kinds
    assert video_type(b"\0\0\0\x18ftyp" + data) in kinds

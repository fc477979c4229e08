"""Decoding what phones record."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from base.errors import InputError, ShiminError
from speech.audio import RATE, Sound, audio_format, decode
from tests.speech.recordings import CODECS, encoded, tone


@pytest.mark.parametrize("kind", CODECS)
def test_every_kind_becomes_the_same_sound(kind: str) -> None:
    sound = decode(encoded(tone(1.5), kind), 60)
    assert sound.rate == RATE
    assert sound.seconds == pytest.approx(1.5, abs=0.15)
    assert sound.loudest == pytest.approx(-13.5, abs=1.5)
    spectrum = np.abs(np.fft.rfft(sound.samples))
    assert spectrum.argmax() * RATE / len(sound.samples) == pytest.approx(440, abs=3)


@pytest.mark.parametrize("kind", ["amr", "flac", "wav"])
def test_ten_minutes_are_refused_without_being_decoded(kind: str) -> None:
    data = encoded(np.zeros(600 * RATE, np.float32), kind)
    with pytest.raises(InputError) as caught:
        decode(data, 60)
    assert caught.value.code == "audio_too_long"
    assert "60秒" in caught.value.message


@pytest.mark.parametrize("kind", CODECS)
def test_a_truncated_file_gives_what_there_is_or_a_kind_word(kind: str) -> None:
    data = encoded(tone(3), kind)
    try:
        sound = decode(data[: len(data) // 2], 60)
    except InputError as error:
        assert error.code == "audio_broken"
        assert "重新录" in error.message
    else:
        assert 0.5 < sound.seconds < 2.5


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff",
        b"hello, this is no recording",
        b"\x89PNG\r\n\x1a\n" + bytes(100),
        b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n",
        b"ffconcat version 1.0\nfile /etc/passwd\n",
        b"\x02#!SILK_V3" + bytes(50),
    ],
)
def test_other_files_are_no_recordings(data: bytes) -> None:
    with pytest.raises(InputError) as caught:
        decode(data, 60)
    assert caught.value.code == "audio_not_audio"


def test_a_video_without_sound_is_broken() -> None:
    from tests.channels.clips import mp4

    with pytest.raises(InputError) as caught:
        decode(mp4(), 60)
    assert caught.value.code == "audio_broken"


HEADS = (b"RIFF\x00\x00\x00\x00WAVE", b"OggS", b"\x1a\x45\xdf\xa3", b"#!AMR\n", b"fLaC", b"ID3")
HEADS += (b"\x00\x00\x00\x20ftypM4A ", b"\xff\xfb\x90", b"\xff\xf1\x50")


@settings(deadline=None)
@given(st.sampled_from(HEADS), st.binary(max_size=400))
def test_nothing_but_a_friendly_refusal_comes_of_garbage(head: bytes, rest: bytes) -> None:
    assert audio_format(head + rest) is not None
    try:
        decode(head + rest, 5)
    except ShiminError as error:
        assert re.search("[一-鿿]", error.message)


def test_silence_is_told_by_its_level() -> None:
    assert Sound(np.zeros(RATE, np.float32)).is_silent
    assert Sound(np.full(RATE, 0.4, np.float32)).is_silent  # a constant is no sound
    assert Sound(tone(0.1)).is_silent  # a slip of the finger
    assert not Sound(tone(1, level=0.01)).is_silent
    late = np.concatenate([np.zeros(5 * RATE, np.float32), tone(0.3)])
    assert not Sound(late).is_silent


def test_a_wav_file_comes_back_as_it_went() -> None:
    sound = Sound(tone(1))
    again = decode(sound.to_wav(), 60)
    assert np.abs(again.samples - sound.samples).max() < 1e-3

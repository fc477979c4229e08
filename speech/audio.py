"""Recordings as citizens' phones make them, decoded in memory with limits.

FFmpeg's libraries (PyAV) decode every format. Which demuxer reads a file is decided here, by its
first bytes: FFmpeg's own guess would also take play lists, which name other files and addresses.
"""

from __future__ import annotations

import io
import wave
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

import av
import numpy as np
from av.error import FFmpegError
from numpy.typing import NDArray

from base.errors import InputError, TooLargeError

RATE = 16_000
"""Samples a second of everything that is recognised."""

_SILENT_DBFS = -55.0
"""Of the loudest tenth of a second. A quiet room recorded by a phone lies under -60 dBFS, a
voice at arm's length above -40."""
_SHORTEST_SECONDS = 0.25
_FLOOR = 1e-10


@dataclass(frozen=True)
class Sound:
    """Mono samples, float32 in [-1, 1], shape (n,), at ``rate`` samples a second."""

    samples: NDArray[np.float32]
    rate: int = RATE

    @property
    def seconds(self) -> float:
        """Length."""
        return len(self.samples) / self.rate

    @property
    def loudest(self) -> float:
        """Level of the loudest tenth of a second in dBFS, without its constant part."""
        size = self.rate // 10
        whole = len(self.samples) // size * size
        if not whole:
            return -100.0
        windows = self.samples[:whole].reshape(-1, size)
        power = windows.var(axis=1).max()
        return float(10 * np.log10(power + _FLOOR))

    @property
    def is_silent(self) -> bool:
        """Tell whether nobody can have said anything: too quiet or too short."""
        return self.seconds < _SHORTEST_SECONDS or self.loudest < _SILENT_DBFS

    def to_wav(self) -> bytes:
        """Return the sound as a 16-bit WAV file."""
        target = io.BytesIO()
        with wave.open(target, "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(self.rate)
            file.writeframes((np.clip(self.samples, -1, 1) * 32767).astype("<i2").tobytes())
        return target.getvalue()


def audio_format(data: bytes) -> str | None:
    """Return the name of FFmpeg's demuxer for a recording by its first bytes, else None."""
    head = data[:16]
    if head[:4] == b"RIFF" and head[8:12] == b"WAVE":
        return "wav"
    if head[4:8] == b"ftyp":
        return "mp4"
    for start, name in (
        (b"OggS", "ogg"),
        (b"\x1a\x45\xdf\xa3", "matroska"),
        (b"#!AMR", "amr"),
        (b"fLaC", "flac"),
        (b"ID3", "mp3"),
    ):
        if head.startswith(start):
            return name
    if len(head) > 1 and head[0] == 0xFF and head[1] & 0xE0 == 0xE0:
        return "mp3" if head[1] & 0x06 else "aac"  # MPEG audio: layer 0 is ADTS
    return None


def decode(data: bytes, max_seconds: float) -> Sound:
    """Decode a recording to 16 kHz mono.

    WAV, Ogg (Opus, Vorbis), WebM, AMR, MP3, M4A/MP4, AAC and FLAC are read; a file whose end is
    missing gives what there is of it. Decoding stops as soon as it is longer than allowed.

    Args:
        data: the file.
        max_seconds: the longest recording taken.

    Raises:
        InputError: ``audio_not_audio`` (another kind of file), ``audio_broken`` (nothing can be
            decoded).
        TooLargeError: ``audio_too_long``.
    """
    kind = audio_format(data)
    if kind is None:
        raise InputError(
            "audio_not_audio",
            "这个文件不是能听的录音，请按住说话重新录一段，也可以打字告诉我。",
            f"unknown first bytes {data[:8]!r}",
        )
    pieces: list[NDArray[np.float32]] = []
    count, fault = 0, "no sound in it"
    try:
        for piece in _pieces(data, kind):
            pieces.append(piece)
            count += len(piece)
            if count > max_seconds * RATE:
                raise TooLargeError(
                    "audio_too_long",
                    f"这段语音太长了（最多{max_seconds:.0f}秒），我还没有听。"
                    "请一次说一件事，分几段说；也可以打字，或者说“转人工”。",
                    f"more than {max_seconds:.0f} s of {kind}",
                )
    except (FFmpegError, ValueError, IndexError) as error:
        fault = f"{type(error).__name__}: {error}"
    if not count:
        raise InputError(
            "audio_broken",
            "这段语音没有传完整，放不出来，请重新录一次，也可以打字告诉我。",
            f"{kind}: {fault}",
        )
    return Sound(np.concatenate(pieces))


def _pieces(data: bytes, kind: str) -> Iterator[NDArray[np.float32]]:
    """Yield the samples of the first audio track as they are decoded."""
    with av.open(io.BytesIO(data), "r", format=kind, metadata_errors="ignore") as container:
        resampler = av.AudioResampler(format="flt", layout="mono", rate=RATE)
        for frame in container.decode(container.streams.audio[0]):
            frame.pts = None  # gaps and jumps of a broken clock are no silence
            for part in resampler.resample(frame):
                yield part.to_ndarray()[0]
        with suppress(EOFError):
            for part in resampler.resample(None):
                yield part.to_ndarray()[0]

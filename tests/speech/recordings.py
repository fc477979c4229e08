"""Recordings made on the spot: encoded as phones do it, and those nobody speaks in."""

from __future__ import annotations

import io
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

CLIPS = Path(__file__).parent / "clips"
CODECS = {
    "wav": ("wav", "pcm_s16le", 16_000),
    "ogg": ("ogg", "libopus", 48_000),
    "webm": ("webm", "libopus", 48_000),
    "mp3": ("mp3", "libmp3lame", 44_100),
    "m4a": ("ipod", "aac", 44_100),
    "amr": ("amr", "libopencore_amrnb", 8_000),
    "aac": ("adts", "aac", 16_000),
    "flac": ("flac", "flac", 16_000),
}
"""Container, codec and rate of each kind of file."""


def clip(name: str) -> bytes:
    """One of the committed recordings."""
    return (CLIPS / f"{name}.ogg").read_bytes()


def tone(seconds: float, hertz: float = 440.0, level: float = 0.3) -> NDArray[np.float32]:
    time = np.arange(int(seconds * 16_000)) / 16_000
    return (level * np.sin(2 * np.pi * hertz * time)).astype(np.float32)


def music(seconds: float) -> NDArray[np.float32]:
    """Chords of plucked strings, half a second each."""
    rng = np.random.default_rng(5)
    chords = []
    for _ in range(int(seconds * 2)):
        root = 220 * 2 ** (rng.integers(0, 12) / 12)
        notes = [tone(0.5, root * 2 ** (step / 12), 0.12) for step in (0, 4, 7)]
        chords.append(sum(notes) * np.exp(-4 * np.arange(8_000) / 16_000))
    return np.concatenate(chords).astype(np.float32)


def white_noise(seconds: float, level: float = 0.1) -> NDArray[np.float32]:
    noise = np.random.default_rng(3).normal(0, level, int(seconds * 16_000))
    return noise.astype(np.float32)


def encoded(samples: NDArray[np.float32], kind: str) -> bytes:
    """The samples (16 kHz) as a file of this kind."""
    container, codec, rate = CODECS[kind]
    target = io.BytesIO()
    with av.open(target, "w", format=container) as file:
        stream = file.add_stream(codec, rate=rate)
        stream.layout = "mono"
        pcm = (np.clip(samples, -1, 1) * 32767).astype("<i2").reshape(1, -1)
        frame = av.AudioFrame.from_ndarray(pcm, format="s16", layout="mono")
        frame.sample_rate = 16_000
        resampler = av.AudioResampler(
            format=stream.format, layout="mono", rate=rate, frame_size=stream.frame_size or 1024
        )
        for part in (*resampler.resample(frame), *resampler.resample(None)):
            file.mux(stream.encode(part))
        file.mux(stream.encode(None))
    return target.getvalue()

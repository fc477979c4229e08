"""What lies between a voice and the recogniser: a quiet room, a telephone line, a street."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.signal import resample_poly

from speech.audio import RATE, Sound

_A = 87.6
_ALONG = 1 + np.log(_A)
_LEVELS = 127


def over_the_telephone(sound: Sound) -> Sound:
    """Return the sound as a telephone carries it.

    300 to 3400 Hz (ITU-T G.712), 8,000 samples a second of 8 bits in A-law (ITU-T G.711).
    """
    spectrum = np.fft.rfft(sound.samples)
    frequency = np.fft.rfftfreq(len(sound.samples), 1 / sound.rate)
    spectrum[(frequency < 300) | (frequency > 3400)] = 0
    narrow = np.fft.irfft(spectrum, len(sound.samples))[:: RATE // 8000]
    carried = resample_poly(_a_law(narrow), RATE // 8000, 1)
    return Sound(carried.astype(np.float32), RATE)


def with_noise(sound: Sound, decibels: float, seed: int) -> Sound:
    """Return the sound with pink noise so far under it (ratio of mean powers)."""
    noise = _pink(len(sound.samples), np.random.default_rng(seed))
    power = float(np.mean(sound.samples**2)) / 10 ** (decibels / 10)
    scaled = noise * np.sqrt(power / np.mean(noise**2))
    return Sound((sound.samples + scaled).astype(np.float32), sound.rate)


LINES: dict[str, Callable[[Sound, int], Sound]] = {
    "clean": lambda sound, _: sound,
    "telephone": lambda sound, _: over_the_telephone(sound),
    "noise_10db": lambda sound, seed: with_noise(sound, 10, seed),
    "noise_5db": lambda sound, seed: with_noise(sound, 5, seed),
    "telephone_5db": lambda sound, seed: over_the_telephone(with_noise(sound, 5, seed)),
}
"""What a recording, and a seed of the noise, become on each line."""


def _a_law(samples: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the samples after they were compressed, rounded to 8 bits and expanded."""
    size = np.clip(np.abs(samples), 0, 1)
    bent = np.where(size < 1 / _A, _A * size, 1 + np.log(np.maximum(_A * size, 1))) / _ALONG
    rounded = np.round(bent * _LEVELS) / _LEVELS
    flat = rounded < 1 / _ALONG
    expanded = np.where(flat, rounded * _ALONG, np.exp(rounded * _ALONG - 1)) / _A
    return np.asarray(np.sign(samples) * expanded)


def _pink(count: int, rng: np.random.Generator) -> NDArray[np.float64]:
    spectrum = np.fft.rfft(rng.normal(size=count))
    spectrum[1:] /= np.sqrt(np.arange(1, len(spectrum)))
    return np.fft.irfft(spectrum, count)

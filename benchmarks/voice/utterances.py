"""The spoken sentences of the benchmark: held-out texts of the three jobs, read by six voices.

``python -m benchmarks.voice.utterances test 66`` says them and keeps the recordings under
``var/voice-benchmark`` (the extra ``kokoro`` and ``python tools/voices.py`` come first). The
sentences are those of ``nlu_data/heldout``: nothing was trained on them or tuned to them.
"""

from __future__ import annotations

import argparse
import json
import random
import re
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import yaml
from numpy.typing import NDArray

from base.settings import ROOT, VAR, get_settings
from speech.audio import Sound, decode
from speech.kokoro import FOLDER, KokoroSynthesiser

STYLES = ("plain", "colloquial", "elderly")
JOBS = {
    "enquiry": (
        "ask_service", "ask_materials", "ask_place_time", "ask_fee", "ask_duration",
        "ask_appointment",
    ),
    "complaint": ("report_pollution", "report_city_issue", "check_ticket", "supplement_ticket"),
    "policy": ("ask_policy", "ask_policy_detail", "subscribe_policies"),
}  # fmt: skip
VOICES = (
    "zf_xiaobei", "zm_yunxi", "zf_xiaoxiao", "zm_yunyang", "zf_xiaoyi", "zm_yunjian",
)  # fmt: skip
SPEEDS = (1.0, 0.85)
SEED = 20
_SHORTEST, _LONGEST = 7, 28
_ANNOTATION = re.compile(r"\[([^\]]+)\]\([^)]*\)")
_LATIN = re.compile(r"[0-9A-Za-z]")


@dataclass(frozen=True)
class Utterance:
    """A sentence with its annotated intent, and the file and voice it was said with."""

    text: str
    intent: str
    job: str
    voice: str
    speed: float
    file: str


def sentences(half: str) -> dict[str, list[tuple[str, str]]]:
    """Return ``(text, intent)`` of the held-out sentences short enough to be said, by job."""
    found: dict[str, list[tuple[str, str]]] = {job: [] for job in JOBS}
    for style in STYLES:
        path = ROOT / "nlu_data" / "heldout" / "intents" / half / f"{style}.yml"
        for block in yaml.safe_load(path.read_text("utf-8"))["nlu"]:
            job = next((j for j, intents in JOBS.items() if block["intent"] in intents), None)
            for line in block["examples"].splitlines() if job else ():
                text = _ANNOTATION.sub(r"\1", line.removeprefix("- ").strip())
                if _SHORTEST <= len(text) <= _LONGEST and not _LATIN.search(text):
                    found[job].append((text, block["intent"]))  # type: ignore[index]
    return found


def spoken(half: str, count: int) -> list[Utterance]:
    """Say ``count`` sentences, as many of each job, unless they were said before."""
    folder = VAR / "voice-benchmark" / half
    index = folder / f"{count}.json"
    if index.is_file():
        return [Utterance(**row) for row in json.loads(index.read_text("utf-8"))]
    folder.mkdir(parents=True, exist_ok=True)
    rng = random.Random(SEED)
    chosen = [
        (text, intent, job)
        for job, rows in sentences(half).items()
        for text, intent in rng.sample(rows, count // len(JOBS))
    ]
    engines = {v: KokoroSynthesiser(get_settings().model_dir / FOLDER, v) for v in VOICES}
    said = []
    for voice in VOICES:  # one engine at a time in memory
        for number, (text, intent, job) in enumerate(chosen):
            if VOICES[number % len(VOICES)] != voice:
                continue
            speed = SPEEDS[number // len(VOICES) % len(SPEEDS)]
            file = folder / f"{number:03}.wav"
            if not file.is_file():
                file.write_bytes(engines[voice].speak(text, speed))
            said.append(Utterance(text, intent, job, voice, speed, str(file)))
        del engines[voice]
    rows = [asdict(utterance) for utterance in sorted(said, key=lambda u: u.file)]
    index.write_text(json.dumps(rows, ensure_ascii=False, indent=1), "utf-8")
    return [Utterance(**row) for row in rows]


def sound_of(utterance: Utterance) -> Sound:
    """Return the recording at 16 kHz."""
    return decode(Path(utterance.file).read_bytes(), 60)


def over_the_telephone(sound: Sound) -> Sound:
    """Return the sound as a telephone carries it: 300 to 3400 Hz (ITU-T G.712)."""
    spectrum = np.fft.rfft(sound.samples)
    frequency = np.fft.rfftfreq(len(sound.samples), 1 / sound.rate)
    spectrum[(frequency < 300) | (frequency > 3400)] = 0
    return Sound(np.fft.irfft(spectrum, len(sound.samples)).astype(np.float32), sound.rate)


def with_noise(sound: Sound, decibels: float, seed: int) -> Sound:
    """Return the sound with pink noise so far under it (ratio of mean powers)."""
    noise = _pink(len(sound.samples), np.random.default_rng(seed))
    power = float(np.mean(sound.samples**2)) / 10 ** (decibels / 10)
    scaled = noise * np.sqrt(power / np.mean(noise**2))
    return Sound((sound.samples + scaled).astype(np.float32), sound.rate)


def _pink(count: int, rng: np.random.Generator) -> NDArray[np.float64]:
    spectrum = np.fft.rfft(rng.normal(size=count))
    spectrum[1:] /= np.sqrt(np.arange(1, len(spectrum)))
    return np.fft.irfft(spectrum, count)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("half", choices=("dev", "test"))
    parser.add_argument("count", type=int)
    given = parser.parse_args()
    print(len(spoken(given.half, given.count)), "utterances")

"""The spoken sentences of the benchmark: held-out texts of the three jobs, each by two voices.

``python -m benchmarks.voice.utterances test 66`` says them and keeps the recordings under
``var/voice-benchmark`` (the extra ``kokoro`` and ``python tools/voices.py`` come first); what was
said before is not said again. The sentences are those of ``nlu_data/heldout``: nothing was
trained on them, and whatever was tuned was tuned on the other half, ``dev``.
"""

from __future__ import annotations

import argparse
import hashlib
import random
import re
from dataclasses import dataclass
from pathlib import Path

import yaml

from base.settings import ROOT, VAR, get_settings
from speech.audio import Sound, decode
from speech.kokoro import FOLDER, KokoroSynthesiser

KEPT = VAR / "voice-benchmark"
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
    ("zf_xiaobei", "zm_yunxi"),
    ("zf_xiaoxiao", "zm_yunyang"),
    ("zf_xiaoyi", "zm_yunjian"),
)
"""A woman's and a man's voice for each sentence, in turns."""
SPEEDS = (1.0, 0.85)
SEED = 20
_SHORTEST, _LONGEST = 7, 28
_ANNOTATION = re.compile(r"\[([^\]]+)\]\([^)]*\)")
_LATIN = re.compile(r"[0-9A-Za-z]")


@dataclass(frozen=True)
class Utterance:
    """A sentence with its annotated intent, and the voice that says it."""

    text: str
    intent: str
    job: str
    voice: str
    speed: float

    @property
    def key(self) -> str:
        """Name of the recording: what is said, by whom and how fast."""
        said = f"{self.text}|{self.voice}|{self.speed}"
        return hashlib.sha256(said.encode()).hexdigest()[:16]

    @property
    def file(self) -> Path:
        """The recording."""
        return KEPT / "sounds" / f"{self.key}.wav"

    def sound(self) -> Sound:
        """Return the recording at 16 kHz."""
        return decode(self.file.read_bytes(), 60)


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


def chosen(half: str, count: int) -> list[Utterance]:
    """Return ``count`` sentences, as many of each job, each as both of its voices say it.

    The first half says every sentence once, women and men in turns; the second is the other
    voice of each.
    """
    rng = random.Random(SEED)
    drawn = [
        (text, intent, job)
        for job, rows in sentences(half).items()
        for text, intent in rng.sample(rows, count // len(JOBS))
    ]
    return [
        Utterance(
            text,
            intent,
            job,
            VOICES[number % len(VOICES)][(number + turn) % 2],
            SPEEDS[number // 6 % len(SPEEDS)],
        )
        for turn in range(2)
        for number, (text, intent, job) in enumerate(drawn)
    ]


def say(utterances: list[Utterance]) -> None:
    """Record what is not kept yet, one voice after the other."""
    missing = [utterance for utterance in utterances if not utterance.file.is_file()]
    (KEPT / "sounds").mkdir(parents=True, exist_ok=True)
    for voice in dict.fromkeys(utterance.voice for utterance in missing):
        engine = KokoroSynthesiser(get_settings().model_dir / FOLDER, voice)
        for utterance in (u for u in missing if u.voice == voice):
            unfinished = utterance.file.with_suffix(".part")
            unfinished.write_bytes(engine.speak(utterance.text, utterance.speed))
            unfinished.replace(utterance.file)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("half", choices=("dev", "test"))
    parser.add_argument("count", type=int)
    parser.add_argument("first", type=int, nargs="?", help="of the recordings only so many")
    given = parser.parse_args()
    say(chosen(given.half, given.count)[: given.first])

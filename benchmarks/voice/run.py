"""How well spoken sentences are heard, and understood from what was heard.

``python -m benchmarks.voice.run test --count 66 [--real FOLDER] [--json FILE]``. The sentences are
those of :mod:`benchmarks.voice.utterances`: clean, as a telephone carries them (300-3400 Hz), and
with pink noise 10 dB under the voice (every sixth one, both). ``FOLDER`` may hold real recordings
with a ``transcripts.tsv`` (file, tab, words); they are read and kept nowhere. The recogniser is
the one that the settings name.

The character error rate is the edit distance over the length of the reference, marks left out and
digits as they are said. Intents are those of the trained model in ``SHIMIN_MODEL_DIR``.
"""

from __future__ import annotations

import argparse
import json
import resource
import tempfile
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import yaml
from rapidfuzz.distance import Levenshtein

from base.settings import VAR, get_settings
from benchmarks.voice.utterances import (
    JOBS,
    SEED,
    Utterance,
    over_the_telephone,
    sound_of,
    spoken,
    with_noise,
)
from channels.hearing import Hearing
from cli.nlu import parse
from cli.rasa_runtime import MODEL
from speech.audio import Sound, decode
from speech.reading import read_aloud
from speech.recogniser import Transcript

EVERY = 6
"""Of the clean sentences one in so many is also heard over a bad line."""
CONDITIONS: dict[str, Callable[[Sound, int], Sound]] = {
    "clean": lambda sound, _: sound,
    "telephone": lambda sound, _: over_the_telephone(sound),
    "noise_10db": lambda sound, number: with_noise(sound, 10, SEED + number),
}


@dataclass(frozen=True)
class Heard:
    """One sentence in one condition: what came of it, before and after the lexicon."""

    number: int
    condition: str
    raw: str
    mended: str
    confidence: float | None
    unheard: str | None
    seconds: float
    took: float
    cpu: float


def bare(text: str) -> str:
    """Return the characters that count, numbers in words."""
    return "".join(char for char in read_aloud(text) if char.isalnum()).replace("两", "二")


def errors(reference: str, heard: str) -> tuple[int, int]:
    """Return wrong characters and the length of the reference."""
    wanted = bare(reference)
    return int(Levenshtein.distance(wanted, bare(heard))), len(wanted)


def rate(pairs: Iterable[tuple[int, int]]) -> float:
    """Return the error rate over several sentences."""
    wrong, length = map(sum, zip(*pairs, strict=True))
    return float(wrong / length)


def listen(hearing: Hearing, sound: Sound) -> tuple[Transcript, Transcript, float, float]:
    """Return the transcript before and after the lexicon, the seconds it took and those of CPU."""
    wall, cpu = time.perf_counter(), time.process_time()
    raw = hearing.recogniser.recognise(sound)  # type: ignore[union-attr]
    took, used = time.perf_counter() - wall, time.process_time() - cpu
    return raw, hearing.lexicon.repaired(raw), took, used


def intents(texts: list[tuple[str, str]]) -> list[str]:
    """Return what the trained model reads in each text; ``texts`` come with their intent."""
    names = sorted({intent for _, intent in texts})
    found: dict[tuple[str, str], str] = {}
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "voice.yml"
        blocks = []
        for name in names:
            lines = dict.fromkeys(text or "嗯" for text, intent in texts if intent == name)
            blocks.append({"intent": name, "examples": "".join(f"- {line}\n" for line in lines)})
        file.write_text(yaml.safe_dump({"version": "3.1", "nlu": blocks}, allow_unicode=True))
        for record in parse([file], get_settings().model_dir / MODEL):
            found[record["text"], record["intent"]] = record["predicted"]
    return [found[text or "嗯", intent] for text, intent in texts]


def hear(hearing: Hearing, utterances: list[Utterance], kept: Path) -> list[Heard]:
    """Hear every sentence; ``kept`` holds what was heard, so that a broken-off run goes on."""
    rows = []
    if kept.is_file():
        rows = [Heard(**json.loads(line)) for line in kept.read_text("utf-8").splitlines()]
    done = {(row.condition, row.number) for row in rows}
    listen(hearing, sound_of(utterances[0]))  # loads
    for condition, change in CONDITIONS.items():
        for number, utterance in enumerate(utterances):
            left_out = condition != "clean" and number % EVERY
            if left_out or (condition, number) in done:
                continue
            sound = change(sound_of(utterance), number)
            raw, mended, took, cpu = listen(hearing, sound)
            row = Heard(
                number,
                condition,
                raw.text,
                mended.text,
                raw.confidence,
                raw.unheard,
                sound.seconds,
                took,
                cpu,
            )
            rows.append(row)
            with kept.open("a", encoding="utf-8") as file:
                file.write(json.dumps(asdict(row), ensure_ascii=False) + "\n")
    return rows


def measure(half: str, count: int, real: Path | None) -> dict[str, Any]:
    """Hear everything and return the figures."""
    hearing = Hearing(get_settings())
    utterances = spoken(half, count)
    rows = hear(hearing, utterances, VAR / "voice-benchmark" / half / f"heard-{count}.jsonl")
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    meant = [utterances[row.number] for row in rows]
    texts = [(row.mended, said.intent) for row, said in zip(rows, meant, strict=True)]
    read = intents(texts + [(said.text, said.intent) for said in meant])
    lines = [
        {
            **asdict(row),
            "said": said.text,
            "job": said.job,
            "voice": said.voice,
            "intent": said.intent,
            "read": read[at],
            "read_of_text": read[len(rows) + at],
        }
        for at, (row, said) in enumerate(zip(rows, meant, strict=True))
    ]
    report: dict[str, Any] = {"engine": hearing.engine, "peak_mb": round(memory)}
    for condition in CONDITIONS:
        report[condition] = _figures([line for line in lines if line["condition"] == condition])
    report["jobs"] = {job: _figures([x for x in lines if x["job"] == job]) for job in JOBS}
    if real is not None:
        report["real"] = _real(hearing, real)
    return {**report, "sentences": lines}


def _figures(lines: list[dict[str, Any]]) -> dict[str, Any]:
    if not lines:
        return {"sentences": 0}
    seconds = sum(line["seconds"] for line in lines)
    return {
        "sentences": len(lines),
        "cer_raw": round(rate(errors(x["said"], x["raw"]) for x in lines), 4),
        "cer": round(rate(errors(x["said"], x["mended"]) for x in lines), 4),
        "intents": round(sum(x["read"] == x["intent"] for x in lines) / len(lines), 4),
        "intents_of_text": round(
            sum(x["read_of_text"] == x["intent"] for x in lines) / len(lines), 4
        ),
        "unheard": sum(x["unheard"] is not None for x in lines),
        "real_time_factor": round(sum(x["took"] for x in lines) / seconds, 3),
        "cpu_factor": round(sum(x["cpu"] for x in lines) / seconds, 3),
    }


def _real(hearing: Hearing, folder: Path) -> dict[str, Any]:
    pairs, changed = [], 0
    for line in (folder / "transcripts.tsv").read_text("utf-8").splitlines():
        name, words, *_ = line.split("\t")
        data = (folder / name).read_bytes()
        raw, mended, _, _ = listen(hearing, decode(data, 60))
        pairs.append((errors(words, raw.text), errors(words, mended.text)))
        changed += raw.text != mended.text
    return {
        "recordings": len(pairs),
        "cer_raw": round(rate(before for before, _ in pairs), 4),
        "cer": round(rate(after for _, after in pairs), 4),
        "changed_by_lexicon": changed,
    }


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("half", choices=("dev", "test"))
    parser.add_argument("--count", type=int, default=66)
    parser.add_argument("--real", type=Path)
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    report = measure(given.half, given.count, given.real)
    if given.json:
        given.json.write_text(json.dumps(report, ensure_ascii=False, indent=1), "utf-8")
    report.pop("sentences")
    print(json.dumps(report, ensure_ascii=False, indent=1))


if __name__ == "__main__":
    main()

"""How well spoken sentences are heard, and understood from what was heard.

``python -m benchmarks.voice.run test [--json FILE]``. The sentences are those of
:mod:`benchmarks.voice.utterances`, women and men in turns (``--voices 2``: each by one of both),
clean and over the bad lines of :mod:`benchmarks.voice.lines` (``--lines``: some of them). What was
said and what was heard is kept under ``var/voice-benchmark``: a run that was broken off goes on.
The recogniser is the one that the settings name; intents are those of the trained model in
``SHIMIN_MODEL_DIR``.

``--real FOLDER`` hears the recordings of a folder with a ``transcripts.tsv`` (file, tab, words);
nothing of them is kept but what ``--json`` writes.

``--timing 10`` only measures time and memory, on so many clean recordings, in one or two minutes:
run it where nothing else runs.

The character error rate is the edit distance over the length of the reference, marks left out and
digits as they are said.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import yaml

from base.errors import ConfigurationError
from base.settings import get_settings
from benchmarks.voice.figures import errors, figures, rate, table
from benchmarks.voice.lines import LINES
from benchmarks.voice.memory import Memory
from benchmarks.voice.utterances import JOBS, SEED, VOICES, Utterance, chosen
from channels.hearing import Hearing
from channels.spoken import is_doubtful
from cli.nlu import parse
from cli.rasa_runtime import MODEL
from speech.audio import Sound, decode
from speech.recogniser import Transcript

_SECONDS = 60

Heard = tuple[Utterance, str, Transcript]
"""A recording, the line it came over, and the recogniser's own words."""


def recordings(half: str, count: int, first: int) -> list[Utterance]:
    """Return the first recordings of the sentences, made now where they are not kept.

    Another process says them, so that its memory is not taken for the recogniser's.
    """
    utterances = chosen(half, count)[:first]
    if not all(utterance.file.is_file() for utterance in utterances):
        module = [sys.executable, "-m", "benchmarks.voice.utterances"]
        subprocess.run([*module, half, str(count), str(first)], check=True)
    return utterances


def hear_all(
    hearing: Hearing, utterances: list[Utterance], lines: Sequence[str]
) -> Iterator[Heard]:
    """Yield what is heard of every recording on each line, before the lexicon."""
    memory = Memory(hearing.engine, get_settings())
    for line in lines:
        for utterance in utterances:
            heard = memory.get(utterance.key, line)
            if heard is None:
                sound = LINES[line](utterance.sound(), SEED + int(utterance.key[:8], 16))
                heard = memory.add(utterance.key, line, listen(hearing, sound))
            yield utterance, line, heard


def listen(hearing: Hearing, sound: Sound) -> Transcript:
    """Return the recogniser's own words."""
    if hearing.recogniser is None:
        raise ConfigurationError("no recogniser is configured")
    return hearing.recogniser.recognise(sound)


def understandings(texts: set[str]) -> dict[str, dict[str, Any]]:
    """Return the trained model's understanding of each text, as Rasa's server words it."""
    examples = "".join(f"- {text}\n" for text in sorted(texts))
    document = {"version": "3.1", "nlu": [{"intent": "any", "examples": examples}]}
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "voice.yml"
        file.write_text(yaml.safe_dump(document, allow_unicode=True), "utf-8")
        records = parse([file], get_settings().model_dir / MODEL)
    return {
        record["text"]: {
            "intent": {"name": record["predicted"], "confidence": record["confidence"]}
        }
        for record in records
    }


def measure(half: str, count: int, voices: int, lines: Sequence[str]) -> dict[str, Any]:
    """Hear everything and return the figures, and each recording with what became of it."""
    settings = get_settings()
    hearing = Hearing(settings)
    heard = list(hear_all(hearing, recordings(half, count, count * voices), lines))
    mended = [hearing.lexicon.repaired(raw) for _, _, raw in heard]
    said = {utterance.text for utterance, *_ in heard}
    read = understandings(said | {transcript.text for transcript in mended if transcript.text})
    nothing = {"intent": {"name": None, "confidence": 0.0}}
    rows = []
    for (utterance, line, raw), transcript in zip(heard, mended, strict=True):
        parsed = read[transcript.text] if transcript.text else nothing
        back = is_doubtful(transcript, transcript.text, parsed, settings.speech_sure)
        rows.append(
            {
                "line": line,
                "job": utterance.job,
                "voice": utterance.voice,
                "speed": utterance.speed,
                "said": utterance.text,
                "raw": raw.text,
                "mended": transcript.text,
                "confidence": raw.confidence,
                "unheard": raw.unheard,
                "intent": utterance.intent,
                "read": parsed["intent"]["name"],
                "read_of_text": read[utterance.text]["intent"]["name"],
                "read_back": back and bool(transcript.text),
            }
        )
    return {"engine": hearing.engine, **_groups(rows), "recordings": rows}


def _groups(rows: list[dict[str, Any]]) -> dict[str, Any]:
    clean = [row for row in rows if row["line"] == "clean"]
    voices = [voice for pair in VOICES for voice in pair]
    return {
        "lines": {name: figures([x for x in rows if x["line"] == name]) for name in LINES},
        "jobs": {name: figures([x for x in clean if x["job"] == name]) for name in JOBS},
        "voices": {name: figures([x for x in clean if x["voice"] == name]) for name in voices},
    }


def measure_real(folder: Path) -> dict[str, Any]:
    """Return the character errors of real recordings, and what was heard in each."""
    hearing = Hearing(get_settings())
    rows = []
    for line in (folder / "transcripts.tsv").read_text("utf-8").splitlines():
        name, words, *_ = line.split("\t")
        raw = listen(hearing, decode((folder / name).read_bytes(), _SECONDS))
        mended = hearing.lexicon.repaired(raw).text
        row = {"file": name, "said": words, "raw": raw.text, "mended": mended}
        rows.append({**row, "confidence": raw.confidence})
    return {
        "engine": hearing.engine,
        "heard": len(rows),
        "cer_raw": rate(errors(row["said"], row["raw"]) for row in rows),
        "cer": rate(errors(row["said"], row["mended"]) for row in rows),
        "changed_by_lexicon": sum(row["raw"] != row["mended"] for row in rows),
        "recordings": rows,
    }


def measure_timing(half: str, count: int, recorded: int) -> dict[str, Any]:
    """Hear ``recorded`` clean recordings afresh and return what that takes.

    Factors are seconds for a second of sound, the lexicon's repair included, loading left out:
    of the clock (``real_time_factor``), and of all processors together (``cpu_factor``).
    """
    utterances = recordings(half, count, recorded)
    sounds = [utterance.sound() for utterance in utterances]
    hearing = Hearing(get_settings())
    before, started = _peak_mb(), time.perf_counter()
    hearing.lexicon.repaired(listen(hearing, sounds[0]))
    loading = time.perf_counter() - started
    clock, cpu = time.perf_counter(), time.process_time()
    for sound in sounds:
        hearing.lexicon.repaired(listen(hearing, sound))
    took, used = time.perf_counter() - clock, time.process_time() - cpu
    seconds = sum(sound.seconds for sound in sounds)
    return {
        "engine": hearing.engine,
        "heard": len(sounds),
        "seconds_of_sound": round(seconds, 1),
        "real_time_factor": round(took / seconds, 3),
        "cpu_factor": round(used / seconds, 3),
        "first_recording_seconds": round(loading, 1),
        "peak_mb": round(_peak_mb()),
        "peak_mb_before_loading": round(before),
        "load_average": round(os.getloadavg()[0], 1),
    }


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("half", choices=("dev", "test"), nargs="?")
    what.add_argument("--real", type=Path, metavar="FOLDER")
    parser.add_argument("--count", type=int, default=66)
    parser.add_argument("--voices", type=int, choices=(1, 2), default=1)
    parser.add_argument("--lines", nargs="+", choices=LINES, default=list(LINES))
    parser.add_argument("--timing", type=int, metavar="RECORDINGS")
    parser.add_argument("--json", type=Path, metavar="FILE")
    given = parser.parse_args()
    if given.real:
        report = measure_real(given.real)
    elif given.timing:
        report = measure_timing(given.half, given.count, given.timing)
    else:
        report = measure(given.half, given.count, given.voices, given.lines)
        print(table({**report["lines"], **report["jobs"], **report["voices"]}))
    if given.json:
        given.json.write_text(json.dumps(report, ensure_ascii=False, indent=1), "utf-8")
    print(json.dumps({k: v for k, v in report.items() if not isinstance(v, dict | list)}))


if __name__ == "__main__":
    main()

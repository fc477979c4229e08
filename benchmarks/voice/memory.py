"""What was heard before, so that a run that was broken off goes on where it stopped."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from base.settings import ROOT, Settings
from benchmarks.voice.utterances import KEPT
from speech.recogniser import Transcript, Unheard, Word

_AFTERWARDS = frozenset({"lexicon.py", "reading.py", "synthesis.py", "kokoro.py"})
"""Of the room ``speech``, what the recogniser's words do not depend on."""


class Memory:
    """Everything that one recogniser, as it is now, has heard: its words before the lexicon.

    Args:
        engine: name of the recogniser.
        settings: they and the code of the recogniser tell whether what is kept is still true.
    """

    def __init__(self, engine: str, settings: Settings) -> None:
        self._file = KEPT / f"heard-{engine}-{_fingerprint(settings)}.jsonl"
        self._heard: dict[tuple[str, str], Transcript] = {}
        if self._file.is_file():
            content = self._file.read_bytes()
            whole = content[: content.rfind(b"\n") + 1]  # the last line may have been cut off
            self._file.write_bytes(whole)
            for row in map(json.loads, whole.decode().splitlines()):
                self._heard[row["key"], row["line"]] = _transcript(row["transcript"])

    def get(self, key: str, line: str) -> Transcript | None:
        """Return what was heard of a recording on this line, None when it was not."""
        return self._heard.get((key, line))

    def add(self, key: str, line: str, transcript: Transcript) -> Transcript:
        """Keep on disk what was heard of a recording on this line, and return it."""
        self._heard[key, line] = transcript
        row = {"key": key, "line": line, "transcript": asdict(transcript)}
        self._file.parent.mkdir(parents=True, exist_ok=True)
        with self._file.open("a", encoding="utf-8") as file:
            file.write(json.dumps(row, ensure_ascii=False) + "\n")
        return transcript


def _transcript(row: dict[str, Any]) -> Transcript:
    return Transcript(
        **{
            **row,
            "words": tuple(Word(**word) for word in row["words"]),
            "alternatives": tuple(row["alternatives"]),
            "unheard": row["unheard"] and Unheard(row["unheard"]),
        }
    )


def _fingerprint(settings: Settings) -> str:
    digest = hashlib.sha256(f"{settings.speech_model_dir}|{settings.speech_url}".encode())
    digest.update(settings.speech_url_model.encode())
    for path in sorted((ROOT / "speech").glob("*.py")):
        if path.name not in _AFTERWARDS:
            digest.update(path.read_bytes())
    digest.update((Path(__file__).parent / "lines.py").read_bytes())
    return digest.hexdigest()[:8]

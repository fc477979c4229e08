"""What was heard before, so that a run that was broken off goes on where it stopped."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from base.settings import ROOT, Settings
from benchmarks.voice.utterances import KEPT
from speech.recogniser import Transcript, Unheard, Word

_AFTERWARDS = frozenset({"lexicon.py", "reading.py", "synthesis.py", "kokoro.py"})
"""Of the room ``speech``, what the recogniser's words do not depend on."""


@dataclass(frozen=True)
class Heard:
    """A recording on one line: the recogniser's own words, before the lexicon.

    ``took`` and ``cpu`` are seconds: of the clock, and of all processors together.
    """

    key: str
    line: str
    transcript: Transcript
    took: float
    cpu: float


class Memory:
    """Everything that one recogniser, as it is now, has heard.

    Args:
        engine: name of the recogniser.
        settings: they and the code of the recogniser tell whether what is kept is still true.
    """

    def __init__(self, engine: str, settings: Settings) -> None:
        self._file = KEPT / f"heard-{engine}-{_fingerprint(settings)}.jsonl"
        self._rows: dict[tuple[str, str], Heard] = {}
        if self._file.is_file():
            content = self._file.read_bytes()
            whole = content[: content.rfind(b"\n") + 1]  # the last line may have been cut off
            self._file.write_bytes(whole)
            for text in whole.decode().splitlines():
                self._take(_heard(json.loads(text)))

    def get(self, key: str, line: str) -> Heard | None:
        """Return what was heard of a recording on this line, None when it was not."""
        return self._rows.get((key, line))

    def add(self, heard: Heard) -> Heard:
        """Keep it on disk."""
        self._take(heard)
        self._file.parent.mkdir(parents=True, exist_ok=True)
        with self._file.open("a", encoding="utf-8") as file:
            file.write(json.dumps(asdict(heard), ensure_ascii=False) + "\n")
        return heard

    def _take(self, heard: Heard) -> None:
        self._rows[heard.key, heard.line] = heard


def _heard(row: dict[str, Any]) -> Heard:
    told = row["transcript"]
    transcript = Transcript(
        **{
            **told,
            "words": tuple(Word(**word) for word in told["words"]),
            "alternatives": tuple(told["alternatives"]),
            "unheard": told["unheard"] and Unheard(told["unheard"]),
        }
    )
    return Heard(**{**row, "transcript": transcript})


def _fingerprint(settings: Settings) -> str:
    digest = hashlib.sha256(f"{settings.speech_model_dir}|{settings.speech_url}".encode())
    digest.update(settings.speech_url_model.encode())
    for path in sorted((ROOT / "speech").glob("*.py")):
        if path.name not in _AFTERWARDS:
            digest.update(path.read_bytes())
    digest.update((Path(__file__).parent / "lines.py").read_bytes())
    return digest.hexdigest()[:8]

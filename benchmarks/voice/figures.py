"""Character errors, intents, and what is read back: the figures of the benchmark."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from rapidfuzz.distance import Levenshtein

from speech.reading import read_aloud

_HEAD = (
    "", "heard", "CER", "mended", "intents", "of the text", "read back", "wrong, not read back",
    "no words",
)  # fmt: skip
_COLUMNS = (
    "heard", "cer_raw", "cer", "intents", "intents_of_text", "read_back", "wrong_unasked",
    "unheard",
)  # fmt: skip


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
    return round(wrong / length, 4)


def figures(lines: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the figures of some recordings.

    - cer_raw, cer: character error rate before and after the lexicon;
    - intents, intents_of_text: share read rightly from the transcript, and from what was said;
    - read_back: share that is read back before it is acted on;
    - wrong_unasked: number of those with a wrong intent that are not, though the text itself
      would have been read rightly;
    - unheard: number of recordings without words.
    """
    if not lines:
        return {"heard": 0}
    share = 1 / len(lines)
    right = [line["read"] == line["intent"] for line in lines]
    right_of_text = [line["read_of_text"] == line["intent"] for line in lines]
    asked = [line["read_back"] or line["unheard"] is not None for line in lines]
    costly = [
        of_text and not ok and not back
        for ok, of_text, back in zip(right, right_of_text, asked, strict=True)
    ]
    return {
        "heard": len(lines),
        "cer_raw": rate(errors(line["said"], line["raw"]) for line in lines),
        "cer": rate(errors(line["said"], line["mended"]) for line in lines),
        "intents": round(sum(right) * share, 4),
        "intents_of_text": round(sum(right_of_text) * share, 4),
        "read_back": round(sum(line["read_back"] for line in lines) * share, 4),
        "wrong_unasked": sum(costly),
        "unheard": sum(line["unheard"] is not None for line in lines),
    }


def table(groups: Mapping[str, dict[str, Any]]) -> str:
    """Return the figures of several groups as a Markdown table."""
    rows = [_HEAD, ("---",) * len(_HEAD)]
    rows += [
        (name, *(_cell(found[column]) for column in _COLUMNS))
        for name, found in groups.items()
        if found["heard"]
    ]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _cell(value: float) -> str:
    return f"{100 * value:.1f} %" if isinstance(value, float) else str(value)

"""Writes the generated half of the held-out style ``asr``: the plain and colloquial sentences of
the same half as a recogniser would write them (bot/components/speech_noise.py).

Run in the Rasa runtime: ``.venv-rasa/bin/python -m benchmarks.nlu.make_asr``.
"""

from __future__ import annotations

import random
import re
from pathlib import Path

import yaml

from bot.components.speech_noise import Noise, Span, spoken

ROOT = Path(__file__).resolve().parents[2] / "nlu_data" / "heldout" / "intents"
SOURCES = ("plain", "colloquial")
NOISE = Noise(homophones=0.15)
SEEDS = {"dev": 20261101, "test": 20261102}
_MARKUP = re.compile(r"\[([^\]]*)\]\(([^)]*)\)")
_HEAD = """# Made from {sources} by benchmarks/nlu/make_asr.py (seed {seed}).
# Style: asr_noise. Only evaluation reads this; never trained on.
version: "3.1"
nlu:
"""


def spans(line: str) -> list[Span]:
    """Cut a Rasa example at the edges of its annotations."""
    found, end = [], 0
    for match in _MARKUP.finditer(line):
        found += [(line[end : match.start()], ""), (match[1], match[2])]
        end = match.end()
    return [span for span in [*found, (line[end:], "")] if span[0]]


def make(half: str) -> None:
    """Write ``<half>/asr_noise.yml``."""
    rng = random.Random(SEEDS[half])
    examples: dict[str, list[str]] = {}
    for source in SOURCES:
        document = yaml.safe_load((ROOT / half / f"{source}.yml").read_text("utf-8"))
        for block in document["nlu"]:
            for line in block["examples"].splitlines():
                noisy = spoken(spans(line.strip()[2:]), rng, NOISE)
                text = "".join(f"[{w}]({e})" if e else w for w, e in noisy)
                examples.setdefault(block["intent"], []).append(text)
    blocks = "".join(
        f"- intent: {intent}\n  examples: |\n" + "".join(f"    - {t}\n" for t in texts if t)
        for intent, texts in sorted(examples.items())
    )
    head = _HEAD.format(sources=" and ".join(f"{s}.yml" for s in SOURCES), seed=SEEDS[half])
    (ROOT / half / "asr_noise.yml").write_text(head + blocks, "utf-8")


if __name__ == "__main__":
    for name in SEEDS:
        make(name)

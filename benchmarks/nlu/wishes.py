"""How well messages with two wishes are told from messages with one (bot/wishes.py).

Run in the Rasa runtime, after ``shimin train``: ``.venv-rasa/bin/python -m benchmarks.nlu.wishes
[dev|test] [--errors]``. Reads ``double.yml`` and, as messages with one wish, the styles ``elderly``
and ``colloquial`` of the same half.
"""

from __future__ import annotations

import argparse
from functools import partial
from pathlib import Path
from typing import List, Tuple

from rasa.core.agent import Agent
from rasa.shared.nlu.constants import INTENT, TEXT
from rasa.shared.nlu.training_data.loading import load_data

from bot.gateway_channel import read
from bot.wishes import wishes

ROOT = Path(__file__).resolve().parents[2]
HALVES = ROOT / "nlu_data" / "heldout" / "intents"


def cut(agent: Agent, text: str) -> List[str]:
    """Return the intents of the wishes found, sorted; empty when the message stays whole."""
    return sorted(wish.intent for wish in wishes(text, partial(read, agent.processor)))


def measure(model: str, half: str, errors: bool) -> None:
    """Print how many doubles were cut rightly, cut at all, and how many singles stayed whole."""
    agent = Agent.load(model)
    doubles, singles = examples(half)
    right = found = 0
    for text, intent in doubles:
        got = cut(agent, text)
        right += got == sorted(intent.split("+"))
        found += len(got) > 1
        if errors and got != sorted(intent.split("+")):
            print(f"double\t{text}\t{intent}\t{'+'.join(got) or 'whole'}")
    broken = 0
    for text, intent in singles:
        got = cut(agent, text)
        broken += len(got) > 1
        if errors and len(got) > 1:
            print(f"single\t{text}\t{intent}\t{'+'.join(got)}")
    print(f"two wishes: {len(doubles)}, cut {found / len(doubles):.3f}, "
          f"both intents right {right / len(doubles):.3f}")  # fmt: skip
    print(f"one wish: {len(singles)}, wrongly cut {broken / len(singles):.3f}")


def examples(half: str) -> Tuple[List[Tuple[str, str]], List[Tuple[str, str]]]:
    """Return (text, intent) pairs with two wishes and with one."""
    pairs = {
        name: [
            (message.get(TEXT), message.get(INTENT))
            for message in load_data(str(HALVES / half / f"{name}.yml")).intent_examples
        ]
        for name in ("double", "elderly", "colloquial")
    }
    doubles = [pair for pair in pairs["double"] if "+" in pair[1]]
    singles = [pair for pair in pairs["double"] if "+" not in pair[1]]
    return doubles, singles + pairs["elderly"] + pairs["colloquial"]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("half", choices=("dev", "test"), nargs="?", default="dev")
    parser.add_argument("--errors", action="store_true")
    parser.add_argument("--model", default=str(ROOT / "models" / "shimin.tar.gz"))
    given = parser.parse_args()
    measure(given.model, given.half, given.errors)

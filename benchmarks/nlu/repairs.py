"""How many sentences of each held-out style the repair by sound changes (bot/components/repair.py).

Run in the Rasa runtime: ``.venv-rasa/bin/python -m benchmarks.nlu.repairs [dev|test] [--show]``.
``plain``, ``colloquial`` and ``elderly`` are written correctly: every change there is a harm.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from rasa.shared.nlu.constants import TEXT
from rasa.shared.nlu.training_data.loading import load_data

from bot.components.normalise import normalise
from bot.components.normaliser import terms_of
from bot.components.repair import Repairer

NLU = Path(__file__).resolve().parents[2] / "nlu_data"


def main(half: str, show: bool) -> None:
    """Print one line a style: sentences, and how many come out otherwise than they went in."""
    repairer = Repairer(terms_of(load_data(str(NLU / "lookups.yml"))))
    for path in sorted((NLU / "heldout" / "intents" / half).glob("*.yml")):
        texts = [normalise(e.get(TEXT)).text for e in load_data(str(path)).intent_examples]
        changed = [(text, repairer.repair(text)) for text in texts if repairer.repair(text) != text]
        print(f"{path.stem:<14}{len(texts):>5}{len(changed):>5}")
        for before, after in changed if show else ():
            print(f"    {before} → {after}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("half", choices=("dev", "test"), nargs="?", default="dev")
    parser.add_argument("--show", action="store_true")
    given = parser.parse_args()
    main(given.half, given.show)

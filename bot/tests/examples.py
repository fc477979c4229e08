"""Utterances for tests that need a small model or real sentences."""

from __future__ import annotations

from pathlib import Path
from typing import List

from rasa.shared.nlu.constants import TEXT
from rasa.shared.nlu.training_data.loading import load_data

ROOT = Path(__file__).resolve().parents[2]
NLU = ROOT / "nlu_data"


def development(*styles: str) -> List[str]:
    """The texts of styles of the held-out development half."""
    folder = NLU / "heldout" / "intents" / "dev"
    return [
        message.get(TEXT)
        for style in styles
        for message in load_data(str(folder / f"{style}.yml")).intent_examples
    ]


def terms() -> List[str]:
    """Every word of the lookup tables."""
    tables = load_data(str(NLU / "lookups.yml")).lookup_tables
    return sorted({word for table in tables for word in table["elements"]})

"""Parses every example of a Rasa NLU file with a trained model: JSON lines to a file.

Run in the Rasa runtime: ``python -m bot.batch_parse MODEL FILE OUTPUT``. Each line holds
the text, the annotated intent and entities, and what the model makes of it.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from pathlib import Path
from typing import Any, Dict, List

from rasa.core.agent import Agent
from rasa.shared.nlu.training_data.loading import load_data
from rasa.shared.nlu.training_data.message import Message

from bot.components.normalise import normalise


async def parse_file(model: str, source: str, target: str) -> None:
    """Write one JSON object per example of ``source`` to ``target``."""
    agent = Agent.load(model)
    with Path(target).open("w", encoding="utf-8") as output:
        for example in load_data(source).intent_examples:
            started = time.perf_counter()
            parsed = await agent.parse_message(example.get("text"))
            record = {
                "text": example.get("text"),
                "intent": example.get("intent"),
                "entities": _annotated(example),
                "predicted": parsed["intent"]["name"],
                "confidence": parsed["intent"]["confidence"],
                "predicted_entities": [_entity(e) for e in parsed["entities"]],
                "ranking": parsed.get("intent_ranking", [])[:3],
                "seconds": time.perf_counter() - started,
            }
            output.write(json.dumps(record, ensure_ascii=False) + "\n")


def _annotated(example: Message) -> List[List[Any]]:
    """Return the annotated entities with their spans on the normalised text."""
    clean = normalise(example.get("text"))
    entities = []
    for entity in example.get("entities", []):
        span = clean.span(entity["start"], entity["end"])
        if span is not None:
            entities.append([entity["entity"], *span])
    return entities


def _entity(entity: Dict[str, Any]) -> List[Any]:
    return [entity["entity"], entity.get("start"), entity.get("end")]


if __name__ == "__main__":
    asyncio.run(parse_file(*sys.argv[1:4]))

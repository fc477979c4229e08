"""Parses every example of Rasa NLU files with a trained model: JSON lines to a file.

Run in the Rasa runtime: ``python -m bot.batch_parse MODEL OUTPUT FILE...``. Each line holds the
text, the text as the model reads it (normalised), its style (the file's name), the annotated intent
and entities, and what the model makes of it. Spans are those of the text as read.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from pathlib import Path
from typing import Any, Dict, List, Sequence, TextIO

from rasa.core.agent import Agent
from rasa.shared.nlu.training_data.loading import load_data
from rasa.shared.nlu.training_data.message import Message

from bot.components.normalise import normalise

_WARM_UP = "你好"


async def parse_files(model: str, target: str, sources: Sequence[str]) -> None:
    """Write one JSON object per example of ``sources`` to ``target``."""
    agent = Agent.load(model)
    await agent.parse_message(_WARM_UP)  # dictionaries load with the first message
    with Path(target).open("w", encoding="utf-8") as output:
        for source in sources:
            await _parse(agent, source, output)


async def _parse(agent: Agent, source: str, output: TextIO) -> None:
    for example in load_data(source).intent_examples:
        started = time.perf_counter()
        parsed = await agent.parse_message(example.get("text"))
        record = {
            "text": example.get("text"),
            "read": parsed["text"],
            "style": Path(source).stem,
            "intent": example.get("intent"),
            "entities": _annotated(example, parsed["text"]),
            "predicted": parsed["intent"]["name"],
            "confidence": parsed["intent"]["confidence"],
            "predicted_entities": [_entity(e) for e in parsed["entities"]],
            "ranking": parsed.get("intent_ranking", [])[:3],
            "seconds": time.perf_counter() - started,
        }
        output.write(json.dumps(record, ensure_ascii=False) + "\n")


def _annotated(example: Message, text_read: str) -> List[List[Any]]:
    """Return the annotated entities with their spans on the text that was read."""
    raw = example.get("text")
    clean = normalise(raw)
    entities = []
    for entity in example.get("entities", []):
        span = (entity["start"], entity["end"])
        if text_read != raw:
            span = clean.span(*span)
        if span is not None:
            entities.append([entity["entity"], *span])
    return entities


def _entity(entity: Dict[str, Any]) -> List[Any]:
    return [entity["entity"], entity.get("start"), entity.get("end")]


if __name__ == "__main__":
    asyncio.run(parse_files(sys.argv[1], sys.argv[2], sys.argv[3:]))

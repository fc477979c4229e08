"""Entity extractor of the pipeline: :mod:`bot.components.entity_tagger` as a Rasa component."""

from __future__ import annotations

import json
import random
import shutil
import tempfile
from pathlib import Path
from typing import Any, Dict, Iterable, Iterator, List, Mapping, Text

from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.nlu.extractors.extractor import EntityExtractorMixin
from rasa.shared.nlu.constants import ENTITIES, TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from bot.components.entity_tagger import EntityTagger, Example, train
from bot.components.normalise import normalise
from bot.components.normaliser import word_lists
from bot.components.renaming import Renamer
from bot.components.speech_noise import spoken

_MODEL, _LISTS = "entities.crfsuite", "lists.json"


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.ENTITY_EXTRACTOR, is_trainable=True)
class SpokenEntityExtractor(GraphComponent, EntityExtractorMixin):
    """Trains the tagger on every annotated utterance, misheard and with other names.

    Configuration: ``noisy_copies`` (:mod:`bot.components.speech_noise`) and ``renamed_copies``
    (:mod:`bot.components.renaming`) of each utterance that holds an entity, ``iterations`` of
    gradient descent, ``seed``.
    """

    @staticmethod
    def get_default_config() -> Dict[Text, Any]:
        """Default configuration."""
        return {"noisy_copies": 1, "renamed_copies": 2, "iterations": 15, "seed": 20261121}

    @staticmethod
    def required_packages() -> List[Text]:
        """Packages whose import and distribution names agree; Rasa looks up both."""
        return ["jieba", "pypinyin"]

    def __init__(
        self,
        config: Dict[Text, Any],
        model_storage: ModelStorage,
        resource: Resource,
        tagger: EntityTagger | None = None,
    ) -> None:
        self._config = config
        self._model_storage = model_storage
        self._resource = resource
        self._tagger = tagger

    @classmethod
    def create(
        cls,
        config: Dict[Text, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> "SpokenEntityExtractor":
        """Create an untrained extractor."""
        return cls(config, model_storage, resource)

    @classmethod
    def load(
        cls,
        config: Dict[Text, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
        **kwargs: Any,
    ) -> "SpokenEntityExtractor":
        """Load the trained tagger (crfsuite keeps the file open, so it is copied first)."""
        with model_storage.read_from(resource) as directory:
            lists = json.loads((directory / _LISTS).read_text("utf-8"))
            kept = Path(tempfile.mkdtemp(prefix="shimin-entities-")) / _MODEL
            shutil.copy(directory / _MODEL, kept)
        tagger = EntityTagger(kept, lists)
        shutil.rmtree(kept.parent)  # mapped already
        return cls(config, model_storage, resource, tagger)

    def train(self, training_data: TrainingData) -> Resource:
        """Learn from all utterances; those without entities teach what is none."""
        examples = [
            Example(
                e.get(TEXT),
                tuple(sorted((s["entity"], s["start"], s["end"]) for s in e.get(ENTITIES, []))),
            )
            for e in training_data.nlu_examples
            if e.get(TEXT)
        ]
        lists = word_lists(training_data)
        with self._model_storage.write_to(self._resource) as directory:
            (directory / _LISTS).write_text(json.dumps(lists, ensure_ascii=False), "utf-8")
            train(
                [*examples, *self._copies([e for e in examples if e.spans], lists)],
                lists,
                directory / _MODEL,
                self._config["iterations"],
            )
        return self._resource

    def process(self, messages: List[Message]) -> List[Message]:
        """Add the entities of every message that has text."""
        for message in messages:
            text = message.get(TEXT)
            if not text or self._tagger is None:
                continue
            found = [
                {
                    "entity": name,
                    "start": start,
                    "end": end,
                    "value": text[start:end],
                    "confidence_entity": confidence,
                }
                for name, start, end, confidence in self._tagger.tag(text)
            ]
            known = message.get(ENTITIES, [])
            message.set(ENTITIES, known + self.add_extractor_name(found), add_to_output=True)
        return messages

    def _copies(
        self, annotated: List[Example], lists: Mapping[str, Iterable[str]]
    ) -> Iterator[Example]:
        rng = random.Random(self._config["seed"])  # noqa: S311 - noise, not a secret
        renamer = Renamer(annotated, lists)
        for example in annotated:
            for _ in range(self._config["noisy_copies"]):
                yield misheard(example, rng)
            for _ in range(self._config["renamed_copies"]):
                yield renamer.copy(example, rng)


def misheard(example: Example, rng: random.Random) -> Example:
    """Return a noisy copy of an example, normalised, its spans carried along."""
    pieces, end = [], 0
    for name, start, stop in sorted(example.spans, key=lambda span: span[1]):
        pieces += [(example.text[end:start], ""), (example.text[start:stop], name)]
        end = stop
    pieces.append((example.text[end:], ""))
    text, spans = "", []
    for words, name in spoken([piece for piece in pieces if piece[0]], rng):
        if name:
            spans.append((name, len(text), len(text) + len(words)))
        text += words
    result = normalise(text)
    carried = [(name, result.span(start, stop)) for name, start, stop in spans]
    return Example(result.text, tuple((name, *span) for name, span in carried if span))

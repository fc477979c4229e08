"""Pipeline component: normalise the message and repair misheard terms before anything reads it."""

from __future__ import annotations

import json
from typing import Any, Dict, List, Text

from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.shared.nlu.constants import ENTITIES, TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from bot.components.normalise import Normalised, normalise
from bot.components.repair import Repairer


def word_lists(training_data: TrainingData) -> Dict[Text, List[Text]]:
    """Return the words of every lookup table by its name, both in order."""
    lists: Dict[Text, List[Text]] = {}
    for table in training_data.lookup_tables:
        lists.setdefault(table["name"], []).extend(table["elements"])
    return {name: sorted(set(words)) for name, words in sorted(lists.items())}


def terms_of(training_data: TrainingData) -> List[Text]:
    """Return the words of all lookup tables, once each and in order: what is repaired."""
    return sorted({word for words in word_lists(training_data).values() for word in words})


def clean(text: Text, repairer: Repairer) -> Normalised:
    """Return the normalised text with misheard terms repaired."""
    result = normalise(text)
    return Normalised(repairer.repair(result.text), result.origin)


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.MESSAGE_FEATURIZER, is_trainable=True)
class Normaliser(GraphComponent):
    """Replaces ``text`` by its normalised form and carries annotated spans over.

    The terms that are repaired are the words of the lookup tables. The citizen's own words stay
    available to the actions through the message metadata.
    """

    def __init__(self, model_storage: ModelStorage, resource: Resource, terms: List[Text]) -> None:
        self._model_storage = model_storage
        self._resource = resource
        self._repairer = Repairer(terms)

    @classmethod
    def create(
        cls,
        config: Dict[Text, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> "Normaliser":
        """Create a component that knows no terms yet."""
        return cls(model_storage, resource, [])

    @classmethod
    def load(
        cls,
        config: Dict[Text, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
        **kwargs: Any,
    ) -> "Normaliser":
        """Load the terms."""
        with model_storage.read_from(resource) as directory:
            terms = json.loads((directory / "terms.json").read_text("utf-8"))
        return cls(model_storage, resource, terms)

    def train(self, training_data: TrainingData) -> Resource:
        """Keep the words of the lookup tables."""
        terms = terms_of(training_data)
        self._repairer = Repairer(terms)
        with self._model_storage.write_to(self._resource) as directory:
            (directory / "terms.json").write_text(json.dumps(terms, ensure_ascii=False), "utf-8")
        return self._resource

    def process(self, messages: List[Message]) -> List[Message]:
        """Normalise messages in place; intent payloads (``/intent{...}``) stay as they are."""
        for message in messages:
            text = message.get(TEXT)
            if text and not text.startswith("/"):
                self._normalise(message, text)
        return messages

    def process_training_data(self, training_data: TrainingData) -> TrainingData:
        """Normalise training examples exactly as messages."""
        self.process(training_data.training_examples)
        return training_data

    def _normalise(self, message: Message, text: Text) -> None:
        result = clean(text, self._repairer)
        message.set(TEXT, result.text, add_to_output=True)
        entities = []
        for entity in message.get(ENTITIES, []):
            span = result.span(entity["start"], entity["end"])
            if span is None:
                continue
            if entity.get("value") == text[entity["start"] : entity["end"]]:
                entity["value"] = result.text[span[0] : span[1]]
            entity["start"], entity["end"] = span
            entities.append(entity)
        if entities or message.get(ENTITIES):
            message.set(ENTITIES, entities)

"""Pipeline component: normalise the message before anything else reads it."""

from __future__ import annotations

from typing import Any, Dict, List, Text

from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.shared.nlu.constants import ENTITIES, TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from bot.components.normalise import normalise


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.MESSAGE_FEATURIZER, is_trainable=False)
class Normaliser(GraphComponent):
    """Replaces ``text`` by its normalised form and carries annotated spans over.

    The citizen's own words stay available to the actions through the message metadata.
    """

    @classmethod
    def create(
        cls,
        config: Dict[Text, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> "Normaliser":
        """Create the component (it has no configuration and no state)."""
        return cls()

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

    @staticmethod
    def _normalise(message: Message, text: Text) -> None:
        result = normalise(text)
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

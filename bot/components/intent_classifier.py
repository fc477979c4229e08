"""Intent classifier of the pipeline: a linear model on meaning, characters and sounds."""

from __future__ import annotations

import random
from typing import Any, Dict, List, Text, Tuple

import numpy as np
from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.nlu.classifiers.classifier import IntentClassifier
from rasa.shared.nlu.constants import INTENT, TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData
from scipy.special import softmax

from bot.components.intent_features import Features
from bot.components.normaliser import clean, terms_of
from bot.components.repair import Repairer
from bot.components.softmax import Softmax, fit
from bot.components.speech_noise import spoken

_RANKING = "intent_ranking"


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.INTENT_CLASSIFIER, is_trainable=True)
class SpokenIntentClassifier(GraphComponent, IntentClassifier):
    """Softmax regression trained on every utterance and on how it may be misheard.

    Configuration: ``strength`` (inverse L2 penalty), ``iterations`` of L-BFGS, ``noisy_copies``
    of each utterance (:mod:`bot.components.speech_noise`), ``scale`` of the sentence vectors,
    ``rarest`` n-gram (sentences), ``temperature`` of the probabilities (set by
    ``benchmarks/nlu`` on the development half), ``ranking_length``, ``seed``.
    """

    @staticmethod
    def get_default_config() -> Dict[Text, Any]:
        """Default configuration."""
        return {
            "strength": 10.0,
            "iterations": 40,
            "noisy_copies": 1,
            "scale": 0.7,
            "rarest": 2,
            "temperature": 1.0,
            "ranking_length": 5,
            "seed": 20261121,
        }

    @staticmethod
    def required_packages() -> List[Text]:
        """Packages whose import and distribution names agree; Rasa looks up both."""
        return ["jieba", "pypinyin"]

    def __init__(
        self,
        config: Dict[Text, Any],
        model_storage: ModelStorage,
        resource: Resource,
        trained: Tuple[List[Text], Features, Softmax] | None = None,
    ) -> None:
        self._config = config
        self._model_storage = model_storage
        self._resource = resource
        self._trained = trained

    @classmethod
    def create(
        cls,
        config: Dict[Text, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> "SpokenIntentClassifier":
        """Create an untrained classifier."""
        return cls(config, model_storage, resource)

    @classmethod
    def load(
        cls,
        config: Dict[Text, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
        **kwargs: Any,
    ) -> "SpokenIntentClassifier":
        """Load the trained classifier."""
        with model_storage.read_from(resource) as directory:
            with np.load(directory / "weights.npz", allow_pickle=False) as saved:
                model = Softmax(saved["dense"], saved["sparse"], saved["bias"])
                intents = [str(name) for name in saved["intents"]]
            trained = (intents, Features.load(directory), model)
        return cls(config, model_storage, resource, trained)

    def train(self, training_data: TrainingData) -> Resource:
        """Learn from the intent examples and their noisy copies."""
        examples = [(e.get(TEXT), e.get(INTENT)) for e in training_data.intent_examples]
        repairer = Repairer(terms_of(training_data))
        examples = self._with_noise([(text, intent) for text, intent in examples if text], repairer)
        intents = sorted({intent for _, intent in examples})
        numbers = np.array([intents.index(intent) for _, intent in examples])
        texts = [text for text, _ in examples]
        features, dense = Features.learn(texts, self._config["scale"], self._config["rarest"])
        model = fit(
            dense,
            features.sparse(texts),
            numbers,
            self._config["strength"],
            self._config["iterations"],
        )
        self._trained = (intents, features, model)
        with self._model_storage.write_to(self._resource) as directory:
            features.save(directory)
            np.savez(
                directory / "weights.npz",
                dense=model.dense,
                sparse=model.sparse,
                bias=model.bias,
                intents=np.array(intents),
            )
        return self._resource

    def process(self, messages: List[Message]) -> List[Message]:
        """Set intent and ranking of every message that has text."""
        spoken_to = [message for message in messages if message.get(TEXT)]
        if not spoken_to or self._trained is None:
            return messages
        intents, scores = self.scores([message.get(TEXT) for message in spoken_to])
        probabilities = softmax(scores / self._config["temperature"], axis=1)
        for message, row in zip(spoken_to, probabilities):
            best = np.argsort(-row)[: self._config["ranking_length"]]
            ranking = [{"name": intents[i], "confidence": float(row[i])} for i in best]
            message.set(INTENT, ranking[0], add_to_output=True)
            message.set(_RANKING, ranking, add_to_output=True)
        return messages

    def scores(self, texts: List[Text]) -> Tuple[List[Text], np.ndarray]:
        """Return the intents and their scores before the softmax, shape (texts, intents)."""
        if self._trained is None:
            raise RuntimeError("the classifier has not been trained")
        intents, features, model = self._trained
        return intents, model.logits(features.dense(texts), features.sparse(texts))

    @classmethod
    def validate_config(cls, config: Dict[Text, Any]) -> None:
        """Numbers must make sense."""
        for name in ("strength", "iterations", "scale", "temperature"):
            if float(config[name]) <= 0:
                raise ValueError(f"SpokenIntentClassifier: {name} must be positive")

    def _with_noise(
        self, examples: List[Tuple[Text, Text]], repairer: Repairer
    ) -> List[Tuple[Text, Text]]:
        """Return the examples, then their noisy copies cleaned like messages, without repeats."""
        rng = random.Random(self._config["seed"])  # noqa: S311 - noise, not a secret
        noisy = [
            (clean("".join(w for w, _ in spoken([(text, "")], rng)), repairer).text, intent)
            for _ in range(self._config["noisy_copies"])
            for text, intent in examples
        ]
        return list(dict.fromkeys(pair for pair in [*examples, *noisy] if pair[0]))

"""Intents and entities of a message, as one Rasa component (like Rasa's own DIET).

One component, because the two models can then be trained side by side, each on its core.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Any, Dict, List, Text, Tuple

import numpy as np
from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.nlu.extractors.extractor import EntityExtractorMixin
from rasa.shared.nlu.constants import ENTITIES, INTENT, TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData
from scipy.special import softmax

from bot.components import entity_training, intent_classifier
from bot.components.entity_tagger import EntityTagger, Example
from bot.components.intent_classifier import IntentClassifier
from bot.components.normaliser import terms_of, word_lists
from bot.components.repair import Repairer

_RANKING = "intent_ranking"
_COMPONENT = DefaultV1Recipe.ComponentType


@DefaultV1Recipe.register(
    [_COMPONENT.INTENT_CLASSIFIER, _COMPONENT.ENTITY_EXTRACTOR], is_trainable=True
)
class SpokenUnderstanding(GraphComponent, EntityExtractorMixin):
    """Reads intent and entities of what may have been misheard.

    Configuration: ``intents`` (:class:`bot.components.intent_classifier.Recipe`) and ``entities``
    (:class:`bot.components.entity_training.Recipe`), ``temperature`` of the intents'
    probabilities (set by ``benchmarks/nlu`` on the development half), ``ranking_length``.
    """

    @staticmethod
    def get_default_config() -> Dict[Text, Any]:
        """Default configuration."""
        return {
            "intents": asdict(intent_classifier.Recipe()),
            "entities": asdict(entity_training.Recipe()),
            "temperature": 1.0,
            "ranking_length": 5,
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
        trained: Tuple[IntentClassifier, EntityTagger] | None = None,
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
    ) -> "SpokenUnderstanding":
        """Create an untrained component."""
        return cls(config, model_storage, resource)

    @classmethod
    def load(
        cls,
        config: Dict[Text, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
        **kwargs: Any,
    ) -> "SpokenUnderstanding":
        """Load both models."""
        with model_storage.read_from(resource) as directory:
            trained = (IntentClassifier.load(directory), _tagger(directory))
        return cls(config, model_storage, resource, trained)

    def train(self, training_data: TrainingData) -> Resource:
        """Learn intents and entities of the training utterances and their copies."""
        labelled = [
            (e.get(TEXT), e.get(INTENT)) for e in training_data.intent_examples if e.get(TEXT)
        ]
        annotated = [
            Example(
                e.get(TEXT),
                tuple(sorted((s["entity"], s["start"], s["end"]) for s in e.get(ENTITIES, []))),
            )
            for e in training_data.nlu_examples
            if e.get(TEXT)
        ]
        entities = entity_training.Recipe(**self._config["entities"])
        intents = intent_classifier.Recipe(**self._config["intents"])
        lists = word_lists(training_data)
        with self._model_storage.write_to(self._resource) as directory:
            with entity_training.Training(directory, annotated, lists, entities):
                classifier = IntentClassifier.learn(
                    labelled,
                    Repairer(terms_of(training_data)),
                    intents,
                )
                classifier.save(directory)
            self._trained = (classifier, _tagger(directory))
        return self._resource

    def process(self, messages: List[Message]) -> List[Message]:
        """Set intent, ranking and entities of every message that has text."""
        given = [message for message in messages if message.get(TEXT)]
        if not given or self._trained is None:
            return messages
        classifier, tagger = self._trained
        scores = classifier.scores([message.get(TEXT) for message in given])
        for message, row in zip(given, softmax(scores / self._config["temperature"], axis=1)):
            best = np.argsort(-row)[: self._config["ranking_length"]]
            ranking = [{"name": classifier.intents[i], "confidence": float(row[i])} for i in best]
            message.set(INTENT, ranking[0], add_to_output=True)
            message.set(_RANKING, ranking, add_to_output=True)
            self._extract(tagger, message)
        return messages

    def scores(self, texts: List[Text]) -> Tuple[List[Text], np.ndarray]:
        """Return the intents and their scores before the softmax, shape (texts, intents)."""
        if self._trained is None:
            raise RuntimeError("the classifier has not been trained")
        return self._trained[0].intents, self._trained[0].scores(texts)

    @classmethod
    def validate_config(cls, config: Dict[Text, Any]) -> None:
        """Numbers must make sense."""
        given = {**config["intents"], "temperature": config["temperature"]}
        for name in ("strength", "iterations", "scale", "temperature"):
            if float(given[name]) <= 0:
                raise ValueError(f"SpokenUnderstanding: {name} must be positive")

    def _extract(self, tagger: EntityTagger, message: Message) -> None:
        text = message.get(TEXT)
        found = [
            {
                "entity": name,
                "start": start,
                "end": end,
                "value": text[start:end],
                "confidence_entity": confidence,
            }
            for name, start, end, confidence in tagger.tag(text)
        ]
        known = message.get(ENTITIES, [])
        message.set(ENTITIES, known + self.add_extractor_name(found), add_to_output=True)


def _tagger(directory: Path) -> EntityTagger:
    """Load the tagger; crfsuite keeps its file open, so a copy is opened."""
    lists = json.loads((directory / entity_training.LISTS).read_text("utf-8"))
    with tempfile.TemporaryDirectory(prefix="shimin-entities-") as kept:
        copied = shutil.copy(directory / entity_training.MODEL, kept)
        return EntityTagger(Path(copied), lists)  # mapped already when the copy goes

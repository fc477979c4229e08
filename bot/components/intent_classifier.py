"""The intent classifier: softmax regression over meaning, characters and sounds of a sentence."""

from __future__ import annotations

import random
from dataclasses import dataclass
from pathlib import Path
from typing import List, Sequence, Tuple

import numpy as np

from bot.components.intent_features import Features
from bot.components.normaliser import clean
from bot.components.repair import Repairer
from bot.components.softmax import Softmax, fit
from bot.components.speech_noise import spoken

Labelled = Tuple[str, str]
"""An utterance and its intent."""


@dataclass(frozen=True)
class Recipe:
    """How the classifier is trained.

    ``strength`` (inverse L2 penalty), ``iterations`` of L-BFGS, ``noisy_copies`` of each
    utterance (:mod:`bot.components.speech_noise`), ``scale`` of the sentence vectors, ``rarest``
    n-gram (sentences), ``seed``.
    """

    strength: float = 10.0
    iterations: int = 70
    noisy_copies: int = 1
    scale: float = 0.7
    rarest: int = 2
    seed: int = 20261121


class IntentClassifier:
    """Trained on every utterance and on how it may be misheard."""

    def __init__(self, intents: Sequence[str], features: Features, model: Softmax) -> None:
        self.intents = list(intents)
        self._features = features
        self._model = model

    @classmethod
    def learn(
        cls, examples: Sequence[Labelled], repairer: Repairer, recipe: Recipe
    ) -> IntentClassifier:
        """Learn from the examples and their noisy copies, cleaned like messages."""
        seen = _with_noise(examples, repairer, recipe)
        intents = sorted({intent for _, intent in seen})
        numbers = np.array([intents.index(intent) for _, intent in seen])
        texts = [text for text, _ in seen]
        features, dense = Features.learn(texts, recipe.scale, recipe.rarest)
        sparse = features.sparse(texts)
        model = fit(dense, sparse, numbers, recipe.strength, recipe.iterations)
        return cls(intents, features, model)

    def scores(self, texts: List[str]) -> np.ndarray:
        """Return the scores before the softmax, shape (texts, intents)."""
        return self._model.logits(self._features.dense(texts), self._features.sparse(texts))

    def save(self, directory: Path) -> None:
        """Write the classifier into a folder."""
        self._features.save(directory)
        np.savez(
            directory / "weights.npz",
            dense=self._model.dense,
            sparse=self._model.sparse,
            bias=self._model.bias,
            intents=np.array(self.intents),
        )

    @classmethod
    def load(cls, directory: Path) -> IntentClassifier:
        """Read what :meth:`save` wrote."""
        with np.load(directory / "weights.npz", allow_pickle=False) as saved:
            model = Softmax(saved["dense"], saved["sparse"], saved["bias"])
            intents = [str(name) for name in saved["intents"]]
        return cls(intents, Features.load(directory), model)


def _with_noise(examples: Sequence[Labelled], repairer: Repairer, recipe: Recipe) -> List[Labelled]:
    """Return the examples, then their noisy copies, without repeats."""
    rng = random.Random(recipe.seed)  # noqa: S311 - noise, not a secret
    noisy = [
        (clean("".join(w for w, _ in spoken([(text, "")], rng)), repairer).text, intent)
        for _ in range(recipe.noisy_copies)
        for text, intent in examples
    ]
    return list(dict.fromkeys(pair for pair in [*examples, *noisy] if pair[0]))

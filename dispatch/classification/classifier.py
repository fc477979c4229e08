"""Proposing a complaint category from what a citizen says.

The proposal is shown for confirmation; ``confident`` says that, in cross-validation, at
least 95 % of proposals this sure were right. Training data are two files beside the
categories file: ``category_examples.yml`` (sentences) and ``category_words.yml`` (causes and
phrases that are joined). Training happens once and is cached under ``settings.model_dir``
by the content of both files and the name of the sentence encoder.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from base.encoder import Encoder, get_encoder
from base.errors import ConfigurationError
from base.settings import Settings
from dispatch.classification.categories import Categories, load_categories, severity
from dispatch.classification.category_model import CategoryModel, Example, train
from dispatch.files import read_mapping, validate

__all__ = ["NONE", "CategoryClassifier", "Proposal", "load_examples", "severity"]

NONE = "none"
"""Label of talk that describes no problem."""
RANKED = 5
REMEMBERED = 32
"""Proposals kept: within a turn the same words are looked at several times."""
MIN_EXAMPLES = 10
_FORMAT = "2"
"""Raise when features or training change, so that cached models are trained anew."""


@dataclass(frozen=True)
class Proposal:
    """What a text is probably about.

    ``code`` is ``None`` when it describes no problem; ``confidence`` is the calibrated
    probability of that verdict; ``ranked`` lists the likeliest categories, best first.
    """

    code: str | None
    confidence: float
    ranked: tuple[tuple[str, float], ...]
    confident: bool


class _Words(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    causes: Annotated[tuple[str, ...], Field(min_length=1)]
    phrases: Annotated[tuple[str, ...], Field(min_length=2)]

    def sentences(self) -> list[str]:
        """Join every cause with two phrases, walking through the phrases in turn."""
        count = len(self.phrases)
        return [
            phrase.replace("{}", cause) if "{}" in phrase else cause + phrase
            for i, cause in enumerate(self.causes)
            for phrase in (self.phrases[i % count], self.phrases[(i + 1 + count // 2) % count])
        ]


class _Sentences(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    items: Annotated[
        tuple[Annotated[str, Field(min_length=1)], ...], Field(min_length=MIN_EXAMPLES)
    ]


class CategoryClassifier:
    """Proposes one of the city's complaint categories for a text."""

    def __init__(self, model: CategoryModel, encoder: Encoder) -> None:
        self.model = model
        self._encoder = encoder
        self._propose = lru_cache(maxsize=REMEMBERED)(self._propose_afresh)

    @classmethod
    def load(cls, settings: Settings) -> CategoryClassifier:
        """Read the cached model, or train it (half a minute on one core) and cache it.

        Raises:
            ConfigurationError: a category without examples, examples without a category, or
                an unreadable file; names the file and the code.
        """
        categories = load_categories(settings.categories_file)
        sentences = settings.categories_file.with_name("category_examples.yml")
        words = settings.categories_file.with_name("category_words.yml")
        examples = load_examples(sentences, words, categories)
        encoder = get_encoder(settings.embedding_model)
        digest = hashlib.sha256(f"{_FORMAT}\n{encoder.name}\n{examples!r}".encode()).hexdigest()
        path = settings.model_dir / f"categories-{digest[:16]}.npz"
        model = CategoryModel.read(path)
        if model is None:
            model = train(examples, encoder, NONE)
            model.save(path)
        return cls(model, encoder)

    def propose(self, text: str) -> Proposal:
        """Propose a category for ``text``; empty text describes no problem."""
        if not any(char.isalnum() for char in text):
            return Proposal(code=None, confidence=1.0, ranked=(), confident=True)
        return self._propose(text)

    def _propose_afresh(self, text: str) -> Proposal:
        return self.propose_all([text])[0]

    def propose_all(self, texts: list[str]) -> list[Proposal]:
        """Propose for many non-empty texts at once; same order."""
        chances = self.model.probabilities(texts, self._encoder)
        return [self._proposal(row.tolist()) for row in chances]

    def _proposal(self, chances: list[float]) -> Proposal:
        pairs = sorted(
            zip(self.model.labels, chances, strict=True), key=lambda pair: (-pair[1], pair[0])
        )
        label, confidence = pairs[0]
        ranked = tuple((code, round(chance, 4)) for code, chance in pairs if code != NONE)
        return Proposal(
            code=None if label == NONE else label,
            confidence=round(confidence, 4),
            ranked=ranked[:RANKED],
            confident=confidence >= self.model.threshold,
        )


def load_examples(sentences: Path, words: Path, categories: Categories) -> list[Example]:
    """Read the training sentences and compose those of the word lists.

    Raises:
        ConfigurationError: naming the file and the code at fault.
    """
    spoken = read_mapping(sentences)
    wanted = {*categories.codes, NONE}
    for code in sorted(wanted - set(spoken)):
        raise ConfigurationError(f"{sentences}: {code}: has no examples")
    for code in sorted(set(spoken) - wanted):
        raise ConfigurationError(f"{sentences}: {code}: is not a category")
    examples = [
        Example(text, code)
        for code, texts in spoken.items()
        for text in validate(_Sentences, {"items": texts}, f"{sentences}: {code}").items
    ]
    seen = {example.text for example in examples}
    for code, row in read_mapping(words).items():
        if code not in categories:
            raise ConfigurationError(f"{words}: {code}: is not a category")
        for text in validate(_Words, row, f"{words}: {code}").sentences():
            if text not in seen:
                seen.add(text)
                examples.append(Example(text, code, composed=True))
    return examples

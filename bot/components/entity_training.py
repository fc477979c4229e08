"""Trains the entity tagger in a process of its own, beside the intent classifier.

``python -m bot.components.entity_training FOLDER`` reads ``training.json`` and ``lists.json`` of
the folder and writes ``entities.crfsuite``. The tagger sees every annotated utterance as it is,
misheard, and with other names.
"""

from __future__ import annotations

import json
import random
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Iterable, Iterator, List, Mapping, Sequence

from bot.components.entity_tagger import Example, train
from bot.components.normalise import normalise
from bot.components.renaming import Renamer
from bot.components.speech_noise import spoken

MODEL, LISTS = "entities.crfsuite", "lists.json"
_TRAINING = "training.json"
_ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Recipe:
    """How the tagger is trained.

    ``noisy_copies`` (:mod:`bot.components.speech_noise`) and ``renamed_copies``
    (:mod:`bot.components.renaming`) of each utterance that holds an entity, ``iterations`` of
    gradient descent, ``seed``.
    """

    noisy_copies: int = 1
    renamed_copies: int = 2
    iterations: int = 18
    seed: int = 20261121


class Training:
    """A training under way.

    Args:
        folder: where the tagger is to be written, with the word lists.
        examples: utterances with their spans; those without entities teach what is none.
        lists: words of each lookup table.
        recipe: how to train.
    """

    def __init__(
        self,
        folder: Path,
        examples: Sequence[Example],
        lists: Mapping[str, List[str]],
        recipe: Recipe,
    ) -> None:
        self._given = folder / _TRAINING
        rows = [[example.text, example.spans] for example in examples]
        given = {"examples": rows, "recipe": asdict(recipe)}
        self._given.write_text(json.dumps(given, ensure_ascii=False), "utf-8")
        (folder / LISTS).write_text(json.dumps(lists, ensure_ascii=False), "utf-8")
        command = [sys.executable, "-W", "ignore", "-m", __name__, str(folder.resolve())]
        self._process = subprocess.Popen(command, cwd=_ROOT)  # noqa: S603 - our own module

    def finish(self) -> None:
        """Wait for the tagger.

        Raises:
            RuntimeError: it could not be trained.
        """
        code = self._process.wait()
        self._given.unlink()
        if code:
            raise RuntimeError(f"training the entity tagger failed with code {code}")

    def __enter__(self) -> Training:
        """Return the training."""
        return self

    def __exit__(self, error: object, *rest: object) -> None:
        """Stop it when what runs beside it has failed."""
        if error is None:
            self.finish()
        else:
            self._process.kill()
            self._process.wait()


def main(folder: Path) -> None:
    """Train the tagger of a folder."""
    given = json.loads((folder / _TRAINING).read_text("utf-8"))
    lists = json.loads((folder / LISTS).read_text("utf-8"))
    recipe = Recipe(**given["recipe"])
    examples = [Example(text, tuple(map(tuple, spans))) for text, spans in given["examples"]]
    annotated = [example for example in examples if example.spans]
    seen = [*examples, *copies(annotated, lists, recipe)]
    train(seen, lists, folder / MODEL, recipe.iterations)


def copies(
    annotated: Sequence[Example], lists: Mapping[str, Iterable[str]], recipe: Recipe
) -> Iterator[Example]:
    """Yield the noisy and renamed copies of annotated utterances."""
    rng = random.Random(recipe.seed)  # noqa: S311 - noise, not a secret
    renamer = Renamer(annotated, lists)
    for example in annotated:
        for _ in range(recipe.noisy_copies):
            yield misheard(example, rng)
        for _ in range(recipe.renamed_copies):
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


if __name__ == "__main__":
    main(Path(sys.argv[1]))

"""How alike two accounts of a problem are: features and a logistic regression over them.

The vocabulary is ``duplicate_things.yml``; weights and threshold are in
``duplicate_weights.yml``, written by ``benchmarks/duplicates/calibrate.py``.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field

from base.encoder import Encoder
from base.errors import ConfigurationError
from dispatch.classification.categories import Categories
from dispatch.files import read_mapping, validate
from dispatch.places.atlas import METRES_PER_DEGREE

Array = npt.NDArray[np.float64]
Vector = npt.NDArray[np.float32]

FOLDER = Path(__file__).parent
THINGS_FILE = FOLDER / "duplicate_things.yml"
WEIGHTS_FILE = FOLDER / "duplicate_weights.yml"

FEATURES = (
    "same_category",
    "distance",
    "meaning",
    "same_source",
    "other_source",
    "same_trouble",
    "other_trouble",
)
"""``distance`` is a share of the radius, ``meaning`` the cosine of centred sentence vectors,
``same_*`` the share of things named that are common; ``same_category`` and ``other_*`` (both
name some, none in common) are 0 or 1."""
SHORTLIST = 8
"""Accounts whose sentence vectors are computed; a vector costs some 50 ms on a small machine."""
ONE_SPOT_METRES = 100
"""Up to this radius a problem stands at one building."""
_NUMBER = r"([0-9]+|[一二三四五六七八九十]+)"
_BUILDING = re.compile(_NUMBER + r"\s*(?:号楼|栋|幢|号门)")
_DIGITS = {char: str(i) for i, char in enumerate("零一二三四五六七八九")} | {"十": "10"}


class _Row(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


Group = Annotated[tuple[Annotated[str, Field(min_length=1)], ...], Field(min_length=1)]


class _Things(_Row):
    sources: Annotated[tuple[Group, ...], Field(min_length=1)]
    troubles: Annotated[tuple[Group, ...], Field(min_length=1)]


class Weights(_Row):
    """A fitted judge; ``threshold`` is the least score (0-1) of what is offered."""

    encoder: str
    intercept: float
    threshold: Annotated[float, Field(gt=0, lt=1)]
    weights: dict[str, float]


@dataclass(frozen=True)
class Account:
    """What somebody says of a problem, and where (WGS 84 degrees)."""

    text: str
    category: str
    latitude: float
    longitude: float

    def metres_to(self, other: Account) -> float:
        """Return the distance to another account, metres; good within kilometres."""
        east = (other.longitude - self.longitude) * math.cos(math.radians(self.latitude))
        return math.hypot(other.latitude - self.latitude, east) * METRES_PER_DEGREE


class Vocabulary:
    """Which things of a list of groups a text names."""

    def __init__(self, groups: Sequence[Sequence[str]]) -> None:
        self._groups = {
            word.lower(): number for number, group in enumerate(groups) for word in group
        }
        longest_first = sorted(self._groups, key=len, reverse=True)
        self._pattern = re.compile("|".join(map(re.escape, longest_first)))

    def named(self, text: str) -> frozenset[int]:
        """Return the numbers of the groups named; a longer word hides a shorter one in it."""
        return frozenset(self._groups[word] for word in self._pattern.findall(text.lower()))


class Comparison:
    """Judges pairs of accounts. ``centre`` is the mean of the sentence vectors of complaints."""

    def __init__(self, centre: Vector, categories: Categories, weights: Weights) -> None:
        things = validate(_Things, read_mapping(THINGS_FILE), str(THINGS_FILE))
        self._centre = centre
        self._categories = categories
        self._sources = Vocabulary(things.sources)
        self._troubles = Vocabulary(things.troubles)
        self._weights = np.array([weights.weights[name] for name in FEATURES])
        self._intercept = weights.intercept
        self.threshold = weights.threshold

    def scores(self, one: Account, others: Sequence[Account], encoder: Encoder) -> list[float]:
        """Return how surely each of ``others`` is about the same problem as ``one``, 0-1.

        Sentence vectors are computed for the :data:`SHORTLIST` that are likeliest without
        them; the rest score 0, and so does an account that names another building.
        """
        plain = self.plain(one, others)
        order = np.argsort(-(plain @ self._weights))[:SHORTLIST]
        kept = [i for i in order if not self.other_building(one, others[i])]
        scores = np.zeros(len(others))
        if kept:
            rows = plain[kept]
            rows[:, FEATURES.index("meaning")] = self.meaning(
                one.text, [others[i].text for i in kept], encoder
            )
            scores[kept] = 1 / (1 + np.exp(-(rows @ self._weights + self._intercept)))
        return [float(score) for score in scores]

    def plain(self, one: Account, others: Sequence[Account]) -> Array:
        """Return the features that need no encoder: ``(len(others), len(FEATURES))``."""
        return np.array(
            [
                [
                    float(one.category == other.category),
                    one.metres_to(other) / self.radius(one, other),
                    0.0,
                    *_shared(self._sources, one.text, other.text),
                    *_shared(self._troubles, one.text, other.text),
                ]
                for other in others
            ]
        ).reshape(len(others), len(FEATURES))

    def meaning(self, text: str, others: Sequence[str], encoder: Encoder) -> Array:
        """Return the cosines of centred sentence vectors, ``(len(others),)``."""
        vectors = encoder.queries([text, *others]) - self._centre
        vectors = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
        return np.asarray(vectors[1:] @ vectors[0], dtype=np.float64)

    def radius(self, one: Account, other: Account) -> int:
        """Return within how many metres two accounts may be about one problem."""
        return max(
            self._categories[code].duplicate_metres for code in (one.category, other.category)
        )

    def other_building(self, one: Account, other: Account) -> bool:
        """Tell whether two accounts of something at one building name different ones."""
        if self.radius(one, other) > ONE_SPOT_METRES:
            return False
        mine, theirs = buildings(one.text), buildings(other.text)
        return bool(mine and theirs and not mine & theirs)


def buildings(text: str) -> frozenset[str]:
    """Return the numbers of buildings and gates named in a text: 3号楼 and 三号楼 are one."""
    return frozenset(
        "".join(_DIGITS.get(char, char) for char in number) for number in _BUILDING.findall(text)
    )


def load_weights() -> Weights:
    """Read the fitted judge.

    Raises:
        ConfigurationError: the file is missing or wrong.
    """
    weights = validate(Weights, read_mapping(WEIGHTS_FILE), str(WEIGHTS_FILE))
    if set(weights.weights) != set(FEATURES):
        raise ConfigurationError(f"{WEIGHTS_FILE}: weights: must name {', '.join(FEATURES)}")
    return weights


def _shared(vocabulary: Vocabulary, one: str, other: str) -> tuple[float, float]:
    """Return the share of things named that two texts have in common, and whether it is none."""
    mine, theirs = vocabulary.named(one), vocabulary.named(other)
    if not mine or not theirs:
        return 0.0, 0.0
    shared = len(mine & theirs) / len(mine | theirs)
    return shared, float(not shared)

"""Pairs of accounts from the written scenes."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from dispatch.places.atlas import METRES_PER_DEGREE
from dispatch.similar.comparison import Account

FOLDER = Path(__file__).parent
SEED = 20261121
CENTRE = (30.2741, 120.1551)
ELSEWHERE = 2
"""Reports of the same kind about another place that each scene is set against."""


@dataclass(frozen=True)
class Pair:
    """Two accounts, whether they are about one problem, and the scene they come from.

    ``kind`` is ``same``, ``other`` (something else at the same place) or ``elsewhere`` (the
    same kind of problem, of another scene, put down within the radius).
    """

    one: Account
    other: Account
    kind: str
    scene: int

    @property
    def same(self) -> bool:
        """Whether both are about one problem."""
        return self.kind == "same"


def load_pairs(path: Path, radii: dict[str, int]) -> list[Pair]:
    """Return the pairs of a file of scenes.

    Args:
        path: ``scenes.yml`` or ``heldout.yml``.
        radii: ``duplicate_metres`` by category.
    """
    scenes = yaml.safe_load(path.read_text(encoding="utf-8"))["scenes"]
    random = np.random.default_rng(SEED)
    pairs: list[Pair] = []
    for number, scene in enumerate(scenes):
        same = [_account(row, scene["category"]) for row in scene["same"]]
        others = [_account(row, scene["category"]) for row in scene["others"]]
        pairs += [Pair(a, b, "same", number) for a, b in combinations(same, 2)]
        pairs += [Pair(a, b, "other", number) for a in same for b in others]
        foreign = [s for s in scenes if s["category"] == scene["category"] and s is not scene]
        for _ in range(ELSEWHERE if foreign else 0):
            row = random.choice(len(foreign)), random.integers(3)
            metres = random.uniform(0.2, 1.0) * radii[scene["category"]]
            angle = random.uniform(0, 2 * math.pi)
            text = foreign[row[0]]["same"][row[1]][3]
            place = [metres * math.cos(angle), metres * math.sin(angle), 0, text]
            pairs.append(Pair(same[0], _account(place, scene["category"]), "elsewhere", number))
    return pairs


def _account(row: list[Any], category: str) -> Account:
    east, north, _, text, *own = row
    shrink = math.cos(math.radians(CENTRE[0]))
    return Account(
        text=text,
        category=own[0] if own else category,
        latitude=CENTRE[0] + north / METRES_PER_DEGREE,
        longitude=CENTRE[1] + east / METRES_PER_DEGREE / shrink,
    )

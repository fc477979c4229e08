"""How well duplicates are found on scenes nothing was tuned on, beside simpler ways.

    python -m benchmarks.duplicates.evaluate

Prints precision and recall on ``heldout.yml`` of

* ``category + radius``: every open complaint of the kind within the radius, which is what
  FixMyStreet shows (its users then pick from a list),
* ``+ E5``: those whose texts mean much the same, with the threshold that has the product's
  precision on ``scenes.yml``,
* ``+ vocabulary``: those that name a thing in common, by the same rule,
* ``shimin``: the product's judge,

and what ``shimin`` did with each kind of pair.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from base.encoder import get_encoder
from base.settings import get_settings
from benchmarks.duplicates.calibrate import (
    PRECISION,
    Remembering,
    compared,
    features_of,
    make_comparison,
    threshold_for,
)
from benchmarks.duplicates.pairs import FOLDER, Pair, load_pairs
from dispatch.classification.categories import load_categories
from dispatch.similar.comparison import FEATURES, load_weights

Array = npt.NDArray[np.float64]


def main() -> None:
    """Print the tables."""
    categories = load_categories(get_settings().categories_file)
    radii = {category.code: category.duplicate_metres for category in categories}
    written = {name: load_pairs(FOLDER / f"{name}.yml", radii) for name in ("scenes", "heldout")}
    weights = load_weights()
    comparison = make_comparison(categories, weights)
    texts = [text for ps in written.values() for p in ps for text in (p.one.text, p.other.text)]
    encoder = Remembering(get_encoder(get_settings().embedding_model), texts)
    near = {name: compared(pairs, categories) for name, pairs in written.items()}
    rows = {name: features_of(pairs, comparison, encoder) for name, pairs in near.items()}
    truth = {name: np.array([pair.same for pair in pairs]) for name, pairs in near.items()}
    total = sum(pair.same for pair in written["heldout"])
    print(
        f"held out: {len(written['heldout'])} pairs, {total} of one problem, "
        f"{len(near['heldout'])} near enough to be compared"
    )
    verdicts = {"category + radius": near_alone(near["heldout"])}
    for label, name in (("+ vocabulary", "same_source"), ("+ E5", "meaning")):
        column = FEATURES.index(name)
        least = threshold_for(rows["scenes"][:, column], truth["scenes"], PRECISION)
        verdicts[label] = rows["heldout"][:, column] >= least
    verdicts["shimin"] = np.array(
        [
            comparison.scores(pair.one, [pair.other], encoder)[0] >= weights.threshold
            for pair in near["heldout"]
        ]
    )
    print(f"{'':<18} offered  precision  recall")
    for label, found in verdicts.items():
        right = truth["heldout"][found].sum()
        share = right / max(1, found.sum())
        print(f"{label:<18} {found.sum():7d}  {share:9.3f}  {right / total:6.3f}")
    print("\nshimin by kind of pair")
    for kind in ("same", "other", "elsewhere"):
        chosen = np.array([pair.kind == kind for pair in near["heldout"]])
        print(f"  {kind:<10} {verdicts['shimin'][chosen].sum()} of {chosen.sum()} offered")
    for pair, offered in zip(near["heldout"], verdicts["shimin"], strict=True):
        if offered and not pair.same:
            print(f"  wrong: {pair.one.text} | {pair.other.text}")


def near_alone(pairs: list[Pair]) -> npt.NDArray[np.bool_]:
    """Return the pairs of one category; all were near enough already."""
    return np.array([pair.one.category == pair.other.category for pair in pairs])


if __name__ == "__main__":
    main()

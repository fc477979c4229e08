"""Fits the finders' weights and chooses their thresholds; ``--write`` commits the result.

    python -m benchmarks.matcher.calibrate [--write]

Service items and packages: ``dev_questions.yml``, written without sight of what is indexed.
Policies: their own titles, nicknames and questions, each left out of the index while it is asked,
and for every second one a copy as speech recognition might mishear it. Negatives are
``negatives.yml`` and the development questions that mean nothing. Every number printed comes from
five-fold cross-validation, so no text is judged by weights it helped to fit.
``nlu_data/heldout`` is never read here.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import yaml
from pypinyin import lazy_pinyin
from scipy.optimize import minimize

from base.encoder import Encoder, Vectors, get_encoder
from base.settings import get_settings
from benchmarks.matcher.evaluate import DEV, matters, questions
from matcher.finder import Finder, ServiceFinder, apart, probabilities
from matcher.hybrid import CALIBRATION_FILE, FEATURES, Calibration, HybridIndex, judge
from matcher.learned import Learned
from matcher.lexical import normalise
from matcher.policy import load_policies
from matcher.policy_finder import PolicyFinder

Array = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
NONE = -1
FOLDS = 5
LEFT_OUT = 10
"""Parts of the passages, each left out in turn when it is asked what was learned."""
PENALTY = 0.02
NEGATIVE_SHARE = 0.2
"""How often a text that reaches a finder means nothing in its list. Small talk and complaints
are sorted out by the intent before, so it is low."""
REFUSED = 0.8
"""Share of the negatives that must come out as unknown. Asking back in vain costs a citizen one
click; not offering what he means costs him the answer."""
PRECISION = {"services": 0.99, "policies": 0.85}
"""Wanted of sure answers. Policies overlap, so several are often a right answer to a text of
which only one is counted as such; a finder that must be surer would never be sure."""
NEUTRAL = Calibration(
    weights=dict.fromkeys(FEATURES, 1.0), none=0.0, certain=1.0, possible=1.0, share=1.0
)
"""Every feature counts, so that the finder computes them all."""


@dataclass(frozen=True)
class Sample:
    """Features of one text: ``(documents, features)``, and the document meant or NONE."""

    text: str
    features: Array
    target: int


@dataclass(frozen=True)
class Fit:
    """Weights of the features and the logit of none."""

    weights: Array
    none: float


class Remembering:
    """Encodes known texts in batches beforehand, which is much faster than one by one."""

    def __init__(self, inner: Encoder) -> None:
        self._inner = inner
        self.name = inner.name
        self.dimension = inner.dimension
        self._known: dict[str, Any] = {}

    def prepare(self, texts: Iterable[str]) -> None:
        """Encode ``texts`` for later."""
        new = [text for text in dict.fromkeys(map(normalise, texts)) if text not in self._known]
        for start in range(0, len(new), 64):
            batch = new[start : start + 64]
            self._known.update(zip(batch, self._inner.queries(batch), strict=True))

    def queries(self, texts: list[str]) -> Vectors:
        """Encode queries; see ``base.encoder.Encoder``."""
        if all(text in self._known for text in texts):
            return np.stack([self._known[text] for text in texts])
        return self._inner.queries(texts)

    def passages(self, texts: list[str]) -> Vectors:
        """Encode passages; see ``base.encoder.Encoder``."""
        return self._inner.passages(texts)


def homophones() -> dict[str, list[str]]:
    """Return the everyday characters (GB 2312, level 1) by their toneless pinyin."""
    sounds: dict[str, list[str]] = {}
    for high in range(0xB0, 0xD8):
        for low in range(0xA1, 0xFF):
            character = bytes((high, low)).decode("gb2312", errors="ignore")
            if character:
                sounds.setdefault(lazy_pinyin(character)[0], []).append(character)
    return sounds


def mishear(text: str, sounds: dict[str, list[str]], random: np.random.Generator) -> str:
    """Replace a fifth of the characters, at least one, by others of the same sound."""
    heard = list(text)
    count = max(1, len(text) // 5)
    for place in random.choice(len(text), size=min(count, len(text)), replace=False):
        alike = sounds.get(lazy_pinyin(heard[place])[0], [heard[place]])
        heard[place] = str(random.choice(alike))
    return "".join(heard)


def own_samples(finder: Finder[Any], encoder: Remembering) -> list[Sample]:
    """Return every name and question of ``finder``'s documents, left out of its index."""
    index = finder.index
    documents = list(index.documents)
    sounds, random = homophones(), np.random.default_rng(11)
    asked: list[tuple[str, str, int]] = []
    for item in finder.items.values():
        own = (*finder.names(item), *getattr(item, "questions", getattr(item, "queries", ())))
        target = documents.index(item.id)
        for count, text in enumerate(dict.fromkeys(own)):
            asked.append((text, text, target))
            if count % 2:
                asked.append((mishear(text, sounds, random), text, target))
    encoder.prepare(text for text, _, _ in asked)
    folds = np.random.default_rng(3).integers(0, LEFT_OUT, len(index.passages))
    fold_of = {p.text: int(fold) for p, fold in zip(index.passages, folds, strict=True)}
    learned = [index.learned_from(folds != fold) for fold in range(LEFT_OUT)]
    return [
        _sample(index, text, target, source, learned[fold_of[normalise(source)]])
        for text, source, target in asked
    ]


def dev_samples(finder: Finder[Any], encoder: Remembering) -> list[Sample]:
    """Return the development questions with their document, or none."""
    documents = list(finder.index.documents)
    rows = questions(DEV)
    encoder.prepare(row.text for row in rows)
    return [
        _sample(finder.index, row.text, documents.index(min(row.right)) if row.right else NONE)
        for row in rows
    ]


def outside_samples(
    finder: Finder[Any], encoder: Remembering, negatives: Sequence[str]
) -> list[Sample]:
    """Return texts that mean none of ``finder``'s documents."""
    encoder.prepare(negatives)
    return [_sample(finder.index, text, NONE) for text in negatives]


def _sample(
    index: HybridIndex,
    text: str,
    target: int,
    without: str | None = None,
    learned: Learned | None = None,
) -> Sample:
    return Sample(text, index.features(text, without, learned).astype(np.float64), target)


def fit(training: list[Sample], outside: Flags) -> Fit:
    """Fit the conditional logit by maximum likelihood with an L2 penalty.

    A text without a target means none, or one of the documents that are ``outside``.
    """
    stacked = np.stack([sample.features for sample in training])
    targets = np.array([sample.target for sample in training])
    negative = targets == NONE
    weight = np.where(
        negative,
        NEGATIVE_SHARE / max(1, negative.sum()),
        (1 - NEGATIVE_SHARE) / max(1, (~negative).sum()),
    )
    scale = stacked.reshape(-1, stacked.shape[-1]).std(axis=0) + 1e-9
    right = np.zeros((len(training), len(outside) + 1))
    right[negative] = np.append(outside, True)
    right[np.flatnonzero(~negative), targets[~negative]] = 1

    def loss(parameters: Array) -> tuple[float, Array]:
        logits = (stacked / scale) @ parameters[:-1]
        logits = np.concatenate([logits, np.full((len(logits), 1), parameters[-1])], axis=1)
        logits -= logits.max(axis=1, keepdims=True)
        chance = np.exp(logits)
        chance /= chance.sum(axis=1, keepdims=True)
        hit = (chance * right).sum(axis=1, keepdims=True) + 1e-12
        slope = (chance - chance * right / hit) * weight[:, None]
        gradient = np.append(
            np.einsum("nd,ndf->f", slope[:, :-1], stacked / scale), slope[:, -1].sum()
        )
        gradient[:-1] += 2 * PENALTY * parameters[:-1] / len(scale)
        penalty = PENALTY * (parameters[:-1] ** 2).mean()
        return float(-(weight * np.log(hit[:, 0])).sum() + penalty), gradient

    start = np.zeros(stacked.shape[-1] + 1)
    bounds = [(0, None)] * stacked.shape[-1] + [(None, None)]
    found = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds)
    return Fit(found.x[:-1] / scale, float(found.x[-1]))


def chances(sample: Sample, fitted: Fit, outside: Flags) -> tuple[Any, float]:
    """Return the probability of every document and of none, what is ``outside`` being none."""
    logits = (sample.features @ fitted.weights).astype(np.float32)
    return apart(*probabilities(logits, fitted.none), outside)


def cross_validate(
    every: list[Sample], outside: Flags, seed: int = 7
) -> list[tuple[Sample, Any, float]]:
    """Judge each sample by weights fitted on the other folds."""
    order = np.random.default_rng(seed).permutation(len(every))
    judged: list[tuple[Sample, Any, float]] = []
    for fold in range(FOLDS):
        held = {int(row) for row in order[fold::FOLDS]}
        fitted = fit([sample for row, sample in enumerate(every) if row not in held], outside)
        judged.extend((every[row], *chances(every[row], fitted, outside)) for row in held)
    return judged


def measure(judged: list[tuple[Sample, Any, float]], limits: Calibration) -> dict[str, float]:
    """Return what a citizen meets under ``limits``.

    Precision is that of a stream of texts of which ``NEGATIVE_SHARE`` mean nothing.
    """
    count = dict.fromkeys(("sure", "right", "offered", "refused", "top", "asked", "false"), 0)
    positives = sum(sample.target != NONE for sample, _, _ in judged)
    for sample, scores, none in judged:
        kind, rows = judge(scores, none, limits)
        if sample.target == NONE:
            count["refused"] += kind == "unknown"
            count["false"] += kind == "certain"
            continue
        count["top"] += int(np.argmax(scores)) == sample.target
        count["sure"] += kind == "certain"
        count["right"] += kind == "certain" and rows[0] == sample.target
        count["offered"] += sample.target in rows
        count["asked"] += kind == "ambiguous"
    negatives = len(judged) - positives
    false = count["false"] / negatives * positives * NEGATIVE_SHARE / (1 - NEGATIVE_SHARE)
    return {
        "top1": count["top"] / positives,
        "certain_precision": count["right"] / max(1.0, count["sure"] + false),
        "certain_recall": count["right"] / positives,
        "offered": count["offered"] / positives,
        "asks_back": count["asked"] / positives,
        "null_rejection": count["refused"] / negatives,
        "null_certain": count["false"] / negatives,
    }


def choose(judged: list[tuple[Sample, Any, float]], precision: float) -> Calibration:
    """Choose thresholds: sure answers right at ``precision``, then ``REFUSED``."""
    limits = NEUTRAL.model_copy(update={"share": 0.2})
    for certain in np.arange(0.40, 0.99, 0.01):
        limits = limits.model_copy(update={"certain": round(float(certain), 2)})
        if measure(judged, limits)["certain_precision"] >= precision:
            break
    for possible in np.arange(0.05, 0.96, 0.01):
        limits = limits.model_copy(update={"possible": round(float(possible), 2)})
        if measure(judged, limits)["null_rejection"] >= REFUSED:
            break
    return limits


def calibrate(finder: Finder[Any], every: list[Sample]) -> Calibration:
    """Print the table of one collection and return its calibration."""
    documents = finder.index.documents
    outside = np.array([finder.is_outside(finder.items[name]) for name in documents])
    judged = cross_validate(every, outside)
    limits = choose(judged, PRECISION[finder.collection])
    fitted = fit(every, outside)
    positives = sum(sample.target != NONE for sample in every)
    print(f"\n{finder.collection}: {positives} positives, {len(every) - positives} negatives")
    for name, weight in zip(FEATURES, fitted.weights, strict=True):
        print(f"  {name:<12}{weight:8.3f}")
    print(f"  {'none':<12}{fitted.none:8.3f}")
    print("  certain possible  top1  precision recall offered asks_back null_unknown null_certain")
    for certain in sorted({0.5, 0.6, 0.7, 0.8, limits.certain}):
        row = measure(judged, limits.model_copy(update={"certain": certain}))
        mark = "*" if certain == limits.certain else " "
        print(
            f" {mark}{certain:6.2f} {limits.possible:8.2f} {row['top1']:6.3f} "
            f"{row['certain_precision']:9.3f} {row['certain_recall']:6.3f} "
            f"{row['offered']:7.3f} {row['asks_back']:9.3f} {row['null_rejection']:10.3f} "
            f"{row['null_certain']:12.3f}"
        )
    for sample, scores, none in judged:
        kind, rows = judge(scores, none, limits)
        if kind == "certain" and rows[0] != sample.target:
            meant = "-" if sample.target == NONE else documents[sample.target]
            print(f"  wrong: {sample.text} -> {documents[rows[0]]}, meant {meant}")
    weights = {
        name: round(float(value), 3) for name, value in zip(FEATURES, fitted.weights, strict=True)
    }
    return limits.model_copy(update={"weights": weights, "none": round(fitted.none, 3)})


def main() -> None:
    """Calibrate both finders."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help=f"write {CALIBRATION_FILE.name}")
    parser.add_argument("--only", choices=["services", "policies"], help="one of the two")
    arguments = parser.parse_args()
    settings = get_settings()
    encoder = Remembering(get_encoder(settings.embedding_model))
    text = Path(__file__).with_name("negatives.yml").read_text(encoding="utf-8")
    groups: dict[str, list[str]] = yaml.safe_load(text)
    outside = [line for name, lines in groups.items() if name != "broad_policy" for line in lines]
    result = {}
    if arguments.only != "policies":
        services = ServiceFinder(matters(), encoder, settings.model_dir, NEUTRAL)
        every = dev_samples(services, encoder) + outside_samples(services, encoder, outside)
        result["services"] = calibrate(services, every)
    if arguments.only != "services":
        found = load_policies(settings.policies_dir)
        policies = PolicyFinder(found, encoder, settings.model_dir, NEUTRAL)
        negatives = [*outside, *groups["broad_policy"]]
        every = own_samples(policies, encoder) + outside_samples(policies, encoder, negatives)
        result["policies"] = calibrate(policies, every)
    if arguments.write:
        content = yaml.safe_load(CALIBRATION_FILE.read_text(encoding="utf-8"))
        content |= {name: value.model_dump(mode="json") for name, value in result.items()}
        CALIBRATION_FILE.write_text(
            "# Written by benchmarks/matcher/calibrate.py; do not edit by hand.\n"
            f"# Fitted with the encoder {encoder.name}.\n"
            + yaml.safe_dump(content, sort_keys=False),
            encoding="utf-8",
        )


if __name__ == "__main__":
    main()

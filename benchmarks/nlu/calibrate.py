"""Fits the temperature and shows what fallback thresholds do, on the development half only.

Run in the Rasa runtime, after ``shimin train``:
``.venv-rasa/bin/python -m benchmarks.nlu.calibrate``.
The temperature is the one of least negative log-likelihood (Guo et al. 2017).
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any, List, Tuple

import numpy as np
from rasa.core.agent import Agent
from rasa.shared.nlu.constants import INTENT, TEXT
from rasa.shared.nlu.training_data.loading import load_data
from scipy.special import log_softmax, softmax

ROOT = Path(__file__).resolve().parents[2]
DEVELOPMENT = ROOT / "nlu_data" / "heldout" / "intents" / "dev"
TEMPERATURES = np.arange(0.3, 1.51, 0.05)
THRESHOLDS = (0.3, 0.35, 0.4, 0.45, 0.5, 0.55)
OUTSIDE = "out_of_scope"


def main() -> None:
    """Print the best temperature and a table of fallback thresholds at it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", nargs="?", default=str(ROOT / "models" / "shimin.tar.gz"))
    classifier, normaliser = components(parser.parse_args().model)
    texts, truth = examples(normaliser)
    intents, scores = classifier.scores(texts)
    labels = np.array([intents.index(intent) for intent in truth])
    best = min(TEMPERATURES, key=lambda t: negative_log_likelihood(scores / t, labels))
    print(f"temperature {best:.2f}")
    rows = softmax(scores / best, axis=1)
    outside = np.array([intent == OUTSIDE for intent in truth])
    first, confidence = rows.argmax(axis=1), rows.max(axis=1)
    print(f"{'threshold':>9} {'oos recall':>10} {'false rej.':>10} {'accuracy':>8}")
    for threshold in THRESHOLDS:
        unsure = confidence < threshold
        rejected = unsure | (first == intents.index(OUTSIDE))
        right = (first == labels) & ~unsure
        print(
            f"{threshold:>9} {rejected[outside].mean():>10.3f} "
            f"{rejected[~outside].mean():>10.3f} {right[~outside].mean():>8.3f}"
        )


def components(model: str) -> Tuple[Any, Any]:
    """Return the trained classifier and normaliser of a model."""
    nodes = Agent.load(model).processor.graph_runner._instantiated_nodes
    found = {type(node._component).__name__: node._component for node in nodes.values()}
    return found["SpokenUnderstanding"], found["Normaliser"]


def examples(normaliser: Any) -> Tuple[List[str], List[str]]:
    """Return texts as the classifier gets them, and their intents."""
    messages = [
        message
        for path in sorted(DEVELOPMENT.glob("*.yml"))
        if path.stem != "double"
        for message in load_data(str(path)).intent_examples
    ]
    normaliser.process(messages)
    return [m.get(TEXT) for m in messages], [m.get(INTENT) for m in messages]


def negative_log_likelihood(scores: np.ndarray, labels: np.ndarray) -> float:
    """Return the mean negative log-likelihood of the true labels (nats)."""
    return float(-log_softmax(scores, axis=1)[np.arange(len(labels)), labels].mean())


if __name__ == "__main__":
    main()

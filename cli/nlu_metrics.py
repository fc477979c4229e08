"""Metrics over parsed examples."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.metrics import precision_recall_fscore_support

NOT_OURS = frozenset({"out_of_scope", "nlu_fallback"})
_BINS = 10


def report(records: list[dict[str, Any]]) -> dict[str, Any]:
    """Return accuracy, macro-F1, out-of-scope recall, false rejection, entity F1 and latency.

    - accuracy: share of examples whose predicted intent is the annotated one;
    - macro_f1: mean F1 over the annotated intents (a fallback counts as a miss);
    - out_of_scope_recall: share of out-of-scope examples answered as out of scope or with a
      clarifying question, i.e. not acted upon;
    - false_rejection_rate: share of in-scope examples treated as out of scope or fallback;
    - entity_f1: micro F1 over (type, start, end), exact spans;
    - ece: expected calibration error (Guo et al. 2017) of the classifier's first choice, 10 bins;
    - parse_ms: median and 95th percentile of one parse, in milliseconds.

    - styles: accuracy and number of examples of each style (file), when there are several.

    Args:
        records: lines of ``bot.batch_parse``; at least one.
    """
    truth = [record["intent"] for record in records]
    predicted = [record["predicted"] for record in records]
    labels = sorted(set(truth))
    precision, recall, f1, support = precision_recall_fscore_support(
        truth, predicted, labels=labels, zero_division=0
    )
    outside = [p in NOT_OURS for t, p in zip(truth, predicted, strict=True) if t == "out_of_scope"]
    inside = [p in NOT_OURS for t, p in zip(truth, predicted, strict=True) if t != "out_of_scope"]
    milliseconds = np.array([record["seconds"] for record in records]) * 1000
    return {
        "examples": len(records),
        "accuracy": _share([t == p for t, p in zip(truth, predicted, strict=True)]),
        "macro_f1": round(float(np.mean(f1)), 4),
        "out_of_scope_recall": _share(outside),
        "false_rejection_rate": _share(inside),
        "entity_f1": _entity_f1(records),
        "ece": _calibration_error(records),
        "parse_ms_p50": round(float(np.percentile(milliseconds, 50)), 1),
        "parse_ms_p95": round(float(np.percentile(milliseconds, 95)), 1),
        "styles": _styles(records),
        "intents": {
            label: {
                "support": int(support[i]),
                "precision": round(float(precision[i]), 4),
                "recall": round(float(recall[i]), 4),
                "f1": round(float(f1[i]), 4),
            }
            for i, label in enumerate(labels)
        },
    }


def misread(records: list[dict[str, Any]]) -> list[str]:
    """Return one line per misread example: style, text, truth, prediction with confidence."""
    return [
        f"{r['style']}\t{r['text']}\t{r['intent']} -> {r['predicted']} {r['confidence']:.2f}"
        for r in records
        if r["intent"] != r["predicted"]
    ]


def _styles(records: list[dict[str, Any]]) -> dict[str, dict[str, float | int | None]]:
    hits: dict[str, list[bool]] = {}
    for record in records:
        hits.setdefault(record["style"], []).append(record["intent"] == record["predicted"])
    if len(hits) < 2:
        return {}
    return {
        style: {"support": len(found), "accuracy": _share(found)}
        for style, found in sorted(hits.items())
    }


def _calibration_error(records: list[dict[str, Any]]) -> float:
    """Mean gap between confidence and accuracy over ten equal bins, weighted by their size.

    The first choice is the classifier's own, before the fallback threshold replaced it.
    """
    first = [
        next(rank for rank in record["ranking"] if rank["name"] != "nlu_fallback")
        for record in records
    ]
    confidence = np.array([choice["confidence"] for choice in first])
    right = np.array(
        [choice["name"] == record["intent"] for choice, record in zip(first, records, strict=True)]
    )
    bins = np.minimum((confidence * _BINS).astype(int), _BINS - 1)
    gaps = [
        abs(right[bins == b].mean() - confidence[bins == b].mean()) * (bins == b).mean()
        for b in np.unique(bins)
    ]
    return round(float(sum(gaps)), 4)


def _share(hits: list[bool]) -> float | None:
    return round(sum(hits) / len(hits), 4) if hits else None


def _entity_f1(records: list[dict[str, Any]]) -> float | None:
    hits = wanted = found = 0
    for record in records:
        truth = {tuple(entity) for entity in record["entities"]}
        guess = {tuple(entity) for entity in record["predicted_entities"]}
        hits += len(truth & guess)
        wanted += len(truth)
        found += len(guess)
    if not wanted and not found:
        return None
    return round(2 * hits / (wanted + found), 4)

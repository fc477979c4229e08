"""Metrics over parsed examples."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.metrics import precision_recall_fscore_support

NOT_OURS = frozenset({"out_of_scope", "nlu_fallback"})


def report(records: list[dict[str, Any]]) -> dict[str, Any]:
    """Return accuracy, macro-F1, out-of-scope recall, false rejection, entity F1 and latency.

    - accuracy: share of examples whose predicted intent is the annotated one;
    - macro_f1: mean F1 over the annotated intents (a fallback counts as a miss);
    - out_of_scope_recall: share of out-of-scope examples answered as out of scope or with a
      clarifying question, i.e. not acted upon;
    - false_rejection_rate: share of in-scope examples treated as out of scope or fallback;
    - entity_f1: micro F1 over (type, start, end), exact spans;
    - parse_ms: median and 95th percentile of one parse, in milliseconds.

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
        "parse_ms_p50": round(float(np.percentile(milliseconds, 50)), 1),
        "parse_ms_p95": round(float(np.percentile(milliseconds, 95)), 1),
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

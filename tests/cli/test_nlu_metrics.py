from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli.nlu_metrics import report

LABELS = ["ask_service", "report_pollution", "greet", "out_of_scope", "nlu_fallback"]


def record(
    truth: str,
    predicted: str,
    entities: list[list[Any]] | None = None,
    found: list[list[Any]] | None = None,
    seconds: float = 0.02,
) -> dict[str, Any]:
    return {
        "intent": truth,
        "predicted": predicted,
        "entities": entities or [],
        "predicted_entities": found or [],
        "seconds": seconds,
    }


def test_a_small_confusion_by_hand() -> None:
    """ask_service: P 2/3, R 2/2; report: P 1/1, R 1/2; out_of_scope: P 1/1, R 1/3."""
    measured = report(
        [
            record("ask_service", "ask_service", seconds=0.010),
            record("ask_service", "ask_service", seconds=0.020),
            record("report_pollution", "report_pollution", seconds=0.030),
            record("report_pollution", "nlu_fallback", seconds=0.040),
            record("out_of_scope", "out_of_scope", seconds=0.050),
            record("out_of_scope", "nlu_fallback", seconds=0.060),
            record("out_of_scope", "ask_service", seconds=0.070),
        ]
    )
    assert measured["examples"] == 7
    assert measured["accuracy"] == pytest.approx(4 / 7, abs=1e-4)
    assert measured["macro_f1"] == pytest.approx((0.8 + 2 / 3 + 0.5) / 3, abs=1e-4)
    assert measured["out_of_scope_recall"] == pytest.approx(2 / 3, abs=1e-4)
    assert measured["false_rejection_rate"] == pytest.approx(1 / 4, abs=1e-4)
    assert measured["entity_f1"] is None
    assert measured["parse_ms_p50"] == 40.0
    assert measured["parse_ms_p95"] == 67.0
    assert measured["intents"]["ask_service"] == {
        "support": 2,
        "precision": 0.6667,
        "recall": 1.0,
        "f1": 0.8,
    }
    assert set(measured["intents"]) == {"ask_service", "report_pollution", "out_of_scope"}


def test_entities_count_by_type_and_exact_span() -> None:
    measured = report(
        [
            record("greet", "greet", [["location", 0, 3]], [["location", 0, 3], ["time", 4, 6]]),
            record("greet", "greet", [["location", 0, 3]], [["location", 0, 2]]),
            record("greet", "greet", [["age", 0, 2]], [["amount", 0, 2]]),
        ]
    )
    assert measured["entity_f1"] == pytest.approx(2 * 1 / (3 + 4), abs=1e-4)


def test_shares_of_nothing_are_unknown() -> None:
    measured = report([record("greet", "greet")])
    assert measured["out_of_scope_recall"] is None
    assert measured["false_rejection_rate"] == 0.0


@given(
    st.lists(
        st.tuples(st.sampled_from(LABELS[:4]), st.sampled_from(LABELS), st.floats(0, 10, width=32)),
        min_size=1,
    )
)
def test_every_figure_is_within_its_bounds(rows: list[tuple[str, str, float]]) -> None:
    measured = report([record(t, p, seconds=s) for t, p, s in rows])
    for name in ("accuracy", "macro_f1", "out_of_scope_recall", "false_rejection_rate"):
        assert measured[name] is None or 0 <= measured[name] <= 1
    assert sum(row["support"] for row in measured["intents"].values()) == len(rows)
    right = sum(t == p for t, p, _ in rows)
    assert measured["accuracy"] == pytest.approx(right / len(rows), abs=1e-4)
    assert (measured["macro_f1"] == 1.0) == (right == len(rows))
    assert measured["parse_ms_p50"] <= measured["parse_ms_p95"]

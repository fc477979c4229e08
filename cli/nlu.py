"""``shimin train`` and ``shimin nlu``: both run Rasa in its own runtime."""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from base.errors import ConfigurationError
from base.settings import ROOT, get_settings
from cli.nlu_review import review
from cli.rasa_runtime import CORES, MODEL, Usage, call_rasa

app = typer.Typer(no_args_is_help=True)
app.add_typer(review, name="review", help="What was not understood.")

STAMP = "shimin.stamp"
DOUBLE = "double"
"""Held-out file of messages with two wishes; benchmarks.nlu.wishes reads it."""
_SOURCES = (
    "config.yml",
    "bot/requirements.lock",
    "bot/components/*.py",
    "bot/domain/*.yml",
    "bot/dialogues/*.yml",
    "nlu_data/*.yml",
    "nlu_data/intents/*.yml",
)


def train(
    force: Annotated[bool, typer.Option("--force", help="Train even when up to date.")] = False,
) -> None:
    """Train the Rasa model and the category classifier if what they are made of has changed."""
    from dispatch.classification.classifier import CategoryClassifier
    from matcher.catalogue import Catalogue

    settings = get_settings()
    directory = settings.model_dir
    typer.echo("indexing services and policies, training the category classifier ...")
    Catalogue.load(settings)
    CategoryClassifier.load(settings)
    stamp = fingerprint()
    current = directory / STAMP
    if not force and (directory / MODEL).is_file() and _read(current) == stamp:
        typer.echo("the Rasa model is up to date")
        return
    typer.echo("training the Rasa model (a few minutes) ...")
    directory.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=directory) as scratch:
        call_rasa("-m", "rasa", "train", *_train_arguments(scratch), threads=CORES)
        current.unlink(missing_ok=True)
        (Path(scratch) / MODEL).replace(directory / MODEL)
    current.write_text(stamp)
    typer.echo(f"trained {directory / MODEL}")


@app.command()
def evaluate(
    source: Annotated[Path, typer.Argument(help="Rasa NLU file, or a folder of them (styles).")],
    as_json: Annotated[bool, typer.Option("--json", help="Machine-readable output.")] = False,
    errors: Annotated[bool, typer.Option("--errors", help="List what was misread.")] = False,
) -> None:
    """Measure the trained model: accuracy, macro-F1, out-of-scope recall, entities, calibration."""
    from cli.nlu_metrics import misread, report

    records = parse(evaluation_files(source), get_settings().model_dir / MODEL)
    measured = report(records)
    typer.echo(json.dumps(measured, ensure_ascii=False, indent=2) if as_json else _table(measured))
    if errors:
        typer.echo("\n".join(misread(records)))


def evaluation_files(source: Path) -> list[Path]:
    """Return the file itself, or the files of a folder but ``double.yml`` (two wishes each).

    Raises:
        ConfigurationError: there is nothing to read.
    """
    found = [source] if source.is_file() else sorted(source.glob("*.yml"))
    files = [path for path in found if source.is_file() or path.stem != DOUBLE]
    if not files:
        raise ConfigurationError(f"{source} does not exist or holds no .yml file")
    return files


def parse(files: Sequence[Path], model: Path) -> list[dict[str, Any]]:
    """Parse every example of ``files`` with ``model``; one record each (``bot.batch_parse``).

    Raises:
        ConfigurationError: no model, or no examples.
    """
    return parse_measured(files, model)[0]


def parse_measured(files: Sequence[Path], model: Path) -> tuple[list[dict[str, Any]], Usage]:
    """Return the records of :func:`parse` and what the process that parsed took."""
    if not model.is_file():
        raise ConfigurationError(f"{model} does not exist")
    with tempfile.TemporaryDirectory() as scratch:
        target = Path(scratch) / "parsed.jsonl"
        names = [str(path.resolve()) for path in files]
        usage = call_rasa("-m", "bot.batch_parse", str(model.resolve()), str(target), *names)
        records = [json.loads(line) for line in target.read_text("utf-8").splitlines()]
    if not records:
        raise ConfigurationError(f"{files[0]} holds no examples")
    return records, usage


def fingerprint() -> str:
    """Return a hash of everything the model is made of."""
    digest = hashlib.sha256()
    for pattern in _SOURCES:
        for path in sorted(ROOT.glob(pattern)):
            digest.update(str(path.relative_to(ROOT)).encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()


def training_files() -> list[Path]:
    """Return the files the understanding is trained on: everything but ``heldout/``."""
    return sorted([*ROOT.glob("nlu_data/*.yml"), *ROOT.glob("nlu_data/intents/*.yml")])


def _train_arguments(out: str) -> list[str]:
    data = [str(path) for path in training_files()]
    return [
        "--config", "config.yml",
        "--domain", "bot/domain",
        "--data", *data, "bot/dialogues",
        "--out", out,
        "--fixed-model-name", MODEL.removesuffix(".tar.gz"),
        "--skip-validation",  # reads everything once more, only to warn; tests/nlu checks the data
    ]  # fmt: skip


def _read(path: Path) -> str:
    return path.read_text() if path.is_file() else ""


def _table(measured: dict[str, Any]) -> str:
    tables = ("intents", "styles")
    lines = [f"{name}: {value}" for name, value in measured.items() if name not in tables]
    lines += [
        f"{name:<24}{row['support']:>5}{row['accuracy']:>11.3f}"
        for name, row in measured["styles"].items()
    ]
    lines.append(f"{'intent':<24}{'n':>5}{'precision':>11}{'recall':>8}{'f1':>7}")
    for name, row in measured["intents"].items():
        lines.append(
            f"{name:<24}{row['support']:>5}{row['precision']:>11.3f}{row['recall']:>8.3f}"
            f"{row['f1']:>7.3f}"
        )
    return "\n".join(lines)

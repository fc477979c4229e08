"""``shimin train`` and ``shimin nlu``: both run Rasa in its own runtime."""

from __future__ import annotations

import hashlib
import json
import tempfile
from pathlib import Path
from typing import Annotated, Any

import typer

from base.errors import ConfigurationError
from base.settings import ROOT, get_settings
from cli.rasa_runtime import MODEL, call_rasa

app = typer.Typer(no_args_is_help=True)

STAMP = "shimin.stamp"
_SOURCES = (
    "config.yml",
    "bot/requirements.lock",
    "bot/components/*.py",
    "bot/domain/*.yml",
    "bot/dialogues/*.yml",
    "nlu_data/*.yml",
)


def train(
    force: Annotated[bool, typer.Option("--force", help="Train even when up to date.")] = False,
) -> None:
    """Train the Rasa model and the category classifier if what they are made of has changed."""
    from dispatch.classifier import CategoryClassifier
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
        call_rasa("-m", "rasa", "train", *_train_arguments(scratch))
        current.unlink(missing_ok=True)
        (Path(scratch) / MODEL).replace(directory / MODEL)
    current.write_text(stamp)
    typer.echo(f"trained {directory / MODEL}")


@app.command()
def evaluate(
    file: Annotated[Path, typer.Argument(help="Rasa NLU file, e.g. nlu_data/heldout/….yml")],
    as_json: Annotated[bool, typer.Option("--json", help="Machine-readable output.")] = False,
) -> None:
    """Measure the trained model on a file: accuracy, macro-F1, out-of-scope recall, per intent."""
    from cli.nlu_metrics import report

    model = get_settings().model_dir / MODEL
    for needed in (file, model):
        if not needed.is_file():
            raise ConfigurationError(f"{needed} does not exist")
    with tempfile.TemporaryDirectory() as scratch:
        target = Path(scratch) / "parsed.jsonl"
        call_rasa("-m", "bot.batch_parse", str(model), str(file.resolve()), str(target))
        records = [json.loads(line) for line in target.read_text("utf-8").splitlines()]
    if not records:
        raise ConfigurationError(f"{file} holds no examples")
    measured = report(records)
    typer.echo(json.dumps(measured, ensure_ascii=False, indent=2) if as_json else _table(measured))


def fingerprint() -> str:
    """Return a hash of everything the model is made of."""
    digest = hashlib.sha256()
    for pattern in _SOURCES:
        for path in sorted(ROOT.glob(pattern)):
            digest.update(str(path.relative_to(ROOT)).encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()


def _train_arguments(out: str) -> list[str]:
    data = [str(path) for path in sorted(ROOT.glob("nlu_data/*.yml"))]
    return [
        "--config", "config.yml",
        "--domain", "bot/domain",
        "--data", *data, "bot/dialogues",
        "--out", out,
        "--fixed-model-name", MODEL.removesuffix(".tar.gz"),
    ]  # fmt: skip


def _read(path: Path) -> str:
    return path.read_text() if path.is_file() else ""


def _table(measured: dict[str, Any]) -> str:
    lines = [f"{name}: {value}" for name, value in measured.items() if name != "intents"]
    lines.append(f"{'intent':<24}{'n':>5}{'precision':>11}{'recall':>8}{'f1':>7}")
    for name, row in measured["intents"].items():
        lines.append(
            f"{name:<24}{row['support']:>5}{row['precision']:>11.3f}{row['recall']:>8.3f}"
            f"{row['f1']:>7.3f}"
        )
    return "\n".join(lines)

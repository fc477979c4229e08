"""``shimin nlu review``: what was not understood, grouped, decided by a person, exported."""

from __future__ import annotations

import getpass
import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
import yaml

from base.errors import ConfigurationError
from base.settings import ROOT
from store.database import unit_of_work
from store.unclear import Unclear, decide, read_unclear

review = typer.Typer(invoke_without_command=True)

DROP = "none"


@review.callback()
def list_clusters(
    context: typer.Context,
    as_json: Annotated[bool, typer.Option("--json", help="Machine-readable output.")] = False,
) -> None:
    """List clusters of open messages with suggested intents, the largest first."""
    if context.invoked_subcommand:
        return
    from enquiries.unclear import cluster

    with unit_of_work() as session:
        clusters = cluster(read_unclear(session, "open", _official()))
    if as_json:
        typer.echo(json.dumps([asdict(c) for c in clusters], ensure_ascii=False, indent=2))
        return
    for found in clusters:
        guesses = ", ".join(f"{name} {score:.2f}" for name, score in found.suggestions)
        typer.echo(f"ids {' '.join(map(str, found.ids))}  ({guesses})")
        for words in found.words:
            typer.echo(f"    {words}")
    typer.echo(f"{len(clusters)} clusters, {sum(len(c.ids) for c in clusters)} messages")


@review.command("decide")
def decide_messages(
    ids: Annotated[list[int], typer.Argument(help="Numbers from the list.")],
    intent: Annotated[str, typer.Option(help=f"What they mean; '{DROP}' drops them.")],
) -> None:
    """Record what messages mean."""
    if intent != DROP and intent not in known_intents():
        raise ConfigurationError(f"{intent} is no intent of bot/domain")
    with unit_of_work() as session:
        changed = decide(session, ids, None if intent == DROP else intent)
    missing = sorted(set(ids) - set(changed))
    typer.echo(f"{len(changed)} messages: {intent}")
    if missing:
        typer.echo(f"not open: {' '.join(map(str, missing))}", err=True)
        raise typer.Exit(2)


@review.command()
def export(
    target: Annotated[Path, typer.Argument(help="Rasa NLU file to write; must not exist.")],
) -> None:
    """Write the decided messages as Rasa training examples, to be read before they are used."""
    with unit_of_work() as session:
        messages = read_unclear(session, "decided", _official())
    if target.exists():
        raise ConfigurationError(f"{target} exists already")
    target.write_text(rasa_file(messages), "utf-8")
    typer.echo(f"{len(messages)} examples in {target}")


def rasa_file(messages: list[Unclear]) -> str:
    """Return Rasa NLU YAML of decided messages, each text once."""
    by_intent: dict[str, dict[str, None]] = {}
    for message in messages:
        words = " ".join(message.words.split())
        by_intent.setdefault(str(message.intent), {})[words] = None
    lines = [
        "# From messages of citizens, masked; decided by `shimin nlu review`.",
        'version: "3.1"',
        "nlu:" if by_intent else "nlu: []",
    ]
    for intent, texts in sorted(by_intent.items()):
        lines += [f"- intent: {intent}", "  examples: |", *(f"    - {text}" for text in texts)]
    return "\n".join(lines) + "\n"


def known_intents() -> frozenset[str]:
    """Return the intents of the Rasa domain."""
    names: set[str] = set()
    for path in sorted((ROOT / "bot" / "domain").glob("*.yml")):
        names.update(yaml.safe_load(path.read_text("utf-8")).get("intents") or ())
    return frozenset(names)


def _official() -> str:
    return f"official:{getpass.getuser()}"

"""``shimin services``: the editors' tools for the service catalogue."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Annotated

import typer

from base.settings import get_settings
from cli.answer_quality import report
from cli.question_groups import reopen, settle, settled, unanswered

app = typer.Typer(no_args_is_help=True)
for command in (unanswered, settle, settled, reopen):
    app.command()(command)
app.command()(report)

_LEVELS = {"error": "错误", "warning": "提醒"}


@app.callback()
def _services() -> None:
    """Service items and packages."""


@app.command()
def check(
    as_json: Annotated[bool, typer.Option("--json", help="Machine-readable output.")] = False,
) -> None:
    """Find what misleads citizens: overdue reviews, dead aliases, contradictions.

    Errors end with code 1; a file that cannot be read ends with code 2.
    """
    from base.calendar import city_today
    from enquiries.editing import review
    from matcher.catalogue import Catalogue

    catalogue = Catalogue.load(get_settings())
    remarks = review(catalogue, city_today())
    errors = sum(remark.level == "error" for remark in remarks)
    if as_json:
        typer.echo(json.dumps([asdict(remark) for remark in remarks], ensure_ascii=False, indent=2))
    else:
        for remark in remarks:
            typer.echo(f"{_LEVELS[remark.level]}  {remark.matter}  {remark.field}：{remark.text}")
        typer.echo(
            f"事项 {len(catalogue.services)} 个，一件事 {len(catalogue.packages)} 个；"
            f"错误 {errors} 处，提醒 {len(remarks) - errors} 处。"
        )
    raise typer.Exit(1 if errors else 0)
